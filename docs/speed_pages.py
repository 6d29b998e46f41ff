"""How fast: the made part ``<!-- made: speed -->`` of README, from the last full run that benchmarks/history.jsonl keeps."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from blocks import ROOT

HISTORY = ROOT / "benchmarks" / "history.jsonl"
#: In the order of the table; kernels by themselves and what is not here are left to the benchmarks.
CASES = {
    "us-book": "metrics and the current US rules, in memory",
    "whole-book all": "the same, for every jurisdiction",
    "whole-book every_version": "the same, for every state of every jurisdiction's law",
    "line us-csv": "CSV to Parquet with every US column",
    "line-to-csv": "CSV to CSV with every US column",
    "line us-parquet": "Parquet to Parquet with every US column",
    "line-catalogue": "real chips, the shipped ones again and again, CSV to Parquet",
    "read-csv clean": "reading a clean CSV",
    "read-csv messy": "reading a CSV with three messy cells in ten",
    "quantum": "quantum machines, in memory",
    "origin": "origin, in memory",
    "small-sheet": "200 chips, from a file to verdicts",
    "explain": "one chip explained",
    "start-up help": "`perfcalc --help`, a new process",
    "start-up score": "`perfcalc score` of 200 chips, a new process",
    "start-up explain": "`perfcalc explain`, a new process",
}
PEERS = {
    "polars": "Polars",
    "polars_streaming": "Polars streaming",
    "duckdb": "DuckDB",
    "pandas": "pandas",
    "numpy": "NumPy",
    "scikit_learn": "scikit-learn, one fit instead of all",
    "us_alone": "the US alone",
    "clean_sheet": "the clean one",
    "bare_read": "reading the bytes",
    "bare_copy": "Polars copying the file",
    "pandas_read": "pandas reading the sheet",
    "calculator": "a web calculator's logic",
    "vintages": "a threshold script's logic",
    "score_of_the_sheet": "scoring the sheet",
    "python": "Python doing nothing",
    "import_pandas": "`import pandas`",
}


def last_full_run(text: str) -> Mapping[str, Any] | None:
    """The last of the runs with the most rows."""
    runs = [json.loads(line) for line in text.splitlines() if line]
    most = max((run["rows"] for run in runs), default=0)
    return next((run for run in reversed(runs) if run["rows"] == most), None)


def speed() -> Iterator[str]:
    """The table of the last full run."""
    run = last_full_run(HISTORY.read_text("utf-8") if HISTORY.exists() else "")
    if run is None:
        yield "No run was recorded yet."
        return
    machine = run["machine"]
    yield (
        f"{run['date']}, commit {run['commit']}, {machine['cores']} cores ({machine['cpu']}), {machine['memory_gb']} GB, "
        f"Python {machine['python']}; medians of five or more rounds of one run."
    )
    yield ""
    yield "| what | perfcalc | beside it, as multiples of perfcalc's time |"
    yield "|---|---|---|"
    for case, name in CASES.items():
        if case in run["ratios"]:
            beside = (
                f"{PEERS.get(peer, peer.replace('_', ' '))} {_multiple(1 / ratio)}"
                for peer, ratio in run["ratios"][case].items()
            )
            yield f"| {name} | {_pace(run, case)} | {', '.join(beside)} |"


def _multiple(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _pace(run: Mapping[str, Any], case: str) -> str:
    """Rows a second where there are many, else what one call takes."""
    seconds, rows = run["seconds"][case], run.get("items", {}).get(case, 0)
    if rows < 10_000:
        return f"{seconds:.2g} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
    pace = rows / seconds
    return f"{pace / 1e6:.3g} million rows/s" if pace >= 1e6 else f"{pace:,.0f} rows/s"
