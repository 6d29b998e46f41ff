"""The HTTP API, described at ``/api/openapi.json``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, File, Path, Query, UploadFile
from fastapi.responses import FileResponse, Response, StreamingResponse
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask

from perfcalc import __version__
from perfcalc.api import template_columns
from perfcalc.fields import KINDS
from perfcalc.web import jobs, rows
from perfcalc.web.jobs import HouseDep, JobDep, RunDep
from perfcalc.web.options import Day, Options, Places, options_of
from perfcalc.web.store import Run


class Problem(BaseModel):
    """What is wrong, and what to do about it."""

    error: str
    remedy: str


SAID = {
    400: "not understood",
    401: "a token is needed",
    403: "another site sent it",
    404: "no such job, run or file",
    408: "it stopped arriving",
    409: "not finished, or failed",
    413: "too large",
    414: "the address is too long",
    421: "a name under which this server does not answer",
    422: "a sheet or option that cannot be used",
    431: "too many or too long headers",
    503: "too much waits",
    507: "the data folder is full",
}
router = APIRouter(
    prefix="/api", responses={code: {"model": Problem, "description": text} for code, text in SAID.items()}
)
OptionsDep = Annotated[Options, Depends(options_of)]


def _files(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """What the description says of an answer that is no JSON."""
    return {200: {"content": {kind: {"schema": {"type": "string"}} for kind in kinds}}}


RowNumber = Annotated[int, Path(ge=1, le=1 << 40, description="of the sheet, from 1")]
Sheet = Annotated[UploadFile, File(description="CSV, XLSX, ODS, JSON lines or Parquet, compressed or not")]
#: Between two events of a run.
EVENT_SECONDS, HEARTBEAT = 0.2, 50


@router.get("/health")
async def health() -> dict[str, str]:
    """Whether the server answers."""
    return {"perfcalc": __version__}


@router.get("/book")
def book() -> dict[str, Any]:
    """What can be chosen: jurisdictions, the days on which their law changes, overlays, kinds of item."""
    return jobs.book_facts()


@router.get("/template", response_class=Response, responses=_files("text/csv"))
def template(kind: Annotated[str, Query(max_length=40, description=", ".join(KINDS))] = "ic") -> Response:
    """An empty sheet with every field of one kind of item, as CSV."""
    text = ",".join(template_columns(kind)) + "\n"
    named = {"content-disposition": f'attachment; filename="template-{kind}.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=named)


@router.get("/sample", response_class=Response, responses=_files("text/csv"))
def sample() -> Response:
    """A small sheet to try."""
    return FileResponse(jobs.SAMPLE, media_type="text/csv; charset=utf-8", filename="sample.csv")


@router.post("/score", response_class=Response, responses=_files("text/csv"))
async def score_at_once(
    house: HouseDep,
    file: Sheet,
    as_of: Annotated[Day, Query()] = "",
    jurisdiction: Annotated[Places, Query()] = "us",
) -> Response:
    """One sheet in, the bytes out that ``perfcalc score SHEET -o OUT.csv`` writes. Nothing is kept."""
    options = Options(as_of=as_of, jurisdiction=jurisdiction).settled()
    job = await jobs.take_in(house, file, kept=False)
    try:
        asked = options.model_dump()
        run = await house.runner.wait(
            house.runner.submit(job, "score_to_csv", asked), 2 * house.settings.limits.seconds
        )
        said = jobs.summary_of(house, jobs.finished(run))
    except BaseException:
        await house.runner.cancel(job.id)
        house.store.delete(job.id)
        raise
    return FileResponse(
        house.store.run_place(job.id, run.id) / "result.csv",
        media_type="text/csv; charset=utf-8",
        filename=jobs.download_name(job, run, "csv"),
        headers={"x-perfcalc-rows": str(said["rows"]), "x-perfcalc-rejects": str(said["rejects"])},
        background=BackgroundTask(house.store.delete, job.id),
    )


@router.post("/jobs", status_code=201)
async def upload(house: HouseDep, file: Sheet) -> dict[str, Any]:
    """Keep a sheet. The id in the answer cannot be guessed; whoever has it can read the job."""
    job = await jobs.take_in(house, file)
    return _job(job.id, job.name, job.mapping, [])


@router.get("/jobs/{job}")
def show_job(job: JobDep, house: HouseDep) -> dict[str, Any]:
    """A job and its runs, the latest first."""
    return _job(job.id, job.name, job.mapping, house.store.runs(job.id))


def _job(key: str, name: str, mapping: tuple[str, ...], runs: list[Run]) -> dict[str, Any]:
    return {"id": key, "name": name, "mapping": list(mapping), "runs": [run.to_dict() for run in runs]}


@router.delete("/jobs/{job}")
async def delete(job: JobDep, house: HouseDep) -> dict[str, str]:
    """Delete a job: its sheet, its results, everything."""
    await house.runner.cancel(job.id)
    await asyncio.to_thread(house.store.delete, job.id)
    return {"deleted": job.id}


@router.get("/jobs/{job}/columns")
async def columns(job: JobDep, house: HouseDep) -> dict[str, Any]:
    """How each column is understood, before anything is scored."""
    return await jobs.answer(house, job, "inspect", {})


Pairs = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=500)], Annotated[str, Field(max_length=120)]],
    Body(max_length=2_000, examples=[{"Perf": "fp16_tflops (GFLOPS)", "Remark": ""}]),
]


@router.put("/jobs/{job}/mapping")
def map_columns(job: JobDep, house: HouseDep, mapping: Pairs) -> dict[str, Any]:
    """Read columns otherwise: ``{"Their heading": "field (unit)"}``; an empty field leaves a column alone."""
    found = jobs.remap(house, job, [f"{heading}={field}" for heading, field in mapping.items()])
    return {"mapping": list(found.mapping)}


@router.post("/jobs/{job}/runs", status_code=202)
async def score(job: JobDep, house: HouseDep, options: Options) -> dict[str, Any]:
    """Score a job under some options. The same options give the same run: another day is another run."""
    return jobs.score(house, job, options).to_dict()


@router.get("/jobs/{job}/runs/{run}")
def show_run(run: RunDep, house: HouseDep) -> dict[str, Any]:
    """How far a run is, and its summary when it is done."""
    said = run.to_dict()
    return said | {"summary": jobs.summary_of(house, run)} if run.kind == "score" and run.state == "done" else said


@router.post("/jobs/{job}/runs/{run}/restart", status_code=202)
async def restart(job: JobDep, run: RunDep, house: HouseDep) -> dict[str, Any]:
    """Start a run again that was interrupted, stopped, or failed."""
    return house.runner.submit(job, run.kind, run.asked, again=True).to_dict()


@router.post("/jobs/{job}/runs/{run}/stop")
async def stop(run: RunDep, house: HouseDep) -> dict[str, Any]:
    """Stop a run."""
    await house.runner.cancel(run.job, run.id)
    return (house.store.run(run.job, run.id) or run).to_dict()


@router.get("/jobs/{job}/runs/{run}/events", response_class=Response, responses=_files("text/event-stream"))
def events(run: RunDep, house: HouseDep) -> Response:
    """Progress as server-sent events: ``progress`` while it goes on, then ``end``."""

    async def stream() -> AsyncIterator[str]:
        last, quiet = "", 0
        while True:
            now = house.store.run(run.job, run.id)
            said = json.dumps(now.to_dict()) if now is not None else ""
            if now is None or now.is_over:
                yield f"event: end\ndata: {said or '{}'}\n\n"
                return
            quiet = 0 if said != last else quiet + 1
            if said != last:
                yield f"event: progress\ndata: {said}\n\n"
            elif quiet % HEARTBEAT == 0:
                yield ": still here\n\n"
            last = said
            await asyncio.sleep(EVENT_SECONDS)

    return StreamingResponse(stream(), media_type="text/event-stream")


@router.get("/jobs/{job}/runs/{run}/rows")
async def result_rows(
    run: RunDep,
    house: HouseDep,
    search: Annotated[str, Query(max_length=200, description="in names, ids, entries and needs")] = "",
    verdict: Annotated[str, Query(max_length=40)] = "",
    problems: Annotated[bool, Query(description="only rows with cells to look at")] = False,
    sort: Annotated[str, Query(max_length=500, description="a column")] = "",
    order: Annotated[Literal["up", "down"], Query()] = "up",
    page: Annotated[int, Query(ge=1, le=1 << 30)] = 1,
    size: Annotated[int, Query(ge=1, le=rows.MOST_ROWS)] = 50,
    column: Annotated[list[str], Query(max_length=200, description="only these columns")] = [],  # noqa: B006 - FastAPI copies it
) -> dict[str, Any]:
    """Rows of a result. While the run goes on, these are its first ones."""
    query = rows.Query(search, verdict, problems, sort, order, page, size)
    found = await jobs.rows_of(house, run, query, column)
    return found.to_dict() | {"state": run.state}


@router.get("/jobs/{job}/runs/{run}/map")
def result_map(run: RunDep, house: HouseDep) -> list[dict[str, Any]]:
    """Items among the law's paragraphs, such as TPP against performance density, as geometry; not of long sheets."""
    return jobs.maps_of(house, run)


