"""Regenerate what the documentation shows of perfcalc's own output: ``python docs/make.py``.

Tests run the same functions and compare, so the pages cannot drift from the program.
"""

from __future__ import annotations

import re
import shlex
from io import StringIO
from pathlib import Path

import pyarrow as pa
from click.testing import CliRunner
from rich.console import Console

import perfcalc
from perfcalc.answers.charts import Chart
from perfcalc.answers.ledgers import coverage_page, ledger_page, rules_coverage
from perfcalc.answers.reference import fields_markdown
from perfcalc.answers.tables import scores_table
from perfcalc.cli import main

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"```console\n\$ perfcalc (?P<arguments>[^\n]*)\n(?P<output>.*?)```", re.DOTALL)


def run(arguments: str) -> str:
    """What a command prints, in a terminal of 100 columns."""
    result = CliRunner().invoke(main, shlex.split(arguments), env={"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"})
    if result.exit_code not in (0, 1):
        raise RuntimeError(f"perfcalc {arguments}: {result.output}")
    return "\n".join(line.rstrip() for line in result.stdout.splitlines())


def rerun(page: str) -> str:
    """A page with the output of every command in it made anew. A line of ``...`` leaves out what stands between."""

    def fresh(block: re.Match[str]) -> str:
        shown = block["output"].rstrip("\n").split("\n...\n")
        lines = run(block["arguments"])
        if len(shown) == 2:
            head, tail = (part.count("\n") + 1 for part in shown)
            whole = lines.split("\n")
            lines = "\n".join((*whole[:head], "...", *whole[-tail:]))
        return f"```console\n$ perfcalc {block['arguments']}\n{lines}\n```"

    return BLOCK.sub(fresh, page)


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


def pages() -> dict[Path, str]:
    """Every generated page and picture."""
    return {
        ROOT / "README.md": rerun((ROOT / "README.md").read_text("utf-8")),
        ROOT / "docs" / "fields.md": fields_markdown(),
        ROOT / "docs" / "ambiguities.md": f"{ledger_page()}\n",
        ROOT / "docs" / "coverage.md": f"{coverage_page(rules_coverage())}\n",
        ROOT / "docs" / "score.svg": picture(),
    }


def charts() -> dict[Path, Chart]:
    """The charts that README and the pages show. Their bytes depend on the renderer, so tests compare digests."""
    chips = perfcalc.read(ROOT / "specs" / "chips.csv")
    folder = ROOT / "docs" / "pictures"
    return {
        folder / "density.svg": perfcalc.chart(chips, as_of="2026-11-23"),
        folder / "timeline.svg": perfcalc.chart(chips, kind="timeline", as_of="2026-11-23"),
    }


if __name__ == "__main__":
    for path, chart in charts().items():
        chart.save(path)
    for path, text in pages().items():
        path.write_text(text, "utf-8")
