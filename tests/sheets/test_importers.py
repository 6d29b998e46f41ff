"""Other people's tables, as they are."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import perfcalc
from perfcalc.sheets.headers import read_heading, recognise
from perfcalc.sheets.mapping import find_importer, importers

DATA = Path(__file__).parents[1] / "data"
THEIRS = "Total processing performance (bit-OP/s)"


def rows(name):
    with (DATA / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def epoch():
    return perfcalc.score(perfcalc.read(DATA / "epoch_ml_hardware_2025-12.csv"), as_of="2026-11-23")


@pytest.mark.parametrize(
    ("file", "importer", "items"),
    [
        ("epoch_ml_hardware_2025-12.csv", "epoch", 170),
        ("techapi_soc.csv", "techapi_soc", 122),
        ("techapi_gpu.csv", "techapi_gpu", 330),
    ],
)
def test_one_command_each(file, importer, items, tmp_path):
    out = tmp_path / "out.csv"
    command = [sys.executable, "-m", "perfcalc.cli", "score", DATA / file, "-o", out, "--as-of", "2026-11-23", "--json"]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert (answer["rows"], answer["rejects"]) == (items, 0)
    with out.open(newline="", encoding="utf-8") as written:
        assert len(list(csv.DictReader(written))) == items
    assert find_importer(list(rows(file)[0]))[0] == importer


def test_epoch_s_own_tpp(epoch):
    """Each row with a TPP of theirs is ours, or a difference that the list explains, with these very numbers."""
    listed = {row["name"]: row for row in rows("epoch_differences.csv")}
    compared, same, within = 0, 0, 0
    for row in epoch[epoch[THEIRS] != ""].to_dict("records"):
        compared += 1
        theirs, name = float(row[THEIRS]) / 1e12, row["Hardware name"]
        low = row["tpp"] if row["tpp"] == row["tpp"] else row["tpp_low"]
        high = row["tpp"] if row["tpp"] == row["tpp"] else row["tpp_high"]
        if low == high == pytest.approx(theirs, rel=1e-9):
            same += 1
            assert name not in listed
            continue
        wanted = listed.pop(name)
        assert theirs == pytest.approx(float(wanted["epoch_tpp"]))
        assert (low, high) == pytest.approx((float(wanted["tpp_low"]), float(wanted["tpp_high"])))
        assert wanted["reason"]
        if wanted["kind"] == "lower_bound":
            assert low == pytest.approx(theirs)
            assert "half_rate" in row["problems"]
            within += 1
    assert not listed
    assert compared == 160
    assert same == 140
    assert same + within >= 0.95 * compared


def test_known_bad_figures_of_epoch_are_noticed(epoch):
    problems = epoch.set_index("Hardware name")["problems"].fillna("")
    assert "bandwidth" in problems["AMD Radeon Instinct MI308X"]  # 10.3 TB/s, twice the datasheet
    assert "bandwidth" in problems["MetaX MXC500 (OAM)"]  # 18 TB/s, ten times too high


def test_techpowerup_has_no_tensor_rates():
    """The known trap: non-tensor FP16 of the H100 and A100 gives a TPP below 4,800, and a false 'not controlled'."""
    bad = {row["item"]: row for row in rows("known_bad_facts.csv") if row["field"] == "half_float_performance_gflop_s"}
    frame = pd.DataFrame(
        {
            "name": list(bad),
            "half_float_performance_gflop_s": [row["stated_value"] for row in bad.values()],
            "single_float_performance_gflop_s": "19500",
            "process_size_nm": "5",
            "die_size_mm2": "814",
            "release_date": "2022-03-22",
        }
    )
    scored = perfcalc.score(frame, as_of="2026-11-23")
    for (_, row), known in zip(scored.iterrows(), bad.values(), strict=True):
        assert row["tpp_low"] == pytest.approx(float(known["stated_value"]) * 16 / 1000)
        assert row["tpp_high"] >= float(known["correct_value"]) * 16 / 1000
        assert row["us_verdict"] != "not_controlled"
        assert "half_rate" in row["problems"]


def test_wikipedia_tables():
    frame = pd.DataFrame(
        {
            "Model": ["Tesla V100", "Radeon Pro Duo"],
            "Launch": ["Jun 21, 2017", "Apr 26, 2016"],
            "Architecture & fab": ["Volta TSMC 12FFN", "GCN 3 TSMC 28 nm"],
            "Transistors & die size": ["21.1×10 815 mm", "2× 8900×10 596 mm"],
            "Memory configuration Bandwidth (GB/s)": ["900", "2x512"],
            "Processing power (GFLOPS) Half": ["26,624 31,334", "2x 8192"],
        }
    )
    from perfcalc.api import to_arrow
    from perfcalc.sheets.columns import read_facts

    batch = to_arrow(frame).to_batches()[0]
    columns = recognise(batch.schema.names, "frame")
    facts, _ = read_facts(batch, columns)
    assert columns.importer == "wikipedia"
    assert facts.low["transistors_bn"].tolist() == facts.high["transistors_bn"].tolist() == [21.1, 17.8]
    assert facts.low["die_area_mm2"].tolist() == [815, 596]
    assert facts.low["memory_bandwidth_gb_s"].tolist() == [900, 1024]
    assert facts.low["fp16_tflops"].tolist() == [31.334, 16.384]
    assert facts.high["fp16_tflops"][0] > facts.low["fp16_tflops"][0]  # vector rates of a chip with tensor cores


def test_importers_are_data_and_name_their_source():
    for name, source in importers().items():
        assert {"title", "source", "recognise", "columns"} <= set(source), name
        columns = [*dict.fromkeys((*source["recognise"], *source["columns"]))]
        assert recognise(columns, name).importer == name


@pytest.mark.parametrize(
    ("heading", "fields", "unit", "labels"),
    [
        ("Die size (mm^2)", ["die_area_mm2"], "mm2", []),
        ("FP16 [TFLOPS]", ["fp16_tflops"], None, []),
        ("Peak INT8 (GOPS, dense)", ["int8_tops"], "GOPS", ["dense"]),
        ("Memory bandwidth (byte/s)", ["memory_bandwidth_gb_s"], "B/s", []),
        ("FP8 performance (FLOP/s)", ["fp8_tflops"], "FLOPS", []),
        ("FP16 (sparse) TFLOPS", ["fp16_tflops"], "TFLOPS", ["sparse"]),
        ("FP8 (with sparsity)", ["fp8_tflops"], None, ["sparse"]),
        ("FP16 without sparsity", ["fp16_tflops"], None, ["dense"]),
        ("메모리 대역폭(GB/s)", ["memory_bandwidth_gb_s"], "GB/s", []),
        ("ダイ面積 (mm²)", ["die_area_mm2"], "mm2", []),
        ("半精度算力 (TFLOPS)", ["fp16_tflops"], "TFLOPS", []),
        ("Speicherbandbreite (TB/s)", ["memory_bandwidth_gb_s"], "TB/s", []),
        ("transistor_count_m", ["transistors_bn"], "million", []),
        ("Total processing performance (bit-OP/s)", [], None, []),
        ("Memory bus (bit)", [], None, []),
        ("FP16 efficiency (TFLOPS/W)", [], None, []),
        ("FP16 price", [], None, []),
        ("Die size (nm)", [], None, []),
    ],
)
def test_headings(heading, fields, unit, labels):
    read = read_heading(heading)
    assert list(read.fields) == fields
    if fields:
        assert (read.style.unit and read.style.unit.symbol) == unit
        assert sorted(read.style.labels) == labels


def test_a_sparse_column_beside_a_dense_one():
    frame = pd.DataFrame(
        {
            "name": ["A", "B"],
            "FP16 (TFLOPS)": ["989.5", ""],
            "FP16 (sparse, TFLOPS)": ["1979", "1979"],
            "die_area_mm2": ["814", "814"],
        }
    )
    scored = perfcalc.score(frame, as_of="2026-11-23")
    assert scored["tpp"][0] == 15832
    assert (scored["tpp_low"][1], scored["tpp_high"][1]) == (0, 31664)
    assert scored["us_verdict"].tolist() == ["controlled", "cannot_tell"]


def test_fuzzy_names_are_proposed_and_never_applied(tmp_path):
    path = tmp_path / "sheet.csv"
    path.write_text("name,dye_area_mm2\nA,814\n", "utf-8")
    command = [sys.executable, "-m", "perfcalc.cli", "read", path, "--json"]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert answer["columns"][1]["suggestion"] == "die_area_mm2"
    assert answer["columns"][1]["fields"] == []
