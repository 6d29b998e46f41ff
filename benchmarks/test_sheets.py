"""Reading sheets into facts: clean and messy, beside other readers of the clean one and beside its bare bytes.

A twentieth of ``PERFCALC_BENCH_ROWS`` is read: three messy cells in ten cost more than anything else here.
"""

import os
import random

import pandas as pd
import polars as pl
import pytest

from perfcalc.sheets.columns import read_facts
from perfcalc.sheets.headers import recognise
from perfcalc.sheets.read import open_sheet

ROWS = int(os.environ.get("PERFCALC_BENCH_ROWS", "10_000_000")) // 20
HEADING = "name,fp16_tflops,fp8_tflops,int8_tops,die_area_mm2,memory_bandwidth_gb_s,transistors_bn,foundry,process_node"
UNITS = ["TFLOPS", "TFLOPS", "TOPS", "mm²", "GB/s", "billion"]


def _messy(value, unit, random_):
    ways = (
        f"{value} {unit}",
        f'"{value:,.1f} {unit}"',
        f"~{value}",
        f"{value}-{value + 5:.1f}",
        "N/A",
        "?",
        f"{value}{unit}",
    )
    return random_.choice([*ways, f"{value:.0f} ± 5"])


@pytest.fixture(scope="module")
def sheets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sheets")
    for kind, share in (("clean", 0.0), ("messy", 0.3)):
        random_ = random.Random(1)
        with (folder / f"{kind}.csv").open("w", encoding="utf-8") as file:
            file.write(f"{HEADING}\n")
            for row in range(ROWS):
                values = [round(random_.uniform(50, 2000), 1) for _ in UNITS]
                cells = [
                    _messy(v, u, random_) if random_.random() < share else str(v)
                    for v, u in zip(values, UNITS, strict=True)
                ]
                file.write(f"chip {row},{','.join(cells)},TSMC,{random_.choice(['4N', 'N7', '16 nm'])}\n")
    return folder


def read(path):
    """Every cell of a sheet as a fact."""
    opened = open_sheet(path)
    columns = recognise(opened.schema.names, "sheet")
    rows = 0
    for batch in opened.batches():
        read_facts(batch, columns)
        rows += batch.num_rows
    return rows


@pytest.mark.benchmark(group="read-csv")
class TestReadCsv:
    """Others read the clean sheet only: they would leave messy cells as text."""

    @pytest.mark.parametrize("kind", ["clean", "messy"])
    def test_perfcalc(self, benchmark, sheets, kind):
        benchmark.extra_info["rows"] = ROWS
        assert benchmark.pedantic(read, (sheets / f"{kind}.csv",), rounds=5, warmup_rounds=1) == ROWS

    @pytest.mark.parametrize("kind", ["messy"])
    def test_clean_sheet(self, benchmark, sheets, kind):
        """What the mess costs: perfcalc again, without it."""
        benchmark.pedantic(read, (sheets / "clean.csv",), rounds=5, warmup_rounds=1)

    @pytest.mark.parametrize("kind", ["clean"])
    def test_polars(self, benchmark, sheets, kind):
        benchmark.pedantic(pl.read_csv, (sheets / "clean.csv",), rounds=5, warmup_rounds=1)

    @pytest.mark.parametrize("kind", ["clean"])
    def test_pandas(self, benchmark, sheets, kind):
        benchmark.pedantic(pd.read_csv, (sheets / "clean.csv",), rounds=5, warmup_rounds=1)

    @pytest.mark.parametrize("kind", ["clean", "messy"])
    def test_bare_read(self, benchmark, sheets, kind):
        """The machine's limit: the bytes of the file, and nothing done with them."""
        benchmark.pedantic((sheets / f"{kind}.csv").read_bytes, rounds=5, warmup_rounds=1)
