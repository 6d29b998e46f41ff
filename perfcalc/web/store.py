"""Jobs on disk: a folder for each, and an index in SQLite. What was running when a server died is marked so."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from perfcalc.errors import InputError

SCHEMA: Final = """
create table if not exists jobs (
    id text primary key, name text not null, size integer not null, created real not null,
    kept integer not null, mapping text not null default '[]');
create table if not exists runs (
    job text not null references jobs(id) on delete cascade, id text not null, kind text not null, asked text not null,
    state text not null, rows integer not null default 0, of_rows integer, what text not null default '',
    remedy text not null default '', begun real not null, ended real, primary key (job, id));
"""
#: Of a run. The last four are ends.
STATES: Final = ("queued", "running", "done", "failed", "interrupted", "stopped")
INTERRUPTED: Final = "the server stopped before this was finished"
LONGEST_NAME: Final = 50  # characters, of up to four bytes each


@dataclass(frozen=True)
class Job:
    """One upload. Its id cannot be guessed, and whoever has it may read the job."""

    id: str
    name: str
    size: int
    created: float
    mapping: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """One question to one upload, and how far its answer is."""

    job: str
    id: str
    kind: str
    asked: dict[str, Any]
    state: str
    rows: int
    of_rows: int | None
    what: str
    remedy: str
    begun: float
    ended: float | None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.state not in ("queued", "running")

    def to_dict(self) -> dict[str, Any]:
        """For the API."""
        return {
            "id": self.id,
            "job": self.job,
            "kind": self.kind,
            "asked": self.asked,
            "state": self.state,
            "rows": self.rows,
            "of_rows": self.of_rows,
            "error": self.what or None,
            "remedy": self.remedy or None,
        }


def safe_name(name: str) -> str:
    """A file name of the user's as one that means nothing to any system: no folders, no leading dots, not long.

    >>> safe_name("../../etc/pass wd.csv")
    'pass wd.csv'
    """
    last = re.split(r"[/\\]", name)[-1]
    plain = re.sub(r"[^\w .()+-]|_{3,}", "_", last, flags=re.UNICODE).strip(" .-")
    stem, dot, ending = plain.rpartition(".")
    kept = f"{stem[:LONGEST_NAME]}{dot}{ending[:12]}" if dot else plain[:LONGEST_NAME]
    return kept if kept.strip("_. ") else "sheet.csv"


class Store:
    """The data folder. Its index is written by one process only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            (folder / "jobs").mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.chmod(0o700)
            self._lock_file = _locked(folder / "lock")
            self._db = sqlite3.connect(folder / "index.sqlite3", check_same_thread=False, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise InputError(f"{folder}: {error}", "choose another place with --data") from error
        self._lock = threading.Lock()
        self._db.row_factory = sqlite3.Row
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma foreign_keys = on")
        self._db.executescript(SCHEMA)
        self._ask(
            "update runs set state = 'interrupted', ended = ?, what = ?, remedy = ? where state in ('queued', 'running')",
            time.time(),
            INTERRUPTED,
            "start it again",
        )

    def close(self) -> None:
        """Let the index go."""
        self._db.close()
        self._lock_file.close()

    def _ask(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    # ---- jobs

    def add(self, name: str, kept: bool = True) -> Job:
        """A new job with an empty folder for its sheet."""
        job = Job(secrets.token_urlsafe(16), safe_name(name), 0, time.time(), ())
        (self.place(job.id) / "sheet").mkdir(parents=True, mode=0o700)
        (self.place(job.id) / "runs").mkdir(mode=0o700)
        self._ask(
            "insert into jobs (id, name, size, created, kept) values (?, ?, 0, ?, ?)",
            job.id,
            job.name,
            job.created,
            kept,
        )
        return job

    def arrived(self, job: Job, size: int) -> None:
        """Its sheet is there as a whole."""
        self._ask("update jobs set size = ? where id = ?", size, job.id)

    def job(self, key: str) -> Job | None:
        """The job of an id."""
        found = self._ask("select * from jobs where id = ?", key)
        if not found:
            return None
        row = found[0]
        return Job(row["id"], row["name"], row["size"], row["created"], tuple(json.loads(row["mapping"])))

    def place(self, job: str) -> Path:
        """Its folder. The id is one that `job` or `add` gave, never text from a request."""
        return self.folder / "jobs" / job

    def sheet(self, job: Job) -> Path:
        """Its spec sheet."""
        return self.place(job.id) / "sheet" / job.name

    def map_columns(self, job: Job, pairs: tuple[str, ...]) -> None:
        """How its headings are read from now on."""
        self._ask("update jobs set mapping = ? where id = ?", json.dumps(pairs), job.id)

    def delete(self, job: str) -> None:
        """Remove a job and all that it wrote."""
        self._ask("delete from jobs where id = ?", job)
        shutil.rmtree(self.place(job), ignore_errors=True)

    def old(self, before: float) -> list[str]:
        """Jobs that were made before a moment, and those of a single request that a dead server left."""
        return [row["id"] for row in self._ask("select id from jobs where created < ?", before)]

    def left_over(self) -> list[str]:
        """Jobs of single requests: nobody can ask for them again. And folders that the index does not know."""
        known = {row["id"]: row["kept"] for row in self._ask("select id, kept from jobs")}
        there = {path.name for path in (self.folder / "jobs").iterdir()}
        return [key for key, kept in known.items() if not kept] + sorted(there - set(known))

    def used(self) -> tuple[int, int]:
        """How many jobs there are, and how many bytes they take."""
        paths = (path for path in (self.folder / "jobs").rglob("*") if path.is_file() and not path.is_symlink())
        return self._ask("select count(*) as n from jobs")[0]["n"], sum(_size(path) for path in paths)

    # ---- runs

    def run(self, job: str, key: str) -> Run | None:
        """One run of a job."""
        found = self._ask("select * from runs where job = ? and id = ?", job, key)
        return _run(found[0]) if found else None

    def runs(self, job: str) -> list[Run]:
        """All runs of a job, the latest first."""
        return [_run(row) for row in self._ask("select * from runs where job = ? order by begun desc", job)]

    def queue(self, job: str, key: str, kind: str, asked: dict[str, Any]) -> Run:
        """A run that waits, with an empty folder; what an earlier try left is removed."""
        shutil.rmtree(self.run_place(job, key), ignore_errors=True)
        self.run_place(job, key).mkdir(mode=0o700)
        self._ask(
            "insert or replace into runs (job, id, kind, asked, state, begun) values (?, ?, ?, ?, 'queued', ?)",
            job, key, kind, json.dumps(asked), time.time(),
        )  # fmt: skip
        run = self.run(job, key)
        assert run is not None
        return run

    def forget(self, job: str, most: int) -> None:
        """Remove the oldest answers of a job beyond so many, but none that is being worked on."""
        over = [run for run in self.runs(job) if run.is_over][most:]
        for run in over:
            self._ask("delete from runs where job = ? and id = ?", job, run.id)
            shutil.rmtree(self.run_place(job, run.id), ignore_errors=True)

    def run_place(self, job: str, key: str) -> Path:
        """The folder of a run."""
        return self.place(job) / "runs" / key

    def set_state(self, run: Run, state: str, what: str = "", remedy: str = "") -> None:
        """A run goes on, or ends."""
        ended = time.time() if state not in ("queued", "running") else None
        self._ask(
            "update runs set state = ?, what = ?, remedy = ?, ended = ? where job = ? and id = ?",
            state, what, remedy, ended, run.job, run.id,
        )  # fmt: skip

    def set_rows(self, run: Run, rows: int, of_rows: int | None) -> None:
        """How many rows are done."""
        self._ask("update runs set rows = ?, of_rows = ? where job = ? and id = ?", rows, of_rows, run.job, run.id)


def _run(row: sqlite3.Row) -> Run:
    return Run(**{**dict(row), "asked": json.loads(row["asked"])})


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # deleted meanwhile
        return 0


def _locked(path: Path) -> Any:
    """Hold a file so that no second server marks the runs of the first one as interrupted."""
    file = path.open("w")
    try:
        import fcntl  # noqa: PLC0415 - not on Windows

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        pass
    except OSError as error:
        file.close()
        raise InputError(f"{path.parent}: another server uses this folder", "stop it, or choose --data") from error
    return file
