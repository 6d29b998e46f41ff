"""How fast a chip may be in each format before a line is reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from rich.markup import escape

from perfcalc.answers.crossings import Crossing, Crossings
from perfcalc.answers.exact import decimal
from perfcalc.answers.headroom import grouped
from perfcalc.answers.tables import hypothetical_lines
from perfcalc.answers.variants import CONTROLLED
from perfcalc.fields import RATES
from perfcalc.files import write_table
from perfcalc.line import Plan
from perfcalc.verdicts.decide import VERDICTS

if TYPE_CHECKING:
    import pandas as pd


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

    def to_arrow(self) -> pa.Table:
        """One row a format, jurisdiction and law."""
        rows = [{**asdict(each), "entries": ";".join(each.entries)} for each in self.ceilings]
        if self.hypothetical:
            rows = [{**row, "hypothetical": row["law"] == "overlay"} for row in rows]
        return pa.Table.from_pylist(rows)

    def to_pandas(self) -> pd.DataFrame:
        """One row a format, jurisdiction and law."""
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame

    def write(self, path: Path) -> None:
        """One row a format, jurisdiction and law, into a CSV or Parquet file that appears whole or not at all."""
        write_table(self.to_arrow(), path)

    def __len__(self) -> int:
        """How many ceilings there are."""
        return len(self.ceilings)

    def parts(self) -> Iterator[Any]:
        """For a terminal: a table of formats against jurisdictions."""
        from rich.table import Table

        yield from hypothetical_lines(self.hypothetical)
        said = ", ".join(f"{name} {value}" for name, value in self.design.items())
        yield f"Largest dense rate of one format that stays outside the lines on {self.as_of}: {escape(said)}"
        places = list(dict.fromkeys((each.jurisdiction, each.law) for each in self.ceilings))
        table = Table("format", "unit", box=None, pad_edge=False)
        for place, law in places:
            table.add_column(place.upper() if law == "now" else f"{place.upper()} under the overlay", justify="right")
            table.add_column("beyond")
        for rate in RATES:
            cells: list[str] = []
            for at in places:
                each = next(one for one in self.ceilings if (one.field, one.jurisdiction, one.law) == (rate.name, *at))
                beyond = ", ".join(each.entries) if each.verdict == VERDICTS[CONTROLLED] else each.verdict
                cells += [grouped(each.largest) if each.largest else each.silence, beyond if each.largest else ""]
            table.add_row(rate.name, rate.unit, *map(escape, cells))
        yield table

    def __str__(self) -> str:
        from perfcalc.answers.comparisons import plain

        return plain(self.parts())


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
    for crossing in search.found(frozenset(rate.name for rate in RATES)):
        if crossing.change.name == RATES[crossing.row].name:
            first.setdefault((crossing.row, crossing.book), crossing)
    ceilings = []
    for row, rate in enumerate(RATES):
        for b, view in enumerate(search.views):
            found = first.get((row, b))
            silence = ""
            if view.verdict[row] != "not_controlled":
                needs = f" (needs {view.needs[row].replace(';', ', ')})" if view.needs[row] else ""
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
                    VERDICTS[found.answer.verdict] if found else view.verdict[row],
                    list(found.answer.entries) if found else [each for each in view.entries[row].split(";") if each],
                    silence,
                )
            )
    return ceilings


def designs(table: pa.Table, plans: Sequence[Plan], design: dict[str, str]) -> Design:
    """The ceilings of a design under each plan: the law now, and under the overlays."""
    ceilings = [each for plan in plans for each in ceilings_of(table, plan, "overlay" if plan.overlays else "now")]
    return Design(plans[0].books[0].day.isoformat(), design, list(plans[-1].overlays), ceilings)
