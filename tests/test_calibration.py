"""Per-coupler calibration tables: 68 IBM machines by every reading, beside an independent oracle."""

import csv
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import perfcalc
from perfcalc.answers.calibration import READINGS, calibrate, gather
from perfcalc.cli import main
from perfcalc.metrics.couplers import best_connected_part, statistics
from tests import oracle_quantum as oracle

DATA = Path(__file__).parent / "data"
GATES = DATA / "ibm_two_qubit_gates.csv"
TODAY = "2026-11-23"


def run(*arguments):
    return CliRunner().invoke(main, [str(each) for each in arguments])


def expected(path):
    """Every machine by every reading: qubits and error."""
    for name, couplers in oracle.read_table(path).items():
        for reading, statistic, with_dead in READINGS:
            machine = oracle.machine(couplers, with_dead)
            yield f"{name} ({reading})", machine.qubits, getattr(machine, statistic)


def verdict_of(qubits, error):
    if error is None:
        return oracle.judge((Fraction(qubits), Fraction(qubits)), (oracle.ZERO, oracle.MANY))[0]
    return "controlled" if oracle.rung_of(Fraction(qubits), error) else "not_controlled"


@pytest.mark.parametrize("scale", ["1", "0.5", "0.25", "0.1", "0.02"])
def test_ibm_machines_by_every_reading(scale, tmp_path):
    """As measured, no reading catches any machine; with the errors of working gates scaled down, some do."""
    table = GATES
    if scale != "1":
        table = tmp_path / "scaled.csv"
        with GATES.open(newline="", encoding="utf-8") as file, table.open("w", newline="", encoding="utf-8") as out:
            rows = csv.DictReader(file)
            writer = csv.DictWriter(out, rows.fieldnames)
            writer.writeheader()
            for row in rows:
                if row["gate_error"] != "1":
                    row["gate_error"] = repr(float(row["gate_error"]) * float(scale))
                writer.writerow(row)
    sheet = tmp_path / "sheet.csv"
    assert run("quantum-calibration", table, "--each-reading", "-o", sheet).exit_code == 0
    out = tmp_path / "out.csv"
    assert run("score", sheet, "-o", out, "--as-of", TODAY, "--jurisdiction", "us,eu").exit_code == 0
    scored = pd.read_csv(out).set_index("name")
    wanted = list(expected(table))
    assert list(scored.index) == [name for name, _, _ in wanted]
    assert len(wanted) == 67 * len(READINGS)
    counts = {"controlled": 0, "not_controlled": 0, "cannot_tell": 0}
    for name, qubits, error in wanted:
        row = scored.loc[name]
        assert row["counted_qubits"] == qubits, name
        assert row["us_verdict"] == row["eu_verdict"] == verdict_of(qubits, error), name
        counts[row["us_verdict"]] += 1
        if error is not None:
            assert row["two_qubit_error"] == pytest.approx(float(error), rel=1e-12), name
    assert (counts["controlled"] > 0) == (scale != "1")
    if scale == "0.1":
        # ibm_boston: the median and the mean are caught, the mean with its dead coupler is not.
        of_boston = scored.loc[[f"ibm_boston ({name})" for name, _, _ in READINGS], "us_verdict"]
        assert list(of_boston) == ["controlled", "controlled", "not_controlled", "controlled"]


def test_the_table_has_the_backends_of_the_list():
    """68 backends, of which ibmq_armonk has one qubit and so no coupler."""
    backends = pd.read_csv(DATA / "ibm_backends.csv").set_index("backend")
    sheet = calibrate(GATES).to_pandas().set_index("name")
    assert len(backends) == 68
    assert set(backends.index) - set(sheet.index) == {"ibmq_armonk"}
    assert backends.loc["ibmq_armonk", "n_qubits"] == 1
    assert sheet["physical_qubits"].le(backends["n_qubits"].loc[sheet.index]).all()
    # The list was derived with the maker's flags of faulty qubits and its readout, which the gate table does not have.
    same = np.isclose(sheet["two_qubit_error"], backends["derived_mean_2q_error_per_pair"].loc[sheet.index], rtol=1e-9)
    nothing = sheet["two_qubit_error"].isna()
    assert sorted(sheet.index[~same & ~nothing]) == ["alt_cairo", "ibm_geneva", "ibm_hanoi", "ibmq_rochester"]
    assert list(sheet.index[nothing]) == ["ibm_kyoto"]


def test_a_dead_machine_has_no_connected_qubit():
    """ibm_kyoto's snapshot marks all 144 couplers dead: free without them, and with them an error of 1."""
    row = calibrate(GATES).to_pandas().set_index("name").loc["ibm_kyoto"]
    assert (row["physical_qubits"], row["couplers"], row["dead_couplers"]) == (0, 144, 144)
    assert (row["mean_with_dead_qubits"], row["mean_with_dead_error"]) == (127, 1)


