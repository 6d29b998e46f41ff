"""The catalogue's regression test catches what it is for, and nothing else."""

import csv
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
from click.testing import CliRunner

import perfcalc
from perfcalc.answers.check import compare, parse_tolerances
from perfcalc.cli import main

SPECS = Path(__file__).parents[1] / "specs"
CHIPS, QUANTUM = SPECS / "chips.csv", SPECS / "quantum.csv"
DAY = "2026-11-23"


@pytest.fixture(scope="module")
def golden(tmp_path_factory):
    path = tmp_path_factory.mktemp("golden") / "golden.csv"
    made = perfcalc.check(
        perfcalc.read(CHIPS), path, update=True, reason="first", as_of=DAY, jurisdictions=("us", "eu")
    )
    assert made.updated
    return path


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(path, rows):
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def run(*arguments):
    return CliRunner().invoke(main, [str(each) for each in arguments])


def test_what_was_written_holds(golden):
    answer = perfcalc.check(perfcalc.read(CHIPS), golden)
    assert answer.drifted == []
    assert len(answer.items) == len(rows_of(golden)) == len(perfcalc.read(CHIPS))
    assert {"us_verdict", "us_entries", "eu_verdict", "tpp", "performance_density"} <= set(answer.columns)
    assert run("check", CHIPS, "--expected", golden).exit_code == 0


def test_one_limit_changed(golden, tmp_path):
    """An overlay whose only line stands one TPP below that of a chip which was free."""
    free = [row for row in rows_of(golden) if row["us_verdict"] == "not_controlled" and row["tpp"]]
    top = max(free, key=lambda row: float(row["tpp"]))
    overlay = tmp_path / "limit.yaml"
    source = (Path(perfcalc.__file__).parent / "rulebook" / "overlays" / "safe-chips.yaml").read_text("utf-8")
    start, end = source.index("            test:"), source.index("            citation:")
    test = f'            test:\n              - tpp: {{">=": {top["tpp"]}}}\n'
    overlay.write_text(source[:start] + test + source[end:], "utf-8")
    drifted = perfcalc.check(perfcalc.read(CHIPS), golden, rules=(overlay,)).drifted
    assert top["id"] in {row["id"] for row in rows_of(golden) if row["name"] in {item.item for item in drifted}}
    higher = source[:start] + test.replace(top["tpp"], str(float(top["tpp"]) + 0.5)) + source[end:]
    overlay.write_text(higher, "utf-8")
    after = perfcalc.check(perfcalc.read(CHIPS), golden, rules=(overlay,)).drifted
    moved = {item.item for item in drifted if any(drift.column == "us_verdict" for drift in item.drifts)}
    still = {item.item for item in after if any(drift.column == "us_verdict" for drift in item.drifts)}
    assert top["name"] in moved - still


def test_one_date_shifted_by_a_day(tmp_path):
    """The version of 3A090 that applies from 2023-11-17 caught the A800."""
    sheet = perfcalc.read(CHIPS)
    rows = []
    for day in ("2023-11-16", "2023-11-17"):
        scored = perfcalc.score(sheet, as_of=day).set_index("name")
        rows += [{"name": name, "as_of": day, "us_verdict": scored.us_verdict[name]} for name in scored.index]
    path = write(tmp_path / "golden.csv", rows)
    assert perfcalc.check(sheet, path).drifted == []
    shifted = [{**row, "as_of": "2023-11-16"} for row in rows if row["as_of"] == "2023-11-17"]
    drifted = perfcalc.check(sheet, write(tmp_path / "shifted.csv", shifted)).drifted
    assert any("A800" in item.item for item in drifted)


def test_one_unit_misread(golden):
    sheet = perfcalc.read(CHIPS).rename(columns={"die_area_mm2": "die area (cm2)"})
    drifted = perfcalc.check(sheet, golden).drifted
    assert drifted
    assert all(
        "performance_density" in {drift.column for drift in item.drifts}
        for item in drifted
        if "us_verdict" in {d.column for d in item.drifts}
    )


def test_one_chip_edited(golden):
    sheet = perfcalc.read(CHIPS)
    at = sheet.index[sheet["name"] == "NVIDIA H20"][0]
    sheet.loc[at, "fp8_tflops"] = sheet.loc[at, "int8_tops"] = "297"
    (item,) = perfcalc.check(sheet, golden).drifted
    assert item.item == "NVIDIA H20"
    assert {"tpp", "performance_density"} <= {drift.column for drift in item.drifts}
    assert perfcalc.check(sheet, golden, tolerances=[f"{drift.column}=1%" for drift in item.drifts]).drifted == []


def test_missing_and_extra_items(golden, tmp_path):
    sheet = perfcalc.read(CHIPS)
    drifted = perfcalc.check(sheet.iloc[1:], golden).drifted
    assert [(item.item, item.outcome) for item in drifted] == [(sheet["name"][0], "missing")]
    fewer = write(tmp_path / "fewer.csv", rows_of(golden)[1:])
    drifted = perfcalc.check(sheet, fewer).drifted
    assert [(item.item, item.outcome) for item in drifted] == [(sheet["name"][0], "extra")]


