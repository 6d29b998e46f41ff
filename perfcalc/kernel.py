"""Run one loop either as plain Python or compiled by Numba: there is no second implementation to keep.

A kernel is a plain function of arrays, marked with `kernel`. Exact arithmetic (arrays of `fractions.Fraction`) and the
first rows of a run use it as it stands; once as many rows were scored as would have paid for the compiler, it is
compiled. Numba is imported only then, so that thirty rows never wait for it.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from functools import cache
from threading import Lock
from typing import Any, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")

#: After this many rows plain Python has taken about as long as Numba takes to compile (measured with 252 real chips,
#: repeated: the two cross between 20,000 and 30,000 rows).
ROWS_BEFORE_COMPILING = 20_000

#: Just under what the allocator still learns from (32 MiB).
KEPT_BYTES = 31 << 20

_kernels: set[Callable[..., Any]] = set()
_rows_scored = 0
_lock = Lock()


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a function as one that `run` may compile."""
    _kernels.add(function)
    return function


def count_rows(rows: int) -> None:
    """Tell how many rows are about to be scored; enough of them pay for the compiler."""
    global _rows_scored  # noqa: PLW0603 - one process has one compiler
    if _rows_scored < ROWS_BEFORE_COMPILING <= _rows_scored + rows:
        # The C library learns from one large array set free to keep the memory of a batch for the next one, instead of
        # asking the system for it page by page: a third of the time of a batch.
        np.empty(KEPT_BYTES, np.uint8)
    _rows_scored += rows


def run(function: Callable[P, R], exact: bool, *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a kernel: as plain Python while few rows were scored or the numbers are `exact`, else compiled."""
    if exact or _rows_scored < ROWS_BEFORE_COMPILING:
        return function(*args, **kwargs)
    with _lock:
        machine_code = compiled(function)
    result: R = machine_code(*args, **kwargs)
    return result


def alike(arrays: Iterable[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Arrays as a kernel takes several of them: all of one type, so that it is compiled once. It cannot write to them.

    An array that may be written to and one that may not (a column of a file) are two types to the compiler.
    """
    views = tuple(np.ascontiguousarray(array).view() for array in arrays)
    for view in views:
        view.flags.writeable = False
    return views


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel as Numba machine code that releases the GIL.

    Never ``fastmath``: it may turn an unknown into "controlled". Never ``cache``: a cached kernel outlives the
    functions it calls. Kernels that it calls are compiled with it, which Numba asks for. Division follows NumPy:
    a check for zero in every step would keep loops from being vectorised.
    """
    import numba

    inner = {
        name: compiled(value)
        for name in function.__code__.co_names
        if isinstance(value := function.__globals__.get(name), types.FunctionType) and value in _kernels
    }
    twin = types.FunctionType(
        function.__code__,
        {**function.__globals__, **inner},
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    result: Callable[..., Any] = numba.njit(nogil=True, error_model="numpy")(twin)
    return result
