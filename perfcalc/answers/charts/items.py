"""The items of a sheet as marks on two quantities: each is drawn, or counted as left out with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite, isnan, log10, sqrt
from typing import Any, Final, NamedTuple

import pyarrow as pa

from perfcalc.answers.charts.regions import Region
from perfcalc.answers.charts.style import VERDICTS
from perfcalc.answers.numbers import interval_text
from perfcalc.answers.views import Measured, batches_of
from perfcalc.fields import Kind, unit_of
from perfcalc.line import Plan
from perfcalc.sheets.read import BATCH_ROWS

#: A picture with more marks shows none of them.
MOST_MARKS: Final = 2000
#: How far beyond the law's smallest and largest limit a chart reaches.
REACH: Final = 30.0

MAIN, NONE, UNKNOWN = "main", "none", "unknown"


@dataclass(frozen=True)
class Item:
    """One item: what one book says of it, and its intervals of two quantities."""

    name: str
    row: int
    verdict: str
    entries: str
    needs: str
    margin: float | None
    x: tuple[float, float]
    y: tuple[float, float]


@dataclass(frozen=True)
class Scale:
    """A logarithmic scale from values to pixels."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The pixel of a value; beyond the ends, the end."""
        inside = min(max(value, self.low), self.high)
        return self.start + (self.end - self.start) * log10(inside / self.low) / log10(self.high / self.low)

    def ticks(self) -> list[float]:
        """1, 2 and 5 times the powers of ten on it; only the powers where that would be many."""
        first, last = int(log10(self.low)) - 1, int(log10(self.high)) + 1
        steps = (1, 2, 5) if log10(self.high / self.low) < 5 else (1,)
        ticks = [round(step * 10.0**power, 12) for power in range(first, last + 1) for step in steps]
        return [tick for tick in ticks if self.low <= tick <= self.high]


@dataclass
class Mark:
    """One or more items at one place.

    Attributes
    ----------
    panel
        ``main``; ``none`` for items that have no y (a planar chip has no density); ``unknown`` for an unknown y.
    bar_x, bar_y
        The interval as it is drawn, where it is wider than a point.
    """

    panel: str
    x: float
    y: float
    verdict: str
    items: list[Item] = field(default_factory=list)
    bar_x: tuple[float, float] | None = None
    bar_y: tuple[float, float] | None = None

    @property
    def label(self) -> str:
        """The name, and how many more."""
        more = len({item.name for item in self.items}) - 1
        return f"{self.items[0].name}{f' +{more}' if more else ''}"

    @property
    def urgency(self) -> float:
        """What sorts the names: how near to a line, the nearest first; the open ones after those that are near."""
        margins = [abs(item.margin) for item in self.items if item.margin is not None]
        return min(margins, default=0.3)


def items_of(table: pa.Table, plan: Plan, kind: Kind, x: str, y: str) -> list[Item]:
    """Every item of a kind, judged by the first book of a plan."""
    found, first = [], 0
    for batch in batches_of(table, plan, BATCH_ROWS):
        measured = Measured(batch, plan)
        view = measured.view(plan.books[0])
        ends = [[end.tolist() for end in measured.items.facts.interval(name)] for name in (x, y)]
        found += [
            Item(
                measured.names[row],
                first + row + 1,
                view.verdict[row],
                view.entries[row],
                view.needs[row],
                view.margin[row],
                (ends[0][0][row], ends[0][1][row]),
                (ends[1][0][row], ends[1][1][row]),
            )
            for row in range(batch.num_rows)
            if measured.kind(row) == kind
        ]
        first += batch.num_rows
    return found


