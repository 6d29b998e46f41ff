"""Cells as people write them."""

import csv
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfcalc.fields import FIELDS
from perfcalc.sheets.cells import read_cell, read_messy
from perfcalc.sheets.dates import read_date
from perfcalc.sheets.quantities import Style
from perfcalc.sheets.units import parse_unit

DATA = Path(__file__).parents[1] / "data"
with (DATA / "messy_cells.csv").open(newline="", encoding="utf-8") as file:
    MESSY = list(csv.DictReader(file))


@pytest.mark.parametrize("row", MESSY, ids=[f"{at}-{row['column_kind']}" for at, row in enumerate(MESSY)])
def test_every_messy_cell(row):
    read = read_messy(row["column_header"], row["raw"])
    assert read.status == row["expected_status"]
    assert read.unit == row["expected_unit"]
    if row["expected_status"] == "value":
        assert read.value == row["expected_value"]
    if row["expected_low"]:
        assert (read.low, read.high) == (Fraction(row["expected_low"]), Fraction(row["expected_high"]))


INF = float("inf")


@pytest.mark.parametrize(
    ("field", "text", "low", "high"),
    [
        ("fp16_tflops", "1,979 TFLOPS", 1979, 1979),
        ("fp16_tflops", "1.979 PFLOPS", 1979, 1979),
        ("fp16_tflops", "1979000 GFLOPS", 1979, 1979),
        ("fp16_tflops", "1.979e15 FLOP/s", 1979, 1979),
        ("fp16_tflops", "494.75 TMAC/s", "989.5", "989.5"),
        ("fp16_tflops", "1,979 TFLOPS*", "989.5", 1979),
        ("fp16_tflops", "1676 (3352)", 1676, 3352),
        ("fp16_tflops", "989.5 dense / 1979 sparse", "989.5", "989.5"),
        ("fp16_tflops", "989.5 (1979 with sparsity)", "989.5", "989.5"),
        ("fp16_tflops", "1979 with sparsity", 0, 1979),
        ("fp16_tflops", "16.5 (base) 21.1 (boost)", "21.1", "21.1"),
        ("fp16_tflops", "600-650", 650, 650),
        ("fp16_tflops", "30.1 60.2", "30.1", "60.2"),
        ("fp16_tflops", "4 × 18.43", "73.72", "73.72"),
        ("fp16_tflops", "—", 0, 0),
        ("fp16_tflops", "지원 안 함", 0, 0),
        ("fp16_tflops", "Un-known", 0, INF),
        ("fp16_tflops", "未公開", 0, INF),
        ("fp16_tflops", "not tested yet", 0, INF),
        ("fp16_tflops", "300 GB/s", 0, INF),
        ("fp16_tflops", "１，９７９", 1979, 1979),
        ("die_area_mm2", "814 mm²", 814, 814),
        ("die_area_mm2", "8.14 cm²", 814, 814),
        ("die_area_mm2", "814 mm² (8.14 cm²)", 814, 814),
        ("die_area_mm2", "600-650", 600, 650),
        ("die_area_mm2", "600 – 650 mm^2", 600, 650),
        ("die_area_mm2", "~800", 750, 850),
        ("die_area_mm2", "≈ 814", "813.5", "814.5"),
        ("die_area_mm2", "약 814.0㎟", "813.95", "814.05"),
        ("die_area_mm2", "610 ± 10", 600, 620),
        ("die_area_mm2", "610 ± 10%", 549, 671),
        ("die_area_mm2", "2x 324", 648, 648),
        ("die_area_mm2", "26 x 33 mm", 858, 858),
        ("die_area_mm2", "> 800", 800, INF),
        ("die_area_mm2", "800 以上", 800, INF),
        ("die_area_mm2", "less than 50", "0.01", 50),
        ("die_area_mm2", "240 196?", 196, 240),
        ("transistors_bn", "53.9 billion", "53.9", "53.9"),
        ("transistors_bn", "208B", 208, 208),
        ("transistors_bn", "53 900 000 000", "53.9", "53.9"),
        ("transistors_bn", "12.5×10⁹", "12.5", "12.5"),
        ("transistors_bn", "2640×10^6", "2.64", "2.64"),
        ("transistors_bn", "80 Mrd.", 80, 80),
        ("transistors_bn", "800 亿", 80, 80),
        ("transistors_bn", "~30 billion", 25, 35),
        ("memory_bandwidth_gb_s", "3.35TB/s", 3350, 3350),
        ("memory_bandwidth_gb_s", "3,350 GB/sec", 3350, 3350),
        ("memory_bandwidth_gb_s", "26.8 Tb/s", 3350, 3350),
        ("memory_bandwidth_gb_s", "1 TiB/s", "1099.511627776", "1099.511627776"),
        ("memory_bandwidth_gb_s", "3350 gb/s", "418.75", 3350),
        ("memory_bandwidth_gb_s", "28.8(OEM) 32 54.4(GDDR5)", "28.8", "54.4"),
        ("two_qubit_fidelity", "99.4%", "0.994", "0.994"),
        ("two_qubit_error", "6e-3", "0.006", "0.006"),
        ("two_qubit_error", "0.6 %", "0.006", "0.006"),
        ("physical_qubits", "1,121 qubits", 1121, 1121),
        ("datacenter", "はい", 1, 1),
        ("datacenter", "nein", 0, 0),
        ("datacenter", "아니오", 0, 0),
        ("transistor_architecture", "FinFET", 1, 1),
    ],
)
def test_cells(field, text, low, high):
    read = read_cell(text, FIELDS[field])
    ends = (Fraction(low), high if high == INF else Fraction(high))
    assert (read.low, read.high) == ends


