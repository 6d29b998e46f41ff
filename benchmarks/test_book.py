"""The whole rule book in one pass beside the United States alone: the same items, the same metrics, computed once.

Every benchmark notes its books, paragraphs and conditions, for the cost is that of the conditions: not of files, nor of
jurisdictions. A quarter of ``PERFCALC_BENCH_ROWS`` items are judged: every state of the law of 40 places takes its time.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import peers
import pytest
from test_chips import DAY, NEEDED, facts_of, read_bytes
from test_chips import ROWS as ALL_ROWS

from perfcalc import metrics
from perfcalc.metrics.readings import DEFAULT
from perfcalc.rulebook.book import load
from perfcalc.verdicts.judge import judge_all
from perfcalc.verdicts.tables import Book, compile_book

#: Every book looks up every position once a batch, so larger batches suit many books.
CHUNK = 1 << 18
BOOK = load()
ROWS = ALL_ROWS // 4
NEEDED_BY_ALL = (*NEEDED, "processing_performance_2022", "memory_and_interconnect_gb_s")


def today(*jurisdictions: str) -> list[Book]:
    """The books of one day."""
    return [compile_book(name, DAY, BOOK.on(name, DAY)) for name in jurisdictions]


def every_version() -> list[Book]:
    """Every state that the law of any jurisdiction has been in."""
    return [
        compile_book(name, day, BOOK.on(name, day))
        for name in BOOK.jurisdictions
        for day in BOOK.dates(name)
        if BOOK.on(name, day)
    ]


BOOKS = {"us": today("us"), "all": today(*BOOK.jurisdictions), "every_version": every_version()}


@pytest.fixture(scope="session")
def data() -> dict[str, np.ndarray]:
    return peers.items(ROWS)


def judged_by(books: list[Book], data: dict[str, np.ndarray]) -> np.ndarray:
    """How many items each book controls: chunk by chunk in a pool of threads, as `perfcalc.line` does; no margins."""
    rows = data["datacenter"].size

    def chunk(start: int) -> np.ndarray:
        facts = facts_of(data, start, min(rows, start + CHUNK))
        metrics.compute(facts, (DEFAULT,), NEEDED_BY_ALL)
        kinds = np.zeros(facts.size, np.int64)
        judged = judge_all(books, facts, kinds, None, margins=False)  # type: ignore[arg-type]  # no row is on a line
        # Books share the positions of the items, so counting these counts for all of them.
        items = np.bincount(judged[0].codes, minlength=judged[0].answers.verdict.size)
        return np.array([items[each.answers.verdict == 2].sum() for each in judged])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.sum(list(pool.map(chunk, range(0, rows, CHUNK))), axis=0)


def test_same_answers(data: dict[str, np.ndarray]) -> None:
    """The pass over everything finds what the pass over one book finds, and members find what the EU finds."""
    names = list(BOOK.jurisdictions)
    found = dict(zip(names, judged_by(BOOKS["all"], data), strict=True))
    assert found["us"] == judged_by(BOOKS["us"], data)[0] > 0
    assert found["pt"] == found["eu"] > 0


@pytest.mark.benchmark(group="whole-book")
class TestWholeBook:
    """One pass of all books of a set, beside the United States alone and beside the bytes that the metrics must touch."""

    @pytest.mark.parametrize("which", ["all", "every_version"])
    def test_perfcalc(self, benchmark, data, which):
        books = BOOKS[which]
        benchmark.extra_info |= {
            "rows": ROWS,
            "books": len(books),
            "paragraphs": sum(len(book.rules) for book in books),
            "conditions": sum(len(list(rule.conditions())) for book in books for rule in book.rules),
        }
        benchmark.pedantic(judged_by, (books, data), rounds=5, warmup_rounds=1)

    def test_us_alone(self, benchmark, data):
        benchmark.pedantic(judged_by, (BOOKS["us"], data), rounds=5, warmup_rounds=1)

    def test_bare_read(self, benchmark, data):
        benchmark.pedantic(read_bytes, (data,), rounds=5, warmup_rounds=1)
