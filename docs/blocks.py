"""Run the blocks of a page in order, and write what they print into it.

A ``console`` block holds commands and what they print. ``perfcalc`` runs in this process; ``cat FILE``, ``head -n N
FILE`` and ``echo $?`` (the exit code of the command before) are known besides, and no others. A ``python`` block is
executed, with the names of the blocks before it; functions called ``test_...`` in it are called too, as pytest would. A
``text`` block right after it shows what it printed. In either, a line of ``...`` leaves out what stands between.

Every page runs in a new folder with copies of ``specs/`` and ``docs/examples/``, so that pages may write files.
"""

from __future__ import annotations

import inspect
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from perfcalc.cli import main

ROOT = Path(__file__).parents[1]
FENCE = re.compile(
    r"^```(?P<language>\w*)\n(?P<body>.*?)^```$(?P<text>\n\n```text\n(?P<shown>.*?)^```$)?", re.DOTALL | re.MULTILINE
)
COMMAND = re.compile(r"^\$ (?P<command>(?:[^\n]*\\\n)*[^\n]*)\n(?P<shown>(?:(?!\$ )[^\n]*\n)*)", re.MULTILINE)
#: Blocks that are not run: what a person types once to install, and what must be changed before it is run.
NOT_RUN = ("sh", "yaml")


@contextmanager
def working_folder() -> Iterator[Path]:
    """A folder with what the pages name, as the working directory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "specs", folder / "specs")
        shutil.copytree(ROOT / "docs" / "examples", folder / "docs" / "examples")
        with chdir(folder):
            yield folder


def rerun(page: str) -> str:
    """A page with everything that its blocks print made anew."""
    names: dict[str, Any] = {}

    def fresh(block: re.Match[str]) -> str:
        if block["language"] == "console":
            return f"```console\n{console(block['body'])}```{block['text'] or ''}"
        if block["language"] == "python":
            printed = python(block["body"], names)
            if block["text"]:
                return f"```python\n{block['body']}```\n\n```text\n{shortened(printed, block['shown'])}```"
        elif block["language"] not in NOT_RUN:
            raise ValueError(f"a block of {block['language'] or 'no language'} would not be tested: {block['body']}")
        return block[0]

    with working_folder():
        return FENCE.sub(fresh, page)


def console(body: str) -> str:
    """The commands of a block, each with what it prints."""
    said, code = "", 0
    for each in COMMAND.finditer(body):
        words = shlex.split(each["command"].replace("\\\n", " "), comments=True)
        printed, code = (str(code), 0) if words == ["echo", "$?"] else run(words)
        if code > 1 and not each["shown"].startswith("error:"):
            raise RuntimeError(f"{each['command']}: {printed}")
        said += f"$ {each['command']}\n{shortened(printed, each['shown'])}"
    return said


def run(words: list[str]) -> tuple[str, int]:
    """What a command prints, in a terminal of 100 columns, and its exit code."""
    match words:
        case ["perfcalc", *arguments]:
            terminal = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
            result = CliRunner().invoke(main, arguments, env=terminal)
            if result.exception is not None and not isinstance(result.exception, SystemExit):
                raise result.exception
            return result.stdout if result.exit_code < 2 else result.output, result.exit_code
        case ["cat", name]:
            return Path(name).read_text("utf-8"), 0
        case ["head", "-n", count, name]:
            return "\n".join(Path(name).read_text("utf-8").splitlines()[: int(count)]), 0
    raise ValueError(f"a page cannot run {shlex.join(words)}")


def python(body: str, names: dict[str, Any]) -> str:
    """What a block of Python prints."""
    before = set(names)
    with redirect_stdout(StringIO()) as printed:
        exec(compile(body, "documentation", "exec"), names)  # noqa: S102 - the pages of this repository
        for name in sorted(set(names) - before):
            if name.startswith("test_"):
                # Of pytest's fixtures the pages use one, that of pytest-benchmark: here it calls once.
                wanted = inspect.signature(names[name]).parameters
                names[name](*([lambda call, *args, **kwargs: call(*args, **kwargs)] * ("benchmark" in wanted)))
    return printed.getvalue()


def shortened(printed: str, shown: str) -> str:
    """What was printed, with as much left out as the page leaves out."""
    lines = [line.rstrip() for line in printed.rstrip().splitlines()]
    parts = shown.rstrip("\n").split("\n...\n")
    head, tail = (parts[0].count("\n") + 1, parts[1].count("\n") + 1) if len(parts) == 2 else (len(lines), 0)
    if shown.endswith("\n...\n"):
        head = shown.count("\n") - 1
    if head + tail < len(lines):
        lines = [*lines[:head], "...", *lines[len(lines) - tail :]]
    return "".join(f"{line}\n" for line in lines)