@pytest.mark.parametrize(
    "text", ["1676 (3352)", "30.1 60.2", "1,979*", "not tested yet", "300 GB/s", "1.2.3.4", "12 kg"]
)
def test_what_is_not_certain_is_reported(text):
    assert read_cell(text, FIELDS["fp16_tflops"]).problem


@pytest.mark.parametrize(
    ("text", "decimal", "low", "high"),
    [
        ("1,979", ".", 1979, 1979),
        ("1,979", ",", "1.979", "1.979"),
        ("1,979", "?", "1.979", 1979),
        ("1.979", ",", 1979, 1979),
        ("1.979", "?", "1.979", 1979),
        ("1.979,5", ".", "1979.5", "1979.5"),
        ("1,979.5", ",", "1979.5", "1979.5"),
        ("0,350", ".", "0.35", "0.35"),
        ("1'979.5", ".", "1979.5", "1979.5"),
        ("1\u202f979", ".", 1979, 1979),
    ],
)
def test_the_decimal_mark_is_the_column_s(text, decimal, low, high):
    read = read_cell(text, FIELDS["die_area_mm2"], Style(decimal=decimal))
    assert (read.low, read.high) == (Fraction(low), Fraction(high))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Q3'16", "2016-Q3"), ("3Q 2016", "2016-Q3"), ("2016年第3季度", "2016-Q3"), ("2016-Q3", "2016-Q3"), ("H1 2020", "2020-H1"),
        ("01-Mar-2009", "2009-03-01"), ("1 Mar 09", "2009-03-01"), ("March 1, 2009", "2009-03-01"), ("Mar 1st, 2009", "2009-03-01"),
        ("2009年3月1日", "2009-03-01"), ("2009. 3. 1.", "2009-03-01"), ("1. März 2009", "2009-03-01"), ("01.03.2009", "2009-03-01"),
        ("20090301", "2009-03-01"), ("2009-03-01 00:00:00", "2009-03-01"), ("Sept 2013", "2013-09"), ("09/2013", "2013-09"),
        ("2013-09", "2013-09"), ("2013", "2013"), ("25/12/2015", "2015-12-25"), ("12/25/2015", "2015-12-25"), ("Jan '14", "2014-01"),
        ("Launched Q2'18", "2018-Q2"),
    ],
)  # fmt: skip
def test_dates(text, expected):
    assert read_date(text).text == expected


@pytest.mark.parametrize(
    ("text", "status"),
    [("03/04/2015", "ambiguous"), ("TBA", "unknown"), ("—", "missing"), ("31.02.2015", "unreadable")],
)
def test_dates_that_are_none(text, status):
    assert read_date(text).status == status


def test_units_keep_their_case():
    factor = {text: parse_unit(text).factor for text in ("TB/s", "Tb/s", "TiB/s", "GB/s", "Gbps", "GBps")}
    assert (
        factor["TB/s"] == 8 * factor["Tb/s"] == 1000 * factor["GB/s"] == 8000 * factor["Gbps"] == 1000 * factor["GBps"]
    )
    assert factor["TiB/s"] == Fraction(1024**4)
    assert parse_unit("bit-OP/s").dimension != parse_unit("OP/s").dimension
    assert parse_unit("gb/s").others


@given(
    st.fractions(min_value=0, max_value=10**6, max_denominator=100),
    st.sampled_from([("TFLOPS", 1), ("GFLOPS", 1000), ("PFLOPS", Fraction(1, 1000))]),
)
def test_a_unit_is_exact(value, unit):
    written = value.limit_denominator(100)
    text = f"{float(Fraction(round(written * 100), 100) * unit[1]):.8f} {unit[0]}"
    exact = Fraction(text.split()[0]) / unit[1]
    read = read_cell(text, FIELDS["fp16_tflops"])
    assert (read.low, read.high) == (exact, exact)