def test_quantum_and_several_days_in_one_file(tmp_path):
    sheet = perfcalc.read(QUANTUM)
    path = tmp_path / "golden.csv"
    perfcalc.check(sheet, path, update=True, reason="first", as_of="2024-01-01")
    rows = rows_of(path)
    later = tmp_path / "later.csv"
    perfcalc.check(sheet, later, update=True, reason="first", as_of=DAY)
    assert "cnot_error" in rows[0]
    assert rows != rows_of(later)
    both = write(tmp_path / "both.csv", [*rows, *rows_of(later)])
    answer = perfcalc.check(sheet, both)
    assert answer.drifted == []
    assert len(answer.items) == 2 * len(sheet)


def test_update_needs_a_reason_and_keeps_it_with_the_rows_that_changed(golden, tmp_path):
    path = tmp_path / "golden.csv"
    path.write_bytes(golden.read_bytes())
    sheet = tmp_path / "chips.csv"
    frame = perfcalc.read(CHIPS)
    at = frame.index[frame["name"] == "NVIDIA H20"][0]
    frame.loc[at, ["fp8_tflops", "int8_tops"]] = "300"
    frame.drop(index=frame.index[0]).to_csv(sheet, index=False)
    refused = run("check", sheet, "--expected", path, "--update")
    assert refused.exit_code == 2
    assert "reason" in refused.output
    assert path.read_bytes() == golden.read_bytes()
    assert run("check", sheet, "--expected", path, "--update", "--reason", "H20 restated").exit_code == 0
    before, after = rows_of(golden), rows_of(path)
    assert len(after) == len(before) - 1
    changed = [row for row, old in zip(after, before[1:], strict=True) if row != old]
    assert [(row["name"], row["reason"]) for row in changed] == [(frame["name"][at], "H20 restated")]
    assert run("check", sheet, "--expected", path).exit_code == 0
    untouched = path.read_bytes()
    run("check", sheet, "--expected", path, "--update", "--reason", "again")
    assert path.read_bytes() == untouched


def test_the_command_says_what_drifts(golden, tmp_path):
    rows = rows_of(golden)
    rows[3]["us_verdict"] = "controlled & <freed>"
    path, junit = write(tmp_path / "golden.csv", rows), tmp_path / "out.xml"
    done = run("check", CHIPS, "--expected", path, "--junit", junit)
    assert done.exit_code == 1
    assert rows[3]["name"] in done.output
    assert "us_verdict: expected controlled & <freed>, found" in done.output
    suite = ET.parse(junit).getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == (str(len(rows)), "1")
    (failure,) = suite.iter("failure")
    assert "controlled & <freed>" in failure.get("message")
    said = json.loads(run("check", CHIPS, "--expected", path, "--json").output)
    assert said["drifted"] == 1
    assert [item["outcome"] for item in said["items"]].count("drift") == 1


@pytest.mark.parametrize(
    ("column", "expected", "found", "tolerances", "drifts"),
    [
        ("tpp", "4,800", "4800.0", {}, False),
        ("tpp", "4800", "4800.0000001", {}, False),
        ("tpp", "4800", "4800.001", {}, True),
        ("tpp", "1000", "1001.0", {"tpp": 0.001}, False),
        ("tpp", "1000", "1001.1", {"tpp": 0.001}, True),
        ("tpp", "", "4800.0", {"tpp": 0.5}, True),
        ("tpp", "4800", "", {"tpp": 0.5}, True),
        ("tpp", "0", "1e-12", {"tpp": 0.5}, True),
        ("tpp", "many", "4800.0", {}, True),
        ("us_margin", "-0.5", "-0.5000000000001", {}, False),
        ("us_verdict", "controlled", "Controlled", {}, True),
        ("us_entries", "", "", {}, False),
    ],
)
def test_one_cell(column, expected, found, tolerances, drifts):
    assert bool(compare(column, expected, found, tolerances)) == drifts


def test_tolerances():
    assert parse_tolerances(["tpp=0.1%", "us_margin=0.01"]) == {"tpp": 0.001, "us_margin": 0.01}
    for wrong in ("tpp", "tpp=much", "us_verdict=1%", "tpp=-1", "tpp=nan", "tpp=200%"):
        with pytest.raises(perfcalc.InputError):
            parse_tolerances([wrong])


@pytest.mark.parametrize(
    "text",
    ["", "name\nA\n", "tpp\n1\n", "name,us_verdit\nA,controlled\n", "name,name,tpp\nA,A,1\n", "name,tpp\nA,1,2\n"],
)
def test_a_golden_file_that_cannot_be_used(text, tmp_path):
    path = tmp_path / "golden.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(perfcalc.InputError):
        perfcalc.check(perfcalc.read(CHIPS), path)
    assert run("check", CHIPS, "--expected", tmp_path / "absent.csv").exit_code == 2


def test_a_sheet_with_headings_of_its_own(tmp_path):
    sheet = pd.DataFrame({"Chip": ["A", "B"], "FP16 (TFLOPS)": [100, 400], "kind": ["ic", "ic"]})
    path = tmp_path / "golden.csv"
    perfcalc.check(sheet, path, update=True, reason="first", as_of=DAY, jurisdictions=("eu",))
    assert [row["name"] for row in rows_of(path)] == ["A", "B"]
    assert [row["eu_verdict"] for row in rows_of(path)] == ["not_controlled", "controlled"]
    assert perfcalc.check(sheet, path).drifted == []