ERRORS = st.sampled_from([Fraction(n, 1000) for n in (1, 2, 3, 4, 6, 9, 20)] + [Fraction(1)])
GRAPHS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), ERRORS).filter(lambda e: e[0] != e[1]), max_size=14)


def machines_of(graphs, exact):
    rows = [(b, q0, q1, error) for b, graph in enumerate(graphs) for q0, q1, error in graph]
    error = np.array([row[3] for row in rows], dtype=object)
    if not exact:
        error = error.astype(np.float64)
    numbers = np.array([row[:3] for row in rows], dtype=np.int64).reshape(-1, 3)
    return gather(len(graphs), numbers[:, 0], numbers[:, 1:], error)


def couplers_of(graph):
    couplers = {}
    for q0, q1, error in graph:
        couplers.setdefault(frozenset((q0, q1)), []).append(error)
    return couplers


@settings(deadline=None, max_examples=60)
@given(graphs=st.lists(GRAPHS, min_size=1, max_size=4))
def test_any_machine_exactly_and_in_floats(graphs):
    for exact in (True, False):
        couplers = machines_of(graphs, exact)
        for with_dead in (False, True):
            ours = statistics(couplers, with_dead)
            for b, graph in enumerate(graphs):
                theirs = oracle.machine(couplers_of(graph), with_dead)
                assert ours.qubits[b] == theirs.qubits
                if theirs.mean is not None:
                    same = (lambda x: x) if exact else (lambda x: pytest.approx(float(x), rel=1e-12))
                    # Two components of one size and one lowest error may stand for each other.
                    if not _tied(graph, with_dead):
                        assert (ours.mean[b], ours.median[b]) == (same(theirs.mean), same(theirs.median))


def _tied(graph, with_dead):
    errors = {}
    for pair, values in couplers_of(graph).items():
        works = [value for value in values if value < 1]
        if works or with_dead:
            errors[pair] = sum(works) / len(works) if works else Fraction(1)
    components = oracle._components(errors)
    marks = [(len(part), -min(value for pair, value in errors.items() if pair <= part)) for part in components]
    return marks.count(max(marks)) > 1


@settings(deadline=None, max_examples=40)
@given(graph=GRAPHS, wanted=st.integers(2, 5))
def test_a_grown_part_is_a_bound(graph, wanted):
    """Never lower than the lowest, found whenever a part of that size exists, and right for two qubits."""
    ours = best_connected_part(machines_of([graph], exact=True), wanted)[0]
    lowest = oracle.best_part(couplers_of(graph), wanted)
    if lowest is None:
        assert ours != ours
    else:
        assert ours >= lowest
        assert wanted > 2 or ours == lowest


def test_growing_is_the_same_compiled():
    plain = best_connected_part(machines_of([[(0, 1, Fraction(1, 1000)), (1, 2, Fraction(1, 500))]], exact=False), 3)
    assert plain[0] == pytest.approx(0.0015)
    sheet = calibrate(GATES, part=100).to_pandas().set_index("name")
    exact = {}
    for name in ("ibm_boston",):
        couplers = oracle.read_table(GATES)[name]
        rows = [
            (min(pair), max(pair), sum(v for v in values if v < 1) / max(1, sum(v < 1 for v in values)) or Fraction(1))
            for pair, values in couplers.items()
        ]
        exact[name] = best_connected_part(machines_of([rows], exact=True), 20)[0]
        part = calibrate(GATES, part=20).to_pandas().set_index("name").loc[name, "part_of_20_mean_error"]
        assert part == pytest.approx(float(exact[name]), rel=1e-12)
    assert sheet.loc["ibm_boston", "part_of_100_mean_error"] < sheet.loc["ibm_boston", "two_qubit_error"]


def test_what_a_table_may_look_like(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("backend,q0,q1,gate_error\na,0,1,0.001\na,1,0,0.003\na,1,2,?\nb,5,6,1\nb,6,7,0.01\n")
    answer = run("quantum-calibration", table, "--json")
    assert answer.exit_code == 1  # one error could not be read
    first, second = json.loads(answer.stdout)
    assert (first["physical_qubits"], first["two_qubit_error"], first["unread_couplers"]) == (2, 0.002, 1)
    assert (second["physical_qubits"], second["dead_couplers"], second["mean_with_dead_error"]) == (2, 1, 0.505)
    parquet = tmp_path / "o.parquet"
    assert run("quantum-calibration", table, "-o", parquet).exit_code == 1
    assert list(perfcalc.read(parquet)["name"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("backend,q0,q1\na,0,1\n", "no column gate_error"),
        ("backend,q0,q1,gate_error\na,0,x,0.1\n", "q1 is 'x'"),
        ("backend,q0,q1,gate_error\na,0,1.5,0.1\n", "q1 is '1.5'"),
    ],
)
def test_what_cannot_be_used_is_said(text, words, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text(text)
    answer = run("quantum-calibration", table)
    assert answer.exit_code == 2
    assert words in answer.stderr
