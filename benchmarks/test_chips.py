"""Metrics and the current US book on items in memory, beside the same rules for Polars, DuckDB, pandas and NumPy."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import peers
import polars as pl
import pyarrow as pa
import pytest

from perfcalc import metrics
from perfcalc.facts import Facts
from perfcalc.kernel import ROWS_BEFORE_COMPILING, count_rows
from perfcalc.metrics.readings import DEFAULT
from perfcalc.rulebook.book import load
from perfcalc.verdicts.judge import judge
from perfcalc.verdicts.tables import compile_book

ROWS = int(os.environ.get("PERFCALC_BENCH_ROWS", "10_000_000"))
CHUNK = 1 << 17
count_rows(ROWS_BEFORE_COMPILING)  # a benchmark of machine code
DAY = date(2026, 11, 23)
US = compile_book("us", DAY, load().on("us", DAY))
NEEDED = ("tpp", "applicable_die_area_mm2", "performance_density", "processing_tops")


@pytest.fixture(scope="session")
def data() -> dict[str, np.ndarray]:
    return peers.items(ROWS)


def facts_of(data: dict[str, np.ndarray], start: int, stop: int) -> Facts:
    """Views on the arrays: what reading a sheet would have made."""
    facts = Facts(stop - start)
    every = np.ones(facts.size, dtype=bool)
    for name in (*peers.RATES, "datacenter", "interconnect_gb_s", "memory_bandwidth_gb_s"):
        # A number has the same end twice: the same array, as when a sheet is read.
        values = data[name][start:stop]
        facts.set(name, values, values)
        facts.given[name] = every
    facts.set("die_area_mm2", data["area_low"][start:stop], data["area_high"][start:stop])
    return facts


def with_perfcalc(data: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Chunk by chunk in a pool of threads, as `perfcalc.line` does: batches of results, paragraphs by position."""
    rows = data["datacenter"].size

    def chunk(start: int) -> dict[str, Any]:
        facts = facts_of(data, start, min(rows, start + CHUNK))
        metrics.compute(facts, (DEFAULT,), NEEDED)
        judged = judge(US, facts, np.zeros(facts.size, np.int64), None, margins=False)  # type: ignore[arg-type]  # no row is on a line
        low, high = facts.interval("performance_density")
        return {"tpp": facts.low["tpp"], "low": low, "high": high, "verdict": judged.verdict, "judged": judged}

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(chunk, range(0, rows, CHUNK)))


def whole(chunks: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """The chunks as one, with the paragraphs of every item as masks."""
    masks = ({"met": each["judged"].met, "open": each["judged"].open} for each in chunks)
    rows = [each | mask for each, mask in zip(chunks, masks, strict=True)]
    return {name: np.concatenate([each[name] for each in rows]) for name in rows[0] if name != "judged"}


def test_same_answers(data: dict[str, np.ndarray]) -> None:
    """Every library answers the same, paragraph by paragraph."""
    ours, expected = whole(with_perfcalc(data)), peers.with_numpy(data)
    assert all(
        (with_peer[name].to_numpy() == expected[name]).all()
        for with_peer in (
            peers.with_pandas(pd.DataFrame(data)),
            peers.with_polars(pl.DataFrame(data)),
            peers.with_polars(pl.DataFrame(data), "streaming"),
            peers.with_duckdb(pa.table(data)),
        )
        for name in peers.ANSWERS
    )
    for name in ("tpp", "low", "high", "verdict"):
        assert (ours[name] == expected[name]).all(), name
    names = {
        "a1": "3A090.a.1",
        "a2": "3A090.a.2",
        "b1": "3A090.b.1",
        "b2": "3A090.b.2",
        "p1": "3A991.p.1",
        "p2": "3A991.p.2",
    }
    codes = [rule.paragraph for rule in US.rules]
    for name, paragraph in names.items():
        r = codes.index(paragraph)
        assert (2 * (ours["met"] >> r & 1) + (ours["open"] >> r & 1) == expected[name]).all(), paragraph
    assert set(np.unique(ours["verdict"])) == {0, 1, 2}


def read_bytes(data: dict[str, np.ndarray]) -> None:
    """The machine's limit: read every byte that the metrics must touch, and do nothing with it."""
    columns = [data[name] for name in (*peers.RATES, "area_low", "area_high", "datacenter", "interconnect_gb_s")]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(np.max, columns))


@pytest.mark.benchmark(group="us-book")
class TestUsBook:
    """Every one of these does the same work on the same items."""

    def test_perfcalc(self, benchmark, data):
        benchmark.extra_info["rows"] = ROWS
        benchmark.pedantic(with_perfcalc, (data,), rounds=5, warmup_rounds=1)

    def test_polars(self, benchmark, data):
        benchmark.pedantic(peers.with_polars, (pl.DataFrame(data),), rounds=5, warmup_rounds=1)

    def test_polars_streaming(self, benchmark, data):
        benchmark.pedantic(peers.with_polars, (pl.DataFrame(data), "streaming"), rounds=5, warmup_rounds=1)

    def test_duckdb(self, benchmark, data):
        benchmark.pedantic(peers.with_duckdb, (pa.table(data),), rounds=5, warmup_rounds=1)

    def test_pandas(self, benchmark, data):
        benchmark.pedantic(peers.with_pandas, (pd.DataFrame(data),), rounds=5, warmup_rounds=1)

    def test_numpy(self, benchmark, data):
        benchmark.pedantic(peers.with_numpy, (data,), rounds=5, warmup_rounds=1)

    def test_bare_read(self, benchmark, data):
        benchmark.pedantic(read_bytes, (data,), rounds=5, warmup_rounds=1)
