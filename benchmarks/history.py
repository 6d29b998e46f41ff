"""What earlier runs found: `history.jsonl`, one line a run, committed with the code that it was found with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ratios import measured, ratios

HISTORY = Path(__file__).with_name("history.jsonl")
LIBRARIES = ("numpy", "numba", "pandas", "polars", "duckdb", "pyarrow")


@dataclass(frozen=True)
class Run:
    """One run of the suites.

    Attributes
    ----------
    date, commit
        When, and of what; a commit with ``+`` had changes that are in no commit.
    machine
        Processor, cores, memory, Python and the versions of the libraries.
    load
        How many other processes waited for the processors when it began, one minute's mean: above zero, doubt it.
    rows
        How many rows were asked for; some suites take a part of them.
    ratios
        For each case, perfcalc's median time divided by that of each peer.
    seconds, items
        perfcalc's median time for each case, and for how many rows.
    because
        Why a run with a regression was kept.
    """

    date: str
    commit: str
    machine: dict[str, str | int]
    load: float
    rows: int
    ratios: dict[str, dict[str, float]]
    seconds: dict[str, float] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)
    because: str = ""

    def is_like(self, other: Run, peer: str) -> bool:
        """Whether a ratio to a peer can be compared: same rows, processor and cores, and the peer in the same version."""
        here, there = self.machine, other.machine
        same = [name for name in LIBRARIES if name in peer]
        return (
            self.rows == other.rows
            and all(here[fact] == there[fact] for fact in ("cpu", "cores"))
            and all(_minor(here[name]) == _minor(there[name]) for name in same)
        )


def _minor(said: str | int) -> list[str]:
    return str(said).split(".")[:2]


def machine(report: Mapping[str, Any]) -> dict[str, str | int]:
    """Facts of this machine that times depend on."""
    info = report["machine_info"]
    cpu = info.get("cpu", {})
    return {
        "cpu": cpu.get("brand_raw", info["processor"]),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "python": info["python_version"],
        **{name: version(name) for name in LIBRARIES},
    }


def run_of(report: Mapping[str, Any], rows: int, load: float) -> Run:
    """What a report of pytest-benchmark says, short enough to keep."""
    ours = [each for each in measured(report) if each.is_ours]
    commit = report.get("commit_info") or {}
    return Run(
        date=report["datetime"][:10],
        commit=f"{commit.get('id', '?')[:7]}{'+' * bool(commit.get('dirty'))}",
        machine=machine(report),
        load=round(load, 2),
        rows=rows,
        ratios=ratios(report),
        seconds={each.case: float(f"{each.seconds:.4g}") for each in ours},
        items={each.case: each.rows for each in ours if each.rows is not None},
    )


def read(path: Path = HISTORY) -> list[Run]:
    """All runs, oldest first."""
    if not path.exists():
        return []
    return [Run(**json.loads(line)) for line in path.read_text("utf-8").splitlines() if line]


def append(run: Run, path: Path = HISTORY) -> None:
    """Keep a run."""
    kept = {name: value for name, value in asdict(run).items() if value not in ("", {})}
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(kept, ensure_ascii=False)}\n")


def earlier(runs: Iterable[Run], run: Run, case: str, peer: str) -> list[float]:
    """What earlier runs like this one found for a ratio, oldest first."""
    return [each.ratios[case][peer] for each in runs if peer in each.ratios.get(case, {}) and run.is_like(each, peer)]
