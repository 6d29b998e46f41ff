"""``perfcalc headroom`` and ``perfcalc check``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from perfcalc.cli.app import (
    DONE,
    DONE_BUT,
    Question,
    console,
    json_option,
    main,
    output_option,
    question_options,
    table_of,
)
from perfcalc.errors import InputError

if TYPE_CHECKING:
    from perfcalc.answers.designs import Design
    from perfcalc.answers.headroom import Headroom


@main.command()
@click.argument("sheet", required=False, type=click.Path(path_type=Path))
@click.option("--item", metavar="NAME", help="One item, by name or id. Default: all of them.")
@click.option("--design", is_flag=True, help="Instead of a sheet: how fast a chip may be in each format.")
@click.option("--area", metavar="MM2", help="Of the design: logic area in mm².")
@click.option("--node", metavar="NODE", help="Of the design: process node, such as N5.")
@click.option("--datacenter", type=click.Choice(["yes", "no"]), help="Of the design: made for data centres?")
@click.option("--memory-bandwidth", metavar="GB/S", help="Of the design: bandwidth to its DRAM.")
@click.option("--interconnect", metavar="GB/S", help="Of the design: input and output rate.")
@click.option(
    "--chart",
    "picture",
    type=click.Path(path_type=Path),
    metavar="OUT.svg",
    help="With --design: also draw the allowed space, as SVG, PNG or HTML.",
)
@output_option
@question_options
@json_option
def headroom(
    sheet: Path | None,
    item: str | None,
    design: bool,
    area: str | None,
    node: str | None,
    datacenter: str | None,
    memory_bandwidth: str | None,
    interconnect: str | None,
    picture: Path | None,
    output: Path | None,
    question: Question,
    as_json: bool,
) -> None:
    """How far each item is from every line: the smallest change of one field, or of all rates, that moves its verdict.

    Of many items a table shows the nearest line of each, the nearest item first; -o and --json have every line. With --design, the largest dense rate of each format at which a chip stays outside the lines; with --rules too, it
    is given for the law as it is and under the overlay.
    """
    from perfcalc.api import headroom as headroom_of_frame
    from perfcalc.api import headroom_design

    if design == (sheet is not None):
        raise InputError("give a SHEET or --design", "`perfcalc headroom SHEET`, or `--design --area 600`")
    if design and area is None:
        raise InputError("a design has an area", "add --area, in mm²")
    if picture is not None and not design:
        raise InputError("--chart draws the space of a design", "use it with --design, or `perfcalc chart SHEET`")
    answer: Design | Headroom
    if sheet is None:
        answer = headroom_design(
            area=area or "",
            node=node,
            datacenter=datacenter,
            memory_bandwidth=memory_bandwidth,
            interconnect=interconnect,
            **question,
        )
        if picture is not None:
            from perfcalc.api import design_chart

            design_chart(
                answer,
                jurisdictions=question["jurisdictions"],
                rules=question["rules"],
                readings=question["readings"],
                law=question["law"],
            ).save(picture)
    else:
        answer = headroom_of_frame(table_of(sheet), item=item, **question)
    if output is not None:
        answer.write(output)
    if as_json:
        click.echo(json.dumps(answer.to_dict(), indent=2))
        return
    for part in answer.parts() if output is None else [f"{len(answer):,} lines written to {output}"]:
        console().print(part, soft_wrap=isinstance(part, str))


@main.command()
@click.argument("sheet", type=click.Path(path_type=Path))
@click.option(
    "--expected",
    required=True,
    metavar="GOLDEN.csv",
    type=click.Path(path_type=Path),
    help="name or id, any result columns, and perhaps as_of: the day of a row.",
)
@click.option(
    "--tolerance", "tolerances", multiple=True, metavar="COLUMN=0.1%", help="Relative, of numbers. Default: 1e-9."
)
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE.xml", help="Also write JUnit XML.")
@click.option("--update", is_flag=True, help="Rewrite the golden file; needs a reason.")
@click.option("--reason", default="", metavar="WHY", help="Why; kept in the column `reason` of the rows that change.")
@question_options
@json_option
def check(
    sheet: Path,
    expected: Path,
    tolerances: tuple[str, ...],
    junit: Path | None,
    update: bool,
    reason: str,
    question: Question,
    as_json: bool,
) -> None:
    """A catalogue's regression test: exit 1 if any result drifts from what is expected, or an item is missing or extra.

    The golden file's columns say the jurisdictions; --jurisdiction is for a golden file that --update makes anew.
    """
    from perfcalc.answers.check import check_parts
    from perfcalc.api import check as check_frame
    from perfcalc.files import whole_files

    answer = check_frame(
        table_of(sheet),
        expected,
        tolerances=tolerances,
        update=update,
        reason=reason,
        **question,
    )
    if junit is not None:
        with whole_files(junit) as (draft,):
            draft.write_text(answer.junit(), "utf-8")
    if as_json:
        click.echo(json.dumps(answer.to_dict(), indent=2))
    else:
        for part in check_parts(answer):
            console().print(part, soft_wrap=True)
    sys.exit(DONE_BUT if answer.drifted and not answer.updated else DONE)
