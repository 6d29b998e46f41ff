"""What is wrong with cells, in kinds that can be counted."""

from __future__ import annotations

from perfcalc.fields import FIELDS
from perfcalc.sheets.plausibility import CODES


def kind_of_problem(text: str) -> str:
    """What a problem is about, without the cell: a code of `plausibility`, or a field and what is wrong with it."""
    where, _, what = text.partition(": ")
    if what and where in FIELDS:
        for word in ("ambiguous", "outside", "disagree", "not in the table", "none of"):
            if word in what:
                return f"{where}: {word}"
        return f"{where}: unreadable"
    return where if where in CODES else "other"
