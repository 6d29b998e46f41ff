"""NumPy arrays as Arrow arrays with nulls, without a copy of the values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from perfcalc.facts import Flags


def with_nulls(values: npt.NDArray[Any], known: Flags) -> pa.Array:
    """Some numbers, null where they are not known."""
    whole = pa.array(values)
    if known.all():
        return whole
    bits = pa.py_buffer(np.packbits(known, bitorder="little"))
    return pa.Array.from_buffers(whole.type, values.size, [bits, whole.buffers()[1]])


def spelled(codes: npt.NDArray[np.int32], words: Sequence[str], kind: pa.DataType | None = None) -> pa.DictionaryArray:
    """Text as codes of its words; a code below zero is null. The codes are the caller's own: they are not checked."""
    indices = with_nulls(codes, codes >= 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(words, kind or pa.string()), safe=False)
