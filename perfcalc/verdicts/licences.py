"""Who needs a licence for a destination, which exceptions fit by the numbers, how an application is judged.

Three-valued like the rest: 0 no, 1 open, 2 yes. What a sheet cannot tell stays open and never clears an item.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from perfcalc.rulebook.licences import ANY, Area, CountryGroups, Entry, LicenceTable
from perfcalc.verdicts.columns import distinct_rows
from perfcalc.verdicts.decide import FAILED, MET, NOT_MODELLED, OPEN
from perfcalc.verdicts.judge import Judgement
from perfcalc.verdicts.tables import Book

REQUIRED, NOT_REQUIRED = "required", "not_required"
CANNOT_TELL, UNMODELLED, NOT_APPLICABLE = "cannot_tell", "not_modelled", "not_applicable"
SEPARATOR = ";"


@dataclass(frozen=True)
class Licence:
    """What the table says of one item and one destination."""

    licence: str
    exceptions: tuple[str, ...]
    review: str


def area_state(area: Area, country: str | None, groups: CountryGroups, day: date) -> int:
    """Whether a country lies in an area on a day; open where the country is not known."""
    if country is None:
        return OPEN

    def inside(names: Iterable[str]) -> int:
        found = [groups.contains(name, country, day) for name in names]
        return MET if True in found else OPEN if None in found else FAILED

    return max(min(inside(area.any), MET - inside(area.without)), inside(area.also))


@dataclass(frozen=True)
class Place:
    """A destination and the country in which the end user, or its ultimate parent, has its headquarters."""

    table: LicenceTable
    destination: str
    headquarters: str | None

    def _state(self, area: Area | None, country: str | None, otherwise: int) -> int:
        return otherwise if area is None else area_state(area, country, self.table.groups, self.table.day)

    def either(self, entry: Entry) -> int:
        """For a requirement or an exception: the destination or the headquarters, and what is asked besides."""
        reached = max(
            self._state(entry.destinations, self.destination, FAILED),
            self._state(entry.headquarters, self.headquarters, FAILED),
        )
        return min(reached, self._besides(entry))

    def both(self, entry: Entry) -> int:
        """For a review policy: the destination and the headquarters."""
        return min(
            self._state(entry.destinations, self.destination, MET),
            self._state(entry.headquarters, self.headquarters, MET),
            self._besides(entry),
        )

    def _besides(self, entry: Entry) -> int:
        return min(
            self._state(entry.and_headquarters, self.headquarters, MET),
            MET - self._state(entry.not_headquarters, self.headquarters, FAILED),
        )


@dataclass(frozen=True)
class Item:
    """The paragraphs that one item meets, surely or possibly."""

    book: Book
    met: frozenset[str]
    open: frozenset[str]
    verdict: int

    def state(self, code: str) -> int:
        """Whether the item meets one paragraph."""
        return MET if code in self.met else OPEN if code in self.open else FAILED

    def any_of(self, codes: Sequence[str]) -> int:
        """Whether it meets one of these paragraphs.

        An item that surely meets one of several open controls meets one of `codes`, if these hold all of them.
        """
        if ANY in codes:
            return MET
        state = max((self.state(code) for code in codes), default=FAILED)
        if state == OPEN and self.one_of and self.one_of <= set(codes):
            return MET
        return state

    @property
    def one_of(self) -> frozenset[str]:
        """Controls of which it surely meets one, though it is open which."""
        controls = {rule.paragraph for rule in self.book.rules if rule.role == "control" and not rule.at_only}
        return self.open & controls if self.verdict == MET and not self.met & controls else frozenset()


def decide_licence(item: Item, place: Place) -> Licence:
    """Requirement, exceptions and review policy of one item for one place."""
    if item.verdict == NOT_MODELLED:
        return Licence(UNMODELLED, (), UNMODELLED)
    listed = {rule.paragraph for rule in item.book.rules if rule.role == "control" and not rule.at_only}
    controls = (item.met | item.open) & listed
    if item.verdict == OPEN and not controls:
        return Licence(CANNOT_TELL, (), CANNOT_TELL)
    word, asked = _requirement(item, place, controls)
    exceptions: tuple[str, ...] = ()
    if word in (REQUIRED, CANNOT_TELL) and asked:
        exceptions = tuple(_exceptions(item, place, asked, sure=word == REQUIRED))
    return Licence(word, exceptions, _review(item, place, word, controls))


def _requirement(item: Item, place: Place, controls: frozenset[str]) -> tuple[str, frozenset[str]]:
    """The word, and the controls for which a licence is (possibly) required there."""
    required, unread = FAILED, False
    asked: set[str] = set()
    covered: set[str] = set()
    for entry in place.table.requirements:
        applies = item.any_of(entry.applies_to)
        state = min(applies, place.either(entry))
        if entry.unread:
            unread |= state > FAILED
        elif entry.individual:
            # A letter or a listing: a number that is merely unknown does not bring an item under it.
            required = max(required, OPEN if state == MET else FAILED)
        else:
            covered.update(entry.applies_to)
            required = max(required, state)
            asked.update(controls & set(entry.applies_to) if state > FAILED else ())
    if required == MET:
        return REQUIRED, frozenset(asked)
    if required == OPEN:
        return CANNOT_TELL, frozenset(asked)
    return (UNMODELLED if unread or controls - covered else NOT_REQUIRED), frozenset()


def _exceptions(item: Item, place: Place, asked: frozenset[str], *, sure: bool) -> Iterable[str]:
    """The exceptions that fit every control for which a licence is required; open ones carry a question mark."""
    for entry in place.table.exceptions:

        def fits(code: str, entry: Entry = entry) -> int:
            states = (
                min([item.state(each) for each in (*line.when, *line.beside)], default=MET)
                for line in entry.lines
                if code in line.paragraphs
            )
            return max(states, default=FAILED)

        met = [fits(code) for code in asked & item.met]
        still_open = [fits(code) for code in asked - item.met]
        if met or item.one_of:
            state = min([*met, *(each if item.one_of else max(each, OPEN) for each in still_open)])
        else:
            state = min(OPEN, max(still_open))
        state = min(state, place.either(entry), MET if sure and not entry.undecided else OPEN)
        if state > FAILED:
            yield entry.word if state == MET else f"{entry.word}?"


def _review(item: Item, place: Place, licence: str, controls: frozenset[str]) -> str:
    """The first review policy that fits; open, if an earlier one may fit and says something else."""
    if licence == NOT_REQUIRED or not controls:
        return NOT_APPLICABLE
    if licence != REQUIRED:
        return licence
    words: list[str] = []
    for entry in place.table.reviews:
        state = min(
            item.any_of(entry.applies_to),
            MET - max((item.state(code) for code in entry.without), default=FAILED),
            min((item.state(code) for code in entry.when), default=MET),
            MET - max((item.state(code) for code in entry.when_not), default=FAILED),
            place.both(entry),
        )
        if state > FAILED and entry.word not in words:
            words.append(entry.word)
        if state == MET:
            return words[0] if len(words) == 1 else CANNOT_TELL
    return CANNOT_TELL if words else UNMODELLED


def licence_columns(
    book: Book,
    table: LicenceTable | None,
    judgement: Judgement,
    destination: str,
    headquarters: str | None,
    review: pa.Array,
) -> dict[str, pa.Array]:
    """The columns ``_licence``, ``_exceptions`` and ``_review`` of one jurisdiction.

    Parameters
    ----------
    judgement
        With what `book.beside` says: the tests of exceptions and review lines.
    review
        What a review line of the rule book says, where there is no licence table.
    """
    prefix = book.jurisdiction
    names = [f"{prefix}_licence", f"{prefix}_exceptions", f"{prefix}_review"]
    if table is None:
        # Another jurisdiction's licence table is not in the book: that is no licence-free answer.
        size = judgement.verdict.size
        words = pa.array([UNMODELLED] * size, pa.string())
        return dict(zip(names, (words, pa.nulls(size, pa.string()), review), strict=True))
    groups = table.groups
    place = Place(table, groups.code(destination), None if headquarters is None else groups.code(headquarters))
    own = judgement.answers
    extra = own if judgement.beside is None else judgement.beside.answers
    distinct, codes = distinct_rows(own.verdict.astype(np.int64), own.met, own.open, extra.met, extra.open)
    other = book if book.beside is None else book.beside
    found = [
        decide_licence(
            Item(book, _codes(book, met) | _codes(other, more), _codes(book, may) | _codes(other, might), verdict),
            place,
        )
        for verdict, met, may, more, might in distinct
    ]
    if place.destination == prefix.upper():
        # No export at all.
        found = [Licence(NOT_REQUIRED, (), NOT_APPLICABLE)] * len(found)
    rows = pa.array(codes[judgement.codes])
    columns = (
        [each.licence for each in found],
        [SEPARATOR.join(each.exceptions) or None for each in found],
        [each.review for each in found],
    )
    return {name: pa.array(words, pa.string()).take(rows) for name, words in zip(names, columns, strict=True)}


def _codes(book: Book, mask: int) -> frozenset[str]:
    return frozenset(rule.paragraph for r, rule in enumerate(book.rules) if mask >> r & 1)
