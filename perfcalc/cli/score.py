"""``perfcalc score``, ``explain``, ``readings`` and ``template``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from perfcalc.cli.app import (
    DONE,
    DONE_BUT,
    Question,
    console,
    json_option,
    law_options,
    main,
    mapping_options,
    progress_bar,
    question_options,
    split,
    table_of,
)
from perfcalc.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from perfcalc.rulebook.book import Law
    from perfcalc.summary import Summary


@main.command()
@click.argument("sheets", metavar="SHEET...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="OUT.csv, OUT.parquet, or a folder for one file each."
)
@law_options
@click.option(
    "--destination", metavar="CC", help="Two-letter country code: adds licence, usable exceptions and review policy."
)
@click.option(
    "--end-user-hq",
    metavar="CC",
    help="Country of the headquarters of the end user, or of its ultimate parent. Default: not known.",
)
@click.option("--origin", is_flag=True, help="Add where each item was likely made.")
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="OUT.html", help="Also write a report: one HTML file."
)
@click.option("--strict", is_flag=True, help="Exit 1 if any verdict is open.")
@click.option(
    "--columns",
    metavar="A,B,...",
    help="Columns of the result to keep, in this order: of the sheet, figures, verdicts. Default: all.",
)
@click.option("--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True, help="Who scores.")
@click.option("--scheduler", metavar="ADDRESS", help="Of the Dask cluster: tcp://HOST:8786.")
@click.option(
    "--evidence", type=click.Path(path_type=Path), metavar="DIR", help="Write a pack that `replay` scores again."
)
@click.option("--traces", type=click.IntRange(0), help="Items of the pack that are explained whole. Default: 1000.")
@click.option("--threads", type=click.IntRange(1), help="Default: one a processor.")
@mapping_options
@json_option
def score(
    sheets: tuple[Path, ...],
    output: Path | None,
    as_of: str | None,
    jurisdiction: str,
    readings: str,
    overlays: tuple[str, ...],
    law: Law,
    destination: str | None,
    end_user_hq: str | None,
    origin: bool,
    report: Path | None,
    strict: bool,
    columns: str | None,
    engine: str,
    scheduler: str | None,
    evidence: Path | None,
    traces: int | None,
    threads: int | None,
    pairs: tuple[str, ...],
    mapping: str | None,
    as_json: bool,
) -> None:
    """Score every item of one or more sheets.

    A SHEET is delimited text in any usual encoding, XLSX, ODS, JSON lines or Parquet, compressed or not; a folder; a
    pattern; or - for standard input.
    """
    from dataclasses import replace

    from perfcalc.api import plan_for
    from perfcalc.folders import is_folder, score_folder
    from perfcalc.line import keep_columns, score_sheet
    from perfcalc.sheets.mapping import load_mapping
    from perfcalc.sheets.read import open_sheet

    folder = output is not None and is_folder(output)
    if output is not None and not folder and output.suffix.casefold() not in (".csv", ".parquet", ".pq"):
        raise InputError(f"{output}: the ending says neither CSV nor Parquet", "call it OUT.csv or OUT.parquet")
    said = load_mapping(mapping, pairs)
    _refuse_halves(evidence, report, parts=columns is not None or scheduler is not None or folder)
    if evidence is not None:
        from perfcalc.cli.evidence import score_with_evidence

        score_with_evidence(
            sheets,
            evidence,
            output,
            as_json,
            strict,
            as_of=as_of,
            jurisdictions=split(jurisdiction),
            readings=readings,
            destination=destination,
            end_user_hq=end_user_hq,
            law=law,
            rules=overlays,
            mapping=said,
            origin=origin,
            threads=threads,
            **({} if traces is None else {"traces": traces}),
        )
    if traces is not None:
        raise InputError("--traces is about the pack that --evidence writes", "add --evidence DIR")
    sheet = open_sheet(sheets, said.get("columns", ()))
    if report is not None:
        from perfcalc.answers.report import keep

        # A report shows the rows, and traces them: they are read once and held.
        sheet = keep(sheet)
    plan = plan_for(
        sheet.schema.names,
        str(sheet.path),
        as_of,
        split(jurisdiction),
        readings,
        destination=destination,
        end_user_hq=end_user_hq,
        law=law,
        rules=overlays,
        mapping=said,
    )
    plan = replace(plan, origin=origin)
    if columns is not None and output is None and not as_json:
        raise InputError("--columns is about result files and --json", "name a file with -o")
    if columns is not None:
        plan, sheet = keep_columns(plan, sheet, [name.strip() for name in columns.split(",") if name.strip()])
    on, spread = _on_dask(engine, scheduler)
    with progress_bar(sheet.rows, output is not None and not as_json) as progress:
        if output is not None and folder:
            summary = score_folder(sheet, plan, output, threads, progress, spread or map)
            scored: list[pa.RecordBatch] = []
        else:
            summary, scored = score_sheet(sheet, plan, output, threads, progress, on)
    if report is not None:
        from perfcalc.answers.report import write_report

        write_report(report, sheet, plan, summary, scored)
    if as_json:
        answer = summary.to_dict()
        if output is None:
            answer["items"] = [row for batch in scored for row in batch.to_pylist()]
        click.echo(json.dumps(answer, indent=2, default=str))
    else:
        if output is None:
            _print_table(scored, summary)
        _print_summary(summary, output)
        if report is not None:
            click.echo(f"report written to {report}")
    sys.exit(DONE_BUT if summary.rejects or (strict and summary.undecided) else DONE)


@main.command()
@click.argument("sheet", type=click.Path(path_type=Path))
@click.option("--item", required=True, metavar="NAME", help="The item's name or id.")
@question_options
@json_option
def explain(sheet: Path, item: str, question: Question, as_json: bool) -> None:
    """Why an item is judged as it is: figures, clauses, margins, citations, and what is missing."""
    from perfcalc.api import explain as explain_frame

    answer = explain_frame(table_of(sheet), item=item, **question)
    click.echo(json.dumps(answer.to_dict(), indent=2) if as_json else str(answer))


@main.command()
@json_option
def readings(as_json: bool) -> None:
    """Where the law can be read in more than one way, and what perfcalc does by default."""
    from dataclasses import asdict

    from perfcalc.metrics.readings import QUESTIONS

    if as_json:
        click.echo(json.dumps([asdict(question) for question in QUESTIONS], indent=2))
        return
    for question in QUESTIONS:
        click.echo(f"{question.name} = {' | '.join(question.options)}   (default {question.options[0]})")
        for text in (question.text, f"Why: {question.why}"):
            click.echo(click.wrap_text(text, 98, "  ", "  "))


@main.command()
@click.option(
    "--kind", default="ic", show_default=True, help="ic, memory, computer, quantum and more: see `perfcalc fields`."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Default: standard output.")
@json_option
def template(kind: str, output: Path | None, as_json: bool) -> None:
    """Write an empty sheet with every field of one kind of item."""
    from perfcalc.api import template_columns
    from perfcalc.fields import FIELDS

    columns = template_columns(kind)
    if as_json:
        text = json.dumps(
            [{"field": name, "unit": FIELDS[name].unit, "help": FIELDS[name].help} for name in columns], indent=2
        )
    else:
        text = ",".join(columns)
    if output is None:
        click.echo(text)
    else:
        output.write_text(f"{text}\n", "utf-8")


@main.command()
@click.option("--markdown", is_flag=True, help="As the page docs/fields.md.")
@json_option
def fields(markdown: bool, as_json: bool) -> None:
    """Every field that a sheet may carry, and every metric."""
    from perfcalc.answers.reference import fields_list, fields_markdown

    if markdown:
        click.echo(fields_markdown(), nl=False)
        return
    found = fields_list()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for field in found["fields"]:
        unit = f" [{field['unit']}]" if field["unit"] else ""
        click.echo(f"{field['field']}{unit}")
        click.echo(click.wrap_text(field["help"], 98, "    ", "    "))


def _refuse_halves(evidence: Path | None, report: Path | None, parts: bool) -> None:
    if (evidence or report) and parts:
        raise InputError(
            "a pack and a report hold whole results of one machine", "leave out --columns, --engine and the folder"
        )
    if evidence is not None and report is not None:
        raise InputError("a pack and a report are two runs", "leave out --report, or --evidence")


def _on_dask(engine: str, scheduler: str | None) -> tuple[Any, Any]:
    """Who runs the batches of one sheet, and who the files of a folder; none on this machine."""
    if (engine == "dask") != (scheduler is not None):
        raise InputError("--engine dask and --scheduler go together", "name both, or neither")
    if scheduler is None:
        return None, None
    from functools import partial

    from perfcalc.dask_engine import run_on_dask, spread_on_dask

    return partial(run_on_dask, scheduler=scheduler), partial(spread_on_dask, scheduler=scheduler)


def _print_table(scored: list[pa.RecordBatch], summary: Summary) -> None:
    from perfcalc.answers.tables import scores_parts

    for part in scores_parts(scored, summary.jurisdictions):
        console().print(part)


def _print_summary(summary: Summary, output: Path | None) -> None:
    from perfcalc.answers.tables import summary_lines

    for line in summary_lines(summary, output):
        console(stderr=False).print(line)
