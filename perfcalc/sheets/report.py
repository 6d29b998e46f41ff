"""What was understood of a sheet, column by column: for ``perfcalc read``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa

from perfcalc.fields import FIELDS
from perfcalc.sheets.cells import read_cell, texts
from perfcalc.sheets.columns import read_facts
from perfcalc.sheets.decimals import decimal_marks
from perfcalc.sheets.headers import Binding, Columns, suggest
from perfcalc.sheets.messy import with_decimal
from perfcalc.sheets.numerals import POINT
from perfcalc.sheets.problems import kind_of_problem
from perfcalc.sheets.read import Sheet

EXAMPLES: Final = 3


@dataclass
class Understood:
    """One column.

    Attributes
    ----------
    column
        Its heading.
    fields
        What it is read as; empty if it is only carried along.
    how
        ``name``, ``alias`` or ``mapping``.
    unit
        The unit of its heading, and that of the field when it differs.
    decimal
        Its decimal mark.
    filled
        How many cells say something.
    notes
        ``sparse`` and the like.
    examples
        Cells and what they become.
    suggestion
        The field that an unknown heading looks like; never applied.
    """

    column: str
    fields: list[str] = field(default_factory=list)
    how: str = ""
    unit: str = ""
    decimal: str = POINT
    filled: int = 0
    notes: list[str] = field(default_factory=list)
    examples: list[tuple[str, str]] = field(default_factory=list)
    suggestion: str = ""


@dataclass
class Report:
    """A sheet as it was understood; ``to_dict`` for ``--json``."""

    path: str
    rows: int
    importer: str
    columns: list[Understood]
    problems: Counter[str]
    rejects: list[dict[str, Any]]
    notes: list[str]

    def to_dict(self) -> dict[str, Any]:
        """The report for machines."""
        return {
            "sheet": self.path,
            "rows": self.rows,
            "importer": self.importer,
            "notes": self.notes,
            "columns": [vars(column) for column in self.columns],
            "problems": dict(self.problems.most_common()),
            "rejects": self.rejects,
        }


def report(sheet: Sheet, columns: Columns) -> Report:
    """Read a sheet once and tell what each of its columns became."""
    marks = decimal_marks(sheet.schema)
    close = suggest(sheet.schema.names, columns)
    found = {
        name: Understood(name, decimal=marks.get(name, POINT), suggestion=close.get(name, ""))
        for name in sheet.schema.names
    }
    bound: dict[str, list[Binding]] = {}
    for many in columns.bindings.values():
        for one in many:
            bound.setdefault(one.column, []).append(one)
            _describe(found[one.column], one)
    problems: Counter[str] = Counter()
    rows = 0
    for batch in sheet.batches():
        rows += batch.num_rows
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            _examples(found[name], column, bound.get(name, []))
        for at, text in read_facts(batch, columns)[1]:
            problems[kind_of_problem(text)] += at.size
    rejects = [vars(reject) for reject in sheet.rejects]
    return Report(str(sheet.path), rows, columns.importer, list(found.values()), problems, rejects, sheet.notes)


def _describe(column: Understood, one: Binding) -> None:
    column.fields.append(one.field)
    column.how = one.how
    wanted = FIELDS[one.field].unit
    if one.style.unit is not None and one.style.unit.symbol:
        column.unit = f"{one.style.unit.symbol} → {wanted}" if wanted else one.style.unit.symbol
    elif wanted:
        column.unit = wanted
    labels = one.style.labels
    for wanted_note, text in (
        ("sparse" in labels and "dense" not in labels, "with sparsity: an upper bound of the dense rate"),
        (one.style.at_least, "a part only: a lower bound"),
        (one.spread is not None, "number format not stated: an interval"),
        (bool(one.style.unit and one.style.unit.others), "bytes or bits, the heading does not tell: an interval"),
    ):
        if wanted_note and text not in column.notes:
            column.notes.append(text)


def _examples(column: Understood, cells: pa.Array, bound: list[Binding]) -> None:
    missing = len(column.examples) < EXAMPLES
    if not missing:
        column.filled += int(np.count_nonzero([cell is not None for cell in texts(cells)]))
        return
    seen = {raw for raw, _ in column.examples}
    for cell in texts(cells):
        if cell is None:
            continue
        column.filled += 1
        if len(column.examples) < EXAMPLES and cell not in seen:
            seen.add(cell)
            shown = cell if len(cell) <= 40 else f"{cell[:39]}…"
            column.examples.append((shown, "; ".join(_becomes(cell, one, column.decimal) for one in bound)))


def _becomes(cell: str, one: Binding, decimal: str) -> str:
    target = FIELDS[one.field]
    cell = dict(one.values).get(cell.casefold(), cell)
    if target.type == "text":
        return cell if len(cell) <= 40 else f"{cell[:39]}…"
    read = read_cell(cell, target, with_decimal(one.style, decimal))
    low, high = read.low, read.high
    if one.spread is not None:
        low, high = low * one.spread[0], high * one.spread[1]
    if target.type == "choice":
        return target.choices[int(low)] if low == high else "unknown"
    if low == high:
        return f"{float(low):.10g}"
    if low == 0 and high == float("inf"):
        return "unknown"
    return f"{float(low):.10g} or more" if high == float("inf") else f"{float(low):.10g} to {float(high):.10g}"


def lines(found: Report) -> list[str]:
    """The report as text."""
    out = [f"{found.path}: {found.rows:,} rows, {len(found.columns)} columns"]
    if found.importer:
        out.append(f"recognised as: {found.importer}")
    out += found.notes
    for column in found.columns:
        out.append("")
        target = " and ".join(column.fields) or "carried along, not read"
        extras = [part for part in (column.unit, f"by {column.how}" if column.how else "") if part]
        if column.decimal != POINT and column.fields:
            extras.append("decimal comma" if column.decimal == "," else "decimal mark not sure")
        out.append(f"{column.column}  →  {target}" + (f"  ({', '.join(extras)})" if extras else ""))
        out += [f"    {note}" for note in column.notes]
        if column.fields:
            out += [f"    {raw!r}  →  {value}" for raw, value in column.examples]
            out += [f"    {column.filled:,} of {found.rows:,} filled"] if column.filled < found.rows else []
        if column.suggestion:
            out.append(f'    looks like {column.suggestion}; if so: --map "{column.column}={column.suggestion}"')
    if found.problems:
        out += ["", "cells to look at:"]
        out += [f"    {count:,} × {kind}" for kind, count in found.problems.most_common()]
    for reject in found.rejects[:10]:
        out.append(f"rejected: {reject['file']}, line {reject['line']}: {reject['reason']}; {reject['remedy']}")
    if len(found.rejects) > 10:
        out.append(f"{len(found.rejects):,} rows rejected in all")
    return out
