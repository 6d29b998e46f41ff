"""A folder of sheets becomes a folder of results: one Parquet file each, on one machine or many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from perfcalc.errors import InputError
from perfcalc.line import Plan, score_sheet
from perfcalc.sheets.read import Sheet
from perfcalc.summary import Summary

#: Scores parts of a sheet, and gives what became of each in the order of the parts.
Spread = Callable[[Callable[[tuple[str, Sheet]], Summary], Iterable[tuple[str, Sheet]]], Iterator[Summary]]


def is_folder(out: Path) -> bool:
    """Whether a result path means a folder: it is one, or its name has no ending."""
    return out.is_dir() or not out.suffix


def score_folder(
    sheet: Sheet,
    plan: Plan,
    out: Path,
    threads: int | None = None,
    progress: Callable[[int], None] = lambda _rows: None,
    spread: Spread = map,
) -> Summary:
    """Score each file of a sheet into a file of its own; the folder appears whole or not at all.

    Every file is scored by the columns of all of them: what one file lacks is unknown there.

    Raises
    ------
    InputError
        The folder holds something already.
    """
    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out}: the folder is not empty", "empty it, or name another one")
    if not out.absolute().parent.is_dir():
        raise InputError(f"{out.parent}: no such folder", "make it, or choose another place")
    draft = Path(mkdtemp(prefix=".perfcalc-", dir=out.absolute().parent))
    whole: Summary | None = None
    try:
        parts = sheet.split()
        named = list(zip(_names(parts), parts, strict=True))
        for (name, _), found in zip(named, spread(partial(_score, plan, draft, threads), named), strict=True):
            whole = found if whole is None else whole.followed_by(found, name)
            progress(whole.rows)
        # A folder for drafts is private; the result is as open as a new folder is here.
        out.mkdir(exist_ok=True)
        draft.chmod(out.stat().st_mode)
        draft.replace(out)
    finally:
        rmtree(draft, ignore_errors=True)
    assert whole is not None, "a sheet has a part"
    return whole


def _score(plan: Plan, folder: Path, threads: int | None, named: tuple[str, Sheet]) -> Summary:
    name, part = named
    return score_sheet(part, plan, folder / f"{name}.parquet", threads)[0]


def _names(parts: Iterable[Sheet]) -> list[str]:
    """A name for each result: that of the file, numbered from its second use on."""
    seen: Counter[str] = Counter()
    names = []
    for part in parts:
        stem = part.path.name.split(".")[0] or "part"
        seen[stem] += 1
        names.append(stem if seen[stem] == 1 else f"{stem}-{seen[stem]}")
    return names
