"""Reading sheets, as ratios: ``pytest benchmarks/test_sheets.py -n 0 -p no:xdist``. ROWS=1000000 for the published figures."""

import os
import random

import pytest

from perfcalc.sheets.columns import read_facts
from perfcalc.sheets.headers import recognise
from perfcalc.sheets.read import open_sheet

ROWS = int(os.environ.get("ROWS", "200000"))
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


@pytest.fixture(scope="module", params=["clean", "messy"])
def sheet(request, tmp_path_factory):
    random_ = random.Random(1)
    path = tmp_path_factory.mktemp("sheets") / f"{request.param}.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{HEADING}\n")
        for row in range(ROWS):
            values = [round(random_.uniform(50, 2000), 1) for _ in UNITS]
            share = 0.3 if request.param == "messy" else 0
            cells = [
                _messy(v, u, random_) if random_.random() < share else str(v)
                for v, u in zip(values, UNITS, strict=True)
            ]
            file.write(f"chip {row},{','.join(cells)},TSMC,{random_.choice(['4N', 'N7', '16 nm'])}\n")
    return path


def test_read(benchmark, sheet):
    def read():
        opened = open_sheet(sheet)
        columns = recognise(opened.schema.names, "sheet")
        rows = 0
        for batch in opened.batches():
            read_facts(batch, columns)
            rows += batch.num_rows
        return rows

    assert benchmark.pedantic(read, rounds=3, warmup_rounds=1) == ROWS
