"""Files become Arrow batches, cell by cell as the file has them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from perfcalc.errors import InputError
from perfcalc.sheets.rejects import Reject

#: A row of a CSV file must fit into one block.
BLOCK_BYTES = 1 << 22
BATCH_ROWS = 1 << 16


@dataclass
class Sheet:
    """A spec sheet, read batch by batch.

    Attributes
    ----------
    schema
        The columns as the file has them: text from CSV, typed from Parquet.
    rows
        How many rows there are, where the format tells beforehand.
    rejects
        Filled while the batches are read.
    """

    path: Path
    schema: pa.Schema
    rows: int | None
    rejects: list[Reject] = field(default_factory=list)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Read the file once, from its start."""
        self.rejects.clear()
        if is_parquet(self.path):
            with pq.ParquetFile(self.path) as file:
                yield from file.iter_batches(BATCH_ROWS)
        else:
            yield from self._csv_batches()

    def _csv_batches(self) -> Iterator[pa.RecordBatch]:
        try:
            with pa_csv.open_csv(
                self.path,
                read_options=pa_csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
                parse_options=pa_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=self._reject),
                convert_options=pa_csv.ConvertOptions(
                    column_types={name: pa.string() for name in self.schema.names}, strings_can_be_null=False
                ),
            ) as reader:
                yield from reader
        except pa.ArrowInvalid as error:
            raise InputError(f"{self.path}: {error}", "save the sheet as comma-separated UTF-8 text") from error

    def _reject(self, row: pa_csv.InvalidRow) -> str:
        self.rejects.append(
            Reject(
                str(self.path),
                row.number,
                "",
                row.text,
                f"{row.actual_columns} cells where the heading has {row.expected_columns}",
                "add or remove commas; put text that holds a comma into double quotes",
            )
        )
        return "skip"


def is_parquet(path: Path) -> bool:
    """Whether a path names a Parquet file."""
    return path.suffix.casefold() in (".parquet", ".pq")


def open_sheet(path: str | Path) -> Sheet:
    """Open a CSV or Parquet file.

    Raises
    ------
    InputError
        The file is absent, empty or not of its kind.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file", "check the path")
    if is_parquet(path):
        try:
            with pq.ParquetFile(path) as file:
                return Sheet(path, file.schema_arrow, file.metadata.num_rows)
        except pa.ArrowInvalid as error:
            raise InputError(f"{path}: not a Parquet file: {error}", "write it anew") from error
    return Sheet(path, pa.schema([(name, pa.string()) for name in _csv_headings(path)]), None)


def _csv_headings(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            headings = next((row for row in csv.reader(file) if row), None)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: {error}", "save the sheet as comma-separated UTF-8 text") from error
    if headings is None:
        raise InputError(f"{path}: the file is empty", "give it a heading line with at least 'name'")
    return headings
