"""What is wrong with cells, in kinds that can be counted."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

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


def problem_column(problems: Mapping[int, list[str]], rows: int) -> pa.Array:
    """The column `problems`: what could not be read in each row, null where all could."""
    if not problems:
        return pa.nulls(rows, pa.string())
    words: list[str | None] = [None] * rows
    for row, said in problems.items():
        words[row] = "; ".join(said)
    return pa.array(words, pa.string())
