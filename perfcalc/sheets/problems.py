"""What is wrong with the cells of a batch: said once, with all rows that it is true of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from perfcalc.facts import Indices
from perfcalc.fields import FIELDS
from perfcalc.nulls import spelled

#: What each code of `perfcalc.sheets.plausibility` means.
CODES: Final = {
    "half_rate": "rates of the vector units only, on a part that may have matrix units: TPP is a lower bound",
    "rate_ratio": "two rates stand in a ratio that dense rates of one chip do not have: one may be sparse",
    "rate_density": "more TPP on a mm² than any chip has: a rate or the area is wrong",
    "single_rate": "a 32-bit rate beyond any vector unit: it may be a TF32 or a sparse rate",
    "die_area": "an area beyond any package of dies",
    "bandwidth": "beyond any memory of its year: perhaps ten times too high, or bits taken for bytes",
    "transistor_density": "transistors per mm² that no process reaches",
    "foundry_node": "the process node belongs to another foundry",
    "node_date": "released before the process node existed",
}


class Problems:
    """What is wrong with the cells of a batch, in the order in which it was found."""

    def __init__(self) -> None:
        self._said: list[tuple[Indices, str]] = []

    def add(self, rows: Indices, text: str) -> None:
        """Say something of some rows."""
        if rows.size:
            self._said.append((rows, text))

    def __iter__(self) -> Iterator[tuple[Indices, str]]:
        return iter(self._said)

    def of(self, row: int) -> list[str]:
        """What is said of one row."""
        return [text for rows, text in self._said if row in rows]

    def column(self, size: int) -> pa.DictionaryArray:
        """The column `problems`: what is said of each row, null where nothing is."""
        codes = np.full(size, -1, dtype=np.int32)
        words: dict[str, int] = {}
        if self._said:
            said = [text for _, text in self._said]
            places = np.array([words.setdefault(text, len(words)) for text in said], dtype=np.int32)
            rows = np.concatenate([of_text for of_text, _ in self._said])
            order = np.argsort(rows, kind="stable")
            rows, which = rows[order], np.repeat(np.arange(len(said)), [each.size for each, _ in self._said])[order]
            first = np.flatnonzero(np.diff(rows, prepend=-1))
            many = np.diff(first, append=rows.size)
            codes[rows[first]] = places[which[first]]
            for start, count in zip(first[many > 1].tolist(), many[many > 1].tolist(), strict=True):
                text = "; ".join(said[each] for each in which[start : start + count])
                codes[rows[start]] = words.setdefault(text, len(words))
        return spelled(codes, list(words))


def kind_of_problem(text: str) -> str:
    """What a problem is about, without the cell: a code of `plausibility`, or a field and what is wrong with it."""
    where, _, what = text.partition(": ")
    if what and where in FIELDS:
        for word in ("ambiguous", "outside", "disagree", "not in the table", "none of"):
            if word in what:
                return f"{where}: {word}"
        return f"{where}: unreadable"
    return where if where in CODES else "other"
