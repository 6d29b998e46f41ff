"""What a person with one sheet waits for: two hundred chips scored, one explained, the command line started.

Beside a sheet of this size stand the logic of the two open calculators and what Python itself takes to start. perfcalc
does more for each chip than they do (every metric with both bounds, every paragraph, needs, margin, cited), so these
ratios are far above one; what matters is that they do not grow.
"""

import csv
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import peers
import pytest
from click.testing import CliRunner

import perfcalc
from perfcalc import kernel
from perfcalc.cli import main

ROWS = 200
DAY = "2026-11-23"
ROUNDS = 15


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    """Two hundred chips, every cell filled in: the calculators clear what they do not know."""
    random = np.random.default_rng(3)
    fp16 = np.round(np.exp(random.normal(5, 1.2, ROWS)), 1)
    factors = dict(zip(peers.RATES, (0.25, 0.25, 0.5, 1, 1, 2, 2, 4), strict=True))
    columns = {
        "name": [f"chip {row}" for row in range(ROWS)],
        "kind": "ic",
        "datacenter": np.where(random.random(ROWS) < 0.5, "yes", "no"),
        "transistor_architecture": "non_planar",
        **{name: np.round(fp16 * factor, 2) for name, factor in factors.items()},
        "die_area_mm2": np.round(random.uniform(50, 900, ROWS), 1),
        "memory_bandwidth_gb_s": random.integers(100, 8000, ROWS),
        "interconnect_gb_s": random.integers(16, 1800, ROWS),
    }
    path = tmp_path_factory.mktemp("small") / "chips.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    """As in a new process: so few rows never wait for the compiler."""
    monkeypatch.setattr(kernel, "_rows_scored", 0)
    monkeypatch.setattr(kernel, "ROWS_BEFORE_COMPILING", 10**12)


def with_perfcalc(sheet):
    return perfcalc.score(perfcalc.read(sheet), as_of=DAY)["us_verdict"].tolist()


def with_peer(sheet, each):
    with sheet.open(encoding="utf-8", newline="") as file:
        return [each(item) for item in csv.DictReader(file)]


def test_same_answers(sheet):
    """Where nothing is unknown, the calculators' tiers and perfcalc agree on who is controlled."""
    ours = with_perfcalc(sheet)
    assert ours == with_peer(sheet, peers.calculator)
    assert {"controlled", "not_controlled"} == set(ours)
    at_home = perfcalc.read(sheet)["datacenter"] == "no"
    upper = [tiers[1] == "controlled" for tiers in with_peer(sheet, peers.vintages)]
    met = [verdict for verdict, is_met, free in zip(ours, upper, at_home, strict=True) if is_met and not free]
    assert set(met) == {"controlled"}


@pytest.mark.benchmark(group="small-sheet")
class TestSmallSheet:
    """Two hundred rows, from a file to a list of verdicts."""

    def test_perfcalc(self, benchmark, sheet):
        benchmark.extra_info["rows"] = ROWS
        benchmark.pedantic(with_perfcalc, (sheet,), rounds=ROUNDS, warmup_rounds=2)

    def test_calculator(self, benchmark, sheet):
        benchmark.pedantic(with_peer, (sheet, peers.calculator), rounds=ROUNDS, warmup_rounds=2, iterations=10)

    def test_vintages(self, benchmark, sheet):
        benchmark.pedantic(with_peer, (sheet, peers.vintages), rounds=ROUNDS, warmup_rounds=2, iterations=10)

    def test_pandas_read(self, benchmark, sheet):
        """Reading alone."""
        benchmark.pedantic(pd.read_csv, (sheet,), rounds=ROUNDS, warmup_rounds=2, iterations=10)


def explain(sheet):
    """`perfcalc explain` in this process."""
    result = CliRunner().invoke(main, ["explain", str(sheet), "--item", "chip 100", "--as-of", DAY])
    assert result.exit_code == 0, result.output


@pytest.mark.benchmark(group="explain")
class TestExplain:
    """One of two hundred chips explained, everything loaded: beside scoring them all, and beside reading the sheet."""

    def test_perfcalc(self, benchmark, sheet):
        benchmark.pedantic(explain, (sheet,), rounds=ROUNDS, warmup_rounds=2)

    def test_score_of_the_sheet(self, benchmark, sheet):
        benchmark.pedantic(with_perfcalc, (sheet,), rounds=ROUNDS, warmup_rounds=2)

    def test_pandas_read(self, benchmark, sheet):
        benchmark.pedantic(pd.read_csv, (sheet,), rounds=ROUNDS, warmup_rounds=2, iterations=10)


def process(*arguments):
    """Run Python in a new process, without a terminal."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=environment)


COMMANDS = {
    "help": ("--help",),
    "score": ("score", "SHEET", "--as-of", DAY, "-o", "OUT"),
    "explain": ("explain", "SHEET", "--item", "chip 100", "--as-of", DAY),
}


@pytest.mark.benchmark(group="start-up")
class TestStartUp:
    """Each as a new process: what a person at a terminal waits for."""

    @pytest.mark.parametrize("command", COMMANDS)
    def test_perfcalc(self, benchmark, sheet, tmp_path, command):
        places = {"SHEET": str(sheet), "OUT": str(tmp_path / "out.csv")}
        words = [places.get(word, word) for word in COMMANDS[command]]
        benchmark.pedantic(process, ("-m", "perfcalc.cli", *words), rounds=7, warmup_rounds=1)

    def test_python(self, benchmark):
        benchmark.pedantic(process, ("-c", "pass"), rounds=7, warmup_rounds=1)

    def test_import_pandas(self, benchmark):
        benchmark.pedantic(process, ("-c", "import pandas"), rounds=7, warmup_rounds=1)
