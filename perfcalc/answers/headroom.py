"""How far each item is from every line that matters, in its own terms; and how far a design may go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from rich.markup import escape

from perfcalc.answers.crossings import CONTROLLED, Crossing, Crossings, cell, decimal
from perfcalc.answers.tables import STYLES, hypothetical_lines
from perfcalc.answers.views import batches_of
from perfcalc.exact import Fraction
from perfcalc.fields import FIELDS, RATES
from perfcalc.line import Plan
from perfcalc.sheets.read import BATCH_ROWS
from perfcalc.verdicts.decide import VERDICTS

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Line:
    """The smallest change of one field that moves the verdict.

    Attributes
    ----------
    now, value, change
        Exact decimals: what the sheet says, the first value beyond the line, and the distance between the two. A
        choice has no distance. One last digit less than `change` moves nothing.
    relative
        `change` over what the sheet says.
    """

    field: str
    unit: str
    now: str
    value: str
    change: str
    relative: float | None
    verdict: str
    entries: list[str]

    @property
    def words(self) -> str:
        """In one line."""
        outcome = "not controlled" if self.verdict == "not_controlled" else " and ".join(self.entries) or self.verdict
        if not self.change:
            return f"{self.field} {self.value} instead of {self.now}, and it is {outcome}"
        unit = f" {self.unit}" if self.unit else ""
        way = "less" if self.change.startswith("-") else "more"
        return (
            f"{grouped(self.change.lstrip('-'))}{unit} {way} {self.field} "
            f"({grouped(self.now)} → {grouped(self.value)}), and it is {outcome}"
        )


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
            return "no single field frees it"
        if self.verdict == "not_controlled":
            return "no single field makes it controlled"
        return f"needs {', '.join(self.needs)}" if self.needs else self.verdict


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

    def to_pandas(self) -> pd.DataFrame:
        """One row a line."""
        import pandas as pd

        names = ("item", "id", "row", "kind", "jurisdiction", "verdict")
        columns = ("field", "unit", "now", "value", "change", "relative", "then_verdict", "then_entries")
        rows = [
            {
                **{name: getattr(item, name) for name in names},
                **{name: getattr(line, name) for name in columns[:6]},
                "then_verdict": line.verdict,
                "then_entries": ";".join(line.entries),
            }
            for item in self.items
            for line in item.lines
        ]
        return pd.DataFrame(rows, columns=[*names, *columns])

    def __str__(self) -> str:
        from perfcalc.answers.comparisons import plain

        return plain(headroom_parts(self), width=200)


def headroom_of(table: pa.Table, plan: Plan, item: str | None = None) -> Headroom:
    """The lines around the items of a sheet, or around one of them."""
    from perfcalc.answers.explain import find_row

    book = plan.books[0]
    answer = Headroom(book.day.isoformat(), [each.jurisdiction for each in plan.books], list(plan.overlays), [])
    first = 0
    if item is not None:
        table = table.combine_chunks()
    for batch in batches_of(table, plan, table.num_rows or 1) if item else batches_of(table, plan, BATCH_ROWS):
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
    field = FIELDS[crossing.field]
    low, high = (end[crossing.row] for end in search.exact.interval(field.name))
    change: Fraction | None = None
    if field.type == "number":
        start = high if crossing.value > high else low
        change = crossing.value - start
    return Line(
        field=field.name,
        unit=field.unit,
        now=cell(field, low, high, given=True) or "",
        value=cell(field, crossing.value, crossing.value, given=True) or "",
        change="" if change is None else decimal(change),
        relative=float(change / start) if change is not None and start else None,
        verdict=VERDICTS[crossing.verdict],
        entries=list(crossing.entries),
    )


@dataclass
class Ceiling:
    """The largest dense rate of one format at which a design stays outside a jurisdiction's lines.

    Attributes
    ----------
    law
        ``now``, or ``overlay``: under the overlays that were given.
    largest
        Exact decimal; empty where no rate stays outside, or where none is too large (`silence` says which).
    verdict, entries
        What one last digit more gives.
    """

    field: str
    unit: str
    jurisdiction: str
    law: str
    largest: str
    verdict: str
    entries: list[str]
    silence: str


@dataclass
class Design:
    """The answer of `headroom_design`."""

    as_of: str
    design: dict[str, str]
    hypothetical: list[str]
    ceilings: list[Ceiling]

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)

    def to_pandas(self) -> pd.DataFrame:
        """One row a format and jurisdiction."""
        import pandas as pd

        return pd.DataFrame([asdict(each) for each in self.ceilings])

    def __str__(self) -> str:
        from perfcalc.answers.comparisons import plain

        return plain(design_parts(self))


def design_table(design: dict[str, str]) -> pa.Table:
    """One row a format: the design with that rate alone, at zero."""
    names = [rate.name for rate in RATES]
    columns: dict[str, list[str | None]] = {"name": list(names), "kind": ["ic"] * len(names)}
    columns |= {field: [value] * len(names) for field, value in design.items()}
    columns |= {name: ["0" if name == own else None for own in names] for name in names}
    return pa.table({name: pa.array(cells, pa.string()) for name, cells in columns.items()})


def ceilings_of(table: pa.Table, plan: Plan, law: str) -> list[Ceiling]:
    """How high each rate may go until the verdict is no longer `not_controlled`."""
    batch = table.combine_chunks().to_batches()[0]
    search = Crossings(batch, plan, range(batch.num_rows), leaving=True)
    first: dict[tuple[int, int], Crossing] = {}
    for crossing in search.found():
        name = RATES[crossing.row].name
        if crossing.field == name:
            first.setdefault((crossing.row, crossing.book), crossing)
    ceilings = []
    for row, rate in enumerate(RATES):
        for b, view in enumerate(search.views):
            found = first.get((row, b))
            silence = ""
            if view.verdict[row] != "not_controlled":
                needs = f" (needs {', '.join(_list(view.needs[row]))})" if view.needs[row] else ""
                silence, found = f"no rate stays outside: {view.verdict[row]}{needs}", None
            elif found is None:
                silence = "no rate is too high"
            ceilings.append(
                Ceiling(
                    rate.name,
                    rate.unit,
                    view.book.jurisdiction,
                    law,
                    decimal(found.before) if found else "",
                    VERDICTS[found.verdict] if found else view.verdict[row],
                    list(found.entries) if found else _list(view.entries[row]),
                    silence,
                )
            )
    return ceilings


def grouped(number: str) -> str:
    """A decimal with thousands separators, digit for digit; an interval as ``600 to 650``."""
    low, dash, high = number.partition("-")
    if dash and low:
        return f"{grouped(low)} to {grouped(high)}"
    whole, dot, part = number.partition(".")
    part = part.rstrip("0")
    return f"{int(whole):,}{dot if part else ''}{part}" if whole.isdecimal() else number


def headroom_parts(answer: Headroom) -> Iterable[Any]:
    """Each item with its lines, the nearest first."""
    yield from hypothetical_lines(answer.hypothetical)
    yield f"Distance to the lines on {answer.as_of}, one field changed at a time"
    before = None
    for item in answer.items:
        if (item.item, item.row) != before:
            yield f"[bold]{escape(item.item)}[/]"
        before = item.item, item.row
        entries = f" ({', '.join(item.entries)})" if item.entries else ""
        yield f"  {item.jurisdiction.upper()}: [{STYLES[item.verdict]}]{item.verdict}[/]{escape(entries)}"
        yield from (f"    {escape(line.words)}" for line in item.lines)
        if item.silence:
            yield f"    [dim]{escape(item.silence)}[/]"


def design_parts(answer: Design) -> Iterable[Any]:
    """A table of formats against jurisdictions."""
    from rich.table import Table

    yield from hypothetical_lines(answer.hypothetical)
    said = ", ".join(f"{name} {value}" for name, value in answer.design.items())
    yield f"Largest dense rate of one format that stays outside the lines on {answer.as_of}: {escape(said)}"
    places = list(dict.fromkeys((each.jurisdiction, each.law) for each in answer.ceilings))
    table = Table("format", "unit", box=None, pad_edge=False)
    for place, law in places:
        table.add_column(place.upper() if law == "now" else f"{place.upper()} under the overlay", justify="right")
        table.add_column("beyond")
    for rate in RATES:
        cells: list[str] = []
        for at in places:
            each = next(one for one in answer.ceilings if (one.field, one.jurisdiction, one.law) == (rate.name, *at))
            beyond = ", ".join(each.entries) if each.verdict == VERDICTS[CONTROLLED] else each.verdict
            cells += [grouped(each.largest) if each.largest else each.silence, beyond if each.largest else ""]
        table.add_row(rate.name, rate.unit, *map(escape, cells))
    yield table


def designs(table: pa.Table, plans: Sequence[Plan], design: dict[str, str]) -> Design:
    """The ceilings of a design under each plan: the law now, and under the overlays."""
    ceilings = [each for plan in plans for each in ceilings_of(table, plan, "overlay" if plan.overlays else "now")]
    return Design(plans[0].books[0].day.isoformat(), design, list(plans[-1].overlays), ceilings)
