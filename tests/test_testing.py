"""The pytest plugin, and the recipe that holds rules, numbers and speed in one suite."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest

import perfcalc

pytest_plugins = ["pytester"]

CHIPS = [
    {"name": "A", "kind": "ic", "fp16_tflops": 299, "die_area_mm2": 5000, "datacenter": "yes"},
    {"name": "B", "kind": "ic", "fp16_tflops": 300, "die_area_mm2": 5000, "datacenter": "yes"},
]
SPEED = """
import perfcalc

def test_a_thousand_chips(benchmark):
    sheet = perfcalc.read("catalogue/chips.csv").sample(1000, replace=True, random_state=1)
    scored = benchmark.pedantic(perfcalc.score, args=(sheet,), kwargs={"as_of": "2026-11-23"}, rounds=2)
    assert len(scored) == 1000
"""


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """Made before any suite is run inside this process, which forgets the modules that were imported after it began."""
    folder, sheet = tmp_path_factory.mktemp("catalogue"), pd.DataFrame(CHIPS)
    sheet.to_csv(folder / "chips.csv", index=False)
    perfcalc.check(sheet, folder / "chips.golden.csv", update=True, reason="first", as_of="2026-11-23")
    perfcalc.check(perfcalc.read(folder / "chips.csv").iloc[1:], folder / "chips.golden.csv")
    return folder


@pytest.fixture
def suite(catalogue, pytester):
    """A user's suite: a catalogue with its golden file, a test of speed."""
    shutil.copytree(catalogue, pytester.path / "catalogue")
    pytester.makeconftest('pytest_plugins = ["perfcalc.testing"]')
    pytester.makepyfile(test_speed=SPEED)
    return pytester


def test_rules_numbers_and_speed_together(suite):
    result = suite.runpytest("-v", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["catalogue/chips.golden.csv::A on 2026-11-23 PASSED*", "*test_a_thousand_chips*"])
    assert suite.runpytest("-k", "B and 2026").parseoutcomes() == {"passed": 1, "deselected": 2}


def test_a_drift_says_which_item_column_and_why(suite):
    sheet = suite.path / "catalogue" / "chips.csv"
    sheet.write_text(sheet.read_text("utf-8").replace("299", "300"), "utf-8")
    result = suite.runpytest("catalogue")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "A on 2026-11-23: drift (not as it was: the item's row in the sheet, or a heading over it)",
            "  us_verdict: expected not_controlled, found controlled",
            "    3A090.a.1: tpp 4,800 >= 4,800 (88 FR 73458)",
        ]
    )


def test_an_item_that_nothing_is_expected_of(suite):
    with (suite.path / "catalogue" / "chips.csv").open("a", encoding="utf-8") as file:
        file.write("C,ic,100,5000,yes\n")
    result = suite.runpytest("catalogue")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["C on 2026-11-23: extra"])


def test_a_golden_file_without_its_sheet(suite):
    (suite.path / "catalogue" / "chips.csv").rename(suite.path / "catalogue" / "parts.csv")
    result = suite.runpytest("catalogue")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no file called chips.[*]", "*keep a golden file beside its sheet*"])


def test_nobody_pays_for_it_who_does_not_ask(suite):
    """No entry point makes pytest load it, and loading it loads no engine."""
    project = tomllib.loads((Path(perfcalc.__file__).parents[1] / "pyproject.toml").read_text("utf-8"))
    assert "pytest11" not in project["project"].get("entry-points", {})
    (suite.path / "conftest.py").unlink()
    suite.runpytest("catalogue").assert_outcomes()
    heavy = (
        "import sys, perfcalc.testing; print([m for m in ('pandas', 'numpy', 'pyarrow', 'numba') if m in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", heavy], check=True, capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]"
