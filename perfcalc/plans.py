"""A plan from options as people write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from perfcalc.errors import InputError
from perfcalc.line import Plan, make_plan, parse_day
from perfcalc.metrics.readings import DEFAULT, Readings
from perfcalc.metrics.readings import parse as parse_readings
from perfcalc.rulebook.book import Law
from perfcalc.rulebook.overlay import Overlays, overlaid


def plan_for(
    columns: Sequence[str],
    where: str,
    as_of: str | date | None,
    jurisdictions: Sequence[str],
    readings: str | Mapping[str, str] = "",
    destination: str | None = None,
    end_user_hq: str | None = None,
    law: Law = "enforced",
    rules: Overlays = (),
    mapping: Mapping[str, Any] | None = None,
) -> Plan:
    """A plan from options as people write them."""
    try:
        widen = readings == "all"
        if isinstance(readings, Mapping):
            chosen = Readings(**readings)
        else:
            chosen = DEFAULT if widen else parse_readings(readings)
    except (TypeError, ValueError) as error:
        raise InputError(str(error), "see `perfcalc readings`") from error
    book = overlaid(rules)
    return make_plan(
        columns,
        where,
        parse_day(as_of),
        tuple(jurisdictions),
        chosen,
        widen=widen,
        destination=destination,
        end_user_hq=end_user_hq,
        law=law,
        rules=book,
        mapping=mapping,
    )
