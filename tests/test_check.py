"""The catalogue's regression test catches what it is for, and nothing else."""

import csv
import json
import os
import shutil
import subprocess
import sys
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
PACKAGE = Path(perfcalc.__file__).parent
#: A chip of the data centre, so large that its density is no matter.
PLAIN = {"die_area_mm2": 5000, "datacenter": "yes", "transistor_architecture": "non_planar"}


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


def with_other_rules(folder, entry, before, after):
    """A copy of perfcalc in which one text of one rule is another; runs `perfcalc check` and gives back what it says."""
    shutil.copytree(PACKAGE, folder / "perfcalc", ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / "perfcalc" / "rulebook" / entry
    text = path.read_text("utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, after), "utf-8")

    def check(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "perfcalc.cli", "check", *map(str, arguments)],
            check=False,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), "PYTHONUTF8": "1", "COLUMNS": "200"},
            capture_output=True,
            encoding="utf-8",
        )

    return check


def test_one_limit_changed(tmp_path):
    """3A090.a.1 begins at 4801 where it began at 4800: an A100 at 4992 stays, one at 4800 is free."""
    sheet, path = tmp_path / "chips.csv", tmp_path / "golden.csv"
    # 3A090.a.1 alone: at 3,500 mm² the density is no matter.
    rows = [{"name": name, "kind": "ic", "fp16_tflops": rate, **PLAIN} for name, rate in (("A", 300), ("B", 312))]
    pd.DataFrame(rows).to_csv(sheet, index=False)
    assert run("check", sheet, "--expected", path, "--update", "--reason", "first", "--as-of", DAY).exit_code == 0
    check = with_other_rules(tmp_path, "us/3A090.yaml", '- tpp: {">=": 4800}', '- tpp: {">=": 4801}')
    done = check(sheet, "--expected", path)
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines() == [
        f"A on {DAY}: drift (not as it was: the rule book)",
        "  us_verdict: expected controlled, found not_controlled",
        "    3A090.a.1: tpp 4,800 not >= 4,801 (88 FR 73458)",
        "  us_entries: expected 3A090.a.1, found 3A991.p.1",
        "    3A090.a.1: tpp 4,800 not >= 4,801 (88 FR 73458); 3A991.p.1: processing_tops 300 TOPS >= 8 (87 FR 62186)",
        f"1 as expected, 1 not, of 2 in {path}",
    ]


def test_one_date_shifted_by_a_day(tmp_path):
    """3A090.a.2 is law from 2023-11-17; in the other book a day later."""
    sheet, path = tmp_path / "chips.csv", tmp_path / "golden.csv"
    chip = {"name": "A", "kind": "ic", "fp16_tflops": 200, **PLAIN, "die_area_mm2": 500}
    pd.DataFrame([chip]).to_csv(sheet, index=False)
    asked = ("--update", "--reason", "first", "--as-of", "2023-11-17")
    assert run("check", sheet, "--expected", path, *asked).exit_code == 0
    assert rows_of(path)[0]["us_entries"].split(";")[0] == "3A090.a.2"
    text = "performance density\n    kinds: [ic]\n    core: true\n    versions:\n      - from: 2023-11-1"
    done = with_other_rules(tmp_path, "us/3A090.yaml", f"{text}7", f"{text}8")(sheet, "--expected", path)
    assert done.returncode == 1, done.stderr
    assert "A on 2023-11-17: drift (not as it was: the rule book)" in done.stdout
    assert "us_entries: expected 3A090.a.2" in done.stdout
    assert "3A090.a.2 is not law on 2023-11-17" in done.stdout


def test_asked_for_the_day_before(tmp_path):
    """The golden file names no day, so that ``--as-of`` decides; a day too early, the rule is not law yet."""
    row = {"name": "NVIDIA A800", "us_verdict": "controlled", "us_entries": "3A090.a.1;3A090.a.2"}
    path = write(tmp_path / "golden.csv", [row])
    sheet = tmp_path / "chips.csv"
    perfcalc.read(CHIPS).query("name == 'NVIDIA A800'").to_csv(sheet, index=False)
    assert run("check", sheet, "--expected", path, "--as-of", "2023-11-17").exit_code == 0
    done = run("check", sheet, "--expected", path, "--as-of", "2023-11-16")
    assert done.exit_code == 1
    lines = done.output.splitlines()
    assert lines[0] == "NVIDIA A800 on 2023-11-16: drift"
    assert lines[1] == "  us_verdict: expected controlled, found not_controlled"
    assert lines[2].strip().startswith("3A090.a.1 is not law on 2023-11-16; 3A090.a.2 is not law on 2023-11-16")


