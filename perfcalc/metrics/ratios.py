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
def quotients(
    over_low: Numbers, over_high: Numbers, under_low: Numbers, under_high: Numbers, low: Numbers, high: Numbers
) -> None:
    """Both bounds of an interval quotient; without upper limit where the divisor may be zero."""
    lowest_quotient(over_low, under_high, low)
    for i in range(high.shape[0]):
        if under_high[i] == 0:
            high[i] = np.nan
        elif under_low[i] > 0:
            high[i] = over_high[i] / under_low[i]
        else:
            high[i] = np.inf if over_high[i] > 0 else over_high[i]


def divide(facts: Facts, over: tuple[Numbers, Numbers], under: tuple[Numbers, Numbers]) -> tuple[Numbers, Numbers]:
    """The interval ``over ÷ under``: widest where the divisor may be zero, not a number where it surely is."""
    low = facts.empty()
    if over[0] is over[1] and under[0] is under[1]:
        run(lowest_quotient, facts.exact, over[0], under[1], low)
        return low, low
    high = facts.empty()
    run(quotients, facts.exact, *over, *under, low, high)
    return low, high
