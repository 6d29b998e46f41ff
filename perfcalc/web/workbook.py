"""Results as a workbook."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from perfcalc.errors import InputError
from perfcalc.files import escape_formulas

#: What a worksheet can hold, the heading among it.
MOST_ROWS: Final = 1_048_576
MOST_COLUMNS: Final = 16_384
LONGEST_CELL: Final = 32_767


def write_workbook(batches: Iterator[pa.RecordBatch], path: Path) -> None:
    """Write batches as XLSX: text is never a formula or a link, numbers are numbers.

    Raises
    ------
    InputError
        The package is missing, or a worksheet cannot hold so much.
    """
    try:
        from xlsxwriter import Workbook  # noqa: PLC0415 - only workbooks need it
    except ImportError as error:
        raise InputError("workbooks need xlsxwriter", "pip install 'perfcalc[web]'") from error
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
        "tmpdir": str(path.parent),
    }
    with Workbook(str(path), options) as book:
        sheet = book.add_worksheet("perfcalc")
        sheet.freeze_panes(1, 0)
        bold = book.add_format({"bold": True})
        line = 0
        for batch in batches:
            safe = escape_formulas(batch)
            if line == 0:
                if len(safe.schema) > MOST_COLUMNS:
                    raise InputError(
                        f"{len(safe.schema):,} columns are more than a worksheet holds", "take CSV or Parquet"
                    )
                for at, name in enumerate(safe.schema.names):
                    sheet.write_string(0, at, name, bold)
            if line + safe.num_rows >= MOST_ROWS:
                raise InputError("more rows than a worksheet holds", "take CSV or Parquet")
            columns = [column.to_pylist() for column in safe.columns]
            for row in zip(*columns, strict=True):
                line += 1
                for at, cell in enumerate(row):
                    _write(sheet, line, at, cell)
            line = max(line, 0)


def _write(sheet: Any, line: int, at: int, cell: Any) -> None:
    if cell is None or cell == "":
        return
    if isinstance(cell, bool):
        sheet.write_boolean(line, at, cell)
    elif isinstance(cell, int | float) and math.isfinite(cell) and abs(cell) < 1e15:
        sheet.write_number(line, at, cell)
    else:
        sheet.write_string(line, at, str(cell)[:LONGEST_CELL])
