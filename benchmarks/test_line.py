"""From file to file: a sheet scored with every column of a book beside Polars' bare copy of the same file.

The copy reads and writes and computes nothing, so it is the limit that a scoring run can come near to.
``PERFCALC_BENCH_ROWS`` says how many items; each scoring run notes its ratio to the copy in the same run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from perfcalc.line import make_plan, score_sheet
from perfcalc.sheets.read import open_sheet

ROWS = int(os.environ.get("PERFCALC_BENCH_ROWS", "1000000"))
DAY = date(2026, 11, 23)
ENDINGS = ("csv", "parquet")
ROUNDS = 5
CHIPS = Path(__file__).parents[1] / "specs" / "chips.csv"


def items(rows: int) -> pa.Table:
    """Chips with the columns that a catalogue has: rates in steps of each other, some cells blank."""
    draw = np.random.default_rng(6)
    half = np.round(np.exp(draw.normal(4.5, 1.5, rows)), 1)
    area = np.round(draw.uniform(50, 900, rows), 1)
    return pa.table(
        {
            "id": [str(row) for row in range(rows)],
            "name": [f"part-{row}" for row in range(rows)],
            "datacenter": pa.array(np.where(draw.random(rows) < 0.5, "yes", "no")),
            "fp32_tflops": np.round(half / 4, 2),
            "fp16_tflops": half,
            "fp8_tflops": pa.array(half * 2, mask=draw.random(rows) < 0.6),
            "int8_tops": half * 2,
            "die_area_mm2": pa.array(area, mask=draw.random(rows) < 0.2),
            "memory_bandwidth_gb_s": draw.integers(100, 5000, rows),
            "interconnect_gb_s": draw.integers(0, 2000, rows),
        }
    )


@pytest.fixture(scope="session")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("line")
    files = {ending: folder / f"items.{ending}" for ending in ENDINGS}
    table = items(ROWS)
    pa_csv.write_csv(table, files["csv"])
    pq.write_table(table, files["parquet"])
    return files


def score(sheet: Path, out: Path, jurisdictions: tuple[str, ...] = ("us",)) -> int:
    """Score a file into another."""
    opened = open_sheet(sheet)
    plan = make_plan(opened.schema.names, str(sheet), DAY, jurisdictions)
    return score_sheet(opened, plan, out)[0].rows


def copy(sheet: Path, out: Path) -> None:
    """What Polars takes to read the file and to write it as Parquet."""
    scan = pl.scan_csv if sheet.suffix == ".csv" else pl.scan_parquet
    scan(sheet).sink_parquet(out)


def seconds(work: Callable[[], object]) -> float:
    """Median of some runs."""
    taken = []
    for _ in range(ROUNDS):
        start = perf_counter()
        work()
        taken.append(perf_counter() - start)
    return median(taken)


def test_every_row_arrives(sheets: dict[str, Path], tmp_path: Path) -> None:
    """Both sheets are the same items, so both runs say the same of them, row by row."""
    found = []
    for ending in ENDINGS:
        out = tmp_path / f"{ending}.parquet"
        assert score(sheets[ending], out) == ROWS
        found.append(pq.read_table(out, columns=["us_verdict", "us_entries", "us_needs", "us_margin", "tpp"]))
    assert found[0].equals(found[1])


@pytest.mark.benchmark(group="line")
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("jurisdictions", [("us",), ("all",)], ids=["us", "all"])
def test_score(benchmark, sheets, tmp_path, ending, jurisdictions):
    """Score to Parquet, machine code ready; the ratio is to the copy."""
    sheet, out = sheets[ending], tmp_path / "scored.parquet"
    rounds = ROUNDS if jurisdictions == ("us",) else 1
    benchmark.pedantic(score, (sheet, out, jurisdictions), rounds=rounds, warmup_rounds=1)
    bare = seconds(lambda: copy(sheet, tmp_path / "copied.parquet"))
    benchmark.extra_info |= {"rows": ROWS, "ratio_to_bare_copy": benchmark.stats.stats.median / bare}


@pytest.mark.benchmark(group="line")
@pytest.mark.parametrize("ending", ENDINGS)
def test_bare_copy(benchmark, sheets, tmp_path, ending):
    """Polars' copy of the same file."""
    benchmark.extra_info["rows"] = ROWS
    benchmark.pedantic(copy, (sheets[ending], tmp_path / "copied.parquet"), rounds=ROUNDS, warmup_rounds=1)


