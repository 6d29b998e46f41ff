"""The short line: a sheet, and where its items were likely made, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pyarrow as pa

from perfcalc.errors import InputError
from perfcalc.files import whole_files, write
from perfcalc.origin.assess import origin_columns
from perfcalc.origin.columns import recognise_origin
from perfcalc.sheets.read import Sheet
from perfcalc.sheets.rejects import rejects_path, write_rejects


def origin_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """One batch with the origin columns behind its own. Pure."""
    results = origin_columns(batch, recognise_origin(batch.schema.names))
    taken = [f"input_{name}" if name in results else name for name in batch.schema.names]
    return pa.RecordBatch.from_arrays([*batch.columns, *results.values()], names=[*taken, *results])


def origin_sheet(sheet: Sheet, out: Path | None = None) -> tuple[int, list[pa.RecordBatch]]:
    """Say where the items of a sheet were likely made, into a file or, without `out`, into memory.

    Raises
    ------
    InputError
        No column is the item's name.
    """
    if "name" not in recognise_origin(sheet.schema.names):
        raise InputError(f"{sheet.path}: no column is called 'name'", "call the item's column 'name'")
    scored = (origin_batch(batch) for batch in sheet.batches())
    if out is None:
        kept = list(scored)
        return sum(batch.num_rows for batch in kept), kept
    empty = origin_batch(pa.RecordBatch.from_pylist([], schema=sheet.schema))
    rows = 0

    def counted() -> Iterator[pa.RecordBatch]:
        nonlocal rows
        for batch in scored:
            rows += batch.num_rows
            yield batch

    with whole_files(out, rejects_path(out)) as (result, rejects):
        write(chain((empty,), counted()), result, out)
        if sheet.rejects:
            write_rejects(sheet.rejects, rejects)
    return rows, []
