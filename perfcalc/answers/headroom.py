"""How far each item is from every line that matters, in its own terms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from rich.markup import escape

from perfcalc.answers.crossings import Crossing, Crossings
from perfcalc.answers.exact import cell, decimal
from perfcalc.answers.numbers import interval_text
from perfcalc.answers.tables import SHOWN_ROWS, STYLES, hypothetical_lines
from perfcalc.answers.variants import ALL_RATES
from perfcalc.answers.views import batches_of
from perfcalc.fields import METRICS
from perfcalc.files import write_table
from perfcalc.line import Plan
from perfcalc.verdicts.decide import VERDICTS

if TYPE_CHECKING:
    import pandas as pd

#: Items whose variants are held in memory together.
ITEMS_AT_ONCE: Final = 1000

#: More items than these are shown as a table, each with its nearest line.
SHOWN_IN_FULL: Final = 5

COLUMNS: Final = {
    **dict.fromkeys(("item", "id"), pa.string()),
    "row": pa.int64(),
    **dict.fromkeys(("kind", "jurisdiction", "verdict", "field", "unit", "now", "value", "change"), pa.string()),
    "relative": pa.float64(),
    **dict.fromkeys(("then_verdict", "then_entries", "then_figures", "words"), pa.string()),
}


@dataclass
class Line:
    """The smallest change of one field, or of all dense rates together, that moves the verdict.

    Attributes
    ----------
    field
        The field; `all_rates` for one factor on every dense rate (``unit`` ×), as a faster part of the design has it.
    now, value, change
        Exact decimals: what the sheet says, the first value beyond the line, and the distance between the two. A
        choice has no distance. One last digit less than `change` moves nothing.
    relative
        `change` over what the sheet says; of a fidelity, over what it lacks of one.
    figures
        The metrics that the change moves and a rule tests: now, and beyond the line.
    """

    field: str
    unit: str
    now: str
    value: str
    change: str
    relative: float | None
    verdict: str
    entries: list[str]
    figures: dict[str, list[str]]

    @property
    def outcome(self) -> str:
        """What the item is beyond the line."""
        return "not controlled" if self.verdict == "not_controlled" else " and ".join(self.entries) or self.verdict

    @property
    def step(self) -> str:
        """The change alone, in words."""
        if self.field == ALL_RATES:
            return f"{self.value} times as fast in every format"
        if not self.change:
            return f"{self.field} {self.value} instead of {self.now}"
        unit = f" {self.unit}" if self.unit else ""
        return f"{grouped(self.change.lstrip('-'))}{unit} {'less' if self.change[0] == '-' else 'more'} {self.field}"

    @property
    def way(self) -> str:
        """The change in words, from where to where."""
        if self.field == ALL_RATES and self.figures:
            return f"{self.step} ({self.figures_text})"
        return f"{self.step} ({grouped(self.now)} → {grouped(self.value)})" if self.change else self.step

    @property
    def figures_text(self) -> str:
        """``tpp 3,664 → 4,800``."""
        return ", ".join(f"{name} {now} → {then}" for name, (now, then) in self.figures.items())

    @property
    def words(self) -> str:
        """In one line."""
        return f"{self.way}, and it is {self.outcome}"


@dataclass
class ItemHeadroom:
    """One item in one jurisdiction; `lines` has the nearest first."""

    item: str
    id: str
    row: int
    kind: str
    jurisdiction: str
    verdict: str
    entries: list[str]
    needs: list[str]
    lines: list[Line]

    @property
    def silence(self) -> str:
        """Why there is no line."""
        if self.lines:
            return ""
        if self.verdict == "controlled":
            return "no single change frees it"
        if self.verdict == "not_controlled":
            return "no single change makes it controlled"
        return f"needs {', '.join(self.needs)}" if self.needs else self.verdict

    @property
    def nearness(self) -> float:
        """Relative distance of the nearest line; infinite without one, or where only a choice leads to one."""
        return next((abs(line.relative) for line in self.lines if line.relative is not None), np.inf)


@dataclass
class Headroom:
    """The answer of `headroom`."""

    as_of: str
    jurisdictions: list[str]
    hypothetical: list[str]
    items: list[ItemHeadroom]

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        answer = asdict(self)
        for item, said in zip(self.items, answer["items"], strict=True):
            said["silence"] = item.silence
            for line, words in zip(said["lines"], item.lines, strict=True):
                line["words"] = words.words
        return answer

    def to_arrow(self) -> pa.Table:
        """One row a line."""
        rows = [
            {
                **{name: getattr(item, name) for name in ("item", "id", "row", "kind", "jurisdiction", "verdict")},
                **{name: getattr(line, name) for name in ("field", "unit", "now", "value", "change", "relative")},
                "then_verdict": line.verdict,
                "then_entries": ";".join(line.entries),
                "then_figures": line.figures_text,
                "words": line.words,
            }
            for item in self.items
            for line in item.lines
        ]
        columns = {name: pa.array([row[name] for row in rows], kind) for name, kind in COLUMNS.items()}
        if self.hypothetical:
            columns["hypothetical"] = pa.array([True] * len(rows), pa.bool_())
        return pa.table(columns)

    def to_pandas(self) -> pd.DataFrame:
        """One row a line."""
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame

    def write(self, path: Path) -> None:
        """One row a line, into a CSV or Parquet file that appears whole or not at all."""
        write_table(self.to_arrow(), path)

    def __len__(self) -> int:
        """How many lines there are."""
        return sum(len(item.lines) for item in self.items)

    def parts(self) -> Iterator[Any]:
        """For a terminal: each item with its lines, the nearest first; of many items the nearest line of each."""
        yield from hypothetical_lines(self.hypothetical)
        yield f"Distance to the lines on {self.as_of}, one field changed at a time, or every dense rate by one factor"
        yield from _table(self) if len({each.row for each in self.items}) > SHOWN_IN_FULL else _full(self)

    def __str__(self) -> str:
        from perfcalc.answers.comparisons import plain

        return plain(self.parts(), width=200)


def headroom_of(table: pa.Table, plan: Plan, item: str | None = None) -> Headroom:
    """The lines around the items of a sheet, or around one of them."""
    from perfcalc.answers.explain import find_row

    book = plan.books[0]
    answer = Headroom(book.day.isoformat(), [each.jurisdiction for each in plan.books], list(plan.overlays), [])
    first = 0
    if item is not None:
        table = table.combine_chunks()
    for batch in batches_of(table, plan, ITEMS_AT_ONCE if item is None else table.num_rows or 1):
        rows = range(batch.num_rows) if item is None else [find_row(batch, plan, item)]
        answer.items += _of_batch(Crossings(batch, plan, rows), rows, first)
        first += batch.num_rows
    return answer


def _of_batch(search: Crossings, rows: Iterable[int], first: int) -> list[ItemHeadroom]:
    lines: dict[tuple[int, int], list[Line]] = {}
    for crossing in search.found():
        lines.setdefault((crossing.row, crossing.book), []).append(_line(search, crossing))
    return [
        ItemHeadroom(
            item=search.measured.names[row],
            id=search.measured.ids[row],
            row=first + row + 1,
            kind=search.measured.kind(row),
            jurisdiction=view.book.jurisdiction,
            verdict=view.verdict[row],
            entries=_list(view.entries[row]),
            needs=_list(view.needs[row]),
            lines=sorted(
                lines.get((row, b), []), key=lambda line: np.inf if line.relative is None else abs(line.relative)
            ),
        )
        for row in rows
        for b, view in enumerate(search.views)
    ]


def _list(text: str) -> list[str]:
    return text.split(";") if text else []


def _line(search: Crossings, crossing: Crossing) -> Line:
    change, answer = crossing.change, crossing.answer
    low, high = search.variants.interval(change, crossing.row)
    by: Fraction | None = None
    if not change.is_choice:
        start = high if crossing.value > high else low
        by = crossing.value - start
    (one, *_) = change.fields
    return Line(
        field=change.name,
        unit="×" if change.is_factor else one.unit,
        now=cell(one, low, high, given=True) or "",
        value=cell(one, crossing.value, crossing.value, given=True) or "",
        change="" if by is None else decimal(by),
        relative=float(by / of)
        if by is not None and (of := 1 - start if "fidelity" in change.name else start)
        else None,
        verdict=VERDICTS[answer.verdict],
        entries=list(answer.entries),
        figures=_figures(search, crossing),
    )


def _figures(search: Crossings, crossing: Crossing) -> dict[str, list[str]]:
    facts, moved = search.measured.items.facts, {}
    for metric in METRICS:
        if metric in search.variants.limits and search.measured.kind(crossing.row) in METRICS[metric].kinds:
            now = [end[crossing.row] for end in facts.interval(metric)]
            then = [float(end) for end in crossing.answer.figure(metric)]
            # What the item does not have is not a number, before and after.
            texts = [interval_text(*ends) for ends in (now, then) if not np.isnan(ends).any()]
            if len(set(texts)) > 1:
                moved[metric] = texts
    return moved


def grouped(number: str) -> str:
    """A decimal with thousands separators, digit for digit; an interval as ``600 to 650``."""
    low, dash, high = number.partition("-")
    if dash and low:
        return f"{grouped(low)} to {grouped(high)}"
    whole, dot, part = number.partition(".")
    part = part.rstrip("0")
    return f"{int(whole):,}{dot if part else ''}{part}" if whole.isdecimal() else number


def percent(ratio: float) -> str:
    """A signed relative distance, small ones too."""
    return f"{ratio:+.0%}" if abs(ratio) >= 0.995 else f"{ratio * 100:+.2g}%"


def _full(answer: Headroom) -> Iterator[str]:
    before = None
    for item in answer.items:
        if (item.item, item.row) != before:
            yield f"[bold]{escape(item.item)}[/]"
        before = item.item, item.row
        entries = f" ({', '.join(item.entries)})" if item.entries else ""
        yield f"  {item.jurisdiction.upper()}: [{STYLES[item.verdict]}]{item.verdict}[/]{escape(entries)}"
        outcomes: dict[str, list[Line]] = {}
        for line in item.lines:
            outcomes.setdefault(line.outcome, []).append(line)
        for outcome, lines in outcomes.items():
            yield f"    {escape(outcome)} with"
            for k, line in enumerate(lines):
                yield f"      {'or ' if k else ''}{escape(line.way)}"
        if item.silence:
            yield f"    [dim]{escape(item.silence)}[/]"


def _table(answer: Headroom) -> Iterator[Any]:
    from rich.table import Table

    near = sorted((item for item in answer.items if item.lines), key=lambda item: item.nearness)
    table = Table("item", "", "verdict", "distance", "nearest change", "and it is", box=None, pad_edge=False)
    for item in near[:SHOWN_ROWS]:
        (line, *_) = item.lines
        distance = "" if line.relative is None else percent(line.relative)
        verdict = f"[{STYLES[item.verdict]}]{item.verdict}[/]"
        table.add_row(
            escape(item.item), item.jurisdiction.upper(), verdict, distance, escape(line.step), escape(line.outcome)
        )
    yield table
    if len(near) > SHOWN_ROWS:
        yield f"[dim]the nearest {SHOWN_ROWS} of {len(near):,} are shown; -o and --json have all of them[/]"
    silent = Counter(
        (item.verdict, item.silence if item.verdict.endswith("controlled") else "") for item in answer.items
    )
    for (verdict, why), number in silent.items():
        if why or verdict not in ("controlled", "not_controlled"):
            yield f"[dim]{number:,} {verdict}{f': {why}' if why else ', so no line is near or far'}[/]"
    yield "[dim]--item NAME shows every line of one item[/]"
