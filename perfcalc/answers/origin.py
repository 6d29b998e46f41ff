"""Where a chip was likely made, for people: a table, one item with its time line, and the model card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from perfcalc.errors import InputError
from perfcalc.origin.assess import assess, facts_of, picture
from perfcalc.origin.columns import recognise_origin

if TYPE_CHECKING:
    from rich.table import Table

WIDTH: Final = 100
SHOWN_ROWS: Final = 60
STYLES: Final = {
    "stockpiled": "bold red",
    "domestic": "bold blue",
    "diverted": "bold magenta",
    "lawful_foreign": "green",
    "cannot_tell": "bold yellow",
    "not_applicable": "dim",
}


def explain_origin(batch: pa.RecordBatch, row: int) -> dict[str, Any] | None:
    """The origin of one item with its time line; None where the sheet says nothing that bears on it."""
    columns = recognise_origin(batch.schema.names)
    if "designer" not in columns or not {"release_date", "product_launch"} & set(columns):
        return None
    facts = facts_of(batch.slice(row, 1), columns)
    signals, _, described = assess(facts)
    return asdict(described[0]) | {"timeline": picture(facts[0], signals, 0)}


def origin_of(batch: pa.RecordBatch, item: str) -> dict[str, Any]:
    """The origin of the item of a name; of several, the first whose name is exactly that.

    Raises
    ------
    InputError
        No item is called so, or the sheet cannot say who designed it and when it came out.
    """
    columns = recognise_origin(batch.schema.names)
    names = [row["name"] for row in facts_of(batch.select([columns["name"]]), {"name": columns["name"]})]
    close = [row for row, name in enumerate(names) if name == item]
    close = close or [row for row, name in enumerate(names) if item.casefold() in name.casefold()]
    if not close:
        raise InputError(f"no item is called {item!r}", "check the name")
    found = explain_origin(batch, close[0])
    if found is None:
        raise InputError("the sheet has no designer, or no date", "add designer, and product_launch or release_date")
    return {"name": names[close[0]], **found}


def origin_lines(found: Mapping[str, Any]) -> list[str]:
    """One item's origin as text."""
    lines = []
    sure = found["probability"]
    chance = ""
    if found["basis"] == "model" and sure is not None:
        of = "" if found["origin"] == found["leaning"] else f" of {found['leaning']}"
        chance = f" (probability{of} {sure:.2f}, {found['low']:.2f} to {found['high']:.2f}, by the model)"
    elif found["basis"] == "rule":
        chance = " (by rule: as sure as the cells it rests on)"
    lines.append(f"  {found['origin'].upper().replace('_', ' ')}{chance}")
    for part in found["because"].split("; "):
        lines += wrap(part, WIDTH, initial_indent="  - ", subsequent_indent="    ")
    if found["needs"]:
        lines += wrap(f"would be settled by: {found['needs']}", WIDTH, initial_indent="  ", subsequent_indent="    ")
    if found["timeline"]:
        lines += ["", *(f"  {line}" for line in found["timeline"].splitlines())]
    return lines


def origin_table(scored: Sequence[pa.RecordBatch], name: str) -> Table:
    """One row an item."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("item", max_width=26, overflow="ellipsis", no_wrap=True)
    for heading in ("origin", "probability", "basis"):
        table.add_column(heading, no_wrap=True)
    table.add_column("because", min_width=24, overflow="fold")
    shown = 0
    for batch in scored:
        for row in batch.slice(0, SHOWN_ROWS - shown).to_pylist():
            shown += 1
            chance = "" if row["origin_probability"] is None else f"{row['origin_probability']:.2f}"
            if chance and row["origin"] == "cannot_tell":
                chance += f" {row['origin_leaning']}"
            detail = f"needs {row['origin_needs']}" if row["origin"] == "cannot_tell" else row["origin_because"]
            origin = f"[{STYLES[row['origin']]}]{row['origin']}[/]"
            table.add_row(escape(str(row[name])), origin, chance, row["origin_basis"], escape(detail))
    return table


def origin_counts(scored: Sequence[pa.RecordBatch]) -> dict[str, int]:
    """How often each origin is answered."""
    counts: Counter[str] = Counter()
    for batch in scored:
        counts.update(batch.column("origin").to_pylist())
    return dict(counts)


def card() -> str:
    """The model card."""
    from perfcalc.origin.tables import HERE

    return (HERE / "CARD.md").read_text("utf-8")


def rewrite_card(path: Path, numbers: str) -> None:
    """Put new numbers between the marks of a model card.

    Raises
    ------
    InputError
        The file has no such marks.
    """
    from perfcalc.origin.numbers import BEGIN, END

    text = path.read_text("utf-8")
    if BEGIN not in text or END not in text:
        raise InputError(f"{path}: no marks for the numbers", f"add {BEGIN} and {END}")
    head, tail = text.split(BEGIN)[0], text.split(END)[1]
    path.write_text(f"{head}{BEGIN}\n{numbers}{END}{tail}", "utf-8")
