"""``perfcalc read``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from perfcalc.cli.app import DONE, DONE_BUT, json_option, main, mapping_options


@main.command("read")
@click.argument("sheets", metavar="SHEET...", nargs=-1, required=True, type=click.Path(path_type=Path))
@mapping_options
@click.option("--save-mapping", type=click.Path(path_type=Path), help="Write what was understood as a mapping file.")
@json_option
def read_sheet(
    sheets: tuple[Path, ...], pairs: tuple[str, ...], mapping: str | None, save_mapping: Path | None, as_json: bool
) -> None:
    """Say how a sheet is understood, column by column, before anything is computed."""
    from perfcalc.files import whole_files
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
