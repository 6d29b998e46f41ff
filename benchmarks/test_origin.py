"""Scoring rows of signals, ten million if not told otherwise: rules, model, refits and abstention beside scikit-learn's bare `predict_proba`."""

import os

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from perfcalc.origin.model import COLUMNS, LIMITS, ROWS_BEFORE_COMPILING, answer, shipped
from perfcalc.origin.signals import INDEX, SIGNALS, Signals

ROWS = int(os.environ.get("PERFCALC_BENCH_ROWS", "10_000_000"))
CHUNK = min(ROWS, 1_000_000)


def signals(rows):
    random = np.random.default_rng(1)
    low = np.zeros((rows, len(SIGNALS)))
    for flag in ("modelled", "cut_off"):
        low[:, INDEX[flag]] = 1.0
    low[:, INDEX["launch"]] = random.uniform(0, 6, rows)
    for name, (least, most) in zip(("seen", "newest", "node_gap", "moved_home"), LIMITS, strict=True):
        low[:, INDEX[name]] = random.uniform(least, most, rows)
    low[:, INDEX["low_volume"]] = random.integers(0, 2, rows)
    return Signals(low, low.copy())


@pytest.fixture(scope="module")
def chunk():
    """A part of the rows, scored again and again: all at once would need 3 GB."""
    return signals(CHUNK)


@pytest.mark.benchmark(group="origin")
class TestOrigin:
    """perfcalc asks all its fits of each row; scikit-learn one."""

    def test_perfcalc(self, benchmark, chunk):
        answer(signals(ROWS_BEFORE_COMPILING))  # compiled before the clock starts

        def score():
            for _ in range(ROWS // CHUNK):
                answer(chunk)

        benchmark.extra_info |= {"rows": ROWS // CHUNK * CHUNK, "fits": shipped().coefficients.shape[0]}
        benchmark.pedantic(score, rounds=5)

    def test_scikit_learn(self, benchmark, chunk):
        features = np.ascontiguousarray(chunk.low[:, COLUMNS])
        fitted = LogisticRegression().fit(features[:1000], features[:1000, 0] > 0.5)

        def score():
            for _ in range(ROWS // CHUNK):
                fitted.predict_proba(features)

        benchmark.pedantic(score, rounds=5)

    def test_bare_read(self, benchmark, chunk):
        """The machine's limit: read every byte once, and do nothing with it."""

        def read():
            for _ in range(ROWS // CHUNK):
                chunk.low.max()

        benchmark.pedantic(read, rounds=5)
