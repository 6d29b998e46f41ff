"""Where the heading of a table is: below a title, on several lines, with merged cells."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from perfcalc.sheets.headers import read_heading
from perfcalc.sheets.units import parse_unit

#: How far down a heading is looked for, and how many lines it may take.
SEARCHED: Final = 25
DEEPEST: Final = 3


@dataclass(frozen=True)
class Head:
    """The heading of a table.

    Attributes
    ----------
    start
        How many rows stand above it.
    depth
        How many rows it takes.
    headings
        One text for each column; None where there is none.
    """

    start: int
    depth: int
    headings: tuple[str | None, ...]


def find_head(rows: Sequence[Sequence[str]], wanted: Collection[str] = ()) -> Head:
    """The rows that name the most fields; the first row if none names any.

    Parameters
    ----------
    wanted
        Headings that a mapping names.
    """
    folded = {_plain(heading) for heading in wanted}
    width = max((len(row) for row in rows), default=0)
    best, highest = None, 0.0
    for start in range(min(len(rows), SEARCHED)):
        for depth in range(1, min(DEEPEST, len(rows) - start) + 1):
            if depth > 1 and _is_data(rows[start + depth - 1]):
                break
            headings = _joined(rows[start : start + depth], width)
            score = _score(headings, folded) - 0.1 * depth
            if score > highest + 1e-9:
                best, highest = Head(start, depth, headings), score
    if best is None:
        first = next((at for at, row in enumerate(rows) if any(cell.strip() for cell in row)), 0)
        return Head(first, 1, _joined(rows[first : first + 1], len(rows[first]) if rows else 0))
    kept = list(best.headings)
    while len(kept) > len(rows[best.start + best.depth - 1]) and kept[-1] is None:
        kept.pop()
    return Head(best.start, best.depth, tuple(kept))


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _joined(rows: Sequence[Sequence[str]], width: int) -> tuple[str | None, ...]:
    """Headings over several rows; a merged cell above stands for all columns below it."""
    filled: list[list[str]] = []
    for depth, row in enumerate(rows):
        cells = [" ".join(cell.split()) for cell in row] + [""] * (width - len(row))
        if depth < len(rows) - 1:
            for at in range(1, width):
                if not cells[at] and at < len(row):
                    cells[at] = cells[at - 1]
        filled.append(cells)
    joined: list[str | None] = []
    for parts in zip(*filled, strict=True) if filled else ():
        said = list(dict.fromkeys(part for part in parts if part))
        joined.append(" ".join(said) or None)
    return tuple(joined)


def _score(headings: Sequence[str | None], wanted: Collection[str]) -> float:
    fields: set[str] = set()
    units = 0.0
    for heading in headings:
        if heading is None:
            continue
        read = read_heading(heading)
        fields.update(read.fields or ((_plain(heading),) if _plain(heading) in wanted else ()))
        units += 0.2 if read.fields and read.style.unit is not None else 0
    return len(fields) + units + (3 if "name" in fields else 0)


def _is_data(row: Sequence[str]) -> bool:
    """Whether a row can hardly be a line of the heading: it holds numbers."""
    cells = [cell.strip() for cell in row if cell.strip()]
    numbers = sum(bool(re.match(r"[~≈<>$€]?\d", cell)) for cell in cells)
    units = sum(parse_unit(cell) is not None for cell in cells)
    return not cells or numbers > units or numbers * 3 > len(cells)
