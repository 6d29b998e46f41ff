"""What the words of a sheet tell: parties, memory types, declared entries and the marketed size of a node.

Only what a cell says is used. A name that no rule names is "other": affiliates are not looked up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

import numpy as np
import pyarrow as pa

from perfcalc.facts import Facts, Indices
from perfcalc.fields import FIELDS, PARTIES
from perfcalc.sheets.nodes import find
from perfcalc.sheets.said import distinct
from perfcalc.sheets.words import words

#: How the parties of dated rules are written.
PARTY_NAMES: Final = {
    "huawei": re.compile(r"\bhuawei\b", re.IGNORECASE),
    "smic": re.compile(r"\bsmic\b|\bsemiconductor manufacturing international\b", re.IGNORECASE),
}

_ECCN: Final = re.compile(r"\s*([0-9][A-E][0-9]{3})", re.IGNORECASE)
_EAR99: Final = re.compile(r"\s*EAR\s*-?\s*99\s*", re.IGNORECASE)

#: Exact ends of what a cell tells; None where it tells nothing.
Span = tuple[Fraction, Fraction] | None


def read_names(facts: Facts, batch: pa.RecordBatch, columns: Mapping[str, str]) -> None:
    """Add the derived fields that come from text columns."""
    for name, told in (
        ("has_hbm", _has_hbm),
        ("designer_party", _party),
        ("end_user_party", _party),
        ("base_eccn", _base_eccn),
    ):
        (source,) = FIELDS[name].sources
        if source in columns:
            cells, codes = distinct(batch, columns, source)
            _fill(facts, name, [None if cell is None else (told(cell),) for cell in cells], codes)
            facts.given[source] = facts.given[name]
    for name in ("designer_party", "end_user_party"):
        # A sheet that names nobody names no party of these rules; "?" stays open.
        nobody = ~facts.is_given(name)
        low, high = (bound.copy() for bound in facts.interval(name))
        low[nobody] = high[nobody] = Fraction(0) if facts.exact else 0.0
        facts.set(name, low, high)
    if "process_node" in columns:
        nodes, node_codes = distinct(batch, columns, "process_node")
        makers, maker_codes = distinct(batch, columns, "foundry")
        pairs, codes = np.unique(node_codes * len(makers) + maker_codes, return_inverse=True)
        sizes: list[tuple[Span] | None] = []
        for pair in pairs:
            node, maker = nodes[pair // len(makers)], makers[pair % len(makers)]
            sizes.append(None if node is None else (_marketed(node, maker or ""),))
        _fill(facts, "marketed_nm", sizes, codes)
        facts.given["process_node"] = facts.given["marketed_nm"]


def _fill(facts: Facts, name: str, told: Sequence[tuple[Span] | None], codes: Indices) -> None:
    """Spread what each distinct cell tells over the rows: None says nothing, (None,) may be anything."""
    field = FIELDS[name]
    widest = (Fraction(0), Fraction(len(field.choices) - 1) if field.type == "choice" else np.inf)
    spans = [widest if each is None or each[0] is None else each[0] for each in told]
    low, high = (np.empty(len(spans), dtype=object) for _ in range(2))
    low[:], high[:] = [span[0] for span in spans], [span[1] for span in spans]
    if not facts.exact:
        low, high = low.astype(np.float64), high.astype(np.float64)
    facts.given[name] = np.array([each is not None for each in told], dtype=bool)[codes]
    lows = low[codes]
    facts.set(name, lows, lows if np.all(low == high) else high[codes])
    # Codes, and sizes as the table of nodes has them: short decimals.
    facts.certain.add(name)


def _code(value: int) -> Span:
    return Fraction(value), Fraction(value)


def _has_hbm(cell: str) -> Span:
    return None if cell.casefold() in words("unknown") else _code(int("hbm" in cell.casefold()))


def _party(cell: str) -> Span:
    if cell.casefold() in words("unknown"):
        return None
    named = [PARTIES.index(party) for party, names in PARTY_NAMES.items() if names.search(cell)]
    return _code(named[0] if named else 0)


def _base_eccn(cell: str) -> Span:
    match = _ECCN.match(cell)
    if match is None:
        # EAR99 is no entry, so none with .z paragraphs either.
        return _code(0) if _EAR99.fullmatch(cell) else None
    choices = FIELDS["base_eccn"].choices
    entry = match[1].upper()
    return _code(choices.index(entry) if entry in choices else 0)


def _marketed(node: str, maker: str) -> Span:
    sizes = [Fraction(each.marketed_nm) for each in find(node, maker) if each.marketed_nm]
    return (min(sizes), max(sizes)) if sizes else None
