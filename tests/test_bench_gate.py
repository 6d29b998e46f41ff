"""The benchmark gate by itself: made-up reports, no clock."""

import json
from statistics import median

import history
import pytest
import report as shown
import run as bench
from click.testing import CliRunner
from gate import LEAST, MOST, Finding, findings
from hypothesis import given
from hypothesis import strategies as st
from ratios import left_out, ratios
from speed_pages import last_full_run

ROWS = 1_000_000


def benchmark(name, seconds, group="us-book", params=None, rounds=5, suite="chips"):
    param = "-".join(params.values()) if params else None
    return {
        "name": f"{name}[{param}]" if param else name,
        "fullname": f"benchmarks/test_{suite}.py::{name}",
        "group": group,
        "param": param,
        "params": params,
        "extra_info": {"rows": ROWS} if name == "test_perfcalc" else {},
        "stats": {"median": seconds, "rounds": rounds},
    }


def report_of(*benchmarks):
    return {
        "benchmarks": list(benchmarks),
        "datetime": "2026-11-23T08:00:00+00:00",
        "machine_info": {"processor": "x86_64", "python_version": "3.11.7", "cpu": {"brand_raw": "A processor"}},
        "commit_info": {"id": "0123456789abcdef", "dirty": False},
    }


def one_run(ours=1.0):
    """Two groups; perfcalc's time in the first is given."""
    return report_of(
        benchmark("test_perfcalc", ours),
        benchmark("test_polars", 4.0),
        benchmark("test_bare_read", 0.5),
        benchmark("test_perfcalc", 0.1, "kernel-ranks", suite="kernels"),
        benchmark("test_numpy", 3.0, "kernel-ranks", suite="kernels"),
    )


def with_history(tmp_path, *times, rows=ROWS):
    path = tmp_path / "history.jsonl"
    for ours in times:
        history.append(history.run_of(one_run(ours), rows, 0.0), path)
    return path


def judge(tmp_path, report, past, *options):
    file = tmp_path / "report.json"
    file.write_text(json.dumps(report), "utf-8")
    words = ["--from", str(file), "--history", str(past), "--rows", str(ROWS), *options]
    return CliRunner().invoke(bench.main, words, catch_exceptions=False)


def test_a_seeded_regression_is_caught_and_named(tmp_path):
    past = with_history(tmp_path, 0.98, 1.0, 1.03)
    result = judge(tmp_path, one_run(1.6), past)
    assert result.exit_code == 1
    worse = [line for line in result.output.splitlines() if line.startswith("WORSE")]
    assert [line.split(":")[1].strip() for line in worse] == ["us-book beside polars", "us-book beside bare_read"]


@pytest.mark.parametrize("ours", [0.4, 1.0, 1.2])
def test_within_the_band_nothing_is_said(tmp_path, ours):
    result = judge(tmp_path, one_run(ours), with_history(tmp_path, 0.98, 1.0, 1.03))
    assert result.exit_code == 0
    assert "WORSE" not in result.output


def test_only_like_runs_are_compared(tmp_path, monkeypatch):
    assert judge(tmp_path, one_run(9.0), tmp_path / "none.jsonl").exit_code == 0
    other_rows = with_history(tmp_path, 1.0, rows=10 * ROWS)
    assert judge(tmp_path, one_run(9.0), other_rows).exit_code == 0
    now = history.run_of(one_run(9.0), ROWS, 0.0)
    before = history.run_of(one_run(1.0), ROWS, 0.0)
    assert [each.case for each in findings(now, [before]) if each.is_worse] == ["us-book", "us-book"]
    for fact, value in (("cpu", "Another processor"), ("cores", 4096)):
        elsewhere = history.Run(**{**vars(before), "machine": {**before.machine, fact: value}})
        assert not any(each.past for each in findings(now, [elsewhere]))
    faster_polars = history.Run(**{**vars(before), "machine": {**before.machine, "polars": "999.0"}})
    assert [each.peer for each in findings(now, [faster_polars]) if each.is_worse] == ["bare_read"]


