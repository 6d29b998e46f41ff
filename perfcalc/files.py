"""Result files: they appear whole or not at all, and a spreadsheet runs nothing in them."""

from __future__ import annotations

import errno
import os
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from perfcalc.errors import InputError
from perfcalc.facts import Indices
from perfcalc.nulls import spelled
from perfcalc.sheets.cells import as_text
from perfcalc.sheets.read import is_parquet
from perfcalc.sheets.rejects import harmless
from perfcalc.stream import in_order

#: Rows of a row group of a Parquet file.
ROW_GROUP: Final = 1 << 17
#: So many cells tell whether a column repeats itself.
SAMPLE: Final = 1 << 14
FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

#: Lines of a CSV file that are put together at a time.
CSV_ROWS: Final = 1 << 12
#: Text that a spreadsheet would run as a formula; plain numbers and lone dashes are not.
FORMULA = r"^[=+\-@\t\r]"
#: For each byte, whether a formula may begin with it.
MAY_RUN: Final = np.isin(np.arange(256), list(b"=+-@\t\r"))
HARMLESS = r"^[+\-]?[0-9.]+(?:[eE][+\-]?[0-9]+)?$|^-+$"


def write(
    batches: Iterator[pa.RecordBatch],
    path: Path,
    named: Path,
    schema: pa.Schema | None = None,
    threads: int | None = None,
) -> None:
    """Write batches as the format that the name asks for; how they are cut into batches does not show in the file.

    Parameters
    ----------
    schema
        The columns as a reader shall find them, where batches carry text as dictionaries.
    threads
        Of so many, each makes the text of a batch of a CSV file.
    """
    first = next(batches)
    if is_parquet(named):
        _write_parquet(chain((first,), batches), path, schema or first.schema)
        return
    spelled_out = in_order(chain((first,), batches), as_csv, threads or os.cpu_count() or 1)
    with path.open("wb") as file, closing(spelled_out) as parts:
        file.write(as_csv(first.slice(0, 0), heading=True))
        for part in parts:
            file.write(part)


def as_csv(batch: pa.RecordBatch, heading: bool = False) -> pa.Buffer:
    """A batch as the lines of a CSV file."""
    safe = escape_formulas(batch)
    nothing = pa.nulls(batch.num_rows, pa.string())
    # A column of nothing is as empty as text, and text is written faster.
    columns = [nothing if column.null_count == len(column) else column for column in safe.columns]
    sink = pa.BufferOutputStream()
    options = pa_csv.WriteOptions(include_header=heading, batch_size=CSV_ROWS, quoting_style="needed")
    pa_csv.write_csv(pa.RecordBatch.from_arrays(columns, names=safe.schema.names), sink, options)
    return sink.getvalue()


def _write_parquet(batches: Iterable[pa.RecordBatch], path: Path, schema: pa.Schema) -> None:
    groups = row_groups(batches)
    first = next(groups)
    # The least and greatest of names, verdicts and numbers written as text tell nothing.
    measured = [one.name for one in first.schema if not (pa.types.is_dictionary(one.type) or _is_text(one.type))]
    repeating = [name for name in first.schema.names if _repeats(first[name])]
    metadata = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
    # Arrow would say that dictionaries were written; what was written is text.
    metadata["ARROW:schema"] = b64encode(schema.serialize().to_pybytes()).decode()
    with pq.ParquetWriter(
        path, first.schema, use_dictionary=repeating, write_statistics=measured, store_schema=False
    ) as writer:
        writer.write_table(first, row_group_size=ROW_GROUP)
        # While the next group is put together, nothing of the last one is kept.
        del first
        for group in groups:
            writer.write_table(group, row_group_size=ROW_GROUP)
            del group
        writer.add_key_value_metadata(metadata)


