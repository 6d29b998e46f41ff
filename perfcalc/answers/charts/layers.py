"""The layers of a plane: regions, limits, intervals, points and names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import inf
from typing import Any, Final

from perfcalc.answers.charts.frame import verdict_legend
from perfcalc.answers.charts.items import (
    MAIN,
    NONE,
    UNKNOWN,
    Mark,
    Scale,
    axis_title,
    region_tests,
    strip_titles,
    title_of,
    tooltip_rows,
)
from perfcalc.answers.charts.labels import Label, Rect, largest_part, place_labels, text_width
from perfcalc.answers.charts.regions import Region
from perfcalc.answers.charts.render import altair, inline
from perfcalc.answers.charts.style import PURPLE, VERDICTS, inks, shades

WIDTH: Final = 820
HEIGHT: Final = 470
LANE: Final = 11
MOST_LANES: Final = 9
#: Whether what is looked for, in an HTML page, is in the names of a mark.
FOUND: Final = "search == '' || indexof(lower(datum.item), lower(search)) >= 0"
#: Of more marks than these each is drawn smaller and fainter.
CROWD: Final = 500


class Drawing:
    """The layers of one plane."""

    def __init__(self, across: Scale, up: Scale, x: str, y: str, dark: bool) -> None:
        self.alt, self.across, self.up, self.x, self.y, self.dark = altair(), across, up, x, y, dark
        self.ink = inks(dark)
        self.frame = Rect(0, 0, WIDTH, HEIGHT)
        self.is_last = self.is_sparse = True
        self.fills: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self.points: list[Rect] = []
        self.names: list[tuple[Region, str, Rect]] = []

    def rect(self, region: Region) -> Rect:
        """What a region covers in the picture."""
        sides = sorted(self.up.at(max(end, self.up.low)) for end in region.y)
        x = [self.across.at(max(end, self.across.low)) for end in region.x]
        return Rect(x[0], sides[0], x[1], sides[1])

    def labels(self, marks: Sequence[Mark], regions: Sequence[Region]) -> list[Label]:
        """Names of paragraphs first, each where no earlier paragraph lies on it; then names of items."""
        points = [(self.across.at(mark.x), self.up.at(mark.y)) for mark in marks]
        self.points = [Rect(x - 4, y - 4, x + 4, y + 4) for x, y in points]
        covered: list[Rect] = []
        taken: list[Rect] = []
        named: set[str] = set()
        for region in regions:
            whole = self.rect(region)
            if region.paragraph not in named and (box := self._name(region, whole, covered, taken)):
                named.add(region.paragraph)
                taken.append(box)
            covered.append(whole)
        for mark, (x, y) in zip(marks, points, strict=True):
            if mark.bar_x:
                taken.append(Rect(self.across.at(mark.bar_x[0]), y - 1, self.across.at(mark.bar_x[1]), y + 1))
            if mark.bar_y:
                ends = sorted(map(self.up.at, mark.bar_y))
                taken.append(Rect(x - 1, ends[0], x + 1, ends[1]))
        order = sorted(range(len(marks)), key=lambda at: (marks[at].urgency, marks[at].label))
        return place_labels(points, [mark.label for mark in marks], order, self.frame, taken)

    def _name(self, region: Region, whole: Rect, covered: list[Rect], taken: list[Rect]) -> Rect | None:
        """In the corner of its largest free part that has the fewest points; shorter where the code does not fit."""
        dagger = " †" if region.unless else ""
        short = region.paragraph.split(".", 1)[-1]
        part = largest_part(whole, covered)
        for text in (region.paragraph + dagger, short + dagger, short.rsplit(".", 1)[-1] + dagger):
            width = text_width(text, 11) * 1.06  # bold
            corners = [
                Rect(left, top, left + width, top + 13)
                for top in (part.top + 4, part.bottom - 16)
                for left in (part.left + 4, part.right - 2 - width)
            ]
            fits = [box for box in corners if box.within(part) and not any(box.touches(each) for each in taken)]
            if fits:
                box = min(fits, key=lambda each: sum(each.touches(point) for point in self.points))
                self.names.append((region, text, box))
                return box
        return None

    def panels(self, regions: Sequence[Region], marks: Sequence[Mark], labels: Sequence[Label]) -> list[Any]:
        """The plane, and below it the items that have no y and those whose y is not known, along the same axis."""
        strips = []
        for panel, heading in zip((NONE, UNKNOWN), strip_titles(self.y), strict=True):
            drawn = sorted((mark for mark in marks if mark.panel == panel), key=lambda mark: mark.x)
            if drawn:
                strips.append((drawn, heading))
        codes = list(dict.fromkeys(region.paragraph for region in regions))
        self.fills = dict(zip(codes, shades(len(codes), self.dark), strict=True))
        self.counts = Counter(mark.verdict for mark in marks for _ in mark.items)
        self.is_sparse = len(marks) <= CROWD
        self.is_last = not strips
        panels = [self.main(regions, marks, labels)]
        for drawn, heading in strips:
            self.is_last = drawn is strips[-1][0]
            panels.append(self._strip(regions, drawn, self._lanes(drawn), heading))
        return panels

    def main(self, regions: Sequence[Region], marks: Sequence[Mark], labels: Sequence[Label]) -> Any:
        """The plane itself."""
        drawn = [mark for mark in marks if mark.panel == MAIN]
        alt = self.alt
        layers = [
            *self._regions(regions),
            *self._hypothetical(regions),
            *self._limits(regions),
            self._region_names(),
            *self._bars(drawn),
            self._points(drawn, legend=True),
            *self._texts(drawn, labels),
        ]
        chart = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
        search = alt.param(name="search", value="", bind=alt.binding(input="search", name="Find an item: "))
        return chart.add_params(search)

    def _lanes(self, marks: Sequence[Mark]) -> int:
        """Put marks that would lie on one another into lanes."""
        ends: list[float] = []
        for mark in marks:
            px = self.across.at(mark.x)
            lane = next((at for at, end in enumerate(ends) if px - end >= LANE), None)
            if lane is None:
                lane = len(ends) if len(ends) < MOST_LANES else min(range(len(ends)), key=ends.__getitem__)
            ends[lane : lane + 1] = [px]
            mark.y = lane + 0.5
        return len(ends)

    def _strip(self, regions: Sequence[Region], marks: Sequence[Mark], lanes: int, title: list[str]) -> Any:
        alt = self.alt
        top = max(lanes, 3)
        across = [region for region in regions if not region.tests_y]
        scale = alt.Scale(domain=[0, top], nice=False, zero=False)
        axis = alt.Axis(
            title=title, titleAngle=0, titleAlign="right", titleFontSize=11, titleX=-10, titleY=top * LANE / 2 - 20,
            titleBaseline="top", labels=False, ticks=False, grid=False,
        )  # fmt: skip
        layers = [
            self._rects(across, alt.Y("low:Q", scale=scale, axis=axis), {"low": 0, "high": top}),
            *self._bars(marks, scale, axis),
            self._points(marks, legend=False, y=alt.Y("y:Q", scale=scale, axis=axis)),
        ]
        return alt.layer(*layers).properties(width=WIDTH, height=top * LANE)

    def _x(self, name: str = "x") -> Any:
        """Only the last panel has the words of the axis."""
        alt = self.alt
        scale = alt.Scale(type="log", domain=[self.across.low, self.across.high], nice=False)
        ticks = alt.Axis(
            title=axis_title(self.x) if self.is_last else None,
            labels=self.is_last,
            ticks=self.is_last,
            values=self.across.ticks(),
            format=",~g",
            labelOverlap="greedy",
        )
        return alt.X(f"{name}:Q", scale=scale, axis=ticks)

    def _y(self, name: str = "y") -> Any:
        alt = self.alt
        scale = alt.Scale(
            type="log", domain=[self.up.low, self.up.high], nice=False, reverse=self.up.start < self.up.end
        )
        title = axis_title(self.y) + (" (smaller is up)" if self.up.start < self.up.end else "")
        ticks = alt.Axis(title=title, values=self.up.ticks(), format=",~g", labelOverlap="greedy")
        return alt.Y(f"{name}:Q", scale=scale, axis=ticks)

    def _regions(self, regions: Sequence[Region]) -> list[Any]:
        return [self._rects(regions, self._y("low"))] if regions else []

    def _rects(self, regions: Sequence[Region], y: Any, ends: dict[str, float] | None = None) -> Any:
        """The principal paragraph last, so that it lies on top and no shade is laid over another."""
        alt = self.alt
        rows = [
            {
                "x": max(region.x[0], self.across.low),
                "x2": min(region.x[1], self.across.high),
                "low": max(region.y[0], self.up.low),
                "high": min(region.y[1], self.up.high),
                **(ends or {}),
                "fill": self.fills[region.paragraph],
                "dash": [4, 3] if region.only_if else [1, 0],
                "paragraph": region.paragraph,
                "title": region.title,
                "test": ", ".join(region_tests(region, self.x, self.y)),
                "unless": "; ".join(region.unless) or "nothing",
            }
            for region in reversed(regions)
        ]
        return (
            alt.Chart(alt.Data(values=inline(rows)))
            .mark_rect(clip=True, stroke=self.ink["edge"], strokeWidth=0.8, aria=False)
            .encode(
                x=self._x(),
                x2="x2:Q",
                y=y,
                y2="high:Q",
                fill=alt.Fill("fill:N", scale=None),
                strokeDash=alt.StrokeDash("dash:N", scale=None),
                tooltip=[
                    alt.Tooltip("paragraph:N", title="paragraph"),
                    alt.Tooltip("title:N", title="title"),
                    alt.Tooltip("test:N", title="if"),
                    alt.Tooltip("unless:N", title="unless"),
                ],
            )
        )

    def _hypothetical(self, regions: Sequence[Region]) -> list[Any]:
        """The outlines of what an overlay brings, over everything that is law."""
        alt = self.alt
        rows = [
            {
                "x": max(region.x[0], self.across.low),
                "x2": min(region.x[1], self.across.high),
                "low": max(region.y[0], self.up.low),
                "high": min(region.y[1], self.up.high),
            }
            for region in regions
            if region.overlay
        ]
        if not rows:
            return []
        rect = alt.Chart(alt.Data(values=inline(rows))).mark_rect(
            clip=True, filled=False, stroke=PURPLE, strokeWidth=2, strokeDash=[6, 4], aria=False
        )
        return [rect.encode(x=self._x(), x2="x2:Q", y=self._y("low"), y2="high:Q")]

    def _limits(self, regions: Sequence[Region]) -> list[Any]:
        """The law's numbers along the upper and the right edge."""
        alt, layers = self.alt, []
        for side, scale in (("x", self.across), ("y", self.up)):
            limits = sorted({end for region in regions for end in getattr(region, side) if 0 < end < inf})
            shown: list[float] = []
            for limit in limits:
                width = text_width(f"{limit:,.10g}", 10) if side == "x" else 11
                if scale.low < limit < scale.high and all(abs(scale.at(limit) - scale.at(e)) > width for e in shown):
                    shown.append(limit)
            base = alt.Chart(alt.Data(values=inline([{"at": limit, "text": f"{limit:,.10g}"} for limit in shown])))
            along = (
                {"x": self._x("at"), "y": alt.value(-4)}
                if side == "x"
                else {"y": self._y("at"), "x": alt.value(WIDTH + 4)}
            )
            text = base.mark_text(
                align="center" if side == "x" else "left",
                baseline="bottom" if side == "x" else "middle",
                fontSize=10,
                color=self.ink["edge"],
                aria=False,
            )
            if shown:
                layers.append(text.encode(text="text:N", **along))
        return layers

    def _region_names(self) -> Any:
        alt = self.alt
        rows = [
            {"x": box.left, "y": box.top, "text": text, "ink": PURPLE if region.overlay else self.ink["edge"]}
            for region, text, box in self.names
        ]
        return (
            alt.Chart(alt.Data(values=inline(rows)))
            .mark_text(align="left", baseline="top", fontSize=11, fontWeight="bold", aria=False)
            .encode(
                color=alt.Color("ink:N", scale=None),
                x=alt.X("x:Q", scale=None),
                y=alt.Y("y:Q", scale=None),
                text="text:N",
            )
        )

    def _bars(self, marks: Sequence[Mark], scale: Any = None, axis: Any = None) -> list[Any]:
        """Intervals: a line from end to end."""
        alt, layers = self.alt, []
        y = self._y if scale is None else lambda name="y": alt.Y(f"{name}:Q", scale=scale, axis=axis)
        for side in ("x", "y"):
            rows = []
            for mark in marks:
                bar = mark.bar_x if side == "x" else mark.bar_y
                if bar is not None and (side == "x" or mark.panel == MAIN):
                    at = (
                        {"x": bar[0], "x2": bar[1], "y": mark.y}
                        if side == "x"
                        else {"x": mark.x, "y": bar[0], "y2": bar[1]}
                    )
                    rows.append({**at, "verdict": mark.verdict})
            if rows:
                ends = {"x2": "x2:Q"} if side == "x" else {"y2": "y2:Q"}
                rule = alt.Chart(alt.Data(values=inline(rows))).mark_rule(
                    clip=True, strokeWidth=1.2, opacity=0.75 if self.is_sparse else 0.15, aria=False
                )
                layers.append(
                    rule.encode(x=self._x(), y=y(), color=verdict_legend(alt, None, show=False, dark=self.dark), **ends)
                )
        return layers

    def _points(self, marks: Sequence[Mark], legend: bool, y: Any = None) -> Any:
        alt = self.alt
        rows = [
            {"x": mark.x, "y": mark.y, "verdict": mark.verdict, **_tips(mark, self.x, self.y)}
            for mark in sorted(marks, key=lambda mark: mark.verdict != "not_controlled")
        ]
        return (
            alt.Chart(alt.Data(values=inline(rows)))
            .mark_point(clip=True, filled=True, size=48 if self.is_sparse else 22, stroke=self.ink["page"],
                        strokeWidth=0.7 if self.is_sparse else 0.3, aria=False)
            .encode(
                x=self._x(),
                y=self._y() if y is None else y,
                fill=verdict_legend(alt, self.counts, show=legend, dark=self.dark),
                shape=alt.Shape(
                    "verdict:N",
                    scale=alt.Scale(domain=list(VERDICTS), range=[each[2] for each in VERDICTS.values()]),
                    legend=None if not legend else alt.Undefined,
                ),
                opacity=alt.condition(FOUND, alt.value(0.95), alt.value(0.08)),
                tooltip=[
                    alt.Tooltip(f"{key}:N", title=title)
                    for key, title in (
                        ("item", "item"), ("verdict_words", "verdict"), ("entries", "entries"), ("needs", "needs"),
                        ("margin", "margin"), ("x_words", title_of(self.x)), ("y_words", title_of(self.y)),
                    )
                ],
            )
        )  # fmt: skip

    def _texts(self, marks: Sequence[Mark], labels: Sequence[Label]) -> list[Any]:
        """Names, in one layer for each way to stand beside a point."""
        alt, layers = self.alt, []
        for place in dict.fromkeys(label.place for label in labels):
            rows = [
                {
                    "x": marks[label.index].x,
                    "y": marks[label.index].y,
                    "text": label.text,
                    "item": tooltip_rows(marks[label.index], self.x, self.y)["item"],
                }
                for label in labels
                if label.place == place
            ]
            text = alt.Chart(alt.Data(values=inline(rows))).mark_text(
                align=place.align,
                baseline=place.baseline,
                dx=place.dx,
                dy=place.dy,
                fontSize=10,
                color=self.ink["text"],
                clip=True,
                aria=False,
            )
            opacity = alt.condition(FOUND, alt.value(1), alt.value(0.15))
            layers.append(text.encode(x=self._x(), y=self._y(), text="text:N", opacity=opacity))
        return layers


def _tips(mark: Mark, x: str, y: str) -> dict[str, str]:
    said = tooltip_rows(mark, x, y)
    return {
        "item": said["item"],
        "verdict_words": said["verdict"],
        "entries": said["entries"],
        "needs": said["needs"] or "nothing",
        "margin": said["margin"] or "none",
        "x_words": said[x],
        "y_words": said[y],
    }