def test_one_unit_misread(golden, tmp_path):
    """Square millimetres under a heading that says square centimetres."""
    path = tmp_path / "chips.csv"
    perfcalc.read(CHIPS).rename(columns={"die_area_mm2": "die area (cm2)"}).to_csv(path, index=False)
    done = run("check", path, "--expected", golden)
    assert done.exit_code == 1
    h20 = done.output.split("NVIDIA H20 on ")[1].splitlines()
    assert h20[0].endswith(": drift (not as it was: the item's row in the sheet, or a heading over it)")
    at = next(at for at, line in enumerate(h20) if line.startswith("  applicable_die_area_mm2: "))
    assert h20[at] == "  applicable_die_area_mm2: expected 814.0, found 81400.0 (+99 of it)"
    assert h20[at + 1] == "    from die_area_mm2 81,400 mm²"


def test_one_chip_edited(golden, tmp_path):
    path, sheet = tmp_path / "chips.csv", perfcalc.read(CHIPS)
    at = sheet.index[sheet["name"] == "NVIDIA H20"][0]
    sheet.loc[at, "fp8_tflops"] = sheet.loc[at, "int8_tops"] = "301"
    sheet.to_csv(path, index=False)
    done = run("check", path, "--expected", golden)
    assert done.exit_code == 1
    assert done.output.count(": drift") == 1
    lines = done.output.splitlines()
    assert lines[0] == (
        f"NVIDIA H20 on {DAY}: drift (not as it was: the item's row in the sheet, or a heading over it)"
    )
    assert lines[1] == "  us_verdict: expected not_controlled, found controlled"
    assert lines[2].startswith("    3A090.b.1: tpp 2,408 >= 2,400, ")
    assert "  tpp: expected 2368.0, found 2408.0 (+0.0169 of it)" in lines
    assert "    from fp8_tflops 301 TFLOPS" in lines
    (item,) = perfcalc.check(sheet, golden).drifted
    assert f"NVIDIA H20 on {DAY}" in item.words
    numbers = [f"{drift.column}=5%" for drift in item.drifts if drift.off is not None]
    (item,) = perfcalc.check(sheet, golden, tolerances=numbers).drifted
    assert {drift.column for drift in item.drifts} == {"us_verdict", "us_entries"}


def test_why_is_of_what_differs(golden, tmp_path):
    """Of the paragraphs only those that were expected in vain, or met without being expected."""
    rows = [row for row in rows_of(golden) if row["name"] == "NVIDIA A100 SXM 80GB"]
    rows[0]["us_entries"] = "3A090.a.1;3A090.x"
    sheet = perfcalc.read(CHIPS).query("name == 'NVIDIA A100 SXM 80GB'")
    (item,) = perfcalc.check(sheet, write(tmp_path / "golden.csv", rows)).drifted
    assert [(drift.column, drift.found) for drift in item.drifts] == [("us_entries", "3A090.a.1;3A090.a.2")]
    assert item.drifts[0].why.startswith(f"3A090.x is not law on {DAY}; 3A090.a.2: tpp 4,992 >= 1,600")


def test_neither_sheet_nor_rule_book_changed(golden):
    """Then the options did, or perfcalc."""
    drifted = perfcalc.check(perfcalc.read(CHIPS), golden, readings="tf32_bits=32").drifted
    assert {item.cause for item in drifted} == {"same row, same rule book"}


def test_missing_and_extra_items(golden, tmp_path):
    sheet = perfcalc.read(CHIPS)
    drifted = perfcalc.check(sheet.iloc[1:], golden).drifted
    assert [(item.item, item.outcome) for item in drifted] == [(sheet["name"][0], "missing")]
    fewer = write(tmp_path / "fewer.csv", rows_of(golden)[1:])
    drifted = perfcalc.check(sheet, fewer).drifted
    assert [(item.item, item.outcome) for item in drifted] == [(sheet["name"][0], "extra")]


def test_every_jurisdiction(tmp_path):
    path, sheet = tmp_path / "golden.csv", perfcalc.read(CHIPS).head(3)
    perfcalc.check(sheet, path, update=True, reason="first", as_of=DAY, jurisdictions=("all",))
    assert {"us_verdict", "eu_verdict", "jp_verdict", "wa_verdict"} <= set(rows_of(path)[0])
    assert perfcalc.check(sheet, path).drifted == []


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
