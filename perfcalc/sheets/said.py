"""What the text columns of a batch say."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from perfcalc.facts import Indices
from perfcalc.fields import Field
from perfcalc.sheets.cells import SILENT, as_text, texts
from perfcalc.sheets.headers import bindings_of


def text_column(batch: pa.RecordBatch, columns: Mapping[str, str], field: Field) -> list[str | None]:
    """A text field of a batch: of several columns the first that says something; None where the sheet does not."""
    found: list[str | None] = [None] * batch.num_rows
    for binding in reversed(bindings_of(columns, field.name)):
        said = texts(batch.column(binding.column))
        found = [before if cell is None else cell for cell, before in zip(said, found, strict=True)]
    return found


def distinct(batch: pa.RecordBatch, columns: Mapping[str, str], name: str) -> tuple[list[str | None], Indices]:
    """A text field as its distinct cells and, for each row, the position of its own among them."""
    bindings = bindings_of(columns, name)
    if not bindings:
        return [None], np.zeros(batch.num_rows, dtype=np.int64)
    found = pa.nulls(batch.num_rows, pa.string())
    for binding in bindings:
        text = pc.utf8_trim_whitespace(as_text(batch.column(binding.column)).cast(pa.string()))
        # One that says nothing lets the next column speak.
        silent = pc.is_in(pc.utf8_lower(text), pa.array(sorted(SILENT), pa.string()))
        found = pc.coalesce(found, pc.if_else(silent, pa.scalar(None, pa.string()), text))
    encoded = pc.fill_null(found, "").dictionary_encode()
    words = [cell or None for cell in encoded.dictionary.to_pylist()]
    return words, encoded.indices.to_numpy().astype("int64")
