"""Files become Arrow batches, cell by cell as the file has them, whatever kind of file it is."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from glob import glob, has_magic
from pathlib import Path
from typing import BinaryIO, Final, Protocol
from weakref import finalize

import pyarrow as pa
import pyarrow.parquet as pq

from perfcalc.errors import InputError
from perfcalc.sheets.cells import as_text
from perfcalc.sheets.decimals import any_comma, decimal_marks, is_words, study, with_marks
from perfcalc.sheets.encodings import SAMPLE, Scan, scan
from perfcalc.sheets.files import as_utf8, find_delimiter, open_bytes
from perfcalc.sheets.headers import make_unique
from perfcalc.sheets.numerals import EITHER, POINT
from perfcalc.sheets.records import json_rows, workbook_tables
from perfcalc.sheets.rejects import Reject
from perfcalc.sheets.texts import BATCH_ROWS, DelimitedText, RowTable

__all__ = ["BATCH_ROWS", "ENDINGS", "Sheet", "is_parquet", "open_sheet"]

#: What a folder is searched for.
ENDINGS: Final = (
    ".csv", ".tsv", ".tab", ".txt", ".parquet", ".pq", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".jsonl", ".ndjson", ".json",
    ".csv.gz", ".tsv.gz", ".csv.zst", ".tsv.zst", ".jsonl.gz", ".jsonl.zst",
)  # fmt: skip


class Part(Protocol):
    """One table of one file."""

    path: Path
    schema: pa.Schema
    rows: int | None
    notes: list[str]

    def batches(self, rejects: list[Reject], only: Collection[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Read it once, from its start; with `only`, at least those columns."""
        ...


