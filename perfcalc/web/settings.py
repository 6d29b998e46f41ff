"""What a server is told when it starts: where it keeps files, who may ask, and how much a job may use."""

from __future__ import annotations

import ipaddress
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from perfcalc.errors import InputError

SHORTEST_TOKEN: Final = 16


@dataclass(frozen=True)
class Limits:
    """How much one upload, one job and the whole server may use. Each has its own message when it is reached.

    Attributes
    ----------
    upload_bytes
        Of the file as it is sent; what a compressed one may unfold to is limited by `perfcalc.sheets.files`.
    cell_chars
        Of one cell, and of one heading.
    sheet_bytes
        Of all cells together, when the sheet is unfolded.
    seconds, memory_bytes, file_bytes
        Of the child process that works on a job: its time, its address space, and the largest file it may write.
    compared_rows
        Coverage and changes name every item, so they are for sheets that a person looks at.
    waiting
        How many jobs may wait for a worker.
    runs
        How many answers of one job are kept; the oldest go first, and are computed again when they are asked for.
    stored_jobs, stored_bytes
        Of the whole data folder.
    """

    upload_bytes: int = 256 << 20
    rows: int = 2_000_000
    columns: int = 2_000
    cell_chars: int = 100_000
    sheet_bytes: int = 2 << 30
    seconds: float = 600
    memory_bytes: int = 6 << 30
    file_bytes: int = 8 << 30
    compared_rows: int = 20_000
    waiting: int = 100
    runs: int = 100
    stored_jobs: int = 5_000
    stored_bytes: int = 50 << 30


@dataclass(frozen=True)
class Settings:
    """Of one server.

    Attributes
    ----------
    names
        Further names under which the server is reached; the Host header must carry one of them.
    keep_days
        After so many days a job is deleted.
    workers
        How many sheets are scored at once.
    ready
        Keep a child process ready, so that a small sheet does not wait for one to start.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 8000
    token: str = ""
    names: tuple[str, ...] = ()
    keep_days: float = 7
    workers: int = field(default_factory=lambda: max(1, os.cpu_count() or 1))
    limits: Limits = Limits()
    ready: bool = True

    def __post_init__(self) -> None:
        if self.token and len(self.token) < SHORTEST_TOKEN:
            raise InputError(
                f"the token has {len(self.token)} characters",
                f"take {SHORTEST_TOKEN} or more that nobody guesses: python -c 'import secrets; print(secrets.token_urlsafe())'",
            )
        if not self.token and not is_loopback(self.host):
            raise InputError(
                f"on {self.host} others could reach the page, and there is no token",
                "set PERFCALC_TOKEN or --token, or leave --host at 127.0.0.1",
            )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def data_folder() -> Path:
    """Where jobs are kept when nobody says otherwise."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "perfcalc"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "perfcalc"