def row_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same rows in groups of `ROW_GROUP`, each column in one piece; an empty one if there are no rows."""
    waiting: list[pa.RecordBatch] = []
    rows, last, written = 0, None, False
    for batch in batches:
        start = 0
        while rows + batch.num_rows - start >= ROW_GROUP:
            waiting.append(batch.slice(start, ROW_GROUP - rows))
            start += ROW_GROUP - rows
            group, waiting, rows, written = _in_one_piece(waiting), [], 0, True
            yield group
            del group
        if start < batch.num_rows:
            waiting.append(batch.slice(start))
            rows += batch.num_rows - start
        last = batch.slice(0, 0)
    if waiting or (last is not None and not written):
        yield _in_one_piece(waiting or [last])


def _in_one_piece(batches: Sequence[pa.RecordBatch]) -> pa.Table:
    columns = []
    rows = sum(batch.num_rows for batch in batches)
    nothing: dict[pa.DataType, pa.Array] = {}
    for at, kind in enumerate(batches[0].schema.types):
        pieces = [batch.column(at) for batch in batches]
        if rows and all(piece.null_count == len(piece) for piece in pieces):
            # Most columns of most sheets: one array of nothing for all of them.
            columns.append(nothing[kind] if kind in nothing else nothing.setdefault(kind, pa.nulls(rows, kind)))
            continue
        whole = pieces[0] if len(pieces) == 1 else pa.concat_arrays(pieces)
        columns.append(_in_usual_order(whole) if pa.types.is_dictionary(kind) else whole)
    return pa.table(columns, names=batches[0].schema.names)


def _in_usual_order(column: pa.DictionaryArray) -> pa.Array:
    """A dictionary with the words that are used, in alphabetical order, however its parts were put together."""
    if not _is_text(column.type.value_type):
        return column.dictionary_decode()
    words = column.dictionary.to_pylist()
    codes = pc.fill_null(column.indices, -1).to_numpy(zero_copy_only=False)
    used = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=len(words)))
    order = sorted({words[at] for at in used})
    place = {word: at for at, word in enumerate(order)}
    lookup = np.array([place.get(word, -1) for word in words] + [-1], dtype=np.int32)
    found = np.take(lookup, codes)
    return spelled(found, order, column.type.value_type)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _repeats(column: pa.ChunkedArray) -> bool:
    """Whether a column is worth a dictionary: of its first cells many are alike."""
    first = column.slice(0, SAMPLE)
    if not (_is_text(first.type) or pa.types.is_floating(first.type)):
        return True
    return bool(pc.count_distinct(first).as_py() * 2 <= len(first))


def escape_formulas(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Put an apostrophe before text that a spreadsheet would run as a formula; lists and structures become JSON."""
    columns = []
    for column in batch.columns:
        if isinstance(column, pa.DictionaryArray):
            # A word is looked at once, however many cells hold it.
            words = _escaped(column.dictionary)
            column = pa.DictionaryArray.from_arrays(column.indices, words).dictionary_decode()  # noqa: PLW2901
        elif pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
            column = _escaped(as_text(column))  # noqa: PLW2901 - CSV has no such cells
        else:
            column = _escaped(column)  # noqa: PLW2901
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, names=[harmless(name) for name in batch.schema.names])


def _escaped(column: pa.Array) -> pa.Array:
    if not _is_text(column.type):
        return column
    _, offsets, data = column.buffers()
    ends: Indices = np.frombuffer(offsets or b"", np.int32 if pa.types.is_string(column.type) else np.int64)
    ends = ends[column.offset : column.offset + len(column) + 1]
    starts = ends[:-1][ends[1:] > ends[:-1]]
    if not starts.size or not MAY_RUN[np.frombuffer(data, np.uint8)[starts]].any():
        return column
    runs = pc.and_(pc.match_substring_regex(column, FORMULA), pc.invert(pc.match_substring_regex(column, HARMLESS)))
    mark, between = (pa.scalar(text, column.type) for text in ("'", ""))
    return pc.if_else(runs, pc.binary_join_element_wise(mark, column, between), column)


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
    except OSError as error:
        if error.errno in FULL:
            raise InputError(f"{paths[0]}: {error.strerror or error}", "make room, or choose another place") from error
        raise
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)
        folder.rmdir()


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as the format that the name asks for: whole, or not at all."""
    batches = table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]
    with whole_files(path) as (draft,):
        write(iter(batches), draft, path)
