"""The hot loops by themselves, one batch in cache, beside whole-array NumPy: where a slowdown shows undiluted."""

from __future__ import annotations

import numpy as np
import pytest

from perfcalc.kernel import ROWS_BEFORE_COMPILING, alike, compiled, count_rows
from perfcalc.metrics.chips import EIGHT, highest_of_eight
from perfcalc.verdicts.positions import LEAST_BITS, WORD, Numbering, add_ranks

count_rows(ROWS_BEFORE_COMPILING)  # a benchmark of machine code
ROWS = 1 << 16
LIMITS = np.array([1600.0, 2400.0, 4800.0, 21000.0])
WEIGHTS, PLACES = (64, 32, 19, 16, 16, 8, 8, 4), tuple(range(EIGHT))


@pytest.fixture(scope="module")
def rates() -> list[np.ndarray]:
    random = np.random.default_rng(4)
    return [random.lognormal(5, 1.2, ROWS) for _ in WEIGHTS]


def ranks(values: np.ndarray, word: np.ndarray) -> np.ndarray:
    """Ranks among the limits, in an own word."""
    columns = alike([values] * (WORD // LEAST_BITS))
    compiled(add_ranks)(columns, LIMITS, LIMITS, np.array([0, LIMITS.size]), np.array([1 | 1 << 5]), word)
    return word


def ranks_by_numpy(values: np.ndarray) -> np.ndarray:
    rank = np.searchsorted(LIMITS, values, "left") + np.searchsorted(LIMITS, values, "right")
    return rank | rank << 5


def best(rates: list[np.ndarray], highest: np.ndarray, winner: np.ndarray, plain: np.ndarray) -> tuple[np.ndarray, ...]:
    """The highest weighted rate, which it is, and the highest rate."""
    compiled(highest_of_eight)(alike(rates), WEIGHTS, PLACES, 0.0, highest, winner, plain)
    return highest, winner, plain


def best_by_numpy(rates: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    weighted = np.stack([rate * weight for rate, weight in zip(rates, WEIGHTS, strict=True)])
    return weighted.max(axis=0), weighted.argmax(axis=0), np.max(rates, axis=0)


def numbers(word: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct words numbered, by a table that a batch makes for it."""
    numbering = Numbering()
    codes = numbering.number(word)
    return codes, word[numbering.first[: numbering.count]]


def words(rates: list[np.ndarray]) -> np.ndarray:
    """A few hundred distinct words, as a batch of chips has."""
    word = np.zeros(ROWS, np.int64)
    for place, rate in enumerate(rates[:4]):
        word |= np.searchsorted(LIMITS, rate * (64, 32, 16, 8)[place]).astype(np.int64) << 4 * place
    return word


def test_same_answers(rates: list[np.ndarray]) -> None:
    word = np.empty(ROWS, np.int64)
    values = rates[0] * 16
    assert (ranks(values, word) == ranks_by_numpy(values)).all()
    ours = best(rates, np.empty(ROWS), np.empty(ROWS, np.int8), np.empty(ROWS))
    assert all((one == other).all() for one, other in zip(ours, best_by_numpy(rates), strict=True))
    codes, known = numbers(words(rates))
    assert (known[codes] == words(rates)).all()
    assert set(known) == set(np.unique(words(rates)))


def measured(benchmark, function, *arguments):
    benchmark.extra_info["rows"] = ROWS
    benchmark.pedantic(function, arguments, rounds=150, warmup_rounds=5, iterations=4)


@pytest.mark.benchmark(group="kernel-ranks")
class TestRanks:
    """The rank of a value among the limits of a metric."""

    def test_perfcalc(self, benchmark, rates):
        measured(benchmark, ranks, rates[0] * 16, np.empty(ROWS, np.int64))

    def test_numpy(self, benchmark, rates):
        measured(benchmark, ranks_by_numpy, rates[0] * 16)

    def test_bare_read(self, benchmark, rates):
        measured(benchmark, rates[0].max)


@pytest.mark.benchmark(group="kernel-highest")
class TestHighest:
    """The highest of eight weighted rates, and of the rates."""

    def test_perfcalc(self, benchmark, rates):
        measured(benchmark, best, rates, np.empty(ROWS), np.empty(ROWS, np.int8), np.empty(ROWS))

    def test_numpy(self, benchmark, rates):
        measured(benchmark, best_by_numpy, rates)

    def test_bare_read(self, benchmark, rates):
        measured(benchmark, lambda: [rate.max() for rate in rates])


@pytest.mark.benchmark(group="kernel-number")
class TestNumber:
    """The distinct words of a batch, numbered."""

    def test_perfcalc(self, benchmark, rates):
        measured(benchmark, numbers, words(rates))

    def test_numpy(self, benchmark, rates):
        word = words(rates)
        measured(benchmark, lambda: np.unique(word, return_inverse=True))

    def test_bare_read(self, benchmark, rates):
        measured(benchmark, words(rates).max)
