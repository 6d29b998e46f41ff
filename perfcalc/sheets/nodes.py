"""Process-node names become foundry, marketed size and transistor architecture, from the cited ``nodes.csv``."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).parent / "nodes.csv"


@dataclass(frozen=True)
class Node:
    """One process node.

    Attributes
    ----------
    marketed_nm
        The number in its name; not a length.
    architecture
        ``planar``, ``non_planar``, or empty where the name alone does not tell.
    logic_density_mtr_mm2
        Million transistors per mm², as text; empty when no source gives it.
    """

    foundry: str
    node: str
    marketed_nm: str
    architecture: str
    logic_density_mtr_mm2: str
    source: str


@cache
def _table() -> tuple[dict[tuple[str, str], Node], dict[str, list[Node]], tuple[str, ...]]:
    """By foundry and spelling; by spelling alone; and the names of the foundries."""
    exact: dict[tuple[str, str], Node] = {}
    anywhere: dict[str, list[Node]] = {}
    foundries: dict[str, None] = {}
    with TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            node = Node(
                row["foundry"],
                row["node"],
                row["marketed_nm"],
                row["architecture"],
                row["logic_density_mtr_mm2"],
                row["source"],
            )
            if row["foundry"]:
                foundries[_folded(row["foundry"])] = None
            for spelling in (row["node"], *filter(None, row["aliases"].split("|"))):
                exact.setdefault((_folded(row["foundry"]), _folded(spelling)), node)
            anywhere.setdefault(_folded(row["node"]), []).append(node)
    return exact, anywhere, tuple(sorted(foundries, key=len, reverse=True))


def _folded(text: str) -> str:
    return re.sub(r"[\s_-]+", "", text.casefold())


@lru_cache(maxsize=4096)
def find(process_node: str, foundry: str = "") -> tuple[Node, ...]:
    """The nodes that a cell names; empty when one of them is not in the table.

    ``TSMC 4N``, ``4N`` and ``4 nm`` with the foundry TSMC in its own column are all understood. Several nodes in one
    cell (``N5 / N6``) are all returned.
    """
    parts = re.split(r"\s*(?:/|,|;|&|\band\b|(?<=[a-z0-9])\s\+\s)\s*", process_node.strip())
    found: list[Node] = []
    for part in filter(None, parts):
        node = _find_one(part, foundry or (found[0].foundry if found else ""))
        if node is None:
            return ()
        found.append(node)
    return tuple(found)


def _find_one(text: str, foundry: str) -> Node | None:
    exact, anywhere, foundries = _table()
    spelling, maker = _folded(text), _folded(foundry)
    for name in foundries:
        if (name, spelling) not in exact and spelling.startswith(name):
            maker, spelling = name, spelling[len(name) :]
            break
    named = [name for name in foundries if maker.startswith(name)]
    for key in ((named[0] if named else maker, spelling), ("", spelling)):
        if key in exact:
            return exact[key]
    candidates = anywhere.get(spelling, [])
    # The same name at two foundries will do as long as they agree on the architecture.
    return candidates[0] if candidates and len({node.architecture for node in candidates}) == 1 else None


_NAME = re.compile(
    r"(?<![\w.])(?:N\d{1,2}[A-Z+]*\d?|CLN\d+\w*|\d{1,3}(?:LP[A-Z+]*|FF[A-Z+]*|HP[A-Z]*|LPE|FDX|SF\w*|N[A-Z]?|LPU|LPM|LL|G)\+?|SF\d\w*\+?|N\+\d|Intel\s?\d+A?"
    r"|\d{2}A)(?![\w])",
)


def name_in(text: str) -> str:
    """The name of a node inside a longer text (``RDNA TSMC N7``): the first outside of brackets, else the first.

    A whole text that the table knows is its own answer.
    """
    if find(text):
        foundry, _, name = text.partition(" ")
        # "Intel 7" is the whole name; in "TSMC 4N" the foundry only stands before it.
        return name if name and not name.isdigit() and _folded(foundry) in _table()[2] else text
    for part in (re.sub(r"\([^)]*\)", " ", text), text):
        match = _NAME.search(part)
        if match:
            return match[0]
    return ""


def foundry_in(text: str) -> str:
    """The foundry that a longer text names; nothing when it names none or several."""
    folded = _folded(text)
    named = [name for name in _table()[2] if name in folded]
    return named[0] if len(named) == 1 else ""


def node_text(cell: str) -> str:
    """A node as `find` likes it: ``4.0`` under a heading in nanometres is ``4 nm``."""
    match = re.fullmatch(r"(\d+)(?:\.0+)?", cell)
    if match:
        return f"{match[1]} nm"
    return re.sub(r"(?<=\d)\.0+(?=\s*nm\b)", "", cell)
