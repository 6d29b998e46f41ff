"""Many uploads at once, a long one, and a server that is killed. ``PERFCALC_LOAD=full`` runs it at full size.

The numbers that it measures are printed: ``pytest -n 0 -s tests/web/test_load.py``.
"""

import io
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from web.live import live

FULL = os.environ.get("PERFCALC_LOAD") == "full"
HAS_PROC = bool(list(Path("/proc/self/task").glob("*/children")))
UPLOADS, ROWS = (50, 10_000) if FULL else (8, 500)
LONG = 1_000_000 if FULL else 40_000
#: MiB of the server itself, whatever is sent to it. Scoring is done in children, which have limits of their own.
LARGEST_SERVER = 500


def measured(text):
    print(f"\n{text}")  # noqa: T201 - it is run for its numbers


def sheet(number, rows):
    """A sheet of which every row is unlike any other row of any other sheet."""
    lines = (f"u{number}-r{row},{1 + (row * 7 + number) % 900},{100 + row % 700}\n" for row in range(rows))
    return f"name,fp16_tflops,die_area_mm2\n{''.join(lines)}".encode()


def children_of(process):
    """The ids of the processes that a process has started."""
    lists = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for kept in lists for child in kept.read_text().split()]


def memory_of(process):
    """The resident MiB of a process and of each of its children."""

    def resident(place):
        for line in (place / "status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) >> 10
        return 0

    children = []
    for child in children_of(process):
        try:
            children.append(resident(Path(f"/proc/{child}")))
        except OSError:  # it has ended
            continue
    return resident(Path(f"/proc/{process}")), children


class Watch(threading.Thread):
    """The most memory that a server and its children have used."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.over = process, threading.Event()
        self.server = self.child = self.together = self.count = 0

    def run(self):
        while not self.over.wait(0.1):
            try:
                server, children = memory_of(self.process)
            except OSError:
                return
            self.server = max(self.server, server)
            self.child = max(self.child, *children, 0)
            self.together = max(self.together, server + sum(children))
            self.count = max(self.count, len(children))

    def __enter__(self):
        if HAS_PROC:
            self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        if self.ident is not None:
            self.join()
        measured(
            f"most memory, MiB: server {self.server}, a child {self.child}, {self.count} children and the server {self.together}"
        )


def result(server, run):
    """The names and performances of a result."""
    status, _, got = server.get(f"{run}/files/parquet")
    assert status == 200
    table = pq.read_table(io.BytesIO(got), columns=["name", "tpp"])
    return table["name"].to_pylist(), table["tpp"].to_pylist()


def test_uploads_at_once_are_neither_lost_nor_mixed_up(tmp_path):
    def one(number):
        run = server.score(f"{number}.csv", sheet(number, ROWS))
        return number, run, server.ended(run)["state"]

    with live(tmp_path / "data") as server, Watch(server.process.pid) as watch, ThreadPoolExecutor(UPLOADS) as people:
        begun = time.monotonic()
        ended = list(people.map(one, range(UPLOADS)))
        measured(f"{UPLOADS} uploads of {ROWS:,} rows: {time.monotonic() - begun:.1f} s")
        assert [state for _, _, state in ended] == ["done"] * UPLOADS
        for number, run, _ in ended:
            names, performance = result(server, run)
            assert names == [f"u{number}-r{row}" for row in range(ROWS)]
            assert performance == [16.0 * (1 + (row * 7 + number) % 900) for row in range(ROWS)]
        assert len(list((tmp_path / "data" / "jobs").iterdir())) == UPLOADS
        assert not list((tmp_path / "data").rglob(".perfcalc-*"))  # no draft is left
    assert watch.server < LARGEST_SERVER
    assert watch.count <= (os.cpu_count() or 1) + 3  # the workers, a spare one, and one that is just ending


def alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not HAS_PROC, reason="asks /proc which processes live")
def test_first_rows_come_while_it_runs_and_a_killed_server_leaves_a_clear_state(tmp_path):
    with live(tmp_path / "data") as server, Watch(server.process.pid) as watch:
        short = server.score("short.csv", sheet(0, 50))
        assert server.ended(short)["state"] == "done"
        before = result(server, short)
        begun = time.monotonic()
        run = server.score("long.csv", sheet(1, LONG))
        while server.get(f"{run}/rows?size=500")[0] == 409:
            assert time.monotonic() - begun < 600
            time.sleep(0.02)
        first = server.json("GET", f"{run}/rows?size=500")
        measured(f"{LONG:,} rows: the first {len(first['rows'])} after {time.monotonic() - begun:.1f} s")
        assert first["state"] == "running"
        assert [row["name"] for row in first["rows"]] == [f"u1-r{row}" for row in range(400)]
        assert first["rows"][7]["tpp"] == 16 * (1 + 50)
        children = children_of(server.process.pid)
        assert children
        server.kill()
        end = time.monotonic() + 20
        while any(map(alive, children)) and time.monotonic() < end:
            time.sleep(0.05)
        assert not any(map(alive, children))  # nobody works for a server that is gone
    assert watch.server < LARGEST_SERVER

    with live(tmp_path / "data") as server, Watch(server.process.pid) as watch:
        assert result(server, short) == before
        said = server.json("GET", run)
        assert (said["state"], said["error"]) == ("interrupted", "the server stopped before this was finished")
        assert said["remedy"] == "start it again"
        status, _, got = server.get(f"{run}/files/parquet")
        assert status == 409
        assert b"the server stopped" in got
        begun = time.monotonic()
        server.json("POST", f"{run}/restart")
        said = server.ended(run)
        measured(f"{LONG:,} rows: {time.monotonic() - begun:.1f} s")
        assert (said["state"], said["summary"]["rows"], said["summary"]["rejects"]) == ("done", LONG, 0)
        page = server.json("GET", f"{run}/rows?search=u1-r{LONG - 1}&sort=tpp&order=down")
        assert [row["row"] for row in page["rows"]] == [LONG]
        assert not list((tmp_path / "data").rglob(".perfcalc-*"))
    assert watch.server < LARGEST_SERVER
