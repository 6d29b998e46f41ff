"""Columns of nothing but plain decimals and blanks, as most columns of most sheets are: read by Arrow in one go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from perfcalc.facts import Flags, Numbers

#: Column types whose every finite value is a plain decimal that reads back as itself.
NUMBERS: Final = frozenset({pa.float64(), pa.int8(), pa.int16(), pa.int32(), pa.int64()})
#: A cell of so many characters has at most as many digits.
SHORT: Final = 15
#: Up to here every whole number is a float.
LARGEST: Final = 2.0**53


#: Cells that are looked at before a whole column is tried.
FEW: Final = 64
#: What the spellings of numbers consist of, those of infinities and of not-a-number too.
_SPELLING: Final = str.maketrans("", "", "0123456789.,+-eEinfatyINFATY \t\r\n")


@dataclass(frozen=True)
class PlainColumn:
    """A column of plain decimals.

    Attributes
    ----------
    values
        Zero where the cell is blank.
    filled
        The cells that are not blank.
    short
        No two different cells can have the same float: they are decimals of at most 15 digits, or floats themselves.
    """

    values: Numbers
    filled: Flags
    short: bool


def is_mixed(text: pa.Array) -> bool:
    """Whether the first cells already hold more than numbers: Arrow would spell out an error for every such cell."""
    return bool("".join(cell for cell in text.slice(0, FEW).to_pylist() if cell).translate(_SPELLING))


def read_plain(column: pa.Array) -> PlainColumn | None:
    """A column of plain decimals and blanks; None if any cell is something else."""
    if column.type in NUMBERS:
        return _of_numbers(column)
    if (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)) and len(column):
        return None if is_mixed(column) else _of_text(column)
    return None


def _of_numbers(column: pa.Array) -> PlainColumn | None:
    # Values are found at nulls too: anything.
    filled = column.is_valid().to_numpy(zero_copy_only=False) if column.null_count else np.ones(len(column), np.bool_)
    values: Numbers = (pc.fill_null(column, 0) if column.null_count else column).to_numpy(zero_copy_only=False)
    values = values.astype(np.float64)
    if pa.types.is_floating(column.type):
        number = ~np.isnan(values)
        if not number.all():
            filled, values = filled & number, np.where(number, values, 0.0)
    largest = max(values.max(initial=0.0), -values.min(initial=0.0))
    return PlainColumn(values, filled, bool(largest <= LARGEST)) if largest < np.inf else None


def _of_text(column: pa.Array) -> PlainColumn | None:
    rows, (_, offsets, data) = len(column), column.buffers()
    if offsets is None or data is None:
        return None
    width = np.dtype(np.int32 if pa.types.is_string(column.type) else np.int64)
    offsets = offsets.slice(column.offset * width.itemsize, (rows + 1) * width.itemsize)
    ends = np.frombuffer(offsets, width)
    sizes = np.diff(ends)
    filled: Flags = sizes > 0
    if column.null_count:
        filled &= column.is_valid().to_numpy(zero_copy_only=False)
    held = data.slice(int(ends[0]), int(ends[-1] - ends[0])).to_pybytes()
    if b"e" in held or b"E" in held:
        return None  # exponents that Arrow reads and perfcalc does not
    whole = bool(filled.all())
    mask = None if whole else pa.py_buffer(np.packbits(filled, bitorder="little"))
    try:
        cells = pc.cast(pa.Array.from_buffers(column.type, rows, [mask, offsets, data]), pa.float64())
    except pa.ArrowInvalid:
        return None
    # A copy, that kernels meet one type of array only: Arrow's own cannot be written to.
    values: Numbers = np.array(cells if whole else pc.fill_null(cells, 0.0))
    if not (values.max() < np.inf and values.min() > -np.inf):
        return None
    return PlainColumn(values, filled, int(sizes.max()) <= SHORT)
