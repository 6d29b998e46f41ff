"""The child process that works on one run: ``python -P -m perfcalc.web.worker``, told by one line of JSON.

A sheet is untrusted, and the libraries that read workbooks and Parquet are native code. So each run has a process of
its own, with limits that the system enforces: whatever happens to it, the server and every other job go on, its memory
is given back as a whole, and it can be stopped at any moment. (Threads can be neither limited nor stopped, and a pool
of lasting processes carries one upload's state to the next.)

It starts with ``-P`` so that no file of a job's folder is ever imported.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

from perfcalc.errors import InputError
from perfcalc.files import FULL
from perfcalc.rulebook.book import load
from perfcalc.web import tasks

LONGEST_MESSAGE = 1000


def main() -> None:
    """Wait for a task, do it, and say how it went: one JSON object a line on standard output."""
    load()  # the rule book, before anybody waits
    line = sys.stdin.readline()
    if not line:
        return
    told = json.loads(line)
    # The server holds the other end of standard input; when it dies, so does this process.
    threading.Thread(target=_die_with_the_server, daemon=True).start()
    out = sys.stdout
    sys.stdout = sys.stderr

    def say(**message: Any) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    try:
        confine(told["limits"], draws=told["asked"].get("format") == "report.html")
        tasks.do(tasks.Task.of(told), lambda rows, total: say(rows=rows, of_rows=total))
        say(done=True)
    except InputError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in FULL:
            say(code="disk")  # the message would name a path of the server
        else:
            say(error=printable(error.what), remedy=printable(error.remedy))
    except MemoryError:
        say(code="memory")
    except OSError as error:
        say(code="disk" if error.errno in FULL else "unexpected")
    out.flush()
    # Arrow's threads may still be at work on what is not wanted any more.
    os._exit(0)


def printable(text: str) -> str:
    """A message without what a damaged sheet brought into it."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text[:LONGEST_MESSAGE])


def confine(limits: dict[str, Any], draws: bool = False) -> None:
    """Have the system limit this process: memory, processor time, size and number of files, no core dump.

    What draws charts reserves many times the addresses that it uses; there the limit is on what can be written to.
    """
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    cores = os.cpu_count() or 1
    for kind, most in (
        (resource.RLIMIT_DATA if draws else resource.RLIMIT_AS, int(limits["memory_bytes"])),
        (resource.RLIMIT_CPU, int(limits["seconds"] * cores) + 5),
        (resource.RLIMIT_FSIZE, int(limits["file_bytes"])),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)  # noqa: PLW2901 - never beyond what is allowed
        resource.setrlimit(kind, (most, most))
    # Python ignores SIGXFSZ: writing too large a file is an error that `main` reports.


def _die_with_the_server() -> None:
    while sys.stdin.read(1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
