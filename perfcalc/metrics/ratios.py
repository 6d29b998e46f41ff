"""A quotient of two intervals."""

from __future__ import annotations

import numpy as np

from perfcalc.facts import Facts, Numbers
from perfcalc.kernel import kernel, run


@kernel
def quotient(over: Numbers, under_low: Numbers, under_high: Numbers, upper: bool, bound: Numbers) -> None:
    """One bound of an interval quotient: empty where the divisor is surely zero."""
    for i in range(over.shape[0]):
        if under_high[i] == 0:
            bound[i] = -np.inf if upper else np.inf
        elif not upper:
            bound[i] = over[i] / under_high[i]
        elif under_low[i] > 0:
            bound[i] = over[i] / under_low[i]
        else:
            bound[i] = np.inf if over[i] > 0 else over[i]


def divide(facts: Facts, over: tuple[Numbers, Numbers], under: tuple[Numbers, Numbers]) -> tuple[Numbers, Numbers]:
    """The interval ``over ÷ under``: widest where the divisor may be zero, empty where it surely is."""
    low = facts.full(0)
    run(quotient, facts.size, facts.exact, over[0], *under, False, low)
    if over[0] is over[1] and under[0] is under[1]:
        high = low
        empty = np.asarray(under[1] == 0, dtype=bool)
        if not empty.any():
            return low, low
    high = facts.full(0)
    run(quotient, facts.size, facts.exact, over[1], *under, True, high)
    return low, high
