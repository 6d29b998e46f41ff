"""The pages: what the API answers, as HTML that also works without a script."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, File, Form, Path, Query, Request, UploadFile
from fastapi.responses import FileResponse, RedirectResponse, Response

from perfcalc.errors import InputError
from perfcalc.web import jobs, rows, show
from perfcalc.web.app import House
from perfcalc.web.guard import COOKIE, RefusedError, same, session
from perfcalc.web.jobs import HouseDep, JobDep
from perfcalc.web.options import Day, Options, options_of
from perfcalc.web.store import Run

router = APIRouter(include_in_schema=False)
OptionsDep = Annotated[Options, Depends(options_of)]
#: So long a page waits for the result before it shows how far it is.
MOMENT: Final = 2.5
SHOWN_ITEMS: Final = 500


def error_page(request: Request, status: int, what: str, remedy: str) -> Response:
    """What is wrong and what to do."""
    return show.page(request, "error.html", status, what=what, remedy=remedy)


@router.get("/")
def first(request: Request) -> Response:
    """The first view."""
    return show.page(request, "first.html", limit=jobs.house_of(request).settings.limits.upload_bytes)


@router.get("/login")
def login(request: Request) -> Response:
    """Where the token is asked for."""
    return show.page(request, "login.html", wrong=False)


@router.post("/login")
async def sign_in(request: Request, house: HouseDep, token: Annotated[str, Form(max_length=500)] = "") -> Response:
    """Exchange the token for a cookie that scripts cannot read and other sites cannot send."""
    if not house.settings.token or not same(token, house.settings.token):
        await asyncio.sleep(1)
        return show.page(request, "login.html", 401, wrong=True)
    answer = RedirectResponse("/", 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, session(house.settings.token), httponly=True, samesite="strict", secure=secure)
    return answer


@router.post("/logout")
def sign_out() -> Response:
    """Forget the cookie."""
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/language")
def language(
    request: Request,
    code: Annotated[str, Query(pattern="^[a-z]{2}$")],
    back: Annotated[str, Query(max_length=4000)] = "/",
) -> Response:
    """Choose a language, and go back to where one was on this server."""
    own = back.startswith("/") and not back.startswith(("//", "/\\")) and back.isprintable()
    answer = RedirectResponse(back if own else "/", 303)
    answer.set_cookie("language", code, max_age=365 * 86_400, samesite="lax", httponly=True)
    del request
    return answer


@router.post("/upload")
async def upload(
    house: HouseDep,
    file: Annotated[UploadFile | None, File()] = None,
    then: Annotated[Literal["score", "check", "sample"], Form()] = "score",
) -> Response:
    """Take in a sheet, or the sample, and go on to its results or its columns."""
    if then == "sample":
        job = await jobs.take_in(house, jobs.SAMPLE)
    elif file is None or not file.filename:
        raise InputError("no file was chosen", "choose a CSV, XLSX or Parquet file, or try the sample")
    else:
        job = await jobs.take_in(house, file)
    if then == "check":
        return RedirectResponse(f"/jobs/{job.id}/columns", 303)
    return RedirectResponse(f"/jobs/{job.id}", 303)


@router.get("/template/{kind}.csv")
def template(kind: Annotated[str, Path(max_length=40)]) -> Response:
    """An empty sheet."""
    return RedirectResponse(f"/api/template?{urlencode({'kind': kind})}", 303)


@router.get("/jobs/{job}")
async def results(
    request: Request,
    job: JobDep,
    house: HouseDep,
    options: OptionsDep,
    search: Annotated[str, Query(max_length=200)] = "",
    verdict: Annotated[str, Query(max_length=40)] = "",
    problems: bool = False,
    sort: Annotated[str, Query(max_length=500)] = "",
    order: Literal["up", "down"] = "up",
    page: Annotated[int, Query(ge=1, le=1 << 30)] = 1,
    fragment: bool = False,
) -> Response:
    """The results under the options in the address; asking for another day is what scores it for that day."""
    run = await house.runner.wait(jobs.score(house, job, options), MOMENT)
    query = rows.Query(search, verdict, problems, sort, order, page)
    shown, summary = await _rows(house, run, query)
    return show.page(
        request,
        "results_part.html" if fragment else "results.html",
        job=job,
        run=run,
        options=options,
        address=show.Address(f"/jobs/{job.id}", options, query),
        query=query,
        shown=shown,
        summary=summary,
        slider=_slider(options),
        maps=await asyncio.to_thread(jobs.maps_of, house, run),
        downloads=jobs.DOWNLOADS,
        keep_days=house.settings.keep_days,
    )


async def _rows(house: House, run: Run, query: rows.Query) -> tuple[rows.Page | None, dict[str, Any]]:
    if run.state == "done":
        summary = await asyncio.to_thread(jobs.summary_of, house, run)
        return await jobs.rows_of(house, run, query, show.wanted_columns(summary)), summary
    try:
        return await jobs.rows_of(house, run, query), {}
    except (RefusedError, InputError):
        return None, {}


def _slider(options: Options) -> dict[str, Any]:
    """The days through which the page can move: from the first rules on chips by performance to a year ahead."""
    begin, day = date(2022, 1, 1), date.fromisoformat(options.as_of)
    end = max(date.today() + timedelta(days=365), day)  # noqa: DTZ011 - law is dated by the local calendar
    known = {one["code"]: one["days"] for one in jobs.book_facts()["jurisdictions"]}
    asked = known if options.jurisdiction == "all" else options.jurisdiction.split(",")
    ticks = sorted(
        {each for code in asked for each in known.get(code, []) if begin.isoformat() <= each <= end.isoformat()}
    )
    return {
        "before": max((each for each in ticks if each < options.as_of), default=""),
        "after": min((each for each in ticks if each > options.as_of), default=""),
        "begin": begin.isoformat(),
        "last": (end - begin).days,
        "at": max(0, (day - begin).days),
        "ticks": [((date.fromisoformat(each) - begin).days, each) for each in ticks],
    }


@router.post("/jobs/{job}/again")
async def again(job: JobDep, house: HouseDep, options: OptionsDep) -> Response:
    """Start again what was interrupted."""
    jobs.score(house, job, options, again=True)
    return RedirectResponse(f"/jobs/{job.id}?{urlencode(show.changed(options))}", 303)


@router.post("/jobs/{job}/stop")
async def stop(job: JobDep, house: HouseDep, options: OptionsDep) -> Response:
    """Stop what runs."""
    await house.runner.cancel(job.id)
    return RedirectResponse(f"/jobs/{job.id}?{urlencode(show.changed(options))}", 303)


@router.post("/jobs/{job}/delete")
async def delete(request: Request, job: JobDep, house: HouseDep) -> Response:
    """Delete a job."""
    await house.runner.cancel(job.id)
    await asyncio.to_thread(house.store.delete, job.id)
    return show.page(request, "deleted.html")


@router.get("/jobs/{job}/columns")
async def columns(request: Request, job: JobDep, house: HouseDep) -> Response:
    """How the columns are read, with a form to correct it."""
    found = await jobs.answer(house, job, "inspect", {})
    return show.page(
        request, "columns.html", job=job, found=found, fields=show.FIELD_NAMES, chosen=show.pairs(job.mapping)
    )


@router.post("/jobs/{job}/columns")
async def map_columns(request: Request, job: JobDep, house: HouseDep) -> Response:
    """Read the columns as the form says: fields ``heading.N``, ``field.N`` and ``unit.N``."""
    async with request.form(max_files=0, max_fields=3 * house.settings.limits.columns + 10) as form:
        said = {key: str(value) for key, value in form.items()}
    pairs = []
    for key, heading in said.items():
        number = key.removeprefix("heading.")
        field = said.get(f"field.{number}", "=")
        if key != number and field != "=":  # "=": as recognised
            unit = said.get(f"unit.{number}", "").strip()
            pairs.append(f"{heading}={field}{f' ({unit})' if unit and field else ''}")
    jobs.remap(house, job, pairs)
    return RedirectResponse(f"/jobs/{job.id}", 303)


@router.get("/jobs/{job}/items/{row}")
async def item(
    request: Request, job: JobDep, house: HouseDep, options: OptionsDep, row: Annotated[int, Path(ge=1, le=1 << 40)]
) -> Response:
    """Everything behind one row."""
    found = await jobs.answer(house, job, "explain", options.model_dump() | {"row": row})
    address = show.Address(f"/jobs/{job.id}", options)
    return show.page(request, "item.html", job=job, options=options, found=found, address=address)


@router.get("/jobs/{job}/coverage")
async def coverage(request: Request, job: JobDep, house: HouseDep, options: OptionsDep) -> Response:
    """Items against jurisdictions: all of them, unless the address names some."""
    asked = options if "jurisdiction" in request.query_params else options.model_copy(update={"jurisdiction": "all"})
    found = await jobs.answer(house, job, "coverage", asked.model_dump())
    address = show.Address(f"/jobs/{job.id}", options)
    return show.page(request, "coverage.html", job=job, options=options, found=found, address=address, most=SHOWN_ITEMS)


@router.get("/jobs/{job}/changes")
async def changes(
    request: Request,
    job: JobDep,
    house: HouseDep,
    options: OptionsDep,
    from_day: Annotated[Day, Query()] = "",
    step: bool = False,
) -> Response:
    """Who moves between two days; without a first day, since the rules of October 2023 began to apply."""
    first_day = from_day or min("2023-11-16", options.as_of)
    same_day = first_day == options.as_of and not options.rules
    asked = options.model_dump() | {"from_day": first_day, "step": step}
    found = None if same_day else await jobs.answer(house, job, "changes", asked)
    address = show.Address(f"/jobs/{job.id}", options)
    return show.page(
        request, "changes.html", job=job, options=options, found=found, address=address, from_day=first_day, step=step,
        most=SHOWN_ITEMS,
    )  # fmt: skip


@router.get("/jobs/{job}/problems")
async def problems(request: Request, job: JobDep, house: HouseDep, options: OptionsDep) -> Response:
    """Rejected rows with their lines, and the kinds of cells to look at."""
    run = await house.runner.wait(jobs.score(house, job, options), jobs.PATIENCE)
    if run.state != "done":
        raise RefusedError(409, run.what or "the sheet is not scored yet", run.remedy or "try again in a minute")
    summary = await asyncio.to_thread(jobs.summary_of, house, run)
    address = show.Address(f"/jobs/{job.id}", options)
    return show.page(request, "problems.html", job=job, options=options, summary=summary, address=address)


@router.get("/jobs/{job}/files/{ending}")
async def download(job: JobDep, house: HouseDep, options: OptionsDep, ending: str) -> Response:
    """The result under the options in the address, as a file."""
    if ending not in jobs.DOWNLOADS:
        raise InputError("there is no such format", f"choose from {', '.join(jobs.DOWNLOADS)}")
    run = await house.runner.wait(jobs.score(house, job, options), house.settings.limits.seconds)
    path = await jobs.download(house, job, run, ending)
    return FileResponse(path, media_type=jobs.DOWNLOADS[ending][0], filename=jobs.download_name(job, run, ending))
