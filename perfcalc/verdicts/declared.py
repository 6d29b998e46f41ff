"""The US entry that a sheet declares against the one that its figures lead to.

A declaration is never evidence of its own: it is compared, and changes no verdict. What the figures leave open, and what
perfcalc does not model, is `cannot_tell`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy.typing as npt
import pyarrow as pa

from perfcalc.facts import Facts, Indices
from perfcalc.fields import KINDS
from perfcalc.rulebook.book import Rule
from perfcalc.sheets.said import distinct
from perfcalc.sheets.words import words
from perfcalc.verdicts.columns import distinct_rows
from perfcalc.verdicts.decide import NOT_MODELLED, VERDICTS
from perfcalc.verdicts.judge import Judgement, asked_mask
from perfcalc.verdicts.tables import Book

COLUMN: Final = "declared_eccn_check"
AGREES, DISAGREES, CANNOT_TELL, NOT_DECLARED = CHECKS = ("agrees", "disagrees", "cannot_tell", "not_declared")

EAR99: Final = ("EAR99",)

#: An entry, and its paragraph if one is named: ``3A090.a.1``, ``3a090 A``, ``3A001.z(a)``, ``EAR 99``.
_CODE: Final = re.compile(
    r"\b(?:EAR\s*-?\s*99\b|([0-9][A-E][0-9]{3})((?:[\s.()]*(?:[a-z](?![a-z])|[0-9]{1,2}\b))*))", re.IGNORECASE
)
_PART: Final = re.compile(r"[a-z]|[0-9]+", re.IGNORECASE)

#: By the plan of the list, the entries numbered 990 to 999 are controlled for anti-terrorism alone, but for their .z.
_AT_ENTRY: Final = re.compile(r"[0-9][A-E]99[0-9]")

#: Entries of which every paragraph is in the book; of the others, .z and some paragraphs.
WHOLE: Final = frozenset(("3A090", "3A901", "3A904", "3B904", "3C907", "3C908", "3C909", "4A090", "4A906"))

Parts = tuple[str, ...]
Answer = tuple[str, str]


@dataclass(frozen=True)
class Item:
    """What the US book says of one item: masks with a bit a rule."""

    book: Book
    verdict: str
    met: int
    open: int
    asked: int
    kind: int

    def of(self, mask: int, rules: Iterable[Rule]) -> list[Rule]:
        """Those of some rules whose bit is set."""
        places = {id(rule): r for r, rule in enumerate(self.book.rules)}
        return [rule for rule in rules if mask >> places[id(rule)] & 1]

    @property
    def controls(self) -> list[Rule]:
        """The paragraphs met that make the item controlled."""
        return self.of(self.met & self.book.counting, self.book.rules)


def parse(cell: str) -> list[Parts]:
    """The entries that a cell names, as parts.

    >>> parse("3A090.a.1 / EAR99")
    [('3A090', 'a', '1'), ('EAR99',)]
    """
    found: list[Parts] = []
    for match in _CODE.finditer(cell):
        if match[1] is None:
            found.append(EAR99)
            continue
        parts = [part.casefold() for part in _PART.findall(match[2])]
        if len(parts) > 1 and parts[0] == "z" and parts[1].isalpha():
            parts.insert(1, "*")
        found.append((match[1].upper(), *parts))
    return list(dict.fromkeys(found))


def text(parts: Parts) -> str:
    """Parts as people write an entry."""
    return ".".join(part for part in parts if part != "*")


def _parts(rule: Rule) -> Parts:
    return tuple(rule.paragraph.replace("(", ".*.").replace(")", "").split("."))


def _is_under(rule: Rule, declared: Parts) -> bool:
    """Whether a paragraph of the book is the declared one, or a part of it. ``z(a)`` stands for z.1.a, z.2.a, ..."""
    own = _parts(rule)
    same = (mine == theirs or "*" in (mine, theirs) for mine, theirs in zip(own, declared, strict=False))
    return len(declared) <= len(own) and all(same)


def compare(item: Item, cell: str | None) -> Answer:
    """The check of one item, and why in a few words."""
    if cell is None or cell.casefold() in words("missing"):
        return NOT_DECLARED, ""
    codes = parse(cell)
    if not codes:
        return CANNOT_TELL, f"{cell!r} names no US entry"
    if item.verdict == VERDICTS[NOT_MODELLED]:
        return CANNOT_TELL, "no rule for this kind of item is modelled on that day"
    # Beside a weightier entry, a lighter one adds nothing to be right or wrong about.
    entries = [code for code in codes if code != EAR99]
    weighty = [code for code in entries if not _at_only(item.book, code)]
    answers = [_compare_one(item, code) for code in weighty or entries or codes]
    for word in (DISAGREES, AGREES):
        if why := [because for answer, because in answers if answer == word]:
            return word, "; ".join(why)
    return CANNOT_TELL, "; ".join(because for _, because in answers)


def _at_only(book: Book, code: Parts) -> bool:
    """Whether an entry is for anti-terrorism alone: by its number, unless the book knows better, as of 3B993."""
    stronger = any(_is_under(rule, code) and not rule.at_only and not rule.meets for rule in book.rules)
    return _AT_ENTRY.fullmatch(code[0]) is not None and "z" not in code and not stronger


def _of_kind(item: Item, rules: Iterable[Rule]) -> list[Rule]:
    return [rule for rule in rules if item.kind >= 0 and KINDS[item.kind] in rule.kinds]


def _compare_one(item: Item, code: Parts) -> Answer:
    controlled = item.verdict == "controlled"
    met = ", ".join(rule.paragraph for rule in item.controls) or ("an entry left open" if controlled else "")
    if code == EAR99:
        entries = ", ".join(rule.paragraph for rule in item.of(item.met, item.book.rules))
        if controlled or entries:
            return DISAGREES, f"declared EAR99, meets {met or entries}"
        return CANNOT_TELL, "EAR99 says that no entry at all applies, and not every entry is modelled"
    name = text(code)
    under = [rule for rule in item.book.rules if _is_under(rule, code)]
    mine = _of_kind(item, under)
    met_here = item.of(item.met, mine)
    if _at_only(item.book, code) and controlled:
        if [rule for rule in met_here if not rule.at_only]:
            return CANNOT_TELL, f"{name} may or may not mean {met_here[0].paragraph}: name the paragraph"
        return DISAGREES, f"declared {name}, which is for anti-terrorism alone, meets {met}"
    if met_here:
        return AGREES, f"meets {', '.join(rule.paragraph for rule in met_here)}"
    if mine:
        return _not_met(item, code, mine, met)
    if under:
        return _of_another_kind(item, name, under)
    above = [rule for rule in item.book.rules if _is_under(rule, code[: len(_parts(rule))])]
    if above:
        listed = ", ".join(rule.paragraph for rule in above)
        if item.of(item.asked & ~(item.met | item.open), above) == above and _of_kind(item, above) == above:
            return DISAGREES, f"{listed} is not met"
        return CANNOT_TELL, f"the parts of {listed} are not modelled on that day"
    same_entry = [rule.paragraph for rule in item.controls if rule.paragraph.split(".")[0] == code[0]]
    if same_entry:
        return DISAGREES, f"declared {name}, meets {', '.join(same_entry)}"
    return CANNOT_TELL, f"{name} is not modelled on that day"


def _not_met(item: Item, code: Parts, mine: list[Rule], met: str) -> Answer:
    """The declared paragraph is modelled, of this kind of item, and not met: open, not asked, or failed."""
    name = text(code)
    still_open = item.of(item.open, mine)
    if still_open:
        counting = item.of(item.open & item.book.counting, item.book.rules)
        if item.verdict == "controlled" and not item.controls and all(rule in still_open for rule in counting):
            return AGREES, f"every way to complete the facts leads into {name}"
        return CANNOT_TELL, f"open: {', '.join(rule.paragraph for rule in still_open)}"
    if len(item.of(item.asked, mine)) < len(mine):
        return CANNOT_TELL, f"the sheet has no field that {name} tests"
    whole = "z" in code or code[0] in WHOLE
    exact = any(len(_parts(rule)) == len(code) for rule in mine)
    if whole or exact:
        return DISAGREES, f"{name} is not met{f', but {met}' if met else ''}"
    return CANNOT_TELL, f"of {name} only {', '.join(rule.paragraph for rule in mine)} is modelled, and not met"


def _of_another_kind(item: Item, name: str, under: list[Rule]) -> Answer:
    """The declared entry is one of other things: of the computer around this IC, most often."""
    kind = KINDS[item.kind] if item.kind >= 0 else "unknown"
    inside = {code for rule in under for code in rule.contains}
    parts = [rule for rule in item.book.rules if rule.paragraph in inside and kind in rule.kinds]
    if parts and item.of(item.asked, parts) == parts and not item.of(item.met | item.open, parts):
        return DISAGREES, f"declared {name}, and the {kind} meets none of {', '.join(sorted(inside))}"
    kinds = " or ".join(dict.fromkeys(each for rule in under for each in rule.kinds))
    return CANNOT_TELL, f"{name} is an entry for the kind {kinds}, and the row is of kind {kind}"


def declared_columns(
    batch: pa.RecordBatch,
    columns: Mapping[str, str],
    judged: Iterable[tuple[Book, Judgement]],
    facts: Facts,
    kinds: Indices,
) -> dict[str, pa.Array]:
    """The column ``declared_eccn_check``; none where the sheet declares nothing or the US is not asked."""
    us = next(((book, judgement) for book, judgement in judged if book.jurisdiction == "us"), None)
    if "declared_eccn" not in columns or us is None:
        return {}
    cells, codes = distinct(batch, columns, "declared_eccn")
    combinations, rows = distinct_rows(codes, *masks(*us, facts, kinds))
    found = [compare(Item(us[0], VERDICTS[one[1]], *one[2:]), cells[one[0]])[0] for one in combinations]
    return {COLUMN: pa.array(found, pa.string()).take(pa.array(rows))}


def masks(book: Book, judgement: Judgement, facts: Facts, kinds: Indices) -> tuple[npt.NDArray[Any], ...]:
    """Verdict, met, open, asked and kind of each item: what an `Item` holds besides the book."""
    return judgement.verdict, judgement.met, judgement.open, asked_mask(book, facts, kinds), kinds
