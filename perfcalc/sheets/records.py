"""Sources of rows that are no delimited text: workbooks and JSON lines."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from perfcalc.errors import InputError
from perfcalc.sheets.files import Unclosed

#: What the parts of a workbook may unfold to.
LARGEST_WORKBOOK: Final = 2 << 30
LARGEST_RATIO: Final = 200
HARMLESS: Final = 64 << 20
LONGEST_LINE: Final = 1 << 26


def workbook_tables(file: BinaryIO, path: Path) -> list[tuple[str, list[list[str]]]]:
    """The tables of an XLSX, XLS or ODS workbook: (name, rows of texts), empty ones left out.

    Raises
    ------
    InputError
        It is no workbook, is locked, or unfolds beyond the caps.
    """
    try:
        from python_calamine import CalamineWorkbook  # noqa: PLC0415 - only workbooks need it
    except ImportError as error:
        raise InputError(f"{path}: workbooks need python-calamine", "pip install 'perfcalc[excel]'") from error
    file.seek(0)
    data = file.read()
    if data[:2] == b"PK":
        _check_zip(data, path)
    found = []
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        for name in book.sheet_names:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            texts = [[cell_text(cell) for cell in row] for row in rows]
            if any(cell for row in texts for cell in row):
                found.append((name, texts))
    except InputError:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise InputError(
            f"{path}: not a readable workbook: {error}", "open and save it anew, or export it as CSV"
        ) from error
    if not found:
        raise InputError(f"{path}: the workbook is empty", "fill in a table with a column 'name'")
    return found


def _check_zip(data: bytes, path: Path) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise InputError(f"{path}: not a whole workbook: {error}", "save it anew") from error
    if size > LARGEST_WORKBOOK or (size > HARMLESS and size > LARGEST_RATIO * len(data)):
        raise InputError(f"{path}: unfolds to {size >> 20} MiB from {len(data) >> 10} KiB", "export the table as CSV")


def cell_text(cell: Any) -> str:
    """A workbook's cell as a person sees it: numbers to 15 digits (what a spreadsheet keeps), dates in ISO form."""
    if cell is None or isinstance(cell, str):
        return cell or ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        return format(cell, ".15g")
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ")
    return str(cell)


def json_rows(file: BinaryIO, path: Path) -> Iterator[tuple[int, dict[str, str] | str]]:
    """The objects of a JSON-lines file, or of one JSON list, flat: nested keys are joined by dots.

    A line that is no object comes back as its text, to be rejected.
    """
    file.seek(0)
    text = io.TextIOWrapper(
        io.BufferedReader(cast("io.RawIOBase", Unclosed(file))), encoding="utf-8-sig", errors="replace"
    )
    first = text.readline(LONGEST_LINE)
    if first.lstrip().startswith("["):
        yield from _json_list(first + text.read(1 << 30), path)
        return
    number, line = 1, first
    while line:
        if line.strip():
            try:
                item = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
            except (ValueError, RecursionError):
                item = None
            yield number, (_flat(item) if isinstance(item, dict) else line.rstrip("\r\n"))
        number += 1
        line = text.readline(LONGEST_LINE)


def _json_list(text: str, path: Path) -> Iterator[tuple[int, dict[str, str] | str]]:
    try:
        items = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}", "write one object a line, or one list of objects") from error
    for number, item in enumerate(items, start=1):
        yield number, (_flat(item) if isinstance(item, dict) else json.dumps(item, ensure_ascii=False))


def _flat(item: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in item.items():
        name = f"{prefix}{_sound(key)}"
        if isinstance(value, dict) and value and depth < 8:
            found.update(_flat(value, f"{name}.", depth + 1))
        elif isinstance(value, bool):
            found[name] = "yes" if value else "no"
        elif value is None:
            found[name] = ""
        else:
            found[name] = _sound(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return found


def _sound(text: str) -> str:
    """Text without lone surrogates, which JSON can spell and UTF-8 cannot."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
