"""The map of a sheet: its items among the paragraphs of the day, on two quantities, as geometry for a template.

What lies where is the business of `perfcalc.answers.charts`. Its pictures are drawn once, in English and in fixed
colours; on the page a point is a link, colours follow the reader's, words are the reader's, and the map is drawn anew
for every day that the slider passes. So only rectangles, points and places for names are computed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf, isnan
from typing import Any, Final

import pyarrow as pa

from perfcalc.answers.charts.items import (
    MAIN,
    NONE,
    UNKNOWN,
    Item,
    Mark,
    Scale,
    domain,
    items_of,
    marks_of,
    region_tests,
)
from perfcalc.answers.charts.labels import Rect, largest_part, place_labels, text_width
from perfcalc.answers.charts.plane import PLANES
from perfcalc.answers.charts.regions import Region, axes_of, regions_of
from perfcalc.answers.charts.style import MOST_SHADES
from perfcalc.line import Plan

WIDTH, HEIGHT = 820, 400
#: Of the strips under the map, for items that have no y and for those whose y is not known.
LANE, MOST_LANES, STRIP_GAP = 13, 8, 22
#: Between two points of a strip that are not on one another.
APART: Final = 13
NAME_SIZE: Final = 11
NAMED: Final = 30


def planes_of(table: pa.Table, plan: Plan) -> list[dict[str, Any]]:
    """One map for each kind of item of a sheet that has one, under the book of the United States or the first one."""
    plan = replace(plan, books=tuple(sorted(plan.books, key=lambda book: book.jurisdiction != "us")))
    found = []
    for kind, (item_kind, usual, _) in PLANES.items():
        rules = plan.books[0].rules
        x, y = axes_of(rules, item_kind, usual)
        items = items_of(table, plan, item_kind, x, y)
        if items:
            regions = regions_of(rules, item_kind, x, y)
            found.append({"kind": kind, "place": plan.books[0].jurisdiction} | _plane(items, regions, x, y))
    return found


def _plane(items: Sequence[Item], regions: Sequence[Region], x: str, y: str) -> dict[str, Any]:
    limits = [[end for each in regions for end in getattr(each, side) if 0 < end < inf] for side in ("x", "y")]
    across = Scale(*domain((item.x for item in items), limits[0]), 0, WIDTH)
    # A smaller error is better: up, as more qubits are to the right.
    ends = (0, HEIGHT) if y == "cnot_error" else (HEIGHT, 0)
    up = Scale(*domain((item.y for item in items), limits[1]), *ends)
    marks, left, _ = marks_of(items, across, up, x, y)
    main = [mark for mark in marks if mark.panel == MAIN]
    points = [(across.at(mark.x), up.at(mark.y)) for mark in main]
    boxes = [_box(region, across, up) for region in regions]
    names, taken = _region_names(regions, boxes, points)
    order = sorted(range(len(main)), key=lambda at: (main[at].urgency, main[at].label))
    frame = Rect(0, 0, WIDTH, HEIGHT)
    labels = place_labels(points, [mark.label for mark in main], order, frame, taken, most=NAMED, radius=6)
    drawn = [_mark(mark, *point, across, up) for mark, point in zip(main, points, strict=True)]
    strips, bottom = [], float(HEIGHT)
    for panel in (NONE, UNKNOWN):
        placed, lanes = _lanes([mark for mark in marks if mark.panel == panel], across)
        if placed:
            top = bottom + STRIP_GAP
            bottom = top + lanes * LANE + 6
            strips.append({"why": panel, "top": top, "height": bottom - top})
            drawn += [_mark(mark, at, top + 3 + LANE * (lane + 0.5), across, None) for mark, at, lane in placed]
    codes = list(dict.fromkeys(region.paragraph for region in regions))
    return {
        "x": x,
        "y": y,
        "width": WIDTH,
        "height": HEIGHT,
        "bottom": bottom,
        # The principal paragraph last, so that it lies on top.
        "regions": [
            _region(region, box, codes, x, y) for region, box in zip(reversed(regions), reversed(boxes), strict=True)
        ],
        "names": names,
        "ticks_x": [{"at": across.at(tick), "value": tick} for tick in _spaced(across, 34)],
        "ticks_y": [{"at": up.at(tick), "value": tick} for tick in _spaced(up, 15)],
        "limits_x": [{"at": across.at(limit), "value": limit} for limit in _limits(limits[0], across, 40)],
        "limits_y": [{"at": up.at(limit), "value": limit} for limit in _limits(limits[1], up, 12)],
        "strips": strips,
        "marks": sorted(drawn, key=lambda mark: (mark["x"], mark["y"])),
        "labels": [
            {"x": points[label.index][0] + label.place.dx * 1.25, "y": points[label.index][1] + label.place.dy,
             "align": label.place.align, "baseline": label.place.baseline, "text": label.text}
            for label in labels
        ],
        "left": dict(left),
        "drawn": sum(len(mark.items) for mark in marks),
    }  # fmt: skip


def _box(region: Region, across: Scale, up: Scale) -> Rect:
    """What a region covers."""
    left, right = (across.at(max(end, across.low)) for end in region.x)
    top, bottom = sorted(up.at(max(end, up.low)) for end in region.y)
    return Rect(left, top, right, bottom)


def _region(region: Region, box: Rect, codes: Sequence[str], x: str, y: str) -> dict[str, Any]:
    at = codes.index(region.paragraph)
    return {
        "paragraph": region.paragraph,
        "title": region.title,
        "tests": region_tests(region, x, y),
        "unless": list(region.unless),
        "conditional": bool(region.only_if),
        "hypothetical": bool(region.overlay),
        "through": not region.tests_y,
        # The steps of a long ladder are equals.
        "shade": at if len(codes) <= MOST_SHADES else 1,
        "left": box.left,
        "top": box.top,
        "width": box.right - box.left,
        "height": box.bottom - box.top,
    }


def _region_names(
    regions: Sequence[Region], boxes: Sequence[Rect], points: Sequence[tuple[float, float]]
) -> tuple[list[dict[str, Any]], list[Rect]]:
    """The code of each paragraph in a corner of its largest free part; shorter where it does not fit, or not at all."""
    names: list[dict[str, Any]] = []
    taken: list[Rect] = []
    named: set[str] = set()
    for at, region in enumerate(regions):
        if region.paragraph in named:
            continue
        part = largest_part(boxes[at], boxes[:at])
        short = region.paragraph.split(".", 1)[-1]
        for text in (region.paragraph, short, short.rsplit(".", 1)[-1]):
            width = text_width(text, NAME_SIZE) * 1.1
            corners = [
                Rect(left, top, left + width, top + 14)
                for top in (part.top + 4, part.bottom - 18)
                for left in (part.left + 5, part.right - 5 - width)
            ]
            fits = [box for box in corners if box.within(part) and not any(box.touches(each) for each in taken)]
            if fits:
                box = min(fits, key=lambda each: sum(each.touches(Rect(x - 6, y - 6, x + 6, y + 6)) for x, y in points))
                names.append({"x": box.left, "y": box.top + 11, "text": text})
                taken.append(box)
                named.add(region.paragraph)
                break
    return names, taken


def _lanes(marks: Sequence[Mark], across: Scale) -> tuple[list[tuple[Mark, float, int]], int]:
    """Marks of a strip in lanes, so that they do not lie on one another; and how many lanes there are."""
    ends: list[float] = []
    placed = []
    for mark in sorted(marks, key=lambda each: each.x):
        at = across.at(mark.x)
        lane = next((number for number, end in enumerate(ends) if at - end >= APART), None)
        if lane is None:
            lane = len(ends) if len(ends) < MOST_LANES else min(range(len(ends)), key=ends.__getitem__)
        ends[lane : lane + 1] = [at]
        placed.append((mark, at, lane))
    return placed, len(ends)


def _mark(mark: Mark, x: float, y: float, across: Scale, up: Scale | None) -> dict[str, Any]:
    first = mark.items[0]
    bars = []
    if mark.bar_x:
        bars.append([across.at(mark.bar_x[0]), y, across.at(mark.bar_x[1]), y])
    if mark.bar_y and up is not None:
        bars.append([x, up.at(mark.bar_y[0]), x, up.at(mark.bar_y[1])])
    return {
        "x": x,
        "y": y,
        "bars": bars,
        "verdict": mark.verdict,
        "row": first.row,
        "name": first.name or str(first.row),
        "more": len(mark.items) - 1,
        "entries": first.entries.split(";") if first.entries else [],
        "needs": first.needs.split(";") if first.needs else [],
        "x_value": first.x,
        "y_value": None if isnan(first.y[0]) else first.y,
    }


def _spaced(scale: Scale, room: float) -> list[float]:
    """Ticks with room between them."""
    kept: list[float] = []
    for tick in scale.ticks():
        if not kept or abs(scale.at(tick) - scale.at(kept[-1])) >= room:
            kept.append(tick)
    return kept


def _limits(limits: Sequence[float], scale: Scale, room: float) -> list[float]:
    """The law's numbers on an axis, as far as there is room for them."""
    kept: list[float] = []
    for limit in sorted(set(limits)):
        if scale.low < limit < scale.high and all(abs(scale.at(limit) - scale.at(each)) >= room for each in kept):
            kept.append(limit)
    return kept
