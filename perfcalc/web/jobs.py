"""What the API and the pages do with jobs: take in a sheet, ask, wait, hand out files."""

from __future__ import annotations

import asyncio
import json
import shutil
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import Depends, Request, UploadFile
from starlette.exceptions import HTTPException

from perfcalc.errors import InputError
from perfcalc.fields import KINDS
from perfcalc.rulebook.book import load
from perfcalc.rulebook.overlay import FOLDER as OVERLAYS
from perfcalc.rulebook.overlay import read as read_overlay
from perfcalc.rulebook.overlay import shipped
from perfcalc.sheets.mapping import bindings_from, load_mapping
from perfcalc.web.app import HERE, House
from perfcalc.web.guard import RefusedError
from perfcalc.web.options import Options
from perfcalc.web.rows import Page, Query, page_of
from perfcalc.web.store import Job, Run
from perfcalc.web.tasks import ANSWER, FIRST, MAPS, RESULT, SUMMARY

SAMPLE: Final = HERE / "sample.csv"
#: So long a request waits for an answer that a person reads at once.
PATIENCE: Final = 120.0
#: The largest answer that the server itself reads, and the longest heading with its field that a person corrects.
LARGEST_ANSWER: Final = 64 << 20
LONGEST_PAIR: Final = 1_000

#: What can be taken away: the ending, its media type, and the file of a run that holds it. A format that is made from
#: the result when it is first asked for has no file here; `perfcalc.web.tasks.file` makes it.
DOWNLOADS: Final[dict[str, tuple[str, str]]] = {
    "csv": ("text/csv; charset=utf-8", ""),
    "parquet": ("application/vnd.apache.parquet", RESULT),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ""),
    "rejects.csv": ("text/csv; charset=utf-8", "result.rejects.csv"),
    "report.html": ("text/html; charset=utf-8", ""),
    "evidence.zip": ("application/zip", ""),
}


def house_of(request: Request) -> House:
    """The store and the runner of the server that answers."""
    house: House = request.app.state.house
    return house


HouseDep = Annotated[House, Depends(house_of)]


def job_of(job: str, house: HouseDep) -> Job:
    """The job of an address."""
    found = house.store.job(job)
    if found is None:
        raise HTTPException(404)
    return found


JobDep = Annotated[Job, Depends(job_of)]


def run_of(run: str, job: JobDep, house: HouseDep) -> Run:
    """The run of an address, of its own job only."""
    found = house.store.run(job.id, run)
    if found is None:
        raise HTTPException(404)
    return found


RunDep = Annotated[Run, Depends(run_of)]


async def take_in(house: House, upload: UploadFile | Path, kept: bool = True) -> Job:
    """Keep an upload as a new job.

    Raises
    ------
    InputError
        There is nothing in it.
    RefusedError
        It is too large, or the data folder is full.
    """
    limits = house.settings.limits
    jobs, used = await asyncio.to_thread(house.store.used)
    if jobs >= limits.stored_jobs or used >= limits.stored_bytes:
        raise RefusedError(
            507, "the server's data folder is full", "delete jobs that are done with, or try another day"
        )
    name = upload.name if isinstance(upload, Path) else upload.filename or "sheet.csv"
    job = house.store.add(name, kept)
    place = house.store.sheet(job)
    try:
        size = await asyncio.to_thread(_copy, upload, place)
        _check_size(job, size, limits.upload_bytes)
    except BaseException:
        house.store.delete(job.id)
        raise
    house.store.arrived(job, size)
    return job


def _check_size(job: Job, size: int, most: int) -> None:
    if size == 0:
        raise InputError(f"{job.name}: the file is empty", "give it a heading line with at least 'name'")
    if size > most:
        raise RefusedError(413, f"the upload is larger than {most >> 20} MiB", "give it in parts")


def _copy(upload: UploadFile | Path, place: Path) -> int:
    if isinstance(upload, Path):
        shutil.copyfile(upload, place)
    else:
        with place.open("xb") as out:
            shutil.copyfileobj(upload.file, out, 1 << 20)
    return place.stat().st_size


def remap(house: House, job: Job, pairs: list[str]) -> Job:
    """Read the headings of a job otherwise: ``Their heading=field (unit)``, none to start over.

    Raises
    ------
    InputError
        A field or unit does not exist.
    """
    if any(len(pair) > LONGEST_PAIR for pair in pairs):
        raise InputError("a heading or a field is too long", f"{LONGEST_PAIR:,} characters are the most")
    said = load_mapping(None, pairs)
    if said:
        bindings_from(said, list(said["columns"]), job.name)
    house.store.map_columns(job, tuple(pairs))
    found = house.store.job(job.id)
    assert found is not None
    return found


