"""What lies on a line is found exactly, and only that: the metric at the limit, of the distinct items that reach it.

Floats far from every limit are on the right side of it. One near a limit is computed again from the decimal text, as a
fraction, and replaced by the float nearest to it that lies on the same side of the limit (or on it). From then on
comparing floats is comparing exact numbers, and nothing else of the item needs a fraction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pyarrow as pa

from perfcalc.facts import Facts, Flags, Indices, Numbers
from perfcalc.sheets.cells import as_text
from perfcalc.verdicts.positions import Line

#: Exact facts of some rows, with the metrics of these names.
Measure = Callable[[Indices, frozenset[str]], Facts]


def settle(
    facts: Facts, lines: Sequence[Line], distinct: Callable[[Indices], tuple[Indices, Indices]], measure: Measure
) -> Facts:
    """Floats that lie on the side of every limit on which the exact numbers lie.

    Parameters
    ----------
    facts
        Of items that stand alone, in floats.
    lines
        All limits that matter.
    distinct
        For some rows, one of each kind by its place among them, and for each row which kind it is; see `like_rows`.
    measure
        The exact facts of some rows.
    """
    near: dict[str, Flags] = {}
    for line in lines:
        # What the sheet does not have is zero, or unknown, without any rounding.
        if line.metric in facts.low and line.is_doubtful(facts):
            low, high = facts.interval(line.metric)
            rows = _near(low, line) if low is high else _near(low, line) | _near(high, line)
            if rows.any():
                near[line.metric] = rows
    settled = replace(facts, low=dict(facts.low), high=dict(facts.high), certain=set(facts.certain), settled=True)
    if near:
        wanted = np.flatnonzero(np.logical_or.reduce(list(near.values())))
        firsts, of_row = distinct(wanted)
        exact = measure(wanted[firsts], frozenset(near))
        place = np.full(facts.size, -1, dtype=np.int64)
        place[wanted] = of_row
        for line in lines:
            if line.metric in near:
                _put(settled, line, np.flatnonzero(near[line.metric]), exact, place)
    return settled


def like_rows(columns: Sequence[pa.Array], rows: Indices) -> tuple[Indices, Indices]:
    """Of some rows with the same cells the first, by its place among `rows`; and for each row which of those it is like."""
    taken = pa.array(rows)
    code: Indices = np.zeros(rows.size, np.int64)
    for column in columns:
        encoded = as_text(column.take(taken)).dictionary_encode("encode")
        both = code * len(encoded.dictionary) + encoded.indices.to_numpy()
        code = pa.array(both).dictionary_encode().indices.to_numpy().astype(np.int64)
    _, firsts, of_row = np.unique(code, return_index=True, return_inverse=True)
    return firsts, of_row


def _near(values: Numbers, line: Line) -> Flags:
    bands = zip(line.below, line.above, strict=True)
    within = [(values >= below) & (values <= above) for below, above in bands]
    near: Flags = np.logical_or.reduce(within)
    return near


def _put(facts: Facts, line: Line, rows: Indices, exact: Facts, place: Indices) -> None:
    bounds = []
    old = facts.interval(line.metric)
    for floats, fractions in zip(old, exact.interval(line.metric), strict=True):
        values = floats.copy()
        values[rows] = np.array([_beside(value, line.exact) for value in fractions])[place[rows]]
        bounds.append(values)
    low, high = bounds
    facts.set(line.metric, low, low if old[0] is old[1] and np.array_equal(low, high, True) else high)


def _beside(value: Fraction | float, limits: Numbers) -> float:
    """The nearest float, moved off a limit that the exact value is not on."""
    number = float(value)
    if not np.isfinite(number):
        return number
    for limit in limits:
        line = float(limit)
        if number == line and value != limit:
            return float(np.nextafter(line, np.inf if value > limit else -np.inf))
    return number
