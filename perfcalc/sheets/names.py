"""What the words of a sheet tell: parties, memory types, declared entries and the marketed size of a node.

Only what a cell says is used. A name that no rule names is "other": affiliates are not looked up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final

import numpy as np
import pyarrow as pa

from perfcalc.facts import Facts
from perfcalc.fields import FIELDS, PARTIES
from perfcalc.sheets.cells import UNKNOWN, texts
from perfcalc.sheets.nodes import find

#: How the parties of dated rules are written.
PARTY_NAMES: Final = {
    "huawei": re.compile(r"\bhuawei\b", re.IGNORECASE),
    "smic": re.compile(r"\bsmic\b|\bsemiconductor manufacturing international\b", re.IGNORECASE),
}

_ECCN: Final = re.compile(r"\s*([0-9][A-E][0-9]{3})", re.IGNORECASE)

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
            cells = list(texts(batch.column(columns[source])))
            widest = len(FIELDS[name].choices) - 1
            _fill(facts, name, cells, {cell: told(cell) for cell in set(cells) if cell is not None}, widest)
            facts.given[source] = facts.given[name]
    for name in ("designer_party", "end_user_party"):
        # A sheet that names nobody names no party of these rules; "?" stays open.
        nobody = ~facts.is_given(name)
        low, high = (bound.copy() for bound in facts.interval(name))
        low[nobody] = high[nobody] = Fraction(0) if facts.exact else 0.0
        facts.set(name, low, high)
    if "process_node" in columns:
        nodes = list(texts(batch.column(columns["process_node"])))
        makers = list(texts(batch.column(columns["foundry"]))) if "foundry" in columns else [None] * len(nodes)
        pairs = [None if node is None else f"{node}\n{maker or ''}" for node, maker in zip(nodes, makers, strict=True)]
        _fill(facts, "marketed_nm", pairs, {pair: _marketed(pair) for pair in set(pairs) if pair}, np.inf)
        facts.given["process_node"] = facts.given["marketed_nm"]


def _fill(facts: Facts, name: str, cells: list[str | None], meanings: Mapping[str, Span], widest: float) -> None:
    low, high = facts.full(0), facts.full(widest)
    given = np.zeros(facts.size, dtype=bool)
    number: Callable[[Fraction], float | Fraction] = Fraction if facts.exact else float
    for row, cell in enumerate(cells):
        if cell is None:
            continue
        # A cell that says "unknown" is given: it may be anything.
        given[row] = True
        if (span := meanings[cell]) is not None:
            low[row], high[row] = number(span[0]), number(span[1])
    facts.given[name] = given
    facts.set(name, low, low if np.all(low == high) else high)


def _code(value: int) -> Span:
    return Fraction(value), Fraction(value)


def _has_hbm(cell: str) -> Span:
    return None if cell.casefold() in UNKNOWN else _code(int("hbm" in cell.casefold()))


def _party(cell: str) -> Span:
    if cell.casefold() in UNKNOWN:
        return None
    named = [PARTIES.index(party) for party, names in PARTY_NAMES.items() if names.search(cell)]
    return _code(named[0] if named else 0)


def _base_eccn(cell: str) -> Span:
    match = _ECCN.match(cell)
    if match is None:
        return None
    choices = FIELDS["base_eccn"].choices
    entry = match[1].upper()
    return _code(choices.index(entry) if entry in choices else 0)


def _marketed(pair: str) -> Span:
    node, _, maker = pair.partition("\n")
    sizes = [Fraction(each.marketed_nm) for each in find(node, maker) if each.marketed_nm]
    return (min(sizes), max(sizes)) if sizes else None
