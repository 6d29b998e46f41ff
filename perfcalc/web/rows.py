"""A page of a result: sorted, filtered and searched where the result lies, however many rows it has.

It reads only the columns that the question names, and of the others only the groups of rows that the page shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from perfcalc.errors import InputError
from perfcalc.sheets.cells import as_text
from perfcalc.verdicts.decide import VERDICTS
from perfcalc.web.saved import finite
from perfcalc.web.tasks import SHOWN_CHARS

MOST_ROWS: Final = 500
#: What a search looks into, besides the columns of the item's name and id.
SEARCHED: Final = ("entries", "needs")


@dataclass(frozen=True)
class Query:
    """Which rows, in which order."""

    search: str = ""
    verdict: str = ""
    problems: bool = False
    sort: str = ""
    order: Literal["up", "down"] = "up"
    page: int = 1
    size: int = 50


@dataclass(frozen=True)
class Page:
    """Some rows of a result, each with its number in the sheet, from 1."""

    rows: list[dict[str, Any]]
    total: int
    matched: int
    page: int
    pages: int

    def to_dict(self) -> dict[str, Any]:
        """For the API."""
        return {**vars(self)}


def page_of(path: Path, query: Query, columns: Sequence[str], named: Sequence[str], places: Sequence[str]) -> Page:
    """One page of a result file.

    Parameters
    ----------
    columns
        What the rows hold; all columns if empty.
    named
        The columns with the item's name and id.
    places
        The jurisdictions of the result, which `Query.verdict` and the search ask.

    Raises
    ------
    InputError
        A column or verdict does not exist.
    """
    with pq.ParquetFile(path, memory_map=True) as file:
        names = file.schema_arrow.names
        total = file.metadata.num_rows
        chosen = _matching(file, query, names, named, places)
        if query.sort:
            chosen = _sorted(file, query, names, chosen)
        matched = total if chosen is None else len(chosen)
        pages = max(1, -(-matched // query.size))
        at = min(query.page, pages)
        begin, end = (at - 1) * query.size, min(at * query.size, matched)
        wanted = np.arange(begin, end) if chosen is None else chosen[begin:end]
        found = _rows(file, wanted, [name for name in columns if name in names] or names)
    rows = [{"row": int(number) + 1} | row for number, row in zip(wanted, found, strict=True)]
    return Page(finite(rows), total, matched, at, pages)


def _column(file: pq.ParquetFile, names: Sequence[str], name: str) -> pa.ChunkedArray:
    """One column; of several with one name the first."""
    if name not in names:
        raise InputError(f"the result has no column {name[:80]!r}", "choose one of its headings")
    table = file.read(columns=[name])
    return table.column(table.schema.names.index(name))


def _matching(
    file: pq.ParquetFile, query: Query, names: Sequence[str], named: Sequence[str], places: Sequence[str]
) -> Any:
    """The rows that fit, or None for all."""
    mask: Any = None

    def narrow(fits: Any) -> None:
        nonlocal mask
        fits = pc.fill_null(fits, False)
        mask = fits if mask is None else pc.and_(mask, fits)

    if query.verdict:
        if query.verdict not in VERDICTS:
            raise InputError(f"{query.verdict[:40]!r} is no verdict", f"choose from {', '.join(VERDICTS)}")
        said = [pc.equal(_column(file, names, f"{place}_verdict"), query.verdict) for place in places]
        narrow(_any(said))
    if query.problems:
        narrow(pc.is_valid(_column(file, names, "problems")))
    if query.search:
        looked = [*named, *(f"{place}_{part}" for place in places for part in SEARCHED)]
        texts = [_texts(_column(file, names, name)) for name in dict.fromkeys(looked) if name in names]
        narrow(_any([pc.fill_null(pc.match_substring(text, query.search, ignore_case=True), False) for text in texts]))
    return None if mask is None else np.flatnonzero(mask.to_numpy())


def _any(masks: Sequence[Any]) -> Any:
    found = masks[0]
    for mask in masks[1:]:
        found = pc.or_kleene(found, mask)
    return found


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column
    return pa.chunked_array([as_text(chunk).cast(pa.string()) for chunk in column.chunks], pa.string())


def _sorted(file: pq.ParquetFile, query: Query, names: Sequence[str], chosen: Any) -> Any:
    values = _column(file, names, query.sort)
    if f"{query.sort}_high" in names:  # an interval stands where its upper end is
        values = pc.coalesce(values, _column(file, names, f"{query.sort}_high"))
    if pa.types.is_nested(values.type) or pa.types.is_binary(values.type):
        values = _texts(values)
    if chosen is not None:
        values = values.take(pa.array(chosen))
    order = (
        pc.sort_indices(  # what is missing comes last
            pa.table({"it": values}),
            sort_keys=[("it", "ascending" if query.order == "up" else "descending")],
        )
        .to_numpy()
        .astype(np.int64)
    )
    return order if chosen is None else chosen[order]


def _rows(file: pq.ParquetFile, wanted: Any, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Rows by number, from the groups that hold them."""
    sizes = [file.metadata.row_group(at).num_rows for at in range(file.metadata.num_row_groups)]
    starts = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    groups = np.searchsorted(starts, wanted, side="right") - 1
    found: dict[int, dict[str, Any]] = {}
    for group in np.unique(groups):
        numbers = wanted[groups == group]
        table = file.read_row_group(int(group), columns=list(columns)).take(pa.array(numbers - starts[group]))
        arrays = {name: _shown(table.column(table.schema.names.index(name))) for name in columns}
        for at, number in enumerate(numbers):
            found[int(number)] = {name: values[at] for name, values in arrays.items()}
    return [found[int(number)] for number in wanted]


def _shown(column: pa.ChunkedArray) -> list[Any]:
    """Cells, without the rest of the very long ones: a page of those would be as large as the sheet."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = pc.utf8_slice_codeunits(column, 0, SHOWN_CHARS)
    return list(column.to_pylist())