def domain(items: Iterable[tuple[float, float]], limits: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis: all limits and, as far as they are not far from every limit, all items."""
    ends = [end for interval in items for end in interval if isfinite(end) and end > 0]
    if limits:
        ends = [end for end in ends if min(limits) / REACH <= end <= max(limits) * REACH]
    ends += [each for limit in limits for each in (limit / 1.8, limit * 1.8)]
    if not ends:
        return 1.0, 10.0
    return min(ends) / 1.25, max(ends) * 1.25


def marks_of(
    items: Sequence[Item], across: Scale, up: Scale, x: str, y: str
) -> tuple[list[Mark], Counter[str], dict[int, str]]:
    """Marks for the items that can be drawn; how many cannot be, by reason; and the reason of each row."""
    marks: dict[tuple[Any, ...], Mark] = {}
    left: Counter[str] = Counter()
    why: dict[int, str] = {}
    for item in items:
        at_x, at_y = drawn_at(item.x, across), drawn_at(item.y, up)
        panel = NONE if isnan(item.y[0]) else UNKNOWN if at_y.why == NOT_KNOWN else MAIN
        reason = f"{title_of(x)} {at_x.why}" if at_x.why else ""
        if not reason and panel == MAIN and at_y.why:
            reason = f"{title_of(y)} {at_y.why}"
        if reason:
            left[reason] += 1
            why[item.row] = reason
            continue
        key = (panel, at_x, at_y, item.verdict)
        marks.setdefault(key, Mark(panel, at_x.point, at_y.point, item.verdict, [], at_x.bar, at_y.bar)).items.append(
            item
        )
    drawn = list(marks.values())
    if len(drawn) > MOST_MARKS:
        drawn.sort(key=lambda mark: mark.urgency)
        reason = f"beyond the {MOST_MARKS:,} marks nearest to a line"
        for mark in drawn[MOST_MARKS:]:
            left[reason] += len(mark.items)
            why |= {item.row: reason for item in mark.items}
        drawn = drawn[:MOST_MARKS]
    return drawn, left, why


class Spot(NamedTuple):
    """Where an interval is drawn and its bar, or why it is not drawn."""

    point: float
    bar: tuple[float, float] | None = None
    why: str = ""


NOT_KNOWN: Final = "not known"


def drawn_at(interval: tuple[float, float], scale: Scale) -> Spot:
    """Where an interval is drawn: in its middle; a bound alone at the bound, with a bar to the edge."""
    low, high = interval
    if isnan(low):
        return Spot(scale.low, why="does not exist")
    if low <= 0 and high == inf:
        return Spot(scale.low, why=NOT_KNOWN)
    if high <= 0:
        return Spot(scale.low, why="of 0")
    point = low if high == inf else high if low <= 0 else sqrt(low * high)
    if point < scale.low:
        return Spot(scale.low, why=f"below {number(scale.low)}")
    if point > scale.high:
        return Spot(scale.high, why=f"above {number(scale.high)}")
    return Spot(point, None if low == high else (max(low, scale.low), min(high, scale.high)))


def number(value: float) -> str:
    """Three digits are enough to say where an axis ends."""
    return f"{float(f'{value:.3g}'):,.10g}"


TITLES: Final = {
    "tpp": "TPP",
    "performance_density": "performance density",
    "counted_qubits": "qubits",
    "cnot_error": "C-NOT error",
    "processing_performance_2022": "processing performance (2022)",
    "interconnect_gb_s": "transfer rate",
    "die_area_mm2": "logic area",
}


def title_of(name: str) -> str:
    """A quantity in the words of an axis."""
    return TITLES.get(name, name.replace("_", " "))


AXES: Final = {
    "tpp": "Total processing performance, TPP (dense rate × bit length)",
    "performance_density": "Performance density (TPP per mm² of non-planar logic area)",
    "counted_qubits": "Fully controlled, connected and working physical qubits",
    "cnot_error": "C-NOT error",
}
#: Headings of the strips: the quantity does not exist, or is not known.
STRIPS: Final = {"performance_density": (["no density", "(planar)"], ["density", "not known"])}


def axis_title(name: str) -> str:
    """With its unit."""
    if name in AXES:
        return AXES[name]
    title, unit = title_of(name), unit_of(name)
    return f"{title[:1].upper()}{title[1:]}{f' ({unit})' if unit else ''}"


def strip_titles(name: str) -> tuple[list[str], list[str]]:
    """What stands beside the strips of items that have no such quantity, and of those where it is not known."""
    words = title_of(name)
    return STRIPS.get(name, ([words, "does not exist"], [words, "not known"]))


def tooltip_rows(mark: Mark, x: str, y: str) -> dict[str, str]:
    """What a mark says when it is pointed at."""
    first = mark.items[0]
    names = list(dict.fromkeys(item.name for item in mark.items))
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return {
        "item": shown,
        "verdict": VERDICTS[first.verdict][0],
        "entries": first.entries.replace(";", ", ") or "none",
        "needs": first.needs.replace(";", ", "),
        "margin": "" if first.margin is None else f"{100 * first.margin:+.1f} %",
        x: value_words(first.x, x),
        y: value_words(first.y, y),
    }


def value_words(interval: tuple[float, float], name: str) -> str:
    """An interval with its unit; a quantity that an item does not have says so."""
    if isnan(interval[0]):
        return "does not exist"
    return interval_text(*interval, "" if name == "tpp" else unit_of(name))


def region_tests(region: Region, x: str, y: str) -> list[str]:
    """What a region asks, in words."""
    said = []
    for name, (low, high) in ((x, region.x), (y, region.y)):
        if low > 0 and high < inf:
            said.append(f"{title_of(name)} {low:,.10g} to {high:,.10g}")
        elif low > 0:
            said.append(f"{title_of(name)} from {low:,.10g}")
        elif high < inf:
            said.append(f"{title_of(name)} up to {high:,.10g}")
    return [*said, *region.only_if]
