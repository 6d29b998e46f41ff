"""What the text columns of a batch say."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from perfcalc.facts import Indices
from perfcalc.fields import Field
from perfcalc.sheets.cells import as_text, texts
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
    places: dict[str | None, int] = {None: 0}
    codes = np.zeros(batch.num_rows, dtype=np.int64)
    for binding in bindings_of(columns, name):
        encoded = as_text(batch.column(binding.column)).dictionary_encode("encode")
        here = np.array([places.setdefault(word, len(places)) for word in texts(encoded.dictionary)], dtype=np.int64)
        # One that says nothing lets the next column speak.
        codes = np.where(codes, codes, np.take(here, encoded.indices.to_numpy())) if here.size else codes
    return list(places), codes
