"""Any frame as an Arrow table."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from perfcalc.errors import InputError
from perfcalc.sheets.decimals import decimal_marks, study, with_marks
from perfcalc.sheets.headers import make_unique

#: A pandas frame, or any frame that offers the Arrow C stream (polars, DuckDB, pyarrow).
Frame = Any


def to_arrow(frame: Frame) -> pa.Table:
    """Any frame as an Arrow table; a pandas column of mixed types becomes text, a second column of a name is numbered.

    The decimal mark of each text column is decided here, from the whole column, and travels with the table.
    """
    marks: dict[str, str] | None = None
    if is_pandas(frame):
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
        # Arrow cannot take rows of string views yet, which polars hands over.
        plain = [
            field.with_type(pa.large_string()) if pa.types.is_string_view(field.type) else field
            for field in table.schema
        ]
        table = table.cast(pa.schema(plain, table.schema.metadata))
        if decimal_marks(table.schema):
            return table
    else:
        raise InputError(f"{type(frame).__name__} is not a frame", "give pandas, polars, DuckDB or pyarrow")
    if marks is None:
        marks = study(table.to_batches())
    return table.replace_schema_metadata(with_marks(table.schema, marks).metadata)


def is_pandas(frame: Frame) -> bool:
    """Whether a frame is a pandas frame; pandas is not imported for it."""
    return any(base.__module__.split(".")[0] == "pandas" for base in type(frame).__mro__)