@pytest.mark.benchmark(group="line")
@pytest.mark.parametrize("ending", ENDINGS)
def test_bare_bytes(benchmark, sheets, tmp_path, ending):
    """The machine's limit: the bytes of the file read and written, and nothing else."""
    sheet, out = sheets[ending], tmp_path / "bytes"
    benchmark.pedantic(lambda: out.write_bytes(sheet.read_bytes()), rounds=ROUNDS, warmup_rounds=1)


@pytest.mark.benchmark(group="line-to-csv")
class TestToCsv:
    """From CSV to CSV, as most people have it."""

    def test_score(self, benchmark, sheets, tmp_path):
        benchmark.extra_info["rows"] = ROWS
        benchmark.pedantic(score, (sheets["csv"], tmp_path / "scored.csv"), rounds=ROUNDS, warmup_rounds=1)

    def test_bare_copy(self, benchmark, sheets, tmp_path):
        def copy_text():
            pl.scan_csv(sheets["csv"]).sink_csv(tmp_path / "copied.csv")

        benchmark.pedantic(copy_text, rounds=ROUNDS, warmup_rounds=1)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chips of specs/chips.csv again and again, each of another name: blanks, ranges, footnotes, dates and nodes."""
    chips = pl.read_csv(CHIPS, infer_schema=False)
    times = -(-ROWS // 20 // chips.height)
    number = pl.int_range(pl.len()).cast(pl.String)
    path = tmp_path_factory.mktemp("catalogue") / "catalogue.csv"
    pl.concat([chips] * times).with_columns(pl.col("id", "name") + pl.lit(" ") + number).write_csv(path)
    return path


@pytest.mark.benchmark(group="line-catalogue")
class TestCatalogue:
    """Real chips: what generated items do not have costs more than what they have."""

    def test_score(self, benchmark, catalogue, tmp_path):
        rows = benchmark.pedantic(score, (catalogue, tmp_path / "scored.parquet"), rounds=ROUNDS, warmup_rounds=1)
        benchmark.extra_info["rows"] = rows

    def test_bare_copy(self, benchmark, catalogue, tmp_path):
        benchmark.pedantic(copy, (catalogue, tmp_path / "copied.parquet"), rounds=ROUNDS, warmup_rounds=1)


PEAK = """
import sys
from pathlib import Path
from test_line import score
score(Path(sys.argv[1]), Path(sys.argv[2]))
# Not ru_maxrss: a new process inherits the peak of the one that made the sheets.
status = Path("/proc/self/status").read_text().split()
print(int(status[status.index("VmHWM:") + 1]) >> 10)
"""


@pytest.mark.benchmark(group="line memory")
@pytest.mark.parametrize("ending", ENDINGS)
def test_memory(benchmark, sheets, tmp_path, ending):
    """Peak memory in MB, each in a process of its own, of the whole sheet and of its first tenth."""
    short = tmp_path / f"short.{ending}"
    first = items(ROWS // 10)
    pa_csv.write_csv(first, short) if ending == "csv" else pq.write_table(first, short)

    def peak(sheet: Path) -> int:
        command = [sys.executable, "-c", PEAK, sheet, tmp_path / "scored.parquet"]
        folders = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        done = subprocess.run(command, capture_output=True, check=True, env={**os.environ, "PYTHONPATH": folders})
        return int(done.stdout)

    whole = benchmark.pedantic(peak, (sheets[ending],), rounds=1)
    benchmark.extra_info |= {"rows": ROWS, "peak_mb": whole, "peak_mb_of_a_tenth": peak(short)}
    assert whole < 1000
