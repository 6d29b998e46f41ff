"""Metrics of a computer."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from perfcalc.facts import Facts, Numbers
from perfcalc.metrics.readings import Readings


def adjusted_peak_performance(facts: Facts, readings: Readings) -> tuple[Numbers, Numbers]:
    """APP in weighted teraflops (WT): the sum of weight × 64-bit floating-point rate over the processors.

    The weight is 0.9 for a vector processor and 0.3 for any other; where the sheet does not say, APP lies between
    the two. A blank rate claims no 64-bit floating point, which counts as zero.

    Source: 15 CFR 774 Supp. 1, 4A003, and the Wassenaar technical note on 'Adjusted Peak Performance'.
    """
    rate_low, rate_high = facts.interval("fp64_tflops")
    vector_low, vector_high = facts.interval("vector_processor")
    weights = (Fraction(3, 10), Fraction(9, 10)) if facts.exact else (0.3, 0.9)
    low = np.where(np.asarray(vector_low > 0, dtype=bool), rate_low * weights[1], rate_low * weights[0])
    high = np.where(np.asarray(vector_high > 0, dtype=bool), rate_high * weights[1], rate_high * weights[0])
    return low, high
