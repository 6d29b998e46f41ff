"""Items and paragraphs on two quantities: TPP against density, qubits against error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import inf
from typing import Any, Final

import pyarrow as pa

from perfcalc.answers.charts.frame import law_lines, notes_panel, place_name
from perfcalc.answers.charts.items import (
    MAIN,
    Item,
    Mark,
    Scale,
    domain,
    items_of,
    marks_of,
    region_tests,
    title_of,
    value_words,
)
from perfcalc.answers.charts.layers import HEIGHT, WIDTH, Drawing
from perfcalc.answers.charts.regions import Region, axes_of, condition_words, regions_of, undrawn
from perfcalc.answers.charts.render import Chart, altair, finish
from perfcalc.answers.charts.style import VERDICTS
from perfcalc.errors import InputError
from perfcalc.fields import Kind
from perfcalc.line import Plan
from perfcalc.rulebook.book import Rule

#: Kind of chart -> kind of item, usual quantities, what is drawn.
PLANES: Final[dict[str, tuple[Kind, tuple[str, str], str]]] = {
    "density": ("ic", ("tpp", "performance_density"), "Integrated circuits"),
    "quantum": ("quantum", ("counted_qubits", "cnot_error"), "Quantum computers"),
}


def plane_charts(kind: str, table: pa.Table, plan: Plan) -> tuple[Chart, Chart]:
    """A chart for a light page and for a dark one; the items are judged once."""
    item_kind, usual, _ = PLANES[kind]
    items = items_of(table, plan, item_kind, *axes_of(plan.books[0].rules, item_kind, usual))
    return plane_chart(kind, table, plan, items=items), plane_chart(kind, table, plan, dark=True, items=items)


def plane_chart(
    kind: str, table: pa.Table, plan: Plan, dark: bool = False, items: Sequence[Item] | None = None
) -> Chart:
    """Draw the items of a sheet among the paragraphs of the first book of a plan.

    Parameters
    ----------
    items
        What the book says of the sheet's items, where it was asked before.

    Raises
    ------
    InputError
        The sheet has no item of the kind, or none that can be drawn; or the extra is not installed.
    """
    item_kind, usual, what = PLANES[kind]
    rules = plan.books[0].rules
    x, y = axes_of(rules, item_kind, usual)
    regions = regions_of(rules, item_kind, x, y)
    if items is None:
        items = items_of(table, plan, item_kind, x, y)
    if not items:
        raise InputError(f"the sheet has no items of kind {item_kind!r}", "choose another --kind of chart")
    limits = [[end for each in regions for end in getattr(each, side) if 0 < end < inf] for side in ("x", "y")]
    across = Scale(*domain((item.x for item in items), limits[0]), 0, WIDTH)
    up = Scale(*domain((item.y for item in items), limits[1]), HEIGHT, 0)
    if y == "cnot_error":
        # A smaller error is better: up, as more qubits are to the right.
        up = Scale(up.low, up.high, 0, HEIGHT)
    marks, left, why = marks_of(items, across, up, x, y)
    if not marks:
        reasons = "; ".join(f"{count:,} ({reason})" for reason, count in left.most_common())
        raise InputError(
            f"no item can be drawn: {reasons}", "give the fields behind it, or choose another --kind of chart"
        )
    drawing = Drawing(across, up, x, y, dark)
    labels = drawing.labels([mark for mark in marks if mark.panel == MAIN], regions)
    notes = _notes(rules, item_kind, regions, marks, left, x, y)
    panels = drawing.panels(regions, marks, labels)
    counts = Counter(item.verdict for mark in marks for item in mark.items)
    book = plan.books[0]
    title = f"{'HYPOTHETICAL: ' if plan.overlays else ''}{what} against the law of {place_name(book.jurisdiction)} on {book.day.isoformat()}"
    description = _description(title, plan, regions, counts, left, x, y)
    alt = altair()
    last = notes_panel(alt, notes, WIDTH, dark)
    whole = alt.vconcat(*panels, *([last] if last is not None else []), spacing=5)
    whole = whole.resolve_scale(color="shared", shape="shared", fill="shared")
    drawn = sum(len(mark.items) for mark in marks)
    return Chart(
        kind,
        title,
        description,
        finish(whole, dark, title, law_lines(plan), description),
        drawn,
        dict(left),
        [_row(item, x, y, why.get(item.row, "")) for item in items],
        notes,
        dark,
        regions,
        labels,
    )


def _row(item: Item, x: str, y: str, why: str) -> dict[str, Any]:
    return {
        "item": item.name,
        "row": item.row,
        "verdict": VERDICTS[item.verdict][0],
        "entries": item.entries.replace(";", ", "),
        "needs": item.needs.replace(";", ", "),
        title_of(x): value_words(item.x, x),
        title_of(y): value_words(item.y, y),
        "not drawn": why,
    }


def _notes(
    rules: Sequence[Rule],
    kind: Kind,
    regions: Sequence[Region],
    marks: Sequence[Mark],
    left: Counter[str],
    x: str,
    y: str,
) -> list[str]:
    """What the picture does not show by itself."""
    notes = []
    for name in dict.fromkeys(words for region in regions for words in region.unless):
        codes = dict.fromkeys(region.paragraph for region in regions if name in region.unless)
        which = "every region" if all(name in region.unless for region in regions) else ", ".join(codes)
        notes.append(f"† {which}: not for items under {name}.")
    conditional = {region.paragraph: region.only_if for region in regions if region.only_if}
    notes += [f"{code} (dashed): only where {' and '.join(words)}." for code, words in conditional.items()]
    hypothetical = dict.fromkeys(region.paragraph for region in regions if region.overlay)
    if hypothetical:
        notes.append(f"{', '.join(hypothetical)} (dashed outline): hypothetical, brought by the overlay.")
    drawn = {region.paragraph for region in regions}
    for rule in rules:
        apart = [box for box in rule.boxes if not {condition.metric for condition in box} & {x, y}]
        if rule.paragraph in drawn and apart:
            words = " or ".join(" and ".join(condition_words(each) for each in box) for box in apart)
            notes.append(f"{rule.paragraph} is met in another way too, which has no place here: {words}.")
    if not regions:
        notes.append(f"No paragraph of that day tests {title_of(x)} or {title_of(y)}.")
    others = undrawn(rules, kind, regions)
    unread = [rule.paragraph for rule in others if rule.unread]
    if unread:
        notes.append(f"Not drawn, because its numbers were not read in a source: {', '.join(dict.fromkeys(unread))}.")
    elsewhere = Counter(
        entry
        for mark in marks
        for item in mark.items
        if item.verdict == "controlled"
        for entry in item.entries.split(";")
        if entry in {rule.paragraph for rule in others}
    )
    if elsewhere:
        said = ", ".join(f"{entry} ({count:,})" for entry, count in elsewhere.most_common())
        notes.append(f"Controlled by paragraphs that test something else: {said}.")
    total = sum(len(mark.items) for mark in marks)
    gone = "; ".join(f"{count:,} ({reason})" for reason, count in left.most_common())
    notes.append(f"{total:,} items drawn{f'; not drawn: {gone}' if gone else ', none left out'}.")
    if any(mark.bar_x or mark.bar_y for mark in marks):
        notes.append("A line through a point is the interval in which its value lies.")
    return notes


def _description(
    title: str, plan: Plan, regions: Sequence[Region], counts: Counter[str], left: Counter[str], x: str, y: str
) -> str:
    said = ", ".join(f"{count:,} {VERDICTS[word][0]}" for word, count in counts.most_common())
    law = "; ".join(f"{region.paragraph}: {', '.join(region_tests(region, x, y))}" for region in regions)
    gone = sum(left.values())
    return (
        f"{title}. {' '.join(law_lines(plan))}. Scatter chart on logarithmic axes. Items drawn: {said or 'none'}"
        f"{f'; {gone:,} left out' if gone else ''}. Shaded regions: {law or 'none'}."
    )
