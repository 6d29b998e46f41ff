"""Rows that could not be read as rows: nothing is lost, and each says why."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

HEADINGS = ("file", "line", "column", "raw", "reason", "remedy")


@dataclass(frozen=True)
class Reject:
    """One row that was left out of the result."""

    file: str
    line: int | None
    column: str
    raw: str
    reason: str
    remedy: str


def rejects_path(result: Path) -> Path:
    """Where the rejects of a result file go: ``OUT.rejects.csv`` beside ``OUT.parquet``."""
    return result.with_suffix(".rejects.csv")


def write_rejects(rejects: Iterable[Reject], path: Path) -> None:
    """Write the rejects of a run."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        writer.writerows(
            (
                harmless(reject.file),
                reject.line or "",
                harmless(reject.column),
                harmless(reject.raw),
                reject.reason,
                reject.remedy,
            )
            for reject in rejects
        )


def harmless(text: str) -> str:
    """Text that a spreadsheet does not run: an apostrophe before what it would take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
