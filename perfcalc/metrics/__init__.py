"""Columns become metrics. This wing knows fields and formulas, never a threshold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from perfcalc.facts import Facts
from perfcalc.fields import METRICS
from perfcalc.metrics import quantum
from perfcalc.metrics.readings import Readings, bears_on


@cache
def _function(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(import_module(f"perfcalc.metrics.{module}"), name)


def compute(facts: Facts, readings: Sequence[Readings], names: Iterable[str] = METRICS) -> None:
    """Add metrics and those behind them to `facts`: under several readings, the interval that covers them all.

    The first of `readings` is the default one; its labels (such as `tpp_format`) are kept.
    """
    behind = set(names)
    for metric in reversed(METRICS.values()):
        if metric.name in behind:
            behind.update(metric.inputs)
    wanted = [metric for metric in METRICS.values() if metric.name in behind]
    covers: dict[str, tuple[Any, Any]] = {}
    labels = dict(facts.labels)
    facts.shared.clear()
    for position, reading in enumerate(readings):
        for metric in wanted:
            if position and not bears_on(readings[0], reading, metric.name):
                continue
            facts.certain.discard(metric.name)
            low, high = _function(metric.function)(facts, reading)
            certain = metric.name in facts.certain
            facts.set(metric.name, low, high)
            facts.certain |= {metric.name} if certain and len(readings) == 1 else set()
            if position:
                known_low, known_high = covers[metric.name]
                low, high = _lower(low, known_low), -_lower(-high, -known_high)
            covers[metric.name] = low, high
        labels = labels or dict(facts.labels)
    for name, (low, high) in covers.items():
        facts.low[name], facts.high[name] = low, high
    facts.labels = labels
    facts.shared.clear()


def _lower(one: Any, other: Any) -> Any:
    """The smaller of each two numbers; of a number and not-a-number, the number."""
    return np.where(np.asarray((one < other) | (other != other), dtype=bool), one, other)  # noqa: PLR0124 - NaN


def relevant_readings(facts: Facts) -> list[str]:
    """The open readings that can change a metric of this batch."""
    linked = facts.links is not None
    units = facts.links is not None and facts.links.ics < facts.size
    applies = {
        "units": units,
        "tf32_bits": facts.is_given("tf32_tflops").any(),
        "vector": facts.is_given("fp32_tflops").any(),
        "board": linked,
        "unstated_architecture": not facts.is_given("transistor_architecture").all(),
        "bit_length_2022": True,
        **quantum.relevant(facts),
    }
    return [name for name, does in applies.items() if does]
