"""``perfcalc score --evidence`` and ``perfcalc replay``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from perfcalc.cli.app import DONE, DONE_BUT, console, json_option, main, progress_bar


def score_with_evidence(
    sheets: tuple[Path, ...], folder: Path, output: Path | None, as_json: bool, strict: bool, **options: Any
) -> None:
    """Score into an evidence pack, print the summary and leave."""
    from rich.markup import escape

    from perfcalc.answers.tables import summary_lines
    from perfcalc.api import evidence

    command = ["perfcalc", *click.get_current_context().meta.get("arguments", ())]
    with progress_bar(None, not as_json) as progress:
        pack = evidence(sheets, folder, output=output, command=command, progress=progress, **options)
    summary = pack.summary
    if as_json:
        click.echo(json.dumps({**summary.to_dict(), "evidence": pack.to_dict()}, indent=2, default=str))
    else:
        for line in summary_lines(summary, output or folder / pack.result):
            console().print(line)
        console().print(f"evidence of {pack.files:,} files in {escape(pack.folder)}")
        console().print(f"record this digest elsewhere: {pack.digest}", soft_wrap=True)
    sys.exit(DONE_BUT if summary.rejects or (strict and summary.undecided) else DONE)


@main.command()
@click.argument("pack", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--digest", metavar="SHA256", help="The digest recorded when the pack was made.")
@click.option(
    "--rulebook",
    type=click.Choice(["installed", "pack"]),
    default="installed",
    show_default=True,
    help="Judge by the rule book installed here, or by the one in the pack.",
)
@click.option("--threads", type=click.IntRange(1), help="Default: one a processor.")
@json_option
def replay(pack: Path, digest: str | None, rulebook: Any, threads: int | None, as_json: bool) -> None:
    """Verify an evidence pack and score its input again: exit 0 if the same bytes come out, 1 if anything differs.

    DIR is the folder that `score --evidence` wrote, wherever it is now, or a ZIP archive of it.
    """
    from perfcalc.answers.replay import replay_lines
    from perfcalc.api import replay as replay_pack

    answer = replay_pack(pack, digest=digest, rulebook=rulebook, threads=threads)
    click.echo(json.dumps(answer.to_dict(), indent=2) if as_json else "\n".join(replay_lines(answer)))
    sys.exit(DONE if answer.same else DONE_BUT)
