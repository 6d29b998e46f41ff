"""Count the instructions that a kernel executes for each row, one by one: no clock, no noise, no hardware counters.

Run as a program of its own, it compiles the kernels for one fixed processor (x86-64-v3, AVX2), whatever the machine,
has the operating system stop after every instruction (ptrace), and prints a JSON object of instructions a row. The
difference between two numbers of rows leaves out what a call costs.

    NUMBA_CPU_NAME=x86-64-v3 NUMBA_CPU_FEATURES= PYTHONHASHSEED=0 python benchmarks/steps.py
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np

from perfcalc.fields import KINDS
from perfcalc.kernel import alike, compiled
from perfcalc.metrics.chips import EIGHT, highest_of_eight
from perfcalc.rulebook.book import load
from perfcalc.verdicts.margin import distances, margin_program, measure
from perfcalc.verdicts.positions import BLOCK, FEW, LEAST_BITS, WORD, add_ranks, number
from perfcalc.verdicts.tables import compile_book

#: Whole blocks, so that no loop has a rest that is done row by row.
SMALL, LARGE = BLOCK, 2 * BLOCK
LIMITS = np.array([1600.0, 2400.0, 4800.0, 21000.0])
#: A day that no edit of today's law moves: the count is that of the kernel, not of the book.
DAY = date(2024, 6, 1)
TRACE_ME, SINGLE_STEP = 0, 9


def of_ranks(rows: int) -> tuple[Any, ...]:
    """Two columns among four limits each."""
    values = np.random.default_rng(1).uniform(0, 30_000, (2, rows))
    limits, first = np.concatenate([LIMITS, LIMITS]), np.array([0, 4, 8])
    columns = alike([*values, *[values[0]] * (WORD // LEAST_BITS - 2)])
    return columns, limits, limits, first, np.array([1 | 1 << 5, 1 << 10]), np.zeros(rows, np.int64)


def of_number(rows: int) -> tuple[Any, ...]:
    """Words of a batch with sixteen positions."""
    slots, numbers = np.full(4 * FEW, -1, np.int64), np.zeros(4 * FEW, np.int32)
    return np.arange(rows) % 16, 0, slots, numbers, np.empty(rows, np.int32), np.empty(FEW, np.int64)


def of_highest(rows: int) -> tuple[Any, ...]:
    """Eight rates, each with its own weight."""
    rates = alike(np.random.default_rng(2).lognormal(5, 1.2, (EIGHT, rows)))
    weights, places = (64, 32, 19, 16, 16, 8, 8, 4), tuple(range(EIGHT))
    return rates, weights, places, 0.0, np.empty(rows), np.empty(rows, np.int8), np.empty(rows)


def of_distances(rows: int) -> tuple[Any, ...]:
    """How far items are from one limit."""
    low, high = alike(np.random.default_rng(3).normal(size=(2, rows)))
    return low, high, 0, 1.0, 1.0, (np.arange(rows) % 2).astype(np.uint8), np.empty(rows)


def of_measure(rows: int) -> tuple[Any, ...]:
    """Margins of ICs by the paragraphs of the US book of a day that are asked of every one, in two positions."""
    book = compile_book("us", DAY, load().on("us", DAY))
    asked = sum(1 << r for r, rule in enumerate(book.rules) if rule.core)
    wanted = margin_program(book, 1 << KINDS.index("ic"), asked)
    distance = np.random.default_rng(4).normal(size=(wanted.condition.size, rows))
    codes, best = (np.arange(rows) % 2).astype(np.int32), np.empty((wanted.rule.size + 2, BLOCK))
    boxes = wanted.term, wanted.first_term, wanted.first_box, wanted.rule, wanted.exclusion
    return distance, *boxes, codes, np.full(2, asked), best, np.empty(rows)


KERNELS: dict[str, tuple[Callable[..., Any], Callable[[int], tuple[Any, ...]]]] = {
    "add_ranks": (add_ranks, of_ranks),
    "number": (number, of_number),
    "highest_of_eight": (highest_of_eight, of_highest),
    "distances": (distances, of_distances),
    "measure": (measure, of_measure),
}


def fresh(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Copies of the arrays that a kernel may write to."""
    return tuple(each.copy() if isinstance(each, np.ndarray) else each for each in arguments)


def steps(machine_code: Callable[..., Any], small: tuple[Any, ...], large: tuple[Any, ...]) -> int:
    """How many more instructions the large call takes than the small one."""
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

    def once(stop: int, arguments: tuple[Any, ...]) -> None:
        os.kill(me, stop)
        machine_code(*arguments)

    me = os.getpid()
    for _ in range(100):  # the interpreter has settled on its own shortest way
        once(0, fresh(small))
        once(0, fresh(large))
    calls = fresh(small), fresh(large), fresh(small)
    child = os.fork()
    if child == 0:
        me = os.getpid()
        ptrace(TRACE_ME, 0, None, None)
        for arguments in calls:
            once(signal.SIGSTOP, arguments)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSTOPPED(status):
        raise OSError("this system lets no process be traced")
    # From stop to stop: the small call, then the large one. The third ends as both began.
    counts = [_until_stop(ptrace, child) for _ in range(2)]
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return counts[1] - counts[0]


def _until_stop(ptrace: Callable[..., int], child: int) -> int:
    count = 0
    while True:
        if ptrace(SINGLE_STEP, child, None, None):
            raise OSError(ctypes.get_errno(), "this system lets no process be traced step by step")
        _, status = os.waitpid(child, 0)
        count += 1
        if not os.WIFSTOPPED(status):
            raise OSError("the traced process ended")
        if os.WSTOPSIG(status) == signal.SIGSTOP:
            return count


def instructions_a_row() -> dict[str, float]:
    """For each kernel, the instructions of one more row."""
    return {
        name: round(steps(compiled(function), of(SMALL), of(LARGE)) / (LARGE - SMALL), 2)
        for name, (function, of) in KERNELS.items()
    }


if __name__ == "__main__":
    print(json.dumps(instructions_a_row()))
