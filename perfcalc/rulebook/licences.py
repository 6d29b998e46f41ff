"""Load the licence table: who needs a licence where, which exceptions there are, how an application is judged.

The table is data beside the rules of a jurisdiction: ``licences/requirements.yaml``, ``licences/exceptions.yaml``,
``licences/reviews.yaml`` and ``country_groups.yaml``. Nothing is computed here; `perfcalc.verdicts.licences` decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from perfcalc.errors import InputError
from perfcalc.rulebook.book import FOLDER, LAYERS, Instrument, Law, instruments_of, read_yaml
from perfcalc.rulebook.folders import folder_in_use

#: Where a list of countries says it, every country.
WORLD: Final = "world"

#: Where a list of paragraphs says it, every item whatever it meets.
ANY: Final = "any"


@dataclass(frozen=True)
class Area:
    """Some countries: any of these groups or codes, but none of those, and these in any case."""

    any: tuple[str, ...]
    without: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """One line of an exception: these paragraphs, where these tests are met and these paragraphs too."""

    paragraphs: tuple[str, ...]
    when: tuple[str, ...]
    beside: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """A dated line of the licence table.

    Attributes
    ----------
    word
        What it says: nothing for a requirement, the exception's name, the review policy.
    applies_to
        Paragraphs of the rule book; the lines of an exception say it instead.
    without
        Not where the item meets one of these.
    lines
        For an exception, what it may be used for.
    when, when_not
        Paragraphs with the role of review that must, or must not, be met.
    destinations, headquarters
        A requirement or an exception asks for either; a review policy for both. None: no such condition.
    and_headquarters, not_headquarters
        Asked besides.
    unread
        The condition is known, its content is not in the book: why.
    individual
        Depends on who is asked, which a sheet does not tell: why.
    undecided
        The sheet never settles it: at most open.
    """

    word: str
    paragraph: str
    applies_to: tuple[str, ...]
    without: tuple[str, ...]
    lines: tuple[Line, ...]
    when: tuple[str, ...]
    when_not: tuple[str, ...]
    destinations: Area | None
    headquarters: Area | None
    and_headquarters: Area | None
    not_headquarters: Area | None
    unread: str
    individual: str
    undecided: bool
    beyond: str
    start: date
    end: date | None
    status: str
    instruments: tuple[Instrument, ...]
    verified: date
    confidence: str
    note: str

    def in_force(self, day: date, law: Law) -> bool:
        """Whether the line was law on `day`."""
        return self.status in LAYERS[law] and self.start <= day and (self.end is None or day < self.end)


@dataclass(frozen=True)
class Change:
    """A country joins and leaves groups: on a day, or at some unknown day before `known_from`."""

    country: str
    joins: tuple[str, ...]
    leaves: tuple[str, ...]
    unknown_from: date
    known_from: date
    citation: str
    confidence: str


@dataclass(frozen=True)
class CountryGroups:
    """Country groups: one dated snapshot, and the changes that are known."""

    as_of: date
    members: Mapping[str, frozenset[str]]
    changes: tuple[Change, ...]
    treated_as: Mapping[str, str]
    countries: frozenset[str]

    def code(self, country: str) -> str:
        """The code under which the groups know a country.

        Raises
        ------
        InputError
            It is not a country code.
        """
        code = country.strip().upper()
        if code not in self.countries:
            raise InputError(f"{country!r} is not a country code", "write two letters of ISO 3166, such as CN or AE")
        return self.treated_as.get(code, code)

    def contains(self, group: str, code: str, day: date) -> bool | None:
        """Whether a country was in a group on a day; None in a month whose day of change was not read."""
        if ":" not in group:
            return group in (WORLD, code)
        inside = code in self.members[group]
        for change in sorted(self.changes, key=lambda change: change.known_from, reverse=True):
            if change.country != code or day >= change.known_from:
                continue
            if group in (*change.joins, *change.leaves):
                if day >= change.unknown_from:
                    return None
                inside = group in change.leaves
        return inside


@dataclass(frozen=True)
class LicenceTable:
    """The licence table of a jurisdiction on one day, in the order of its files."""

    jurisdiction: str
    day: date
    requirements: tuple[Entry, ...]
    exceptions: tuple[Entry, ...]
    reviews: tuple[Entry, ...]
    groups: CountryGroups


@cache
def read_licences(jurisdiction: str, folder: Path = FOLDER) -> tuple[tuple[Entry, ...], ...] | None:
    """Requirements, exceptions and review policies of every day; None where there is no table."""
    place = folder / jurisdiction / "licences"
    if not place.is_dir():
        return None
    instruments = instruments_of(folder / jurisdiction)
    tables = []
    for name in ("requirements", "exceptions", "reviews"):
        path = place / f"{name}.yaml"
        text = read_yaml(path)
        try:
            tables.append(tuple(_entry(each, text.get("levels", {}), instruments) for each in text[name]))
        except KeyError as error:
            raise InputError(f"{path}: {error} is missing or not known", "compare it with its neighbours") from error
    return tuple(tables)


@cache
def read_groups(jurisdiction: str, folder: Path = FOLDER) -> CountryGroups:
    """The country groups of a jurisdiction, with the list of all country codes."""
    text = read_yaml(folder / jurisdiction / "country_groups.yaml")
    changes = tuple(
        Change(
            each["country"],
            tuple(each.get("joins", ())),
            tuple(each.get("leaves", ())),
            each["day"] if "day" in each else each["unknown_from"],
            each["day"] if "day" in each else each["known_from"],
            each["citation"],
            each["confidence"],
        )
        for each in text["changes"]
    )
    return CountryGroups(
        text["as_of"],
        {group: frozenset(members) for group, members in text["groups"].items()},
        changes,
        text["treated_as"],
        frozenset(text["countries"].split()),
    )


def licences_on(jurisdiction: str, day: date, law: Law = "enforced") -> LicenceTable | None:
    """The licence table of one jurisdiction on one day; None where there is none."""
    folder = folder_in_use()
    tables = read_licences(jurisdiction, folder)
    if tables is None:
        return None
    requirements, exceptions, reviews = (
        tuple(entry for entry in entries if entry.in_force(day, law)) for entries in tables
    )
    return LicenceTable(jurisdiction, day, requirements, exceptions, reviews, read_groups(jurisdiction, folder))


def _entry(each: Mapping[str, Any], levels: Mapping[str, Sequence[str]], acts: Mapping[str, Instrument]) -> Entry:
    def codes(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(code for name in names for code in levels.get(name, (name,)))

    return Entry(
        word=each.get("name") or each.get("review", ""),
        paragraph=each["paragraph"],
        applies_to=codes(each.get("applies_to", ())),
        without=codes(each.get("without", ())),
        lines=tuple(
            Line(codes(line["paragraphs"]), tuple(line.get("when", ())), codes(line.get("beside", ())))
            for line in each.get("for", ())
        ),
        when=tuple(each.get("when", ())),
        when_not=tuple(each.get("when_not", ())),
        destinations=_area(each.get("destinations")),
        headquarters=_area(each.get("headquarters") or each.get("or_headquarters")),
        and_headquarters=_area(each.get("and_headquarters")),
        not_headquarters=_area(each.get("not_headquarters")),
        unread=each.get("unread", ""),
        individual=each.get("individual", ""),
        undecided=bool(each.get("undecided", False)),
        beyond=each.get("beyond", ""),
        start=each["from"],
        end=each["until"],
        status=each["status"],
        instruments=tuple(acts[citation] for citation in each["citation"]),
        verified=each["verified"],
        confidence=each["confidence"],
        note=each.get("note", ""),
    )


def _area(text: Mapping[str, Sequence[str]] | None) -> Area | None:
    if text is None:
        return None
    return Area(tuple(text["any"]), tuple(text.get("not", ())), tuple(text.get("also", ())))
