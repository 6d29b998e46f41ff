"""Draw a chart of a sheet: the door to this package."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeAlias

import pyarrow as pa

from perfcalc.answers.charts import KINDS
from perfcalc.answers.charts.plane import PLANES, plane_chart
from perfcalc.answers.charts.render import Chart
from perfcalc.errors import InputError
from perfcalc.fields import KINDS as ITEM_KINDS
from perfcalc.line import Plan, measure_batch

#: A plan from the columns of a sheet, a day and jurisdictions.
MakePlan: TypeAlias = Callable[[Sequence[str], date, Sequence[str]], Plan]


def chart_of(
    table: pa.Table,
    kind: str | None,
    day: date,
    start: date | None,
    jurisdictions: Sequence[str] | None,
    make_plan: MakePlan,
    *,
    dark: bool = False,
) -> Chart:
    """The chart that was asked for, or the one that suits the sheet.

    Raises
    ------
    InputError
        As `draw`; or the chart takes one jurisdiction and several were named.
    """
    columns = table.schema.names
    kind = kind or guess(table, make_plan(columns, day, ("us",)))
    if kind not in KINDS:
        raise InputError(f"{kind!r} is not a kind of chart", f"choose from {', '.join(KINDS)}")
    places = jurisdictions or (("all",) if kind == "coverage" else ("us",))
    if kind != "coverage" and (len(places) > 1 or places[0] == "all"):
        raise InputError(f"a {kind} chart shows one jurisdiction", "name one, or draw --kind coverage")
    return draw(kind, table, [make_plan(columns, day, places)], dark)


def draw(kind: str, table: pa.Table, plans: Sequence[Plan], dark: bool = False) -> Chart:
    """Draw one chart.

    Parameters
    ----------
    plans
        One; for the time line one for each state of the law, in order.

    Raises
    ------
    InputError
        There is no such chart, the sheet has nothing for it, or the extra is not installed.
    """
    if kind in PLANES:
        return plane_chart(kind, table, plans[-1], dark)
    raise InputError(f"{kind!r} is not a kind of chart", f"choose from {', '.join(KINDS)}")


def guess(table: pa.Table, plan: Plan) -> str:
    """The chart that suits a sheet: by the kind of most of its items."""
    counts: Counter[str] = Counter()
    for batch in table.to_batches(2048)[:1]:
        codes = measure_batch(batch, plan, (plan.readings,)).kinds.tolist()
        counts.update(ITEM_KINDS[code] for code in codes if code >= 0)
    if counts["quantum"] > counts["ic"]:
        return "quantum"
    return "density" if counts["ic"] else "coverage"
