"""Draw a chart of a sheet: the door to this package."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeAlias

import pyarrow as pa

from perfcalc.answers.changes import days_between
from perfcalc.answers.charts import KINDS
from perfcalc.answers.charts.plane import PLANES, plane_chart
from perfcalc.answers.charts.render import Chart
from perfcalc.errors import InputError
from perfcalc.fields import KINDS as ITEM_KINDS
from perfcalc.line import Plan, measure_batch
from perfcalc.origin.columns import recognise_origin
from perfcalc.rulebook.book import RuleBook

#: A plan from the columns of a sheet, a day and jurisdictions.
MakePlan: TypeAlias = Callable[[Sequence[str], date, Sequence[str]], Plan]


def chart_of(
    table: pa.Table,
    kind: str | None,
    day: date,
    start: date | None,
    jurisdictions: Sequence[str] | None,
    make_plan: MakePlan,
    book: RuleBook,
    *,
    dark: bool = False,
) -> Chart:
    """The chart that was asked for, or the one that suits the sheet.

    Raises
    ------
    InputError
        There is no such chart, it takes one jurisdiction and several were named, the sheet has nothing for it, or the
        extra is not installed.
    """
    columns = table.schema.names
    kind = kind or guess(table, make_plan)
    if kind not in KINDS:
        raise InputError(f"{kind!r} is not a kind of chart", f"choose from {', '.join(KINDS)}")
    places = jurisdictions or (("all",) if kind == "coverage" else ("us",))
    if kind == "origin":
        from perfcalc.answers.charts.origin import origin_chart

        return origin_chart(table, dark)
    if kind == "coverage":
        from perfcalc.answers.charts.coverage import coverage_chart

        return coverage_chart(table, make_plan(columns, day, places), dark)
    if len(places) > 1 or places[0] == "all":
        raise InputError(f"a {kind} chart shows one jurisdiction", "name one, or draw --kind coverage")
    plan = make_plan(columns, day, places)
    if kind in PLANES:
        return plane_chart(kind, table, plan, dark)
    from perfcalc.answers.charts.timeline import first_day, timeline_chart

    begin = start or first_day(book.of(places[0]), day, kinds_of(table, plan))
    if begin >= day:
        raise InputError(f"{begin} is not before {day}", "give the earlier day as --from")
    days = [begin, *days_between(book.dates(places[0]), begin, day)]
    return timeline_chart(table, [make_plan(columns, each, places) for each in days], dark)


def kinds_of(table: pa.Table, plan: Plan) -> Counter[str]:
    """How many of the first items are of which kind."""
    counts: Counter[str] = Counter()
    for batch in table.combine_chunks().to_batches(2048)[:1]:
        codes = measure_batch(batch, plan, (plan.readings,)).kinds.tolist()
        counts.update(ITEM_KINDS[code] for code in codes if code >= 0)
    return counts


def guess(table: pa.Table, make_plan: MakePlan) -> str:
    """The chart that suits a sheet: by the kind of most of its items, or by cells that only the origin model reads."""
    columns = table.schema.names
    if {"product_launch", "chip_announced"} & set(recognise_origin(columns)):
        return "origin"
    counts = kinds_of(table, make_plan(columns, date.today(), ("us",)))  # noqa: DTZ011 - only kinds are asked
    if counts["quantum"] > counts["ic"]:
        return "quantum"
    return "density" if counts["ic"] else "coverage"
