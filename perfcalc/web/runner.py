"""The queue, and the child processes that it starts: a bounded number waits, a few work, each can be stopped."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import perfcalc
from perfcalc.web.options import run_id
from perfcalc.web.settings import Settings
from perfcalc.web.store import INTERRUPTED, Job, Run, Store

log = logging.getLogger("perfcalc.web")

#: These read a sheet for a person who waits; they do not stand behind the long ones.
QUICK: Final = frozenset(("inspect", "explain", "coverage", "changes"))
QUICK_WORKERS: Final = 2


class BusyError(Exception):
    """Too many runs wait already."""


class Runner:
    """Starts runs and knows how they go."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store, self.settings = store, settings
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._lanes = {True: asyncio.Semaphore(QUICK_WORKERS), False: asyncio.Semaphore(settings.workers)}
        self._spare: asyncio.subprocess.Process | None = None
        self._taking = asyncio.Lock()
        self._stops = False

    async def start(self) -> None:
        """Have a child ready: it has imported everything when the first sheet comes."""
        self._spare = await self._child() if self.settings.ready else None

    async def stop(self) -> None:
        """End every child; what was running is marked as interrupted."""
        self._stops = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._spare is not None:
            await _end(self._spare)

    @property
    def waiting(self) -> int:
        """Runs that are not over."""
        return len(self._tasks)

    def submit(self, job: Job, kind: str, asked: dict[str, Any], again: bool = False) -> Run:
        """The run of a question: a new one, or the one that was made when it was asked before.

        Raises
        ------
        BusyError
            Too many wait already.
        """
        key = run_id(kind, asked | {"mapping": job.mapping})
        known = self.store.run(job.id, key)
        # What a dead server left of a quick question is simply asked again; a long one waits for the user's word.
        fresh = known is None or (again and known.is_over and known.state != "done")
        if known is not None and not fresh and not (kind in QUICK and known.state in ("interrupted", "stopped")):
            return known
        if self.waiting >= self.settings.limits.waiting:
            raise BusyError
        self.store.forget(job.id, self.settings.limits.runs)
        run = self.store.queue(job.id, key, kind, asked)
        task = asyncio.create_task(self._work(job, run))
        self._tasks[job.id, key] = task
        task.add_done_callback(lambda _done: self._tasks.pop((job.id, key), None))
        return run

    async def wait(self, run: Run, seconds: float) -> Run:
        """The run when it is over, or as it is after so many seconds."""
        task = self._tasks.get((run.job, run.id))
        if task is not None:
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task}, timeout=seconds)
        return self.store.run(run.job, run.id) or run

    async def cancel(self, job: str, key: str = "") -> None:
        """Stop a run, or all runs of a job."""
        tasks = [task for (owner, name), task in self._tasks.items() if owner == job and key in ("", name)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, job: Job, run: Run) -> None:
        try:
            async with self._lanes[run.kind in QUICK]:
                self.store.set_state(run, "running")
                state, what, remedy = await self._outcome(job, run)
            self.store.set_state(run, state, what, remedy)
        except asyncio.CancelledError:
            state = "interrupted" if self._stops else "stopped"
            what = INTERRUPTED if self._stops else "it was stopped"
            self.store.set_state(run, state, what, "start it again")
            raise
        except Exception:
            log.exception("a run could not be worked on")
            self.store.set_state(run, "failed", "perfcalc could not work on this", "please report it")

    async def _outcome(self, job: Job, run: Run) -> tuple[str, str, str]:
        limits = self.settings.limits
        child = await self._take()
        try:
            told = {
                "kind": run.kind,
                "sheet": job.name,
                "folder": str(self.store.sheet(job).parent.resolve()),
                "place": str(self.store.run_place(job.id, run.id).resolve()),
                "mapping": job.mapping,
                "asked": run.asked,
                "limits": asdict(limits),
            }
            if run.kind == "file":
                source = self.store.run_place(job.id, run.asked["of"]).resolve() / "result.parquet"
                told["asked"] = run.asked | {"result": str(source)}
            assert child.stdin is not None
            child.stdin.write(json.dumps(told).encode() + b"\n")
            try:
                said = await asyncio.wait_for(self._listen(child, run), limits.seconds)
            except TimeoutError:
                return (
                    "failed",
                    f"it took longer than {limits.seconds:g} seconds and was stopped",
                    "give the sheet in parts",
                )
        finally:
            await _end(child)
        if said.get("done"):
            return "done", "", ""
        if "error" in said:
            return "failed", said["error"], said["remedy"]
        return "failed", *self._why(said.get("code", ""), child.returncode)

    async def _listen(self, child: asyncio.subprocess.Process, run: Run) -> dict[str, Any]:
        """Follow a child to its last word; without one it died."""
        assert child.stdout is not None
        async for line in child.stdout:
            said: dict[str, Any] = json.loads(line)
            if "rows" not in said:
                return said
            self.store.set_rows(run, said["rows"], said["of_rows"])
        await child.wait()
        return {}

    def _why(self, code: str, status: int | None) -> tuple[str, str]:
        limits = self.settings.limits
        if code == "disk":
            return "the result is larger than a job may write", "give the sheet in parts"
        if code == "memory" or status in (-6, -7, -9, -11):  # natively: aborted, bus error, killed, or a fault
            return (
                f"it needed more memory than the {limits.memory_bytes >> 20:,} MiB that a job may use, or the file is damaged",
                "give the sheet in parts, or save it as CSV",
            )
        if status is not None and status == -24:
            return "it used more processor time than a job may", "give the sheet in parts"
        return "perfcalc could not read this file", "save it as CSV; if that fails too, please report it"

    async def _take(self) -> asyncio.subprocess.Process:
        """The child that is ready, and have the next one made ready."""
        async with self._taking:
            child, self._spare = self._spare, None
            if child is None or child.returncode is not None:
                child = await self._child()
            self._spare = await self._child() if self.settings.ready else None
            return child

    async def _child(self) -> asyncio.subprocess.Process:
        # Nothing secret in its environment, and no file of the working folder is ever imported (-P, absolute paths).
        keep = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", "SYSTEMROOT")
        paths = [str(Path(perfcalc.__file__).parent.parent), *(path for path in sys.path if Path(path).is_absolute())]
        return await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "perfcalc.web.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={name: os.environ[name] for name in keep if name in os.environ}
            | {"PYTHONUTF8": "1", "PYTHONPATH": os.pathsep.join(paths)},
            limit=1 << 20,
        )  # fmt: skip


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.stdin is not None:
        child.stdin.close()
    with suppress(ProcessLookupError):
        if child.returncode is None:
            child.kill()
    await child.wait()
    # The pipe is read to its end, so that its transport is closed.
    if child.stdout is not None:
        await child.stdout.read()
