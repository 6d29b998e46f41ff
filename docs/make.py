"""Make the documentation: ``python docs/make.py``, and ``python docs/make.py site [FOLDER]``.

Without a word it runs every command and Python block of README and of the pages again and writes what they print, and
it makes the pages that README and the guide link to. `site` builds the whole site (with the rule pages, the commands and
the API, which are made from the YAML, from click and from the docstrings, and are not kept in the repository).

Tests run the same functions and compare, so the pages cannot drift from the program.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pyarrow as pa
from blocks import ROOT, rerun
from pictures import charts
from rich.console import Console
from site_pages import build, filled

import perfcalc
from perfcalc.answers.ledgers import coverage_page, ledger_page, rules_coverage
from perfcalc.answers.reference import fields_markdown
from perfcalc.answers.tables import scores_table

DOCS = ROOT / "docs"


def picture() -> str:
    """The picture at the top of README.md: the shipped sheet, scored."""
    sheet = perfcalc.read(ROOT / "specs" / "chips.csv")
    wanted = [
        "NVIDIA A100 SXM 80GB",
        "NVIDIA A800 SXM 80GB",
        "NVIDIA H100 SXM",
        "NVIDIA H20",
        "NVIDIA L20",
        "NVIDIA L40S",
    ]
    wanted += [
        "NVIDIA GeForce RTX 4090",
        "NVIDIA GeForce RTX 4090 D",
        "AMD Instinct MI300X",
        "Huawei Ascend 910",
        "Huawei Ascend 910B4",
    ]
    chosen = sheet[sheet["name"].isin(wanted)]
    scored = perfcalc.score(pa.Table.from_pandas(chosen, preserve_index=False), as_of="2026-11-23")
    table = scores_table(scored.to_batches(), ["us"])
    console = Console(record=True, width=112, file=StringIO(), force_terminal=True)
    console.print("$ perfcalc score specs/chips.csv --as-of 2026-11-23", style="dim")
    console.print(table)
    return console.export_svg(title="perfcalc", unique_id="perfcalc")


def again(path: Path) -> Callable[[], str]:
    """A page with its blocks run and its made parts made again."""
    return lambda: rerun(filled(path.read_text("utf-8")))


def pages() -> dict[Path, Callable[[], str]]:
    """Every page and picture in the repository that shows what perfcalc says, and how it is made."""
    run = [ROOT / "README.md", DOCS / "index.md", DOCS / "limits.md", *sorted((DOCS / "guide").glob("*.md"))]
    return {
        **{path: again(path) for path in run},
        DOCS / "fields.md": fields_markdown,
        DOCS / "ambiguities.md": lambda: f"{ledger_page()}\n",
        DOCS / "coverage.md": lambda: f"{coverage_page(rules_coverage())}\n",
        DOCS / "score.svg": picture,
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["site"]:
        build(Path(sys.argv[2] if len(sys.argv) > 2 else "site"))
    else:
        for path, made in pages().items():
            path.write_text(made(), "utf-8")
        for path, chart in charts().items():
            chart.save(path)
