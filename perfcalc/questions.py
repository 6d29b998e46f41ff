"""More of the Python API: questions that score a sheet many times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from perfcalc.frames import Frame, to_arrow
from perfcalc.plans import plan_for
from perfcalc.rulebook.book import Law
from perfcalc.rulebook.overlay import Overlays

if TYPE_CHECKING:
    from perfcalc.answers.headroom import Design, Headroom


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

    Every condition of the law is solved for the field in fractions, and what the solution does is asked of the engine:
    the value given moves the verdict, one last digit less does not.

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
    from perfcalc.answers.headroom import design_table, designs

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
