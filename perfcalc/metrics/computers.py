"""Metrics of a computer."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from perfcalc.facts import Facts, Indices, Numbers
from perfcalc.kernel import kernel, run
from perfcalc.metrics.chips import claims_a_rate
from perfcalc.metrics.readings import Readings


def adjusted_peak_performance(facts: Facts, readings: Readings) -> tuple[Numbers, Numbers]:
    """APP in weighted teraflops (WT): the sum of weight × 64-bit floating-point rate over the processors.

    The weight is 0.9 for a vector processor and 0.3 for any other; where the sheet does not say, APP lies between
    the two. A blank rate beside other rates claims no 64-bit floating point, which counts as zero; without any rate APP
    is unknown. A computer that states no rate of its
    own (or zero) has the sum over its listed parts (`part_of`, times `quantity`); a part that does not say whether it is a
    vector processor takes the computer's word.

    Source: 15 CFR 774 Supp. 1, 4A003, and the Wassenaar technical note on 'Adjusted Peak Performance'.
    """
    rates = facts.interval("fp64_tflops")
    vector_low, vector_high = facts.interval("vector_processor")
    links = facts.links
    summed = np.zeros(facts.size, dtype=bool)
    if links is not None:
        parts = links.board >= 0
        unsaid = parts & ~facts.is_given("vector_processor")
        vector_low, vector_high = vector_low.copy(), vector_high.copy()
        vector_low[unsaid] = vector_low[links.board[unsaid]]
        vector_high[unsaid] = vector_high[links.board[unsaid]]
        stating = parts & facts.is_given("fp64_tflops")
        summed[links.board[stating]] = True
        summed &= np.asarray(rates[1] == 0, dtype=bool)
    weights = (Fraction(3, 10), Fraction(9, 10)) if facts.exact else (0.3, 0.9)
    low = np.where(np.asarray(vector_low > 0, dtype=bool), rates[0] * weights[1], rates[0] * weights[0])
    high = np.where(np.asarray(vector_high > 0, dtype=bool), rates[1] * weights[1], rates[1] * weights[0])
    claimed = claims_a_rate(facts)
    if links is not None:
        claimed[links.board[parts & claimed]] = True
    silent = ~claimed & ~summed
    if silent.any():
        # What states no rate at all is unknown; only beside other rates does a blank say "no 64-bit floating point".
        high = high.copy() if high is low else high
        high[silent] = np.inf
        facts.unsettled["fp64_tflops"] = facts.is_unsettled("fp64_tflops") | silent
    if links is None or not summed.any():
        return low, high
    counts = facts.interval("quantity")
    bounds = []
    for side, values in enumerate((low, high)):
        totals = facts.full(0)
        run(add_to_wholes, facts.exact, values, counts[side], links.board, totals)
        bounds.append(np.where(summed, totals, values))
    # The computer carries its parts' cells: it is asked, and what is open in a part is open in the whole.
    for name, wide in (("fp64_tflops", rates[0] != rates[1]), ("vector_processor", vector_low != vector_high)):
        unsettled = facts.is_unsettled(name) & ~summed
        unsettled[links.board[parts & stating & np.asarray(wide, dtype=bool)]] = True
        facts.unsettled[name] = unsettled
    facts.given["fp64_tflops"] = facts.is_given("fp64_tflops") | summed
    return bounds[0], bounds[1]


@kernel
def add_to_wholes(values: Numbers, counts: Numbers, whole: Indices, totals: Numbers) -> None:
    """Add value × count of each part to the row of the computer or board that contains it."""
    for i in range(values.shape[0]):
        # Nothing times an unknown number is nothing; as floats it would be no number at all.
        if whole[i] >= 0 and values[i] > 0:
            totals[whole[i]] += values[i] * counts[i]
