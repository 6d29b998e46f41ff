"""A quotient of two intervals."""

from __future__ import annotations

import numpy as np

from perfcalc.facts import Facts, Numbers
from perfcalc.kernel import kernel, run


@kernel
def lowest_quotient(over: Numbers, under_high: Numbers, bound: Numbers) -> None:
    """Lower bound of an interval quotient; not a number where the divisor is surely zero."""
    for i in range(over.shape[0]):
        bound[i] = over[i] / under_high[i] if under_high[i] != 0 else np.nan


@kernel
def highest_quotient(over: Numbers, under_low: Numbers, under_high: Numbers, bound: Numbers) -> None:
    """Upper bound of an interval quotient: without limit where the divisor may be zero."""
    for i in range(over.shape[0]):
        if under_high[i] == 0:
            bound[i] = np.nan
        elif under_low[i] > 0:
            bound[i] = over[i] / under_low[i]
        else:
            bound[i] = np.inf if over[i] > 0 else over[i]


def divide(facts: Facts, over: tuple[Numbers, Numbers], under: tuple[Numbers, Numbers]) -> tuple[Numbers, Numbers]:
    """The interval ``over ÷ under``: widest where the divisor may be zero, not a number where it surely is."""
    low = facts.full(0)
    run(lowest_quotient, facts.exact, over[0], under[1], low)
    if over[0] is over[1] and under[0] is under[1]:
        return low, low
    high = facts.full(0)
    run(highest_quotient, facts.exact, over[1], *under, high)
    return low, high
