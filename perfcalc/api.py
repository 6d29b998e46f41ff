"""The Python API: pandas in, pandas out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from perfcalc.answers.explain import Explanation, explain_row, find_row
from perfcalc.errors import InputError
from perfcalc.fields import KINDS, SHEET_FIELDS
from perfcalc.line import Plan, make_plan, parse_day
from perfcalc.line import run as run_line
from perfcalc.metrics.readings import DEFAULT, Readings
from perfcalc.metrics.readings import parse as parse_readings
from perfcalc.sheets.decimals import decimal_marks, study, with_marks
from perfcalc.sheets.headers import make_unique
from perfcalc.sheets.mapping import load_mapping
from perfcalc.sheets.read import BATCH_ROWS, open_sheet

if TYPE_CHECKING:
    import pandas as pd

#: A pandas frame, or any frame that offers the Arrow C stream (polars, DuckDB, pyarrow).
Frame = Any


def read(path: str | Path | Sequence[str | Path]) -> pd.DataFrame:
    """Read a spec sheet as it stands: text, or typed columns from Parquet.

    Delimited text in any usual encoding, XLSX and ODS, JSON lines and Parquet are read, compressed or not; a folder,
    a pattern or several paths are read as one sheet. Rows that could not be read are listed in
    ``frame.attrs["rejects"]``, and what to know of the reading in ``frame.attrs["notes"]``.

    Raises
    ------
    InputError
        A file is absent, empty or not of its kind.
    """
    sheet = open_sheet(path)
    frame: pd.DataFrame = pa.Table.from_batches(sheet.batches(), sheet.schema.remove_metadata()).to_pandas()
    frame.attrs["rejects"] = [vars(reject) for reject in sheet.rejects]
    frame.attrs["notes"] = list(sheet.notes)
    frame.attrs["decimals"] = decimal_marks(sheet.schema)
    return frame


def score(
    frame: Frame,
    *,
    as_of: str | date | None = None,
    jurisdictions: Sequence[str] = ("us",),
    readings: str | Mapping[str, str] = "",
    destination: str | None = None,
    mapping: Mapping[str, str] | str | Path | None = None,
) -> Frame:
    """Score every row of a frame.

    Parameters
    ----------
    frame
        With a column ``name`` and whatever is known, in the fields of ``perfcalc.fields``.
    as_of
        The day whose law is asked, ``YYYY-MM-DD``; today by default.
    jurisdictions
        Such as ``("us",)``.
    readings
        ``"all"`` to cover every open reading, or choices such as ``"tf32_bits=32"`` or ``{"tf32_bits": "32"}``.
    destination
        Two-letter country code; adds the licence review line as ``us_review``.
    mapping
        ``{"Their heading": "field"}`` or ``{"Their heading": "field (unit)"}``, a mapping file, or the name of an
        importer.

    Returns
    -------
    pandas.DataFrame, or pyarrow.Table for any other frame
        The same rows in the same order, with the result columns added.

    Raises
    ------
    InputError
        A column, day, jurisdiction or reading cannot be used.
    """
    import pandas as pd

    table = to_arrow(frame)
    plan = plan_for(table.schema.names, "the frame", as_of, jurisdictions, readings, destination, _mapping(mapping))
    # An empty frame still has result columns.
    batches = table.to_batches(BATCH_ROWS) or [pa.RecordBatch.from_pylist([], schema=table.schema)]
    scored = pa.Table.from_batches(run_line(batches, plan))
    if not _is_pandas(frame):
        return scored
    results = scored.select(range(len(table.schema.names), scored.num_columns)).to_pandas()
    results.index = frame.index
    kept = frame.rename(columns={name: f"input_{name}" for name in frame.columns if name in results.columns})
    joined = pd.concat([kept, results], axis=1)
    joined.attrs = {}
    return joined


def explain(
    frame: Frame,
    *,
    item: str,
    as_of: str | date | None = None,
    jurisdictions: Sequence[str] = ("us",),
    readings: str | Mapping[str, str] = "",
) -> Explanation:
    """Explain one item of a frame; ``str()`` of the result is the text that the command line prints.

    Raises
    ------
    InputError
        No item, or several, are called so.
    """
    table = to_arrow(frame)
    plan = plan_for(table.schema.names, "the frame", as_of, jurisdictions, readings)
    batches = table.combine_chunks().to_batches()
    if not batches:
        raise InputError("the frame has no rows", "give it one")
    return explain_row(batches[0], plan, find_row(batches[0], plan, item))


def template(kind: str = "ic") -> pd.DataFrame:
    """An empty sheet with every field of one kind of item.

    Raises
    ------
    InputError
        There is no such kind.
    """
    import pandas as pd

    return pd.DataFrame(columns=template_columns(kind), dtype=str)


def template_columns(kind: str) -> list[str]:
    """The fields of one kind of item."""
    if kind not in KINDS:
        raise InputError(f"{kind!r} is not a kind of item", f"choose from {', '.join(KINDS)}")
    return [field.name for field in SHEET_FIELDS if kind in field.kinds]


def plan_for(
    columns: Sequence[str],
    where: str,
    as_of: str | date | None,
    jurisdictions: Sequence[str],
    readings: str | Mapping[str, str] = "",
    destination: str | None = None,
    mapping: Mapping[str, Any] | None = None,
) -> Plan:
    """A plan from options as people write them."""
    try:
        widen = readings == "all"
        if isinstance(readings, Mapping):
            chosen = Readings(**readings)
        else:
            chosen = DEFAULT if widen else parse_readings(readings)
    except (TypeError, ValueError) as error:
        raise InputError(str(error), "see `perfcalc readings`") from error
    return make_plan(columns, where, parse_day(as_of), tuple(jurisdictions), chosen, widen, destination, mapping)


def to_arrow(frame: Frame) -> pa.Table:
    """Any frame as an Arrow table; a pandas column of mixed types becomes text, a second column of a name is numbered.

    The decimal mark of each text column is decided here, from the whole column, and travels with the table.
    """
    marks: dict[str, str] | None = None
    if _is_pandas(frame):
        columns = []
        for position in range(frame.shape[1]):
            column = frame.iloc[:, position]
            try:
                columns.append(pa.Array.from_pandas(column))
            except (pa.ArrowInvalid, pa.ArrowTypeError):
                columns.append(
                    pa.array(
                        [None if missing else str(cell) for cell, missing in zip(column, column.isna(), strict=True)]
                    )
                )
        table = pa.table(columns, names=make_unique([str(name) for name in frame.columns]))
        known = frame.attrs.get("decimals")
        marks = known if isinstance(known, dict) else None
    elif hasattr(frame, "__arrow_c_stream__"):
        table = pa.table(frame)
        if decimal_marks(table.schema):
            return table
    else:
        raise InputError(f"{type(frame).__name__} is not a frame", "give pandas, polars, DuckDB or pyarrow")
    if marks is None:
        marks = study(table.to_batches())
    return table.replace_schema_metadata(with_marks(table.schema, marks).metadata)


def _mapping(said: Mapping[str, str] | str | Path | None) -> Mapping[str, Any] | None:
    if isinstance(said, Mapping):
        return load_mapping(None, [f"{heading}={field}" for heading, field in said.items()])
    return load_mapping(said) if said else None


def _is_pandas(frame: Frame) -> bool:
    return any(base.__module__.split(".")[0] == "pandas" for base in type(frame).__mro__)
