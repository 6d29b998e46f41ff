"""``perfcalc serve``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from perfcalc.cli.app import main
from perfcalc.errors import InputError


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Any other needs a token.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Where it listens.")
@click.option(
    "--token",
    envvar="PERFCALC_TOKEN",
    default="",
    help="What a user must know. Better in the environment as PERFCALC_TOKEN, where other users do not see it.",
)
@click.option("--name", "names", multiple=True, help="A further name of this server, such as chips.example.org.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where uploads and results are kept. Default: the user's data folder.",
)
@click.option(
    "--keep-days", default=7.0, show_default=True, type=click.FloatRange(min=0.01), help="Then a job is deleted."
)
@click.option("--workers", type=click.IntRange(1, 64), help="Sheets scored at once. Default: one a processor.")
@click.option(
    "--max-upload", default=256, show_default=True, type=click.IntRange(1), metavar="MIB", help="Of one file."
)
@click.option("--max-rows", default=2_000_000, show_default=True, type=click.IntRange(1), help="Of one sheet.")
@click.option("--max-columns", default=2_000, show_default=True, type=click.IntRange(1), help="Of one sheet.")
@click.option("--max-seconds", default=600, show_default=True, type=click.IntRange(1), help="Of one job.")
@click.option(
    "--max-memory", default=6144, show_default=True, type=click.IntRange(512), metavar="MIB", help="Of one job."
)
@click.option("--max-waiting", default=100, show_default=True, type=click.IntRange(1), help="Jobs in the queue.")
@click.option("--open", "open_page", is_flag=True, help="Also open the page in the browser.")
def serve(
    host: str,
    port: int,
    token: str,
    names: tuple[str, ...],
    data: Path | None,
    keep_days: float,
    workers: int | None,
    max_upload: int,
    max_rows: int,
    max_columns: int,
    max_seconds: int,
    max_memory: int,
    max_waiting: int,
    open_page: bool,
) -> None:
    """The upload page, on this machine or for a team: drop a sheet, see what is controlled where.

    Nothing leaves the machine that it runs on.
    """
    try:
        import fastapi  # noqa: F401 - to say what is missing before anything starts
        import uvicorn  # noqa: F401 - as above
    except ImportError as error:
        raise InputError(f"the page needs {error.name}", "pip install 'perfcalc[web]'") from error
    from perfcalc.web.app import serve as run
    from perfcalc.web.settings import Limits, Settings, data_folder

    limits = Limits(
        upload_bytes=max_upload << 20,
        rows=max_rows,
        columns=max_columns,
        seconds=max_seconds,
        memory_bytes=max_memory << 20,
        waiting=max_waiting,
    )
    settings = Settings(
        data or data_folder(),
        host,
        port,
        token,
        names,
        keep_days,
        workers or max(1, os.cpu_count() or 1),
        limits,
    )
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host  # noqa: S104 - it is compared
    click.echo(f"perfcalc is at http://{shown}:{port}  (Ctrl-C stops it; uploads are kept in {settings.data})")
    if open_page:
        click.launch(f"http://{shown}:{port}")
    run(settings)
