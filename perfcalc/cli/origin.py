"""The commands of ``perfcalc origin``. Like the rest of the command line, they hold no logic of their own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from perfcalc.cli.app import DONE, DONE_BUT, json_option, main, output_option
from perfcalc.errors import InputError


class SheetOrCommand(click.Group):
    """A group that takes a first argument which is not one of its commands for a sheet."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command for sheets in front."""
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["sheet", *args]
        return super().parse_args(ctx, args)


@main.group(cls=SheetOrCommand, options_metavar="", subcommand_metavar="SHEET [-o OUT] | COMMAND [ARGS]...")
def origin() -> None:
    """Stockpiled or made at home: where the chips of a SHEET were likely made."""


@origin.command("sheet")
@click.argument("sheet", type=click.Path(path_type=Path))
@output_option
@click.option("--item", metavar="NAME", help="One item, with its time line.")
@json_option
def origin_sheet_command(sheet: Path, output: Path | None, item: str | None, as_json: bool) -> None:
    """Answer for every item of a sheet (the default command)."""
    import pyarrow as pa
    from rich.console import Console

    from perfcalc.answers.origin import origin_counts, origin_lines, origin_of, origin_table
    from perfcalc.origin.columns import recognise_origin
    from perfcalc.origin_line import origin_sheet
    from perfcalc.sheets.read import open_sheet

    opened = open_sheet(sheet)
    if item is not None:
        batches = pa.Table.from_batches(opened.batches(), opened.schema).combine_chunks().to_batches()
        if not batches:
            raise InputError(f"{sheet}: no rows", "give it one")
        found = origin_of(batches[0], item)
        lines = "\n".join([found["name"], *origin_lines(found)])
        click.echo(json.dumps(found, indent=2) if as_json else lines)
        return
    rows, scored = origin_sheet(opened, output)
    if as_json:
        items = [row for batch in scored for row in batch.to_pylist()]
        answer = {"rows": rows, "rejects": len(opened.rejects), "origins": origin_counts(scored), "items": items}
        click.echo(json.dumps(answer, indent=2, default=str))
    elif output is None:
        Console(highlight=False).print(origin_table(scored, recognise_origin(opened.schema.names)["name"]))
        click.echo("\n" + ", ".join(f"{count} {word}" for word, count in origin_counts(scored).items()))
    else:
        click.echo(f"{rows:,} rows written to {output}")
    sys.exit(DONE_BUT if opened.rejects else DONE)


_cases = click.option("--cases", type=click.Path(path_type=Path), help="Default: specs/origin_cases.csv.")


@origin.command("train")
@_cases
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the coefficients here.")
def origin_train(cases: Path | None, output: Path | None) -> None:
    """Refit the model; exit 1 if the coefficients that ship are not reproduced byte for byte."""
    from perfcalc.origin.tables import HERE
    from perfcalc.origin.train import model_text

    text = model_text(cases)
    if output is not None:
        output.write_bytes(text.encode())
    same = text.encode() == (HERE / "model.json").read_bytes()
    click.echo(f"the shipped coefficients are {'reproduced byte for byte' if same else 'NOT reproduced'}")
    sys.exit(DONE if same or output is not None else DONE_BUT)


@origin.command("evaluate")
@_cases
@click.option("--card", type=click.Path(path_type=Path, exists=True), help="Rewrite the numbers of this model card.")
@json_option
def origin_evaluate(cases: Path | None, card: Path | None, as_json: bool) -> None:
    """Every score of the model card, anew."""
    from perfcalc.answers.origin import rewrite_card
    from perfcalc.origin.numbers import evaluation, numbers_text

    found = evaluation(cases)
    if card is not None:
        rewrite_card(card, numbers_text(found))
    click.echo(json.dumps(found, indent=2) if as_json else numbers_text(found))


@origin.command("card")
def origin_card() -> None:
    """The model card: data, labels, scores, limits."""
    from perfcalc.answers.origin import card

    click.echo(card())
