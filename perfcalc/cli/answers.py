"""``perfcalc changes`` and ``perfcalc coverage``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from perfcalc.cli.app import (
    Question,
    console,
    json_option,
    law_layer_option,
    main,
    question_options,
    rules_option,
    split,
    table_of,
)

if TYPE_CHECKING:
    from perfcalc.rulebook.book import Law


@main.command()
@click.argument("sheet", type=click.Path(path_type=Path))
@click.option("--from", "from_", metavar="DATE", help="The earlier day. Not needed with --rules.")
@click.option("--to", metavar="DATE", help="The later day. Default: today.")
@click.option("--step", is_flag=True, help="Every day in between on which the rule book changes.")
@click.option("--jurisdiction", default="us", show_default=True, help="One or more, joined by commas, or 'all'.")
@click.option("--readings", default="", metavar="CHOICES", help="As for `score`.")
@rules_option
@law_layer_option
@json_option
def changes(
    sheet: Path,
    from_: str | None,
    to: str | None,
    step: bool,
    jurisdiction: str,
    readings: str,
    overlays: tuple[str, ...],
    law: Law,
    as_json: bool,
) -> None:
    """Who moves between two days, or under an overlay: by which clause, and why."""
    from perfcalc.answers.comparisons import changes_parts
    from perfcalc.api import changes as changes_of

    answer = changes_of(
        table_of(sheet),
        from_=from_,
        to=to,
        jurisdictions=split(jurisdiction),
        rules=overlays,
        readings=readings,
        law=law,
        step=step,
    )
    if as_json:
        click.echo(json.dumps(answer.to_dict(), indent=2))
        return
    for part in changes_parts(answer):
        console().print(part)


@main.command()
@click.argument("sheet", type=click.Path(path_type=Path))
@question_options
@json_option
def coverage(sheet: Path, question: Question, as_json: bool) -> None:
    """Items against jurisdictions on one day, and the gaps between them."""
    from perfcalc.answers.comparisons import coverage_parts
    from perfcalc.api import coverage as coverage_of

    answer = coverage_of(table_of(sheet), **question)
    if as_json:
        click.echo(json.dumps(answer.to_dict(), indent=2))
        return
    for part in coverage_parts(answer):
        console().print(part)
