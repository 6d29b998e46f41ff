"""The cited tables behind the signals: process nodes, technologies, cut-offs and earlier parts."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

HERE: Final = Path(__file__).parent
HOME: Final = "CN"  # "domestic" means this country: the cases are all of its designers


def years(day: date) -> float:
    """A day as years, so that differences are in years of 365.25 days."""
    return day.toordinal() / 365.25


@dataclass(frozen=True)
class Node:
    """One process node with what a teardown would measure.

    Attributes
    ----------
    since
        Start of volume production in years; infinite where no source tells.
    """

    foundry: str
    home: bool
    name: str
    marketed_nm: float
    since: float
    gate_pitch_nm: float | None
    cell_height_nm: float | None
    density_mtr_mm2: float | None


def _since(text: str) -> float:
    if not text:
        return float("inf")
    year, _, rest = text.partition("-")
    month = 3 * int(rest[1]) - 2 if rest.startswith("Q") else int(rest or 1)
    return years(date(int(year), month, 1))


def _number(text: str) -> float | None:
    found = re.fullmatch(r"\d+(\.\d+)?", text.strip())
    return float(found[0]) if found else None


@cache
def nodes() -> tuple[Node, ...]:
    """The table of process nodes."""
    with (HERE / "nodes.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Node(
                row["foundry"],
                row["country"] == HOME,
                row["node_name"],
                float(row["marketed_nm"]),
                _since(row["volume_production_from"]),
                _number(row["contacted_gate_pitch_nm"]),
                _number(row["cell_height_nm"]),
                _number(row["logic_density_mtr_mm2"]),
            )
            for row in csv.DictReader(file)
        )


@cache
def home_steps() -> tuple[tuple[float, float], ...]:
    """When domestic foundries reached which node: (years, marketed nm), oldest first."""
    return tuple(sorted((node.since, node.marketed_nm) for node in nodes() if node.home))


def frontier(when: float) -> float:
    """The finest node in volume at home on a day; 40 nm before the table begins."""
    return min((nm for since, nm in home_steps() if since <= when), default=40.0)


@dataclass(frozen=True)
class Technology:
    """A licensed core with the day it was first announced."""

    name: str
    pattern: re.Pattern[str]
    first_public: float


@cache
def technologies() -> tuple[Technology, ...]:
    """Core IP that a sheet may name."""
    with (HERE / "technologies.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Technology(
                row["technology"],
                re.compile(row["pattern"], re.IGNORECASE),
                years(date.fromisoformat(row["first_public"])),
            )
            for row in csv.DictReader(file)
        )


@cache
def controls() -> dict[str, list[dict[str, Any]]]:
    """Cut-offs, makers with fabs of their own, and known banks of foreign dies."""
    loaded: dict[str, list[dict[str, Any]]] = yaml.safe_load((HERE / "controls.yaml").read_text("utf-8"))
    return loaded


def fits(entry: Mapping[str, Any], facts: Mapping[str, str]) -> bool:
    """Whether every pattern of an entry is found in the fact of its name."""
    keys = ("designer", "product_maker", "component_class", "designer_country")
    return all(re.search(entry[key], facts.get(key, ""), re.IGNORECASE) for key in keys if key in entry)


@dataclass(frozen=True)
class Part:
    """An earlier part of a designer, as its data sheet has it. No field of it says where it was made."""

    name: str
    designer: str
    announced: float
    announced_text: str
    clock_ghz: float | None
    cores: frozenset[str]
    claimed_nm: float | None


@cache
def parts() -> tuple[Part, ...]:
    """Parts whose data sheets are known, oldest first."""
    from perfcalc.origin.signals import claimed_nm, core_names, read_day

    found = []
    with (HERE / "parts.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            low, high = read_day(row["announced"])
            assert low is not None
            assert high is not None
            found.append(
                Part(
                    row["name"],
                    designer_key(row["designer"]),
                    high,
                    row["announced"],
                    _number(row["clock_ghz"]),
                    core_names(row["cpu_ip"]),
                    claimed_nm(row["process_node"]),
                )
            )
    return tuple(sorted(found, key=lambda part: (part.announced, part.name)))


def designer_key(designer: str) -> str:
    """HiSilicon and Huawei are one designer; otherwise the first word."""
    folded = designer.casefold()
    if "hisilicon" in folded or "huawei" in folded:
        return "huawei"
    return folded.split("(")[0].strip()
