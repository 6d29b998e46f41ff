"""What lies on a line is found exactly, and only that: the metric at the limit, of the distinct items that reach it.

Floats far from every limit are on the right side of it. One near a limit is computed again from the decimal text, as a
fraction, and replaced by the float nearest to it that lies on the same side of the limit (or on it). From then on
comparing floats is comparing exact numbers, and nothing else of the item needs a fraction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pyarrow as pa

from perfcalc.facts import Facts, Flags, Indices, Numbers
from perfcalc.rulebook.book import OPERATORS
from perfcalc.verdicts.positions import NEAR
from perfcalc.verdicts.tables import Book, is_rounded

#: Exact facts of some rows, with the metrics of these names.
Measure = Callable[[Indices, frozenset[str]], Facts]
Limits = dict[str, tuple[Fraction, ...]]


def limits_of(books: Iterable[Book]) -> Limits:
    """Every limit of some books, and of what stands beside them, that rounding may move a metric across."""
    limits: dict[str, dict[Fraction, None]] = {}
    for book in books:
        for one in (book, book.beside):
            if one is not None:
                for m, operator, limit in zip(
                    one.program.metric, one.program.operator, one.exact_program.limit, strict=True
                ):
                    name = one.metrics[m]
                    if OPERATORS[operator] != "=" and is_rounded(name):
                        limits.setdefault(name, {})[Fraction(limit)] = None
    return {name: tuple(found) for name, found in limits.items()}


def settle(facts: Facts, limits: Limits, distinct: Callable[[Indices], Indices], measure: Measure) -> Facts:
    """Floats that lie on the side of every limit on which the exact numbers lie.

    Parameters
    ----------
    facts
        Of items that stand alone, in floats.
    distinct
        For some rows, which of them has the same cells: the place of its first like among them.
    measure
        The exact facts of some rows.
    """
    near: dict[str, Flags] = {}
    for name, values in limits.items():
        if name not in facts.low:
            continue  # what the sheet does not have is zero, or unknown, without any rounding
        doubtful = [limit for limit in values if not (name in facts.certain and _is_short(limit))]
        rows = _near(facts.low[name], doubtful)
        if facts.high[name] is not facts.low[name]:
            rows |= _near(facts.high[name], doubtful)
        if rows.any():
            near[name] = rows
    settled = replace(facts, low=dict(facts.low), high=dict(facts.high), certain=set(facts.certain), settled=True)
    if near:
        wanted = np.flatnonzero(np.logical_or.reduce(list(near.values())))
        like = distinct(wanted)
        firsts, of_row = np.unique(like, return_inverse=True)
        exact = measure(wanted[firsts], frozenset(near))
        place = np.full(facts.size, -1, dtype=np.int64)
        place[wanted] = of_row
        for name, rows in near.items():
            _put(settled, name, np.flatnonzero(rows), exact, place, limits[name])
    return settled


def like_rows(columns: Sequence[pa.Array], rows: Indices) -> Indices:
    """For each row, the place among `rows` of the first one with the same cells."""
    taken = pa.array(rows)
    cells = zip(*(column.take(taken).to_pylist() for column in columns), strict=True)
    first: dict[object, int] = {}
    # Lists and the like compare as their text.
    return np.array([first.setdefault(repr(row), at) for at, row in enumerate(cells)], dtype=np.int64)


def _near(values: Numbers, limits: Sequence[Fraction]) -> Flags:
    near = np.zeros(values.size, dtype=bool)
    for limit in limits:
        # Below a limit of one the distance is absolute, as the judge's is.
        middle = float(limit)
        reach = NEAR * max(abs(middle), 1)
        near |= (values >= middle - reach) & (values <= middle + reach)
    return near


def _is_short(limit: Fraction) -> bool:
    """Whether a limit is a decimal of at most 15 digits."""
    return Fraction(f"{float(limit):.15g}") == limit


def _put(facts: Facts, name: str, rows: Indices, exact: Facts, place: Indices, limits: Sequence[Fraction]) -> None:
    bounds = []
    for floats, fractions in zip((facts.low[name], facts.high[name]), exact.interval(name), strict=True):
        values = floats.copy()
        for row in rows:
            values[row] = _beside(fractions[place[row]], limits)
        bounds.append(values)
    low, high = bounds
    facts.set(name, low, low if facts.low[name] is facts.high[name] and np.array_equal(low, high, True) else high)


def _beside(value: Fraction | float, limits: Sequence[Fraction]) -> float:
    """The nearest float, moved off a limit that the exact value is not on."""
    number = float(value)
    if not np.isfinite(number):
        return number
    for limit in limits:
        line = float(limit)
        if number == line and value != limit:
            return float(np.nextafter(line, np.inf if value > limit else -np.inf))
    return number
