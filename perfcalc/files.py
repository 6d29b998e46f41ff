"""Result files: they appear whole or not at all, and a spreadsheet runs nothing in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import mkdtemp

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from perfcalc.errors import InputError
from perfcalc.sheets.cells import as_text

#: Text that a spreadsheet would run as a formula; plain numbers and lone dashes are not.
FORMULA = r"^[=+\-@\t\r]"
HARMLESS = r"^[+\-]?[0-9.]+(?:[eE][+\-]?[0-9]+)?$|^-+$"


def write(batches: Iterator[pa.RecordBatch], path: Path, named: Path) -> None:
    """Write batches as the format that the name asks for."""
    first = next(batches)
    if named.suffix.casefold() in (".parquet", ".pq"):
        with pq.ParquetWriter(path, first.schema) as writer:
            for batch in chain((first,), batches):
                writer.write_batch(batch)
    else:
        with pa_csv.CSVWriter(
            path, escape_formulas(first).schema, write_options=pa_csv.WriteOptions(quoting_style="needed")
        ) as writer:
            for batch in chain((first,), batches):
                writer.write_batch(escape_formulas(batch))


def escape_formulas(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Put an apostrophe before text that a spreadsheet would run as a formula; lists and structures become JSON."""
    columns = []
    for column in batch.columns:
        if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
            column = as_text(column)  # noqa: PLW2901 - CSV has no such cells
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            runs = pc.and_(
                pc.match_substring_regex(column, FORMULA), pc.invert(pc.match_substring_regex(column, HARMLESS))
            )
            if pc.any(runs).as_py():
                columns.append(pc.if_else(runs, pc.binary_join_element_wise("'", column, ""), column))
                continue
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


@contextmanager
def whole_files(*paths: Path) -> Iterator[tuple[Path, ...]]:
    """Temporary names for files that then appear whole, or not at all. A file not written is removed."""
    for path in paths:
        if not path.parent.is_dir():
            raise InputError(f"{path.parent}: no such folder", "make it, or choose another place")
    folder = Path(mkdtemp(prefix=".perfcalc-", dir=paths[0].parent))
    drafts = tuple(folder / path.name for path in paths)
    try:
        yield drafts
        for draft, path in zip(drafts, paths, strict=True):
            if draft.exists():
                draft.replace(path)
            else:
                path.unlink(missing_ok=True)
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)
        folder.rmdir()


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as the format that the name asks for: whole, or not at all."""
    batches = table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]
    with whole_files(path) as (draft,):
        write(iter(batches), draft, path)
