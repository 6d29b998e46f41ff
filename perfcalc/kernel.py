"""Run one loop either as plain Python or compiled by Numba: there is no second implementation to keep.

A kernel is a plain function of arrays, marked with `kernel`. Small batches and exact arithmetic (arrays of
`fractions.Fraction`) run it as it stands; large float batches run it compiled. Numba is imported only then, so that
thirty rows never wait for a compiler.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import cache
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

#: Below this many rows plain Python is done before Numba would have compiled (measured in benchmarks/).
SMALL_BATCH = 2_000

_kernels: set[Callable[..., Any]] = set()


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a function as one that `run` may compile."""
    _kernels.add(function)
    return function


def run(function: Callable[P, R], rows: int, exact: bool, *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a kernel: as plain Python when `rows` are few or `exact`, else compiled."""
    if exact or rows < SMALL_BATCH:
        return function(*args, **kwargs)
    result: R = compiled(function)(*args, **kwargs)
    return result


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel as Numba machine code that releases the GIL.

    Never ``fastmath``: it may turn an unknown into "controlled". Never ``cache``: a cached kernel outlives the
    functions it calls. Kernels that it calls are compiled with it, which Numba asks for.
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
    result: Callable[..., Any] = numba.njit(nogil=True)(twin)
    return result
