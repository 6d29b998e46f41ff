"""Exact decimals: solved for, counted, written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import isfinite

import numpy as np

from perfcalc.fields import Field


def solve(probes: Sequence[Fraction], values: Sequence[Fraction], limits: Iterable[Fraction]) -> Iterable[Fraction]:
    """Solve ``metric = limit`` for each limit, of a metric known at three points; nothing where it is neither form."""
    if not all(isfinite(value) for value in values):
        return
    for inverse in (False, True):
        if inverse and any(value == 0 for value in values):
            continue
        y = [1 / Fraction(value) if inverse else Fraction(value) for value in values]
        slope = (y[1] - y[0]) / (probes[1] - probes[0])
        if slope != 0 and slope == (y[2] - y[1]) / (probes[2] - probes[1]):
            for limit in limits:
                if not (inverse and limit == 0):
                    yield probes[0] + ((1 / limit if inverse else limit) - y[0]) / slope
            return


def decimals(number: Fraction) -> int:
    """How many decimals a number has, up to nine."""
    return next((digits for digits in range(10) if 10**digits % number.denominator == 0), 9)


def decimal(number: Fraction) -> str:
    """A number as exact decimal text; one without an end keeps thirty digits."""
    digits = next((digits for digits in range(30) if 10**digits % number.denominator == 0), 30)
    scaled = round(number * 10**digits)
    text = f"{abs(scaled):0{digits + 1}d}"
    whole, part = (text[:-digits], text[-digits:]) if digits else (text, "")
    return f"{'-' if scaled < 0 else ''}{whole}{f'.{part}' if part else ''}"


def cell(field: Field, low: Fraction, high: Fraction, given: bool) -> str | None:
    """A cell that is read as this interval."""
    if not given:
        return None
    if field.type == "choice":
        return field.choices[int(low)] if low == high else "unknown"
    if high == np.inf:
        return "unknown"
    return decimal(low) if low == high else f"{decimal(low)}-{decimal(high)}"
