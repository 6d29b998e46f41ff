"""The sheets that ship: every number has a source, and recomputes."""

import csv
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

import perfcalc
from perfcalc.fields import FIELDS, RATES

SPECS = Path(__file__).parents[1] / "specs"
GOLDEN = Path(__file__).parent / "data" / "golden_chips.csv"


@pytest.fixture(scope="module")
def chips():
    return pd.read_csv(SPECS / "chips.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def sources():
    return pd.read_csv(SPECS / "chips.sources.csv", dtype=str, keep_default_na=False)


def test_breadth(chips):
    assert len(chips) >= 150
    assert chips["id"].is_unique
    assert chips["name"].is_unique
    assert set(chips["kind"]) == {"ic", "memory"}
    assert {"NVIDIA", "AMD", "Intel", "Huawei", "Google", "Apple"} <= set(chips["designer"])
    assert chips["release_date"].str[:4].replace("", pd.NA).dropna().astype(int).agg(["min", "max"]).tolist()[0] <= 2016


def test_every_number_has_exactly_one_source(chips, sources):
    numbers = [name for name, field in FIELDS.items() if field.type == "number" and name in chips.columns]
    cited = Counter()
    for row in sources.itertuples():
        assert row.source.startswith("http"), row
        assert row.label in ("reported", "calculated", "estimated"), row
        cited.update((row.id, field) for field in row.fields.split())
    stated = {(row["id"], name) for row in chips.to_dict("records") for name in numbers if row[name]}
    assert {key: cited[key] for key in stated if cited[key] != 1} == {}
    assert {(key, name) for key, name in cited if name in numbers} <= stated
    for key, name in cited:
        assert chips.loc[chips["id"] == key, name].item(), (key, name)


def test_every_cell_is_read_without_a_problem(chips):
    scored = perfcalc.score(chips, as_of="2026-11-23")
    troubled = scored.loc[scored["problems"].notna()]
    # These warnings say to look again, and are as they should be: Trainium runs both at one rate, the others have no
    # published matrix rate.
    equal = troubled["problems"].str.startswith("rate_ratio: FP16 equals TF32")
    assert set(troubled.loc[equal, "name"]) == {"AWS Trainium", "AWS Trainium2", "AWS Trainium3", "AWS Inferentia2"}
    assert troubled.loc[~equal, "problems"].str.startswith("half_rate").all()
    assert (~equal).sum() < 12


def test_agrees_with_the_golden_chips(chips):
    """The same part under either file's name: TPP to 0.2 %."""
    scored = perfcalc.score(chips, as_of="2026-11-23").set_index("id")["tpp"]
    pairs = {
        "NVIDIA A100 SXM 80GB": "nvidia-a100-sxm-80gb",
        "NVIDIA H20 (HGX)": "nvidia-h20",
        "NVIDIA L4": "nvidia-l4",
        "AMD MI250X": "amd-mi250x",
        "Google TPU v5p": "google-tpu-v5p",
    }
    with GOLDEN.open(newline="", encoding="utf-8") as file:
        golden = {row["name"]: float(row["expected_tpp"]) for row in csv.DictReader(file)}
    for name, key in pairs.items():
        assert scored[key] == pytest.approx(golden[name], rel=2e-3), name


def test_rates_are_dense_and_plausible(chips):
    """Half the bits, at most four times the rate of the wider format; TF32 never above FP16."""
    for row in chips.to_dict("records"):
        rate = {field.name: float(row[field.name]) for field in RATES if row[field.name] not in ("", "?")}
        if {"tf32_tflops", "fp16_tflops"} <= rate.keys():
            assert rate["tf32_tflops"] <= rate["fp16_tflops"] * 1.01, row["name"]
        if {"fp16_tflops", "fp8_tflops"} <= rate.keys():
            assert rate["fp8_tflops"] <= rate["fp16_tflops"] * 4.05, row["name"]
