"""The command line. It reads options, calls the API and prints; it holds no logic of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from perfcalc import __version__
from perfcalc.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from perfcalc.line import Summary

DONE, DONE_BUT, WRONG = 0, 1, 2
F = TypeVar("F", bound=Callable[..., Any])


class Commands(click.Group):
    """Turns what perfcalc cannot use into a message and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except InputError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(WRONG)
        except BrokenPipeError:
            ctx.exit(DONE)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="perfcalc")
def main() -> None:
    """Is this chip, computer or quantum machine export-controlled: by which rule, where, on which day, by how much?"""


def _law_options(command: F) -> F:
    for option in (
        click.option("--as-of", metavar="DATE", help="The day whose law is asked, YYYY-MM-DD. Default: today."),
        click.option("--jurisdiction", default="us", show_default=True, help="One or more, joined by commas."),
        click.option(
            "--readings",
            default="",
            metavar="CHOICES",
            help="'all' to cover every open reading of the law, or choices such as tf32_bits=32,units=max.",
        ),
    ):
        command = option(command)
    return command


def _mapping_options(command: F) -> F:
    for option in (
        click.option(
            "--map",
            "pairs",
            multiple=True,
            metavar="'HEADING=FIELD'",
            help="Read a column as a field; 'HEADING=FIELD (unit)' too.",
        ),
        click.option("--mapping", metavar="FILE", help="A mapping file, or an importer: epoch, techpowerup, ..."),
    ):
        command = option(command)
    return command


_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")


@main.command()
@click.argument("sheets", metavar="SHEET...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="OUT.csv or OUT.parquet.")
@_law_options
@click.option(
    "--destination", metavar="CC", help="Two-letter country code: adds how a licence application is reviewed."
)
@click.option("--strict", is_flag=True, help="Exit 1 if any verdict is open.")
@click.option("--threads", type=click.IntRange(1), help="Default: one a processor.")
@_mapping_options
@_json
def score(
    sheets: tuple[Path, ...],
    output: Path | None,
    as_of: str | None,
    jurisdiction: str,
    readings: str,
    destination: str | None,
    strict: bool,
    threads: int | None,
    pairs: tuple[str, ...],
    mapping: str | None,
    as_json: bool,
) -> None:
    """Score every item of one or more sheets.

    A SHEET is delimited text in any usual encoding, XLSX, ODS, JSON lines or Parquet, compressed or not; a folder; a
    pattern; or - for standard input.
    """
    from perfcalc.api import plan_for
    from perfcalc.line import score_sheet
    from perfcalc.sheets.mapping import load_mapping
    from perfcalc.sheets.read import open_sheet

    if output is not None and output.suffix.casefold() not in (".csv", ".parquet", ".pq"):
        raise InputError(f"{output}: the ending says neither CSV nor Parquet", "call it OUT.csv or OUT.parquet")
    said = load_mapping(mapping, pairs)
    sheet = open_sheet(sheets, said.get("columns", ()))
    plan = plan_for(sheet.schema.names, str(sheet.path), as_of, _split(jurisdiction), readings, destination, said)
    with _progress(sheet.rows, output is not None and not as_json) as progress:
        summary, scored = score_sheet(sheet, plan, output, threads, progress)
    if as_json:
        answer = summary.to_dict()
        if output is None:
            answer["items"] = [row for batch in scored for row in batch.to_pylist()]
        click.echo(json.dumps(answer, indent=2, default=str))
    else:
        if output is None:
            _print_table(scored, summary)
        _print_summary(summary, output)
    sys.exit(DONE_BUT if summary.rejects or (strict and summary.undecided) else DONE)


@main.command()
@click.argument("sheet", type=click.Path(path_type=Path))
@click.option("--item", required=True, metavar="NAME", help="The item's name or id.")
@_law_options
@_json
def explain(sheet: Path, item: str, as_of: str | None, jurisdiction: str, readings: str, as_json: bool) -> None:
    """Why an item is judged as it is: figures, clauses, margins, citations, and what is missing."""
    import pyarrow as pa

    from perfcalc.api import explain as explain_frame
    from perfcalc.sheets.read import open_sheet

    opened = open_sheet(sheet)
    table = pa.Table.from_batches(opened.batches(), opened.schema)
    answer = explain_frame(table, item=item, as_of=as_of, jurisdictions=_split(jurisdiction), readings=readings)
    click.echo(json.dumps(answer.to_dict(), indent=2) if as_json else str(answer))


@main.command("read")
@click.argument("sheets", metavar="SHEET...", nargs=-1, required=True, type=click.Path(path_type=Path))
@_mapping_options
@click.option("--save-mapping", type=click.Path(path_type=Path), help="Write what was understood as a mapping file.")
@_json
def read_sheet(
    sheets: tuple[Path, ...], pairs: tuple[str, ...], mapping: str | None, save_mapping: Path | None, as_json: bool
) -> None:
    """Say how a sheet is understood, column by column, before anything is computed."""
    from perfcalc.line import whole_files
    from perfcalc.sheets.headers import recognise
    from perfcalc.sheets.mapping import load_mapping, mapping_text
    from perfcalc.sheets.read import open_sheet
    from perfcalc.sheets.report import lines, report

    said = load_mapping(mapping, pairs)
    sheet = open_sheet(sheets, said.get("columns", ()))
    columns = recognise(sheet.schema.names, str(sheet.path), said)
    found = report(sheet, columns)
    if save_mapping is not None:
        with whole_files(save_mapping) as (draft,):
            draft.write_text(mapping_text(columns.bindings), "utf-8")
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2, ensure_ascii=False, default=str))
    else:
        click.echo("\n".join(lines(found)))
    sys.exit(DONE_BUT if found.rejects else DONE)


