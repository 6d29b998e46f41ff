"""The server, put together: `create_app` for any ASGI server, `serve` for this machine."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from perfcalc import __version__
from perfcalc.errors import InputError
from perfcalc.web.guard import Guard, RefusedError, wants_json
from perfcalc.web.runner import BusyError, Runner
from perfcalc.web.saved import finite
from perfcalc.web.settings import Settings
from perfcalc.web.store import Store

log = logging.getLogger("perfcalc.web")

HERE: Final = Path(__file__).parent
SWEEP_SECONDS: Final = 600.0
WORDS: Final = {
    404: ("there is no such thing here", "check the address; old jobs are deleted"),
    405: ("not so", "see /api/openapi.json"),
}


@dataclass
class House:
    """What the routes share; it is at ``app.state.house``."""

    settings: Settings
    store: Store
    runner: Runner


class Json(JSONResponse):
    """JSON without NaN or infinity, whatever a sheet holds."""

    def render(self, content: Any) -> bytes:
        """As bytes."""
        return json.dumps(finite(content), ensure_ascii=False, default=str, allow_nan=False).encode("utf-8", "replace")


def create_app(settings: Settings) -> FastAPI:
    """The application, behind its guard."""
    from perfcalc.web.api_routes import router as api  # noqa: PLC0415 - they import `House` and `Json` from here
    from perfcalc.web.page_routes import router as pages  # noqa: PLC0415 - as above

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store = Store(settings.data)
        for key in store.left_over():
            store.delete(key)
        runner = Runner(store, settings)
        app.state.house = House(settings, store, runner)
        await runner.start()
        sweeper = asyncio.create_task(_sweep(store, runner, settings))
        yield
        sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await sweeper
        await runner.stop()
        store.close()

    app = FastAPI(
        title="perfcalc",
        version=__version__,
        description="Is this chip, computer or quantum machine export-controlled: by which rule, where, on which day?",
        lifespan=lifespan,
        default_response_class=Json,
        openapi_url="/api/openapi.json",
        docs_url=None,  # the usual pages fetch scripts from elsewhere
        redoc_url=None,
    )
    app.include_router(api)
    app.include_router(pages)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    app.add_exception_handler(InputError, _input_error)
    app.add_exception_handler(BusyError, _busy)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)
    app.add_middleware(Guard, settings=settings)
    return app


def serve(settings: Settings) -> None:
    """Run the server until it is interrupted.

    Raises
    ------
    InputError
        The data folder or the port cannot be used.
    """
    import uvicorn  # noqa: PLC0415 - only a server needs it

    from perfcalc.web.patience import Protocol  # noqa: PLC0415 - as above

    Store(settings.data).close()  # says here what is wrong with it
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        http=Protocol,
        h11_max_incomplete_event_size=32 << 10,
        ws="none",
        access_log=False,  # addresses hold the ids of jobs
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        limit_concurrency=1000,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=3,
    )
    try:
        uvicorn.Server(config).run()
    except SystemExit as error:
        raise InputError(
            f"cannot listen on {settings.host}:{settings.port}", "is another server there? choose another --port"
        ) from error


async def _sweep(store: Store, runner: Runner, settings: Settings) -> None:
    """Delete what is old."""
    while True:
        for key in store.old(time.time() - settings.keep_days * 86_400):
            await runner.cancel(key)
            await asyncio.to_thread(store.delete, key)
        await asyncio.sleep(SWEEP_SECONDS)


def error_answer(request: Request, status: int, what: str, remedy: str) -> Response:
    """What is wrong and what to do, as JSON or as a page."""
    if wants_json(request.scope):
        return Json({"error": what, "remedy": remedy}, status)
    from perfcalc.web.page_routes import error_page  # noqa: PLC0415 - pages import this module

    return error_page(request, status, what, remedy)


async def _input_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, InputError)
    return error_answer(request, 422, error.what, error.remedy)


async def _busy(request: Request, _error: Exception) -> Response:
    answer = error_answer(request, 503, "too many sheets wait already", "try again in a minute")
    answer.headers["retry-after"] = "30"
    return answer


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0] if error.errors() else {"loc": (), "msg": "not understood"}
    where = ".".join(str(part) for part in first["loc"] if part not in ("query", "body", "path"))
    return error_answer(request, 422, f"{where[:80]}: {first['msg'][:300]}", "see /api/openapi.json")


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error, RefusedError):
        return error_answer(request, error.status_code, error.what, error.remedy)
    what, remedy = WORDS.get(error.status_code, (str(error.detail)[:300], "see /api/openapi.json"))
    answer = error_answer(request, error.status_code, what, remedy)
    answer.headers.update(error.headers or {})
    return answer


async def _unexpected(request: Request, _error: Exception) -> Response:
    return error_answer(request, 500, "perfcalc failed here", "please report it; the server's terminal says more")
