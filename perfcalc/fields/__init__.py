"""The vocabulary: every field a sheet may carry and every metric a rule may test.

This is the only list of names in perfcalc. The sheet reader, the metrics, the rule book linter, the templates
and the reference in ``docs/fields.md`` all take their names, units, limits and help from here.
"""

from __future__ import annotations

from perfcalc.fields.field import KINDS, Field, Kind
from perfcalc.fields.metric import METRICS, Metric
from perfcalc.fields.sheet import FIELDS, ORIGIN_FIELDS, PARTIES, RATES, SHEET_FIELDS, USUAL_RATES

__all__ = [
    "FIELDS",
    "KINDS",
    "METRICS",
    "ORIGIN_FIELDS",
    "PARTIES",
    "RATES",
    "SHEET_FIELDS",
    "USUAL_RATES",
    "Field",
    "Kind",
    "Metric",
    "fields_behind",
    "needed_fields",
    "unit_of",
]


def fields_behind(name: str) -> frozenset[str]:
    """Every sheet field that a field or metric is computed from."""
    metric = METRICS.get(name)
    if metric is None:
        field = FIELDS.get(name)
        return frozenset(field.sources if field is not None and field.sources else (name,))
    return frozenset().union(*(fields_behind(part) for part in metric.inputs))


def needed_fields(name: str) -> tuple[str, ...]:
    """The fields to name when `name` must be known better."""
    metric = METRICS.get(name)
    if metric is None:
        return FIELDS[name].sources or (name,)
    return metric.needs


def unit_of(name: str) -> str:
    """The unit of a field or metric."""
    return METRICS[name].unit if name in METRICS else FIELDS[name].unit
