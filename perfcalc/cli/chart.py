"""``perfcalc chart``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from perfcalc.cli.app import DONE, DONE_BUT, json_option, law_layer_option, main, rules_option, split

if TYPE_CHECKING:
    from perfcalc.rulebook.book import Law


@main.command()
@click.argument("sheet", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="OUT.svg, OUT.png or OUT.html.")
@click.option(
    "--kind",
    type=click.Choice(["density", "timeline", "quantum", "coverage", "origin"]),
    help="Default: what suits the items of the sheet.",
)
@click.option("--as-of", metavar="DATE", help="The day whose law is drawn, YYYY-MM-DD. Default: today.")
@click.option("--from", "from_", metavar="DATE", help="Where the time line begins.")
@click.option("--jurisdiction", help="One; for coverage one or more, joined by commas. Default: us, or all of them.")
@click.option("--readings", default="", metavar="CHOICES", help="As for `score`.")
@rules_option
@law_layer_option
@click.option("--dark", is_flag=True, help="On a dark page.")
@json_option
def chart(
    sheet: Path,
    output: Path,
    kind: str | None,
    as_of: str | None,
    from_: str | None,
    jurisdiction: str | None,
    readings: str,
    overlays: tuple[str, ...],
    law: Law,
    dark: bool,
    as_json: bool,
) -> None:
    """Draw the items of a sheet against the law of a day: SVG, PNG, or one HTML file that needs no network.

    Needs the extra: pip install "perfcalc[charts]".
    """
    import pyarrow as pa

    from perfcalc.answers.charts.render import check_ending
    from perfcalc.api import chart as chart_of_frame
    from perfcalc.sheets.read import open_sheet

    check_ending(output)
    opened = open_sheet(sheet)
    drawn = chart_of_frame(
        pa.Table.from_batches(opened.batches(), opened.schema),
        kind=kind,
        as_of=as_of,
        from_=from_,
        jurisdictions=split(jurisdiction) if jurisdiction else None,
        rules=overlays,
        readings=readings,
        law=law,
        dark=dark,
    )
    drawn.save(output)
    if as_json:
        answer = {"output": str(output), "rejects": len(opened.rejects), **drawn.to_dict()}
        click.echo(json.dumps(answer, indent=2))
    else:
        rejected = [f"{len(opened.rejects):,} rows rejected"] if opened.rejects else []
        for line in (*filter(None, drawn.notes), *rejected, f"{drawn.title}: {output}"):
            click.echo(line)
    sys.exit(DONE_BUT if opened.rejects else DONE)
