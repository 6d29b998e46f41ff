"""Where a rule book lies, which files it is made of, and their digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent

#: The folder of overlays: bills and examples, no jurisdiction and no law.
OVERLAYS: Final = "overlays"

#: Whose law is asked: of the rule book that ships, or, within `law_from`, of a copy.
_in_use: ContextVar[Path] = ContextVar("rule book", default=FOLDER)


def folder_in_use() -> Path:
    """The folder of the rule book that is asked."""
    return _in_use.get()


@contextmanager
def law_from(folder: Path) -> Iterator[None]:
    """Ask the law of another folder, as a replay does. It holds in this thread only: score with one."""
    token = _in_use.set(folder)
    try:
        yield
    finally:
        _in_use.reset(token)


def rule_files(folder: Path) -> list[Path]:
    """Every file of a rule book that its digest covers, in order: entries and what they cite, then licence tables."""
    files = sorted(path for path in folder.glob("*/*.yaml") if not path.name.endswith(".cases.yaml"))
    files = [path for path in files if path.parent.name != OVERLAYS]
    return [*files, *sorted(folder.glob("*/licences/*.yaml"))]


def digest_of(folder: Path) -> str:
    """The SHA-256 of a rule book: of the names and bytes of its files."""
    digest = hashlib.sha256()
    for path in rule_files(folder):
        digest.update(f"{path.relative_to(folder).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()