def score(house: House, job: Job, options: Options, again: bool = False) -> Run:
    """The run that scores a job under these options; made once, however often it is asked for."""
    return house.runner.submit(job, "score", options.settled().model_dump(), again)


async def answer(house: House, job: Job, kind: str, asked: dict[str, Any]) -> dict[str, Any]:
    """The answer to a quick question.

    Raises
    ------
    InputError
        There is none; it says why.
    """
    run = await house.runner.wait(house.runner.submit(job, kind, asked), PATIENCE)
    if not run.is_over:
        raise RefusedError(503, "this takes longer than usual", "ask again in a minute")
    place = house.store.run_place(job.id, finished(run).id)
    found: dict[str, Any] = await asyncio.to_thread(_read, place / ANSWER)
    return found


def finished(run: Run) -> Run:
    """The run, if it has an answer.

    Raises
    ------
    InputError
        It has none; it says why.
    """
    if run.state != "done":
        raise InputError(run.what or "it is not ready", run.remedy or "ask again in a minute")
    return run


def summary_of(house: House, run: Run) -> dict[str, Any]:
    """What a finished run says of itself."""
    found: dict[str, Any] = _read(house.store.run_place(run.job, run.id) / SUMMARY)
    return found


def maps_of(house: House, run: Run) -> list[dict[str, Any]]:
    """The maps of a finished run, one a kind of item; none for a long sheet, or one with nothing to draw."""
    path = house.store.run_place(run.job, run.id) / MAPS
    found: list[dict[str, Any]] = _read(path) if run.state == "done" and path.exists() else []
    return found


def _read(path: Path) -> Any:
    if path.stat().st_size > LARGEST_ANSWER:
        raise InputError(f"the answer is larger than {LARGEST_ANSWER >> 20} MiB", "give the sheet in parts")
    return json.loads(path.read_text("utf-8"))


async def rows_of(house: House, run: Run, query: Query, columns: list[str] | None = None) -> Page:
    """A page of a run's result, or, while it runs, of its first rows.

    Raises
    ------
    RefusedError
        There is nothing to show yet, or the run has failed.
    """
    place = house.store.run_place(run.job, run.id)
    path = place / (RESULT if run.state == "done" else FIRST)
    if run.kind != "score" or not path.exists():
        if run.is_over:
            raise RefusedError(409, run.what or "this run has no rows", run.remedy or "score the sheet first")
        raise RefusedError(409, "no rows are scored yet", "follow its progress, and ask again")
    named: list[str] = []
    if run.state == "done":
        headings = summary_of(house, run)["columns"]
        named = [headings[field] for field in ("name", "id") if field in headings]
    return await asyncio.to_thread(page_of, path, query, columns or [], named, _places(run))


def _places(run: Run) -> list[str]:
    names = str(run.asked["jurisdiction"]).split(",")
    return list(load().jurisdictions) if names == ["all"] else names


async def download(house: House, job: Job, run: Run, ending: str) -> Path:
    """The file of a finished run in one format.

    Raises
    ------
    InputError
        It cannot be written so.
    RefusedError
        The run is not finished.
    """
    if run.kind != "score" or run.state != "done":
        raise RefusedError(409, run.what or "the sheet is not scored yet", run.remedy or "follow its progress")
    ready = DOWNLOADS[ending][1]
    if ready:
        path = house.store.run_place(job.id, run.id) / ready
        if not path.exists():
            raise HTTPException(404)
        return path
    asked = run.asked | {"of": run.id, "format": ending}
    made = await house.runner.wait(house.runner.submit(job, "file", asked, again=True), house.settings.limits.seconds)
    return house.store.run_place(job.id, finished(made).id) / f"result.{ending}"


def download_name(job: Job, run: Run, ending: str) -> str:
    """What a downloaded file is called."""
    return f"{Path(job.name).stem}.{run.asked['jurisdiction'].replace(',', '-')[:40]}.{run.asked['as_of']}.{ending}"


@cache
def book_facts() -> dict[str, Any]:
    """What can be chosen: jurisdictions, the days on which their law changes, overlays, kinds of item."""
    book = load()
    return {
        "jurisdictions": [
            {"code": code, "name": book.place(code).name, "days": [day.isoformat() for day in book.dates(code)]}
            for code in book.jurisdictions
        ],
        "overlays": [{"name": name, "title": read_overlay(OVERLAYS / f"{name}.yaml").title} for name in shipped()],
        "kinds": list(KINDS),
        "rulebook": book.digest,
    }
