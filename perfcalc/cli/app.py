"""What every command shares: the program itself, its options, its console."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, cast

import click

from perfcalc import __version__
from perfcalc.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from perfcalc.rulebook.book import Law

DONE, DONE_BUT, WRONG = 0, 1, 2
F = TypeVar("F", bound=Callable[..., Any])


class Commands(click.Group):
    """Turns what perfcalc cannot use into a message and exit code 2."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments as they were given, for the record."""
        ctx.meta["arguments"] = list(args)
        return super().parse_args(ctx, args)

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


rules_option = click.option(
    "--rules",
    "overlays",
    multiple=True,
    metavar="OVERLAY",
    help="A bill or a rule of your own, laid over the rule book: a file, or the name of one that ships (safe-chips).",
)


law_layer_option = click.option(
    "--law",
    type=click.Choice(["enforced", "codified"]),
    default="enforced",
    show_default=True,
    help="Law as enforced, or as codified: with rules that the authority does not enforce.",
)


def law_options(command: F) -> F:
    """Which law: day, jurisdictions, readings, overlays."""
    for option in (
        rules_option,
        click.option("--as-of", metavar="DATE", help="The day whose law is asked, YYYY-MM-DD. Default: today."),
        law_layer_option,
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


def mapping_options(command: F) -> F:
    """How the headings of a sheet are read."""
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


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")


def split(text: str) -> tuple[str, ...]:
    """``us,eu`` as names."""
    return tuple(part.strip().casefold() for part in text.split(",") if part.strip())


def console(stderr: bool = False) -> Any:
    """A terminal that does not colour numbers by itself."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


@contextmanager
def progress_bar(rows: int | None, wanted: bool) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal; nothing elsewhere."""
    if not wanted or not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Speed(ProgressColumn):
        """Rows a second."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.finished_speed or task.speed or 0:,.0f} rows/s")

    columns = (
        TextColumn("scoring"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} rows"),
        Speed(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=rows)
        yield lambda done: bar.update(task, completed=done)


class Question(TypedDict):
    """Which law is asked: the options that every function of the API takes."""

    as_of: str | None
    jurisdictions: tuple[str, ...]
    readings: str
    rules: tuple[str, ...]
    law: Law


def question_options(command: F) -> F:
    """`law_options`, handed over together as `question`."""

    @wraps(command)
    def asked(
        as_of: str | None, jurisdiction: str, readings: str, overlays: tuple[str, ...], law: Law, **others: Any
    ) -> Any:
        places = split(jurisdiction)
        question = Question(as_of=as_of, jurisdictions=places, readings=readings, rules=overlays, law=law)
        return command(question=question, **others)

    return cast("F", law_options(asked))


def _with_known_ending(_context: click.Context, _option: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and path.suffix.casefold() not in (".csv", ".parquet", ".pq"):
        raise InputError(f"{path}: the ending says neither CSV nor Parquet", "call it OUT.csv or OUT.parquet")
    return path


output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path), callback=_with_known_ending, help="OUT.csv or OUT.parquet."
)


def table_of(sheet: Path) -> pa.Table:
    """A sheet as one table."""
    import pyarrow as pa

    from perfcalc.sheets.read import open_sheet

    opened = open_sheet(sheet)
    return pa.Table.from_batches(opened.batches(), opened.schema)