@given(
    st.lists(st.floats(1e-4, 1e4), min_size=1, max_size=12),
    st.floats(0.01, 1.0 + LEAST),
    st.floats(1.0 + MOST, 100, exclude_min=True),
)
def test_no_history_is_too_quiet_or_too_restless(past, little, much):
    """A quarter is always forgiven, and half as much again never, whatever was found before."""
    assert not Finding("case", "peer", median(past) * little * (1 - 1e-9), past).is_worse
    assert Finding("case", "peer", median(past) * much * (1 + 1e-9), past).is_worse


def test_a_restless_history_widens_the_band():
    quiet, restless = Finding("", "", 1.4, [1, 1, 1]), Finding("", "", 1.4, [0.9, 1, 1.1])
    assert (quiet.band, quiet.is_worse) == (LEAST, True)
    assert restless.band == pytest.approx(3 * 1.4826 * 0.1)
    assert not restless.is_worse


def test_a_doubt_is_measured_again(tmp_path, monkeypatch):
    """Only the suite in doubt runs again; the better look counts."""
    past, asked = with_history(tmp_path, 1.0), []

    def looks(*times):
        left = list(times)

        def measure(suites, rows, console):
            asked.append(tuple(suites))
            return one_run(left.pop(0))

        return measure

    monkeypatch.setattr(bench, "pytest", lambda *_: None)
    words = ["--history", str(past), "--rows", str(ROWS)]
    for times, code in (((1.6, 1.1), 0), ((1.6, 1.5), 1), ((1.1,), 0)):
        monkeypatch.setattr(bench, "measure", looks(*times))
        assert CliRunner().invoke(bench.main, words, catch_exceptions=False).exit_code == code
    assert asked == [bench.SUITES, ("chips",), bench.SUITES, ("chips",), bench.SUITES]


def test_only_a_good_run_is_recorded_unless_a_reason_is_given(tmp_path):
    past = with_history(tmp_path, 1.0)
    assert judge(tmp_path, one_run(1.6), past, "--record").exit_code == 1
    assert len(history.read(past)) == 1
    assert judge(tmp_path, one_run(1.1), past, "--record").exit_code == 0
    assert judge(tmp_path, one_run(1.9), past, "--record", "--because", "exact at the line").exit_code == 0
    kept = history.read(past)
    assert [run.because for run in kept] == ["", "", "exact at the line"]
    assert kept[1].ratios == {"us-book": {"polars": 0.275, "bare_read": 2.2}, "kernel-ranks": {"numpy": 0.03333}}
    assert (kept[1].commit, kept[1].items["us-book"], kept[1].machine["cpu"]) == ("0123456", ROWS, "A processor")


def test_a_peer_stands_beside_each_of_ours_with_its_parameters():
    both = {"ending": "csv", "where": "us"}
    report = report_of(
        benchmark("test_score", 3.0, "line", both),
        benchmark("test_score", 1.0, "line", {**both, "ending": "parquet"}),
        benchmark("test_score", 9.0, "line", {**both, "where": "all"}, rounds=1),
        benchmark("test_bare_copy", 2.0, "line", {"ending": "csv"}),
        benchmark("test_bare_copy", 0.5, "line", {"ending": "parquet"}),
        benchmark("test_python", 0.1, "line"),
        benchmark("test_python", 7.0, "elsewhere"),
    )
    assert ratios(report) == {
        "line csv-us": {"bare_copy": 1.5, "python": 30.0},
        "line parquet-us": {"bare_copy": 2.0, "python": 10.0},
    }
    assert left_out(report) == ["test_score[csv-all]"]


def test_what_people_see(tmp_path):
    assert shown.sparkline([1, 1.5, 2]) == "▁▅█"
    assert shown.sparkline([1, 1.01]) == "▄▅"
    result = judge(tmp_path, one_run(1.6), with_history(tmp_path, 1.0, 1.1), "--plot", str(tmp_path / "plot.svg"))
    assert result.exit_code == 1
    assert "us-book" in (drawn := (tmp_path / "plot.svg").read_text("utf-8"))
    assert drawn.count("what: worse") == 2


def test_readme_shows_the_last_full_run():
    lines = [json.dumps({"rows": rows, "date": date}) for rows, date in ((10, "a"), (99, "b"), (99, "c"), (10, "d"))]
    assert last_full_run("\n".join(lines))["date"] == "c"
    assert last_full_run("") is None