@main.group()
def rules() -> None:
    """The rule book: list it, show an entry, check it."""


@rules.command("list")
@click.option("--as-of", metavar="DATE", help="Only what is in force on this day.")
@click.option("--jurisdiction", help="One or more, joined by commas.")
@_json
def rules_list(as_of: str | None, jurisdiction: str | None, as_json: bool) -> None:
    """List every version of every paragraph."""
    from perfcalc.answers.rules import list_rules, rules_table

    found = list_rules(as_of, _split(jurisdiction) if jurisdiction else None)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        _console().print(rules_table(found))


@rules.command("show")
@click.argument("entry")
@click.option("--as-of", metavar="DATE", help="Only the version in force on this day.")
@_json
def rules_show(entry: str, as_of: str | None, as_json: bool) -> None:
    """Show an entry or paragraph in every version, with its citations."""
    from perfcalc.answers.rules import rule_text, show_rules

    found = show_rules(entry, as_of)
    click.echo(json.dumps(found, indent=2) if as_json else "\n\n".join(rule_text(rule) for rule in found))


@rules.command("lint")
@click.option("--as-of", metavar="DATE", help="Report texts that were last checked long before this day.")
@_json
def rules_lint(as_of: str | None, as_json: bool) -> None:
    """Check the rule book: citations, dates, overlaps, names, staleness."""
    from perfcalc.line import parse_day
    from perfcalc.rulebook.book import load
    from perfcalc.rulebook.lint import lint

    findings = lint(load(), parse_day(as_of))
    if as_json:
        click.echo(json.dumps([vars(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(f"{finding.level}: {finding.where}: {finding.what}")
        versions = len(load().rules)
        click.echo(f"{versions} versions checked, {sum(each.level == 'error' for each in findings)} errors")
    sys.exit(DONE_BUT if any(finding.level == "error" for finding in findings) else DONE)


@main.command()
@_json
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
@click.option("--kind", default="ic", show_default=True, help="ic, memory, computer or quantum.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Default: standard output.")
@_json
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


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip().casefold() for part in text.split(",") if part.strip())


def _console(stderr: bool = False) -> Any:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


@contextmanager
def _progress(rows: int | None, wanted: bool) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal; nothing elsewhere."""
    if not wanted or not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("scoring"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} rows"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=_console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=rows)
        yield lambda done: bar.update(task, completed=done)


def _print_table(scored: list[pa.RecordBatch], summary: Summary) -> None:
    from perfcalc.answers.tables import scores_table

    _console().print(scores_table(scored, summary.jurisdictions))


def _print_summary(summary: Summary, output: Path | None) -> None:
    from perfcalc.answers.tables import summary_lines

    for line in summary_lines(summary, output):
        _console(stderr=False).print(line)


if __name__ == "__main__":
    main()
