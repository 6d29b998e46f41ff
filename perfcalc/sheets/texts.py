"""Delimited text and other rows of texts, as Arrow batches: fast where the text is regular, exact where it is not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from perfcalc.errors import InputError
from perfcalc.sheets.decimals import any_comma
from perfcalc.sheets.encodings import Scan
from perfcalc.sheets.files import read_rows
from perfcalc.sheets.headers import make_unique, read_heading
from perfcalc.sheets.heads import SEARCHED, Head, find_head
from perfcalc.sheets.rejects import Reject

BATCH_ROWS: Final = 1 << 16
#: A block of the fast reader holds about so many rows, within these bytes: what repeats is looked at once a block, and
#: memory is to stay small. A row must fit into one block; the other reader has no such limit.
BLOCK_ROWS: Final = 1 << 15
LEAST_BYTES: Final = 1 << 21
MOST_BYTES: Final = 1 << 23
#: Bytes that tell how long a row is.
SAMPLE: Final = 1 << 16
#: From so many lines on it is worth to count commas instead of looking into each cell.
COUNTED_LINES: Final = 10_000
RAGGED: Final = "add or remove separators; put text that holds one into double quotes"
REPEATED: Final = "nothing to do: it is no item"


class _Rows:
    """What tables of text rows share: the headings, and which rows are items."""

    path: Path
    schema: pa.Schema
    head: Head
    first: tuple[str, ...]
    delimiter = ","

    def _settle(self, rows: Sequence[Sequence[str]], wanted: Collection[str]) -> None:
        self.head = find_head(rows, wanted)
        if not any(self.head.headings):
            raise InputError(f"{self.path}: the file is empty", "give it a heading line with at least 'name'")
        last = rows[self.head.start + self.head.depth - 1]
        self.first = tuple(cell.strip() for cell in last)
        names = make_unique(self.head.headings)
        self.schema = pa.schema([(name, pa.string()) for name in names])
        self.unnamed_from = max((at for at, heading in enumerate(self.head.headings, 1) if heading), default=0)
        self.notes: list[str] = []
        if self.head.start:
            self.notes.append(f"{self.head.start} lines above the heading were left out")
        if self.head.depth > 1:
            self.notes.append(f"the heading takes {self.head.depth} lines")

    @property
    def names_items(self) -> bool:
        """Whether a column is the item's name."""
        return any("name" in read_heading(heading).fields for heading in self.head.headings if heading)

    def _item(self, line: int, row: list[str], rejects: list[Reject], label: str) -> list[str] | None:
        """A row with as many cells as there are headings, or None after it was rejected."""
        width = len(self.schema)
        if self._is_heading(row):
            rejects.append(Reject(label, line, "", self.delimiter.join(row), "the heading again", REPEATED))
            return None
        if len(row) > width and not any(cell.strip() for cell in row[width:]):
            return row[:width]
        if self.unnamed_from <= len(row) < width:
            return row + [""] * (width - len(row))
        if len(row) != width:
            reason = f"{len(row)} cells where the heading has {width}"
            rejects.append(Reject(label, line, "", self.delimiter.join(row), reason, RAGGED))
            return None
        return row

    def _is_heading(self, row: Sequence[str]) -> bool:
        if not row or row[0].strip() != self.first[0] or len(row) < len(self.first):
            return False
        if all(cell.strip() == own for cell, own in zip(row, self.first, strict=False)):
            return sum(bool(cell) for cell in self.first) > 1 or bool(self.first[0])
        return False

    def _batched(self, rows: Iterator[list[str]]) -> Iterator[pa.RecordBatch]:
        while chunk := list(islice(rows, BATCH_ROWS)):
            columns = [
                pa.array([cell.replace("\0", "\ufffd") for cell in column], pa.string())
                for column in zip(*chunk, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=self.schema)


class DelimitedText(_Rows):
    """Delimited UTF-8 text. Regular text goes through Arrow; from the first irregular row on, row by row."""

    def __init__(
        self, path: Path, file: BinaryIO, delimiter: str, wanted: Collection[str] = (), own_path: Path | None = None
    ) -> None:
        self.path, self._file, self.delimiter, self._own_path = path, file, delimiter, own_path
        self.rows: int | None = None
        self._expected: int | None = None
        head = list(islice(read_rows(file, delimiter, str(path)), SEARCHED + 8))
        self._settle([row for _, row in head], wanted)
        # The fast reader takes the first line as the heading, nothing else.
        file.seek(0)
        sample = file.read(SAMPLE)
        length = len(sample) // max(1, sample.count(b"\n"))
        self._block = min(max(BLOCK_ROWS * length, LEAST_BYTES), MOST_BYTES)
        start = sample.removeprefix(b"\xef\xbb\xbf")
        self._regular = (
            self.head.start == 0
            and self.head.depth == 1
            and head[0][0] == 1
            and not start.startswith((b"\n", b"\r"))
            and len(head[0][1]) == len(self.schema) > 1
        )

    def expect(self, scanned: Scan) -> bool:
        """Whether every comma of a large file separates cells, if every line is one row of all cells.

        The last can only be told when the file was read, and `batches` does.
        """
        regular = self._regular and len(self.schema) == self.unnamed_from and scanned.lines > COUNTED_LINES
        if regular and scanned.commas == scanned.lines * (len(self.schema) - 1):
            self.rows = scanned.lines - 1
            # Without quotes there is nothing to be wrong about.
            self._expected = self.rows if scanned.quotes else None
        return self.rows is not None

    def batches(self, rejects: list[Reject], only: Collection[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Read it once, from its start; with `only`, at least those columns."""
        done = 0
        if self._regular:
            try:
                for batch in self._fast(only):
                    if self._repeats(batch):
                        break  # the other reader looks at whole rows
                    done += batch.num_rows
                    yield batch
                else:
                    if self._expected not in (None, done):
                        self._refuse()
                    return
            except pa.ArrowInvalid:
                pass  # an irregular row: the other reader says which, and why
        if self._expected is not None:
            self._refuse()
        yield from self._batched(self._slow(rejects, done))

    def _refuse(self) -> None:
        """Some rows are not one line of all cells: are there cells with commas after all?"""
        self._expected = None
        if any_comma(self.batches([])):
            raise InputError(
                f"{self.path}: cells hold commas, and irregular rows hide how many",
                "mend the rows that have too few or too many cells",
            )

    def _fast(self, only: Collection[str] | None) -> Iterator[pa.RecordBatch]:
        # The first column tells a heading that is repeated.
        kept = None if only is None else [name for at, name in enumerate(self.schema.names) if not at or name in only]
        schema = self.schema if kept is None else pa.schema([self.schema.field(name) for name in kept])
        self._file.seek(0)
        source = (
            pa.OSFile(str(self._own_path))
            if self._own_path is not None
            else pa.PythonFile(_Borrowed(self._file), mode="r")
        )
        names = self.schema.names
        with pa_csv.open_csv(
            source,
            read_options=pa_csv.ReadOptions(block_size=self._block, column_names=names, skip_rows_after_names=1),
            parse_options=pa_csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, include_columns=kept
            ),
        ) as reader:
            for batch in reader:
                yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)

    def _repeats(self, batch: pa.RecordBatch) -> bool:
        same = pc.equal(pc.utf8_trim_whitespace(batch.column(0)), self.first[0])
        if not pc.any(same).as_py():
            return False
        if batch.num_columns < len(self.schema):
            return True
        rows = batch.filter(same)
        return any(self._is_heading([str(cell) for cell in row.values()]) for row in rows.to_pylist())

    def _slow(self, rejects: list[Reject], skip: int) -> Iterator[list[str]]:
        rows = read_rows(self._file, self.delimiter, str(self.path))
        for _ in range(self.head.start + self.head.depth):
            next(rows, None)
        good = 0
        for line, row in rows:
            item = self._item(line, row, rejects, str(self.path))
            if item is not None:
                good += 1
                if good > skip:
                    yield item


class _Borrowed:
    """A file that the fast reader may not close."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        """Read some bytes."""
        return self._file.read(size)

    def close(self) -> None:
        """Leave the file open for the next reading."""


class RowTable(_Rows):
    """Rows that are in memory: a table of a workbook, or JSON objects."""

    def __init__(self, path: Path, rows: Sequence[Sequence[str]], wanted: Collection[str] = (), name: str = "") -> None:
        self.path = path
        self.label = f"{path}, {name}" if name else str(path)
        self._settle(rows[: SEARCHED + 8], wanted)
        start = self.head.start + self.head.depth
        width = max((len(row) for row in rows), default=0)
        while width > len(self.schema) and not any(row[width - 1].strip() for row in rows if len(row) >= width):
            width -= 1
        # An empty row of a workbook is no row.
        self._rows: list[tuple[int, list[str] | str]] = [
            (start + at, list(row)) for at, row in enumerate(rows[start:], start=1) if any(cell.strip() for cell in row)
        ]
        self.rows: int | None = None

    @classmethod
    def of_records(cls, path: Path, names: list[str], rows: list[tuple[int, list[str] | str]]) -> RowTable:
        """A table whose columns are known."""
        table = cls(path, [names])
        table.schema = pa.schema([(name, pa.string()) for name in names])
        table._rows = rows
        table.first = ("\0",)
        table.unnamed_from = len(names)
        table.notes = []
        return table

    def batches(self, rejects: list[Reject], _only: Collection[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Read it once, from its start, with all columns."""
        yield from self._batched(self._items(rejects))

    def _items(self, rejects: list[Reject]) -> Iterator[list[str]]:
        for line, row in self._rows:
            if isinstance(row, str):
                rejects.append(Reject(self.label, line, "", row, "no JSON object", "write one object a line"))
                continue
            item = self._item(line, row, rejects, self.label)
            if item is not None:
                yield item
