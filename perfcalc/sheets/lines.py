"""Where each item of a sheet stands in its file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, repeat

from perfcalc.sheets.files import read_rows
from perfcalc.sheets.read import Sheet
from perfcalc.sheets.texts import DelimitedText, RowTable


def item_lines(sheet: Sheet) -> Iterator[int | None]:
    """The line of each item in its file, in the order of the rows; None where a file has no lines (Parquet).

    Ask it after the batches were read: only then it is known which rows were rejected.
    """
    rejected = {(reject.file, reject.line) for reject in sheet.rejects}
    for part, _ in sheet.parts:
        rows: Iterable[tuple[int, object]]
        if isinstance(part, DelimitedText):
            label, above = str(part.path), part.head.start + part.head.depth
            rows = islice(read_rows(part._file, part.delimiter, label), above, None)  # noqa: SLF001 - of this package
        elif isinstance(part, RowTable):
            label, rows = part.label, part._rows  # noqa: SLF001 - as above
        else:
            yield from repeat(None, part.rows or 0)
            continue
        yield from (line for line, _ in rows if (label, line) not in rejected)
