"""The ledger of open legal readings: ``ambiguities.yaml``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from perfcalc.errors import InputError
from perfcalc.rulebook.book import FOLDER, RuleBook, read_yaml
from perfcalc.rulebook.lint import Finding

NONE: Final = "none"


@dataclass(frozen=True)
class View:
    """How somebody reads it, and where that is written."""

    says: str
    who: str
    source: str


@dataclass(frozen=True)
class Ambiguity:
    """One open reading.

    Attributes
    ----------
    default
        What perfcalc does.
    option
        The reading (``perfcalc readings``) that changes it, or none.
    switch
        The option of the command line that changes it, where it is not a reading.
    """

    id: str
    jurisdiction: str
    paragraph: str
    question: str
    readings: tuple[View, ...]
    default: str
    option: str | None
    switch: str = ""


@cache
def load() -> tuple[Ambiguity, ...]:
    """The ledger that ships with perfcalc."""
    path = FOLDER / "ambiguities.yaml"
    try:
        return tuple(
            Ambiguity(
                id=entry["id"],
                jurisdiction=entry["jurisdiction"],
                paragraph=entry["paragraph"],
                question=entry["question"],
                readings=tuple(View(view["says"], view["who"], view["source"]) for view in entry["readings"]),
                default=entry["default"],
                option=None if entry["option"] == NONE else entry["option"],
                switch=entry.get("switch", ""),
            )
            for entry in read_yaml(path)
        )
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: {error} is missing or not of its form", "compare it with its neighbours") from error


def lint_ledger(ledger: Sequence[Ambiguity], options: Sequence[str], book: RuleBook) -> Iterator[Finding]:
    """What is wrong with the ledger.

    Parameters
    ----------
    options
        The names of the readings that perfcalc offers: each must be in the ledger.
    """
    seen: set[str] = set()
    for entry in ledger:
        where = f"ambiguities.yaml {entry.id}"
        if entry.id in seen:
            yield Finding("error", where, "occurs twice")
        seen.add(entry.id)
        if not entry.readings:
            yield Finding("error", where, "nobody reads it in any way")
        if any(not view.source.startswith(("https://", "http://")) for view in entry.readings):
            yield Finding("error", where, "a reading without a link")
        if entry.option is not None and entry.option not in options:
            yield Finding("warning", where, f"names the reading {entry.option!r}, which perfcalc does not offer")
        if entry.jurisdiction not in book.jurisdictions:
            yield Finding("warning", where, f"is about {entry.jurisdiction}, of which the book has no rule")
    for option in options:
        if option not in {entry.option for entry in ledger}:
            yield Finding("error", "ambiguities.yaml", f"the reading {option!r} is not in the ledger")
