"""What an evidence pack says in words: the law of the day, the software, and a README for the auditor."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import perfcalc
from perfcalc.line import Plan
from perfcalc.metrics.readings import QUESTIONS
from perfcalc.rulebook.licences import LicenceTable, licences_on
from perfcalc.rulebook.overlay import overlaid
from perfcalc.summary import Summary

if TYPE_CHECKING:
    from perfcalc.answers.evidence import Options, Source

#: Packages that a result rests on, or that write the result file.
PACKAGES: Final = ("numpy", "numba", "pandas", "pyarrow")


def software() -> dict[str, str]:
    """The versions of what made a pack. The code of perfcalc has a digest, for a version may stand for several."""
    found = {"perfcalc": perfcalc.__version__, "perfcalc code": _code(), "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return {**found, "platform": f"{platform.system()} {platform.machine()}"}


@cache
def _code() -> str:
    """A digest of the files of perfcalc that make results: its code and tables, without the rule book."""
    root = Path(perfcalc.__file__).parent
    files = sorted(
        path
        for path in root.rglob("*")
        if path.suffix in (".py", ".yaml", ".csv", ".json") and "rulebook" not in path.relative_to(root).parts[:-2]
    )
    digest = sha256()
    for path in files:
        digest.update(f"{path.relative_to(root).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def law_json(plan: Plan, sources: Sequence[Source], overlays: Sequence[Path]) -> dict[str, Any]:
    """Every version of every rule that was law on the day, the licence table's lines, and the readings chosen."""
    from perfcalc.answers.rules import describe

    book, day = overlaid(overlays), plan.books[0].day
    names = [each.jurisdiction for each in plan.books]
    # A list that several of the jurisdictions include stands here once.
    rules = dict.fromkeys(rule for name in names for rule in book.on(name, day, plan.law))
    tables = {name: licences_on(name, day, plan.law) for name in names} if plan.destination else {}
    return {
        "day": day.isoformat(),
        "law": plan.law,
        "hypothetical": [
            {"title": title, "file": source.file} for title, source in zip(plan.overlays, sources, strict=True)
        ],
        "jurisdictions": {name: {**asdict(book.place(name))} for name in names},
        "rules": [describe(rule) for rule in rules],
        "licences": {name: _lines(table) for name, table in tables.items() if table is not None},
        "readings": [
            {
                "name": each.name,
                "chosen": "every option" if plan.widen else getattr(plan.readings, each.name),
                "options": list(each.options),
                "text": each.text,
                "why_the_default": each.why,
            }
            for each in QUESTIONS
        ],
    }


def _lines(table: LicenceTable) -> list[dict[str, Any]]:
    return [
        {
            "what": what,
            "word": entry.word,
            "paragraph": entry.paragraph,
            "from": entry.start.isoformat(),
            "until": entry.end.isoformat() if entry.end else None,
            "status": entry.status,
            "citation": "; ".join(each.citation for each in entry.instruments),
            "verified": entry.verified.isoformat(),
            "confidence": entry.confidence,
            "note": entry.note,
        }
        for what in ("requirements", "exceptions", "reviews")
        for entry in getattr(table, what)
    ]


def readme(options: Options, summary: Summary) -> str:
    """The page of a pack for whoever audits it."""
    verdicts = "\n".join(
        f"- {name.upper()}: {', '.join(f'{count:,} {word}' for word, count in sorted(counts.items())) or 'no items'}"
        for name, counts in summary.verdicts.items()
    )
    inputs = "\n".join(f"- `{each.file}`, given as `{each.given}`\n  SHA-256 {each.sha256}" for each in options.inputs)
    overlays = "\n".join(f"- `{each.file}`" for each in options.overlays)
    hypothetical = (
        f"\nHYPOTHETICAL: these overlays lay over the rule book. Not law.\n\n{overlays}\n" if overlays else ""
    )
    return f"""# Evidence pack of perfcalc {perfcalc.__version__}

{summary.rows:,} items judged by the law of {options.as_of} ({options.law}), {len(summary.rejects):,} rows rejected.

{verdicts}
{hypothetical}
Input:

{inputs}

Rule book: SHA-256 {options.rulebook}

## How to verify it

1. The SHA-256 of `manifest.sha256` is the digest of this pack. Compare it with the one recorded when the pack was made,
   in a place that whoever holds the pack cannot change. `digest.sha256` repeats it only for convenience.
2. Every file: `sha256sum --check digest.sha256 manifest.sha256` in this folder. No perfcalc is needed for it.
3. That the result follows from the input: `perfcalc replay FOLDER --digest DIGEST` scores the input again by the options
   of this pack and compares every byte. Exit code 0: the same; 1: something differs, and what; 2: not a pack.
   With the perfcalc and packages of `run.json` the bytes are the same; with others, replay says what differs in them
   and whether the result agrees. `--rulebook pack` judges by the rule book in this folder instead of the installed one.

## What is in it

| file | what |
|---|---|
| `input/` | the sheets, byte for byte as they were read |
| `options.json` | everything that decides the result: day, jurisdictions, readings, destination, overlays, SHA-256 of each input |
| `rulebook/` | every file of the rule book |
| `overlays/`, `mapping.yaml` | overlays on the rule book; how headings were read, where the user said it |
| `{options.result}` | the result; `result.rejects.csv` beside it holds the rows that could not be read, if there were any |
| `columns.yaml` | which column was read as which field, in which unit |
| `law.json` | each rule that was law on that day, with citation, dates and confidence; the open readings and the choice made |
| `traces.jsonl` | one item a line: its figures, every paragraph asked, every clause with its margin and citation; \
of at most {options.traces:,} items (`summary.json` says of how many, and which) |
| `summary.json` | counts of verdicts, entries and findings, and what was not asked |
| `run.json`, `made.json` | the command, the versions of the software; when the pack was made |
| `manifest.sha256`, `digest.sha256` | the SHA-256 of every file; that of the manifest |

The verdicts are computed from the figures of the sheet, not from the things themselves. Not legal advice.
"""
