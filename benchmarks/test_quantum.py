"""Generated quantum machines, ten million if not told otherwise: perfcalc's kernels beside the same law as Polars expressions.

Both start from columns in memory and end with a verdict for each machine. perfcalc also finds the paragraphs, what an
open verdict needs and the margin, and decides again in exact arithmetic what lies on a limit.

    pytest benchmarks/test_quantum.py -n 0 --benchmark-only
"""

import os
from datetime import date
from fractions import Fraction

import numpy as np
import polars as pl
import pytest

from perfcalc import metrics
from perfcalc.facts import Facts
from perfcalc.fields import KINDS
from perfcalc.kernel import ROWS_BEFORE_COMPILING, count_rows
from perfcalc.metrics.readings import DEFAULT
from perfcalc.rulebook.book import load
from perfcalc.verdicts.judge import judge
from perfcalc.verdicts.tables import compile_book

ROWS = int(os.environ.get("PERFCALC_BENCH_ROWS", "10_000_000"))
BATCH = 1 << 16
NAMES = ("counted_qubits", "cnot_error", "annealing")
DAY = date(2026, 11, 23)
US = compile_book("us", DAY, load().on("us", DAY))
count_rows(ROWS_BEFORE_COMPILING)  # a benchmark of machine code
LADDER = (
    (34, 100, 1e-4),
    (100, 200, 1e-3),
    (200, 350, 2e-3),
    (350, 500, 3e-3),
    (500, 700, 4e-3),
    (700, 1100, 5e-3),
    (1100, 2000, 6e-3),
)


@pytest.fixture(scope="module")
def machines():
    """Counts and errors spread over every rung and beyond; one in ten has no published error, one in fifty no count."""
    random = np.random.default_rng(5)
    qubits = np.floor(10 ** random.uniform(0.5, 3.6, ROWS))
    error = 10 ** random.uniform(-4.5, -1.8, ROWS)
    process = random.random(ROWS) < 0.2
    annealer = random.random(ROWS) < 0.02
    qubits[random.random(ROWS) < 0.02] = np.nan
    error[random.random(ROWS) < 0.1] = np.nan
    return qubits, error, process, annealer


def perfcalc_verdicts(machines):
    """Facts, metrics and verdicts, in the batches that the line takes."""
    verdicts = []
    for start in range(0, ROWS, BATCH):
        qubits, error, process, annealer = (column[start : start + BATCH] for column in machines)
        facts = Facts(qubits.size)
        for name, column in (("physical_qubits", qubits), ("two_qubit_error", error)):
            known = ~np.isnan(column)
            facts.given[name] = known
            facts.set(name, np.where(known, column, 0.0), np.where(known, column, np.inf))
        everywhere = np.ones(qubits.size, dtype=bool)
        for name, column in (("error_convention", process * 1.0), ("modality", annealer * 2.0)):
            facts.given[name] = everywhere
            facts.set(name, column, column)
        metrics.compute(facts, (DEFAULT,), NAMES)
        kinds = np.full(qubits.size, KINDS.index("quantum"))
        verdicts.append(judge(US, facts, kinds, exactly_of(facts, kinds)).verdict)
    return np.concatenate(verdicts)


def exactly_of(facts, kinds):
    """Generated numbers have no decimal text: the float itself is the number."""

    def exactly(rows, _names):
        again = Facts(rows.size, exact=True)
        for side, kept in ((facts.low, again.low), (facts.high, again.high)):
            for name, column in side.items():
                kept[name] = np.empty(rows.size, dtype=object)
                kept[name][:] = [Fraction(value) if np.isfinite(value) else value for value in map(float, column[rows])]
        again.given = {name: given[rows] for name, given in facts.given.items()}
        metrics.compute(again, (DEFAULT,), NAMES)
        return again, kinds[rows], rows

    return exactly


def polars_verdicts(machines):
    """0 not controlled, 1 cannot tell, 2 controlled: an unknown never clears, and without a count nothing is known."""
    columns = dict(zip(("n", "e", "process", "annealer"), machines, strict=True))
    frame = pl.DataFrame(columns, nan_to_null=True).lazy()
    error = pl.when("process").then(pl.col("e") * 4 / 5).otherwise("e")
    state = pl.when(pl.col("n") >= 2000).then(2).when(pl.col("n") < 34).then(0)
    for first, below, limit in LADDER:
        here = (pl.col("n") >= first) & (pl.col("n") < below)
        state = state.when(here & error.is_null()).then(1).when(here).then(pl.when(error <= limit).then(2).otherwise(0))
    verdict = pl.when("annealer").then(0).otherwise(state.otherwise(1))
    return frame.select(verdict.cast(pl.UInt8)).collect().to_series().to_numpy()


@pytest.mark.benchmark(group="quantum")
class TestQuantum:
    def test_perfcalc(self, benchmark, machines):
        benchmark.extra_info["rows"] = ROWS
        ours = benchmark.pedantic(perfcalc_verdicts, (machines,), warmup_rounds=1, rounds=5)
        theirs = polars_verdicts(machines)
        assert (ours == theirs).all()
        assert np.bincount(theirs, minlength=3).all()

    def test_polars(self, benchmark, machines):
        benchmark.pedantic(polars_verdicts, (machines,), warmup_rounds=1, rounds=5)

    def test_bare_read(self, benchmark, machines):
        """The machine's limit: read every byte once, and do nothing with it."""
        benchmark.pedantic(lambda: [column.max() for column in machines], warmup_rounds=1, rounds=5)
