"""Run the benchmarks, compare every ratio with its history, print a table, draw a plot: ``python benchmarks/run.py``.

Exit code 1 says that a ratio is worse than its history allows; a ratio that seems so is measured again before it is
believed. ``--record`` appends the run to history.jsonl.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import history
from gate import Finding, findings
from ratios import left_out, measured
from report import plot, table
from rich.console import Console

HERE = Path(__file__).parent
SUITES = tuple(sorted(path.stem.removeprefix("test_") for path in HERE.glob("test_*.py")))
#: Peers are held to the same answers on so many rows before anything is timed.
ROWS_TO_AGREE_ON = 100_000
#: What gives no ratio of times: a run too long for five rounds, and peaks of memory.
NOT_TIMED = ("benchmarks/test_line.py::test_score[all", "benchmarks/test_line.py::test_memory")


def pytest(suite: str, rows: int, *options: str) -> None:
    """Run one suite in a process of its own."""
    path = os.pathsep.join(filter(None, (str(HERE.parent), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PERFCALC_BENCH_ROWS": str(rows), "PYTHONPATH": path}
    command = [sys.executable, "-m", "pytest", str(HERE / f"test_{suite}.py"), "-o", "addopts=", "-q", *options]
    done = subprocess.run(command, cwd=HERE.parent, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise click.ClickException(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def measure(suites: Iterable[str], rows: int, console: Console) -> dict[str, Any]:
    """One report over some suites."""
    whole: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for suite in suites:
            with console.status(f"{suite}: {rows:,} rows"):
                path = Path(folder) / f"{suite}.json"
                passed_over = [f"--deselect={name}" for name in NOT_TIMED]
                pytest(suite, rows, "--benchmark-only", f"--benchmark-json={path}", *passed_over)
            report = json.loads(path.read_text("utf-8"))
            console.print(f"{suite}: {len(report['benchmarks'])} benchmarks", style="dim")
            whole = {**report, "benchmarks": [*whole.get("benchmarks", ()), *report["benchmarks"]]}
    return whole


def better(run: history.Run, again: history.Run) -> history.Run:
    """Of two looks at the same ratio the better one: chance only ever adds time, but may add it to either side."""
    both = {
        case: {peer: min(ratio, again.ratios.get(case, {}).get(peer, ratio)) for peer, ratio in found.items()}
        for case, found in run.ratios.items()
    }
    return replace(run, ratios=both)


def looked_at(run: history.Run, path: Path) -> tuple[list[Finding], list[Finding]]:
    """All findings, and those that are worse."""
    found = findings(run, history.read(path))
    return found, [each for each in found if each.is_worse]


@click.command()
@click.option("--suite", "suites", multiple=True, type=click.Choice(SUITES), help="Only this suite; may be repeated.")
@click.option("--rows", default=10_000_000, show_default=True, help="Rows of the large suites.")
@click.option("--record", is_flag=True, help="Append the run to the history, unless a ratio is worse.")
@click.option("--because", default="", metavar="WHY", help="Keep a run that is worse, and say why.")
@click.option("--history", "past", type=click.Path(path_type=Path), default=history.HISTORY, help="Another history.")
@click.option("--plot", "picture", type=click.Path(path_type=Path), help="Draw the ratios: FILE.svg, .png or .html.")
@click.option(
    "--from", "report_file", type=click.Path(path_type=Path, exists=True), help="Judge a report, run nothing."
)
def main(
    suites: tuple[str, ...],
    rows: int,
    record: bool,
    because: str,
    past: Path,
    picture: Path | None,
    report_file: Path | None,
) -> None:
    """Measure, compare with the history, and fail if a ratio is worse than it allows."""
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False, markup=False, soft_wrap=True)
    load = os.getloadavg()[0]
    if report_file is not None:
        report = json.loads(report_file.read_text("utf-8"))
    else:
        for suite in suites or SUITES:
            pytest(suite, min(rows, ROWS_TO_AGREE_ON), "--benchmark-skip")
        report = measure(suites or SUITES, rows, console)
    run = history.run_of(report, rows, load)
    found, worse = looked_at(run, past)
    if worse and report_file is None:
        cases = {each.case for each in worse}
        doubtful = {each.suite for each in measured(report) if each.case in cases}
        console.print(f"Worse at first sight, measured again: {', '.join(sorted(cases))}")
        run = better(run, history.run_of(measure(sorted(doubtful), rows, console), rows, load))
        found, worse = looked_at(run, past)
    console.print(table(found))
    for name in left_out(report):
        console.print(f"{name} ran too few rounds and does not count.")
    console.print(
        "A ratio is perfcalc's median time divided by the other's, both of this run: below 1 perfcalc is faster."
    )
    if picture is not None:
        plot(found, picture)
    for each in worse:
        console.print(
            f"WORSE: {each.case} beside {each.peer}: {each.ratio:.3g}, usually {each.usual:.3g}, "
            f"at most {each.band:.0%} more"
        )
    if record and (because or not worse):
        history.append(replace(run, because=because), past)
    sys.exit(1 if worse and not because else 0)


if __name__ == "__main__":
    main()