@router.get("/jobs/{job}/runs/{run}/rejects")
def rejects(run: RunDep, house: HouseDep) -> list[dict[str, Any]]:
    """The first rows that could not be read, with their lines; the download has all of them."""
    if run.kind != "score" or run.state != "done":
        return []
    found: list[dict[str, Any]] = jobs.summary_of(house, run)["first_rejects"]
    return found


@router.get(
    "/jobs/{job}/runs/{run}/files/{ending}",
    response_class=Response,
    responses=_files(*(kind.partition(";")[0] for kind, _ in jobs.DOWNLOADS.values())),
)
async def download(
    job: JobDep,
    run: RunDep,
    house: HouseDep,
    ending: Literal["csv", "parquet", "xlsx", "rejects.csv", "report.html", "evidence.zip"],
) -> Response:
    """The whole result, or its rejects, as a file."""
    path = await jobs.download(house, job, run, ending)
    return FileResponse(path, media_type=jobs.DOWNLOADS[ending][0], filename=jobs.download_name(job, run, ending))


@router.get("/jobs/{job}/items/{row}")
async def item(job: JobDep, house: HouseDep, row: RowNumber, options: OptionsDep) -> dict[str, Any]:
    """Everything behind the verdicts of one row: figures, clauses, margins, citations, origin, what is missing."""
    return await jobs.answer(house, job, "explain", options.model_dump() | {"row": row})


@router.get("/jobs/{job}/coverage")
async def coverage(job: JobDep, house: HouseDep, options: OptionsDep) -> dict[str, Any]:
    """Items against jurisdictions on one day, and the gaps."""
    return await jobs.answer(house, job, "coverage", options.model_dump())


@router.get("/jobs/{job}/changes")
async def changes(
    job: JobDep,
    house: HouseDep,
    options: OptionsDep,
    from_day: Annotated[Day, Query(description="the earlier day; `as_of` is the later one")] = "",
    step: Annotated[bool, Query(description="every day in between on which the book changes")] = False,
) -> dict[str, Any]:
    """Who moves between two days, by which clause, and why."""
    asked = options.model_dump() | {"from_day": from_day or options.as_of, "step": step}
    return await jobs.answer(house, job, "changes", asked)