@dataclass
class Sheet:
    """A spec sheet, or several read as one, batch by batch.

    Attributes
    ----------
    schema
        The columns as the file has them: text, or typed from Parquet. Several sheets: the union of their columns.
        Its metadata says which columns use a decimal comma.
    rows
        How many rows there are, where the format tells beforehand.
    rejects
        Filled while the batches are read.
    notes
        What a reader should know of how the file was read.
    """

    path: Path
    schema: pa.Schema
    rows: int | None
    rejects: list[Reject] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    parts: list[tuple[Part, dict[str, str]]] = field(default_factory=list)
    left_out: bool = False

    def only(self, names: Collection[str]) -> Sheet:
        """The same sheet with some of its columns: the others are not read."""
        schema = pa.schema([one for one in self.schema if one.name in names], self.schema.metadata)
        return replace(self, schema=schema, left_out=len(schema) < len(self.schema))

    def split(self) -> list[Sheet]:
        """Each table as a sheet of its own, with the columns of all of them."""
        return [
            replace(self, path=part.path, rows=part.rows, rejects=[], notes=part.notes, parts=[(part, names)])
            for part, names in self.parts
        ]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Read the files once, from their start."""
        self.rejects.clear()
        for part, names in self.parts:
            own = [old for old in part.schema.names if names.get(old, old) in self.schema.names]
            for batch in part.batches(self.rejects, own if self.left_out else None):
                yield self.fitted(batch, names)

    def fitted(self, batch: pa.RecordBatch, names: dict[str, str]) -> pa.RecordBatch:
        """A batch of one part with the columns of the whole."""
        if batch.schema.names == self.schema.names and batch.schema.types == self.schema.types:
            return batch.replace_schema_metadata(self.schema.metadata)
        own = {names.get(name, name): at for at, name in enumerate(batch.schema.names)}
        columns = []
        for wanted in self.schema:
            if wanted.name not in own:
                columns.append(pa.nulls(batch.num_rows, wanted.type))
                continue
            column = batch.column(own[wanted.name])
            columns.append(column if column.type == wanted.type else as_text(column).cast(pa.string()))
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


def is_parquet(path: Path) -> bool:
    """Whether a path names a Parquet file."""
    return path.suffix.casefold() in (".parquet", ".pq")


def open_sheet(path: str | Path | Sequence[str | Path], wanted: Collection[str] = ()) -> Sheet:
    """Open a spec sheet: delimited text, a workbook, JSON lines or Parquet, compressed or not.

    Parameters
    ----------
    path
        A file, a folder, a pattern such as ``sheets/*.csv``, ``-`` for standard input, or several of them.
    wanted
        Headings that a mapping names: they help to find the heading line.

    Raises
    ------
    InputError
        A file is absent, empty or not of its kind.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    files = [file for each in paths for file in _files(Path(each))]
    if not files:
        raise InputError(
            f"{', '.join(map(str, paths)) or 'no path'}: no spec sheet there", f"endings: {' '.join(ENDINGS)}"
        )
    parts = [(file, part) for file in files for part in _open(file, wanted)]
    shown = files[0] if len(files) == 1 else Path(paths[0]) if len(paths) == 1 else Path(f"{len(files)} sheets")
    return _joined(shown, parts)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(one for one in path.iterdir() if one.is_file() and one.name.casefold().endswith(ENDINGS))
    if has_magic(str(path)) and not path.exists():
        return sorted(one for one in map(Path, glob(str(path))) if one.is_file())  # noqa: PTH207 - absolute patterns too
    if str(path) != "-" and not path.is_file():
        raise InputError(f"{path}: no such file", "check the path")
    return [path]


def _open(path: Path, wanted: Collection[str]) -> list[Part]:
    if is_parquet(path):
        return [ParquetTable(path)]
    file = open_bytes(path)
    kept: list[BinaryIO] = []
    try:
        return _open_file(path, file, wanted, kept)
    finally:
        if not any(one is file for one in kept):
            file.close()


def _kept(part: Part, file: BinaryIO, kept: list[BinaryIO]) -> None:
    """Close a file when the part that reads it is gone."""
    kept.append(file)
    finalize(part, file.close)


def _open_file(path: Path, file: BinaryIO, wanted: Collection[str], kept: list[BinaryIO]) -> list[Part]:
    """Open a file by what is in it."""
    head = file.read(8)
    if not head:
        raise InputError(f"{path}: the file is empty", "give it a heading line with at least 'name'")
    if head.startswith(b"PAR1"):
        table = ParquetTable(path, file)
        _kept(table, file, kept)
        return [table]
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
        return _tables(path, workbook_tables(file, path), wanted)
    scanned = scan(file, str(path))
    text = as_utf8(file, scanned)
    part: Part
    try:
        part = _open_text(path, text, scanned, wanted, not _folded(head) and text is file and str(path) != "-")
    except InputError:
        if text is not file:
            text.close()
        raise
    _kept(part, text, kept)
    return [part]


def _open_text(path: Path, text: BinaryIO, scanned: Scan, wanted: Collection[str], in_place: bool) -> Part:
    """Open UTF-8 text: JSON or delimited."""
    text.seek(0)
    sample = text.read(SAMPLE).decode("utf-8-sig", "ignore")
    if not sample.strip():
        raise InputError(f"{path}: the file is empty", "give it a heading line with at least 'name'")
    stem = path.name.casefold().removesuffix(".gz").removesuffix(".zst")
    if stem.endswith((".jsonl", ".ndjson", ".json")) or sample.lstrip()[:2] in ('{"', "[{"):
        return _json_table(path, list(json_rows(text, path)))
    delimiter = find_delimiter(sample, stem)
    part = DelimitedText(path, text, delimiter, wanted, own_path=path if in_place else None)
    part.notes += [] if scanned.encoding == "utf-8" else [f"read as {scanned.encoding}"]
    part.notes += [] if delimiter == "," else [f"cells are separated by {delimiter!r}"]
    # Between commas a cell that holds one stands in quotes; without any there is no decimal comma to look for.
    counted = delimiter == "," and part.expect(scanned)
    quoted = scanned.quotes and not counted
    if delimiter == ";" or ((quoted or delimiter != ",") and any_comma(part.batches([]))):
        marks = study(part.batches([]), EITHER if delimiter == ";" else POINT)
        part.schema = with_marks(part.schema, marks)
        if marks:
            part.notes.append(f"{len(marks)} columns may use a decimal comma")
    return part


def _folded(head: bytes) -> bool:
    return head.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh"))


def _tables(path: Path, tables: list[tuple[str, list[list[str]]]], wanted: Collection[str]) -> list[Part]:
    """The tables of a workbook that hold items; if none names an item, the first."""
    found = [RowTable(path, rows, wanted, name) for name, rows in tables]
    named = [part for part in found if part.names_items]
    chosen = named or found[:1]
    left = [name for (name, _), part in zip(tables, found, strict=True) if not any(part is one for one in chosen)]
    if left:
        chosen[0].notes.append(f"tables without items were left out: {', '.join(left)}")
    for part in chosen:
        part.schema = with_marks(part.schema, study(part.batches([])))
    return list(chosen)


def _json_table(path: Path, rows: list[tuple[int, dict[str, str] | str]]) -> Part:
    headings = list(dict.fromkeys(key for _, row in rows if isinstance(row, dict) for key in row))
    if not headings:
        raise InputError(f"{path}: holds no JSON object", "write one object a line")
    names = make_unique(headings)
    filled = [(line, [row.get(key, "") for key in headings] if isinstance(row, dict) else row) for line, row in rows]
    part = RowTable.of_records(path, names, filled)
    part.schema = with_marks(part.schema, study(part.batches([])))
    return part


class ParquetTable:
    """A Parquet file."""

    def __init__(self, path: Path, source: io.IOBase | object | None = None) -> None:
        self.path, self._source = path, source
        self.notes: list[str] = []
        try:
            file = pq.ParquetFile(self._open())
            self._names = make_unique(file.schema_arrow.names)
            fields = [one.with_name(name) for one, name in zip(file.schema_arrow, self._names, strict=True)]
            self.schema = pa.schema(fields)
            self.rows: int | None = file.metadata.num_rows
        except (pa.ArrowException, OSError, ValueError) as error:
            raise InputError(f"{path}: not a Parquet file: {error}", "write it anew") from error
        texts = [
            at
            for at, one in enumerate(fields)
            if (pa.types.is_string(one.type) or pa.types.is_large_string(one.type)) and not is_words(one.name)
        ]
        if texts:
            self.schema = with_marks(self.schema, study(self.batches([], [fields[at].name for at in texts])))

    @property
    def own_path(self) -> bool:
        """Whether its path alone opens it: it is not unfolded from another file."""
        return self._source is None

    def _open(self) -> object:
        if self._source is None:
            return str(self.path)
        self._source.seek(0)  # type: ignore[attr-defined] # a file
        return self._source

    def batches(self, _rejects: list[Reject], only: Collection[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Read it once, from its start; with `only`, those columns."""
        try:
            # Buffered ahead, a whole file would be held.
            file = pq.ParquetFile(self._open(), pre_buffer=False)
            # Two columns of one name can only be read with all the others.
            twice = len(set(file.schema_arrow.names)) < len(self._names)
            schema = self.schema
            if only is not None and not twice:
                schema = pa.schema([schema.field(name) for name in only], schema.metadata)
            for batch in file.iter_batches(BATCH_ROWS, columns=None if schema is self.schema else schema.names):
                yield pa.RecordBatch.from_arrays(
                    batch.columns if schema is self.schema else [batch.column(name) for name in schema.names],
                    schema=schema,
                )
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{self.path}: a damaged Parquet file: {error}", "write it anew") from error


def _joined(path: Path, parts: list[tuple[Path, Part]]) -> Sheet:
    """Several tables as one: the union of their columns; one that writes its decimals otherwise stays apart."""
    if len(parts) == 1:
        part = parts[0][1]
        return Sheet(path, part.schema, part.rows, notes=part.notes, parts=[(part, {})])
    fields: dict[str, pa.DataType] = {}
    marks: dict[str, str] = {}
    members: list[tuple[Part, dict[str, str]]] = []
    for file, part in parts:
        own = decimal_marks(part.schema)
        names: dict[str, str] = {}
        for one in part.schema:
            name = one.name
            mark = own.get(name, POINT)
            if name in fields and marks.get(name, POINT) != mark and name.casefold() != "name":
                name = f"{one.name} ({file.name})"
                names[one.name] = name
            known = fields.get(name)
            fields[name] = one.type if known in (None, one.type) else pa.string()
            if mark != POINT:
                marks[name] = mark
        members.append((part, names))
    schema = with_marks(pa.schema(list(fields.items())), marks)
    rows = [part.rows for _, part in parts]
    notes = [f"{file.name}: {note}" for file, part in parts for note in part.notes]
    return Sheet(path, schema, None if None in rows else sum(filter(None, rows)), notes=notes, parts=members)
