"""``perfcalc quantum-calibration``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from perfcalc.cli.app import DONE, DONE_BUT, json_option, main
from perfcalc.errors import InputError


@main.command("quantum-calibration")
@click.argument("table", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="OUT.csv or OUT.parquet. Default: print CSV.")
@click.option(
    "--each-reading", is_flag=True, help="One row a machine and reading (mean, median, dead gates in or out)."
)
@click.option(
    "--connected-part", type=click.IntRange(2), metavar="N", help="Add the mean error of a good part of N qubits."
)
@json_option
def quantum_calibration(
    table: Path, output: Path | None, each_reading: bool, connected_part: int | None, as_json: bool
) -> None:
    """Turn a per-coupler table (backend, q0, q1, gate_error) into a sheet that `score` takes."""
    from perfcalc.answers.calibration import as_csv, calibrate, write_sheet

    sheet = calibrate(table, each_reading, connected_part)
    if output is not None:
        if output.suffix.casefold() not in (".csv", ".parquet", ".pq"):
            raise InputError(f"{output}: the ending says neither CSV nor Parquet", "call it OUT.csv or OUT.parquet")
        write_sheet(sheet, output)
    if as_json:
        click.echo(json.dumps(sheet.to_pylist(), indent=2))
    elif output is None:
        click.echo(as_csv(sheet), nl=False)
    sys.exit(DONE_BUT if any(sheet.column("unread_couplers").to_pylist()) else DONE)
