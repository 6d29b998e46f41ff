"""More of the Python API: questions that score a sheet many times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from perfcalc.errors import InputError
from perfcalc.frames import Frame, to_arrow
from perfcalc.line import parse_day
from perfcalc.plans import plan_for
from perfcalc.rulebook.book import Law
from perfcalc.rulebook.overlay import Overlays

if TYPE_CHECKING:
    from perfcalc.answers.charts.render import Chart
    from perfcalc.answers.check import Check
    from perfcalc.answers.designs import Design
    from perfcalc.answers.headroom import Headroom
    from perfcalc.line import Plan


def headroom(
    frame: Frame,
    *,
    item: str | None = None,
    as_of: str | date | None = None,
    jurisdictions: Sequence[str] = ("us",),
    rules: Overlays = (),
    readings: str | Mapping[str, str] = "",
    law: Law = "enforced",
) -> Headroom:
    """How far each item is from every line: the smallest change of one field the sheet gives that moves its verdict.

    And the smallest factor that moves it when every dense rate is multiplied by it (``all_rates``): a faster or slower
    part of the same design. Every condition of the law is solved for the change in fractions, and what the solution does
    is asked of the engine: the value given moves the verdict, one last digit less does not. An item without a verdict
    (`cannot_tell`) has no lines; `needs` says what would settle it.

    Parameters
    ----------
    item
        The name or id of one item; all of them by default.

    Raises
    ------
    InputError
        A day, jurisdiction, overlay or item cannot be used.
    """
    from perfcalc.answers.headroom import headroom_of

    table = to_arrow(frame)
    plan = plan_for(table.schema.names, "the frame", as_of, jurisdictions, readings, law=law, rules=rules)
    return headroom_of(table, plan, item)


def headroom_design(
    *,
    area: str | float,
    node: str | None = None,
    datacenter: str | None = None,
    memory_bandwidth: str | float | None = None,
    interconnect: str | float | None = None,
    as_of: str | date | None = None,
    jurisdictions: Sequence[str] = ("us",),
    rules: Overlays = (),
    readings: str | Mapping[str, str] = "",
    law: Law = "enforced",
) -> Design:
    """The largest dense rate of each format at which a chip of this area stays `not_controlled`.

    With overlays the answer is given twice: under the law as it is, and under the overlays.

    Parameters
    ----------
    area
        Logic area in mm².
    node
        Process node; without it the architecture is not known.
    datacenter
        ``yes`` or ``no``; without it both are possible, and the lower ceiling counts.
    memory_bandwidth, interconnect
        In GB/s; without them a rule that tests them cannot tell.

    Raises
    ------
    InputError
        A day, jurisdiction or overlay cannot be used.
    """
    from perfcalc.answers.designs import design_table, designs

    said = {
        "die_area_mm2": area,
        "process_node": node,
        "datacenter": datacenter,
        "memory_bandwidth_gb_s": memory_bandwidth,
        "interconnect_gb_s": interconnect,
    }
    design = {name: str(value) for name, value in said.items() if value is not None}
    table = to_arrow(design_table(design))
    plans = [
        plan_for(table.schema.names, "the design", as_of, jurisdictions, readings, law=law, rules=overlays)
        for overlays in ([(), rules] if rules else [()])
    ]
    return designs(table, plans, design)


def check(
    frame: Frame,
    expected: str | Path,
    *,
    tolerances: Sequence[str] | Mapping[str, float] = (),
    update: bool = False,
    reason: str = "",
    as_of: str | date | None = None,
    jurisdictions: Sequence[str] = ("us",),
    rules: Overlays = (),
    readings: str | Mapping[str, str] = "",
    law: Law = "enforced",
) -> Check:
    """Compare a sheet's results with a golden file: drift, missing and extra items.

    Parameters
    ----------
    expected
        A CSV with ``id`` or ``name`` and any result columns, which also say the jurisdictions. A column ``as_of`` may
        give each row its day; without it `as_of` is the day.
        Columns ``rulebook`` and ``cells``, which a file made by `update` has, are digests of what its rows were made
        from: they tell whether a drift comes from the law or from the sheet.
    tolerances
        Relative, of numbers: ``("tpp=0.1%",)`` or ``{"tpp": 0.001}``; else 1e-9. Words are compared exactly.
    update, reason
        Rewrite the golden file to what was found; rows that changed carry the reason in a column ``reason``. A file that
        is absent is made, for `jurisdictions`.

    Raises
    ------
    InputError
        The golden file cannot be read or expects what is no result, or an update has no reason.
    """
    from perfcalc.answers.catalogue import KEYS, Catalogue
    from perfcalc.answers.check import (
        BESIDE,
        Check,
        check_rows,
        new_golden,
        parse_tolerances,
        read_golden,
        write_golden,
    )
    from perfcalc.line import parse_day
    from perfcalc.rulebook.overlay import overlaid

    table, path = to_arrow(frame), Path(expected)
    if update and not reason.strip():
        raise InputError("an update needs a reason", 'add --reason "why the results are other ones now"')
    book, today = overlaid(rules), parse_day(as_of)

    def plan_of(day: str | None, places: Sequence[str]) -> Plan:
        names, asked = table.schema.names, tuple(places) or ("us",)
        return plan_for(names, "the frame", day or today, asked, readings, law=law, rules=book)

    catalogue = Catalogue(table, plan_of)
    if update and not path.exists():
        if table.num_rows == 0:
            raise InputError("the sheet has no rows", "give it one")
        every = tuple(jurisdictions) == ("all",)
        rows = new_golden(catalogue, book.jurisdictions if every else jurisdictions, today)
        write_golden(path, rows, range(len(rows)), reason)
        columns = [name for name in rows[0] if name not in (*KEYS, *BESIDE)]
        return Check(str(path), columns, {}, [], list(book.overlays), updated=True)
    chosen = parse_tolerances(tolerances)
    golden = read_golden(path)
    columns, items, fresh = check_rows(golden, catalogue, book.jurisdictions, chosen, today.isoformat())
    answer = Check(str(path), columns, chosen, items, list(book.overlays))
    if update and answer.drifted:
        kept = [item for item in items if item.outcome != "missing"]
        write_golden(path, fresh, (k for k, item in enumerate(kept) if item.outcome != "same"), reason)
        answer.updated = True
    return answer


def chart(
    frame: Frame,
    *,
    kind: str | None = None,
    as_of: str | date | None = None,
    from_: str | date | None = None,
    jurisdictions: Sequence[str] | None = None,
    rules: Overlays = (),
    readings: str | Mapping[str, str] = "",
    law: Law = "enforced",
    dark: bool = False,
) -> Chart:
    """A picture of a sheet against the law of a day: ``save("OUT.svg")``, ``.png`` or a self-contained ``.html``.

    Parameters
    ----------
    kind
        ``density``, ``timeline``, ``quantum``, ``coverage`` or ``origin``; by default what suits the items.
    from_
        Where the time line begins; by default on the first day of the rule book that moves an item.
    jurisdictions
        By default ``("us",)``, and all of them for ``coverage``. The other charts take one.

    Raises
    ------
    InputError
        The sheet has nothing to draw, an option cannot be used, or the extra ``charts`` is not installed.
    """
    from perfcalc.answers.charts.draw import chart_of
    from perfcalc.rulebook.overlay import overlaid

    book = overlaid(rules)
    return chart_of(
        to_arrow(frame),
        kind,
        parse_day(as_of),
        None if from_ is None else parse_day(from_),
        None if jurisdictions is None else tuple(jurisdictions),
        lambda columns, day, places: plan_for(columns, "the frame", day, places, readings, law=law, rules=book),
        book,
        dark=dark,
    )


def design_chart(
    design: Design,
    *,
    jurisdictions: Sequence[str] = ("us",),
    rules: Overlays = (),
    readings: str | Mapping[str, str] = "",
    law: Law = "enforced",
    dark: bool = False,
) -> Chart:
    """The allowed space of a design that `headroom_design` answered for, with the same options: area against TPP.

    Raises
    ------
    InputError
        An option cannot be used, or the extra ``charts`` is not installed.
    """
    from perfcalc.answers.charts.space import space_chart
    from perfcalc.answers.designs import design_table

    names = to_arrow(design_table(design.design)).schema.names
    plans = [
        plan_for(names, "the design", design.as_of, jurisdictions, readings, law=law, rules=overlays)
        for overlays in ([(), rules] if rules else [()])
    ]
    return space_chart(design, plans, dark)
