"""Scoring 10 million rows of signals: rules, model, refits and abstention beside scikit-learn's bare `predict_proba`."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from perfcalc.origin.model import COLUMNS, LIMITS, ROWS_BEFORE_COMPILING, answer, shipped
from perfcalc.origin.signals import INDEX, SIGNALS, Signals

ROWS, CHUNK = 10_000_000, 1_000_000


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
    """One tenth of the rows, scored ten times: all at once would need 3 GB."""
    return signals(CHUNK)


def test_perfcalc_scores_ten_million_rows(benchmark, chunk):
    answer(signals(ROWS_BEFORE_COMPILING))  # compiled before the clock starts

    def score():
        for _ in range(ROWS // CHUNK):
            answer(chunk)

    benchmark.extra_info["rows"] = ROWS
    benchmark.pedantic(score, rounds=2)
    print(f"\n{ROWS / benchmark.stats.stats.min:,.0f} rows/s, {shipped().coefficients.shape[0]} fits a row")


def test_scikit_learn_scores_ten_million_rows(benchmark, chunk):
    features = np.ascontiguousarray(chunk.low[:, COLUMNS])
    fitted = LogisticRegression().fit(features[:1000], features[:1000, 0] > 0.5)

    def score():
        for _ in range(ROWS // CHUNK):
            fitted.predict_proba(features)

    benchmark.extra_info["rows"] = ROWS
    benchmark.pedantic(score, rounds=2)
    print(f"\n{ROWS / benchmark.stats.stats.min:,.0f} rows/s, one fit a row")
