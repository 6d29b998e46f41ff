"""Metrics of a memory package or stack."""

from __future__ import annotations

from perfcalc.facts import Facts, Numbers
from perfcalc.metrics.ratios import divide
from perfcalc.metrics.readings import Readings


def memory_bandwidth_density(facts: Facts, readings: Readings) -> tuple[Numbers, Numbers]:
    """Memory bandwidth in GB/s ÷ area of the package or stack in mm².

    A stack inside a package takes the bandwidth and the area of the package.

    Source: 15 CFR 774 Supp. 1, 3A090.c, technical note.
    """
    return divide(facts, facts.interval("memory_bandwidth_gb_s"), facts.interval("memory_area_mm2"))
