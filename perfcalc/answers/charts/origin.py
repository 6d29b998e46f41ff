"""Where chips were likely made: their launch, in years from the cut-off of their designer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

import pyarrow as pa

from perfcalc.answers.charts.frame import notes_panel
from perfcalc.answers.charts.labels import Rect, place_labels
from perfcalc.answers.charts.render import Chart, altair, finish, inline
from perfcalc.answers.charts.style import ORIGINS, ink_of, inks
from perfcalc.errors import InputError
from perfcalc.origin.assess import assess, facts_of
from perfcalc.origin.columns import recognise_origin
from perfcalc.origin.signals import INDEX

WIDTH: Final = 760
LANE: Final = 18
#: Points closer than this go into lanes of their own.
APART: Final = 11
#: Years beyond these say no more than the ends.
EARLIEST, LATEST = -8.0, 8.0


@dataclass
class Point:
    """One item: its launch in years from the cut-off, and what is known of it."""

    name: str
    origin: str
    words: dict[str, str]
    low: float
    high: float
    lane: float = 0.0

    @property
    def at(self) -> float:
        """Where it is drawn."""
        return (self.low + self.high) / 2


def origin_chart(table: pa.Table, dark: bool = False) -> Chart:
    """Draw the items of a sheet by likely origin, on an axis of time from the cut-off.

    Raises
    ------
    InputError
        The sheet does not say who designed the items and when they came out, or the extra is not installed.
    """
    alt = altair()
    columns = recognise_origin(table.schema.names)
    if "name" not in columns or "designer" not in columns or not {"product_launch", "release_date"} & set(columns):
        raise InputError("the sheet has no designer, or no date", "add designer, and product_launch or release_date")
    facts = [row for batch in table.combine_chunks().to_batches() for row in facts_of(batch, columns)]
    points, left, rows = _points(facts)
    if not points:
        raise InputError("no item of the sheet has a known cut-off and date", "choose another --kind of chart")
    title = "Launch against the cut-off of the designer, by likely origin"
    counts = Counter(point.origin for point in points)
    said = ", ".join(f"{counts[word]:,} {ORIGINS[word][0]}" for word in ORIGINS if counts[word])
    gone = "; ".join(f"{count:,} ({reason})" for reason, count in left.most_common())
    lines = ["By rules, then by a model; an estimate, and no part of any verdict. See `perfcalc origin card`."]
    description = (
        f"{title}. {lines[0]} Each item at its launch in years from the day on which its designer was cut off, "
        f"in one band for each origin: {said or 'none'}.{f' Left out: {gone}.' if gone else ''}"
    )
    notes = [
        f"{len(points):,} items drawn{f'; not drawn: {gone}' if gone else ', none left out'}.",
        "A line through a point is the span in which its date lies; items beyond eight years stand at the edge.",
    ]
    panel = _bands(alt, points, dark)
    whole = alt.vconcat(panel, notes_panel(alt, notes, WIDTH, dark), spacing=6)
    return Chart(
        "origin",
        title,
        description,
        finish(whole, dark, title, lines, description),
        len(points),
        dict(left),
        rows,
        notes,
        dark,
    )


def _points(facts: Sequence[dict[str, str]]) -> tuple[list[Point], Counter[str], list[dict[str, Any]]]:
    signals, _, described = assess(facts)
    points: list[Point] = []
    left: Counter[str] = Counter()
    rows = []
    for row, answer in enumerate(described):
        low, high = (float(ends[row, INDEX["launch"]]) for ends in (signals.low, signals.high))
        chance = (
            "by rule" if answer.basis == "rule" else "" if answer.probability is None else f"{answer.probability:.2f}"
        )
        why = (
            "not a chip of a designer that was cut off"
            if answer.origin == "not_applicable"
            else "no known cut-off or date"
            if not (isfinite(low) and isfinite(high))
            else ""
        )
        name = facts[row].get("name", "")
        words = {
            "item": name,
            "origin": ORIGINS.get(answer.origin, (answer.origin.replace("_", " "),))[0],
            "probability": chance,
        }
        rows.append(words | {"because": answer.because, "needs": answer.needs or "", "not drawn": why})
        if why:
            left[why] += 1
            continue
        launch = f"{low:+.1f}" if low == high else f"{low:+.1f} to {high:+.1f}"
        points.append(
            Point(name, answer.origin, words | {"because": answer.because, "launch": f"{launch} years"}, low, high)
        )
    return points, left, rows


def _bands(alt: Any, points: Sequence[Point], dark: bool) -> Any:
    ink = inks(dark)
    low = max(min((point.low for point in points), default=-1.0), EARLIEST) - 0.3
    high = min(max((point.high for point in points), default=1.0), LATEST) + 0.3

    def pixel(value: float) -> float:
        return (min(max(value, low), high) - low) / (high - low) * WIDTH

    top = 0.0
    bands: list[dict[str, Any]] = []
    for word, (words, _, _) in ORIGINS.items():
        band = sorted((point for point in points if point.origin == word), key=lambda point: point.at)
        if not band:
            continue
        lanes: list[float] = []
        for point in band:
            x = pixel(point.at)
            lane = next((at for at, end in enumerate(lanes) if x - end >= APART), len(lanes))
            lanes[lane : lane + 1] = [x]
            point.lane = top + (lane + 1) * LANE
        height = (len(lanes) + 1) * LANE
        bands.append({"y": top, "y2": top + height, "middle": top + height / 2, "text": words})
        top += height
    frame = Rect(0, 0, WIDTH, top)
    places = [(pixel(point.at), point.lane) for point in points]
    cut = Rect(pixel(0) - 1, 0, pixel(0) + 1, top)
    edges = [Rect(0, band["y"] - 1, WIDTH, band["y"] + 1) for band in bands]
    bars = [Rect(pixel(p.low), p.lane - 1, pixel(p.high), p.lane + 1) for p in points if p.low < p.high]
    order = sorted(range(len(points)), key=lambda at: (abs(points[at].at), points[at].name))
    labels = place_labels(places, [point.name for point in points], order, frame, [cut, *edges, *bars], most=60)
    x_scale = alt.Scale(domain=[low, high], nice=False)
    y_scale = alt.Scale(domain=[0, top], range=[0, top], nice=False)
    axis = alt.Axis(title="Years from the cut-off to the launch", format="+d", tickMinStep=1, grid=True)
    no_axis = alt.Y("y:Q", scale=y_scale, axis=None)
    x = alt.X("x:Q", scale=x_scale, axis=axis)
    rows = [
        {
            "x": min(max(p.at, low), high),
            "low": max(p.low, low),
            "high": min(p.high, high),
            "y": p.lane,
            "origin": p.origin,
            **_renamed(p),
        }
        for p in points
    ]
    scale = alt.Scale(domain=list(ORIGINS), range=[ink_of(each[1], dark) for each in ORIGINS.values()])
    shapes = alt.Scale(domain=list(ORIGINS), range=[each[2] for each in ORIGINS.values()])
    base = alt.Chart(alt.Data(values=inline(rows)))
    layers = [
        alt.Chart(alt.Data(values=inline(bands[1:]))).mark_rule(color=ink["line"], strokeWidth=0.6, aria=False).encode(y=no_axis),
        alt.Chart(alt.Data(values=inline(bands))).mark_text(align="right", dx=-10, color=ink["text"], fontSize=11, aria=False)
        .encode(x=alt.value(0), y=alt.Y("middle:Q", scale=y_scale, axis=None), text="text:N"),
        alt.Chart(alt.Data(values=inline([{"x": 0}]))).mark_rule(color=ink["edge"], strokeWidth=1.5, aria=False).encode(x=x),
        alt.Chart(alt.Data(values=inline([{"x": 0}]))).mark_text(text="cut-off", dy=-6, baseline="bottom", fontSize=10, color=ink["edge"], aria=False)
        .encode(x=x, y=alt.value(0)),
        base.mark_rule(strokeWidth=1.2, opacity=0.6, clip=True, aria=False)
        .encode(x=alt.X("low:Q", scale=x_scale, axis=axis), x2="high:Q", y=no_axis, color=alt.Color("origin:N", scale=scale, legend=None)),
        base.mark_point(filled=True, size=52, stroke=ink["page"], strokeWidth=0.7, aria=False)
        .encode(
            x=x, y=no_axis, fill=alt.Fill("origin:N", scale=scale, legend=None), shape=alt.Shape("origin:N", scale=shapes, legend=None),
            opacity=alt.condition("search == '' || indexof(lower(datum.item), lower(search)) >= 0", alt.value(0.95), alt.value(0.08)),
            tooltip=[alt.Tooltip(f"{key}:N", title=key) for key in ("item", "likely", "probability", "launch", "because")],
        ),
    ]  # fmt: skip
    for place in dict.fromkeys(label.place for label in labels):
        texts = [
            {"x": rows[label.index]["x"], "y": points[label.index].lane, "text": label.text}
            for label in labels
            if label.place == place
        ]
        mark = alt.Chart(alt.Data(values=inline(texts))).mark_text(
            align=place.align,
            baseline=place.baseline,
            dx=place.dx,
            dy=place.dy,
            fontSize=10,
            color=ink["text"],
            aria=False,
        )
        layers.append(mark.encode(x=x, y=no_axis, text="text:N"))
    search = alt.param(name="search", value="", bind=alt.binding(input="search", name="Find an item: "))
    return alt.layer(*layers).properties(width=WIDTH, height=top).add_params(search)


def _renamed(point: Point) -> dict[str, str]:
    return {
        "item": point.words["item"],
        "likely": point.words["origin"],
        "probability": point.words["probability"],
        "launch": point.words["launch"],
        "because": point.words["because"],
    }
