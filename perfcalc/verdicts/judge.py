"""Metrics meet the law: judge the positions of a batch, then judge exactly whatever lies on a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from threading import Lock
from typing import Any, Final

import numpy as np

from perfcalc.facts import Facts, Flags, Indices, Links, Numbers
from perfcalc.kernel import run
from perfcalc.verdicts.decide import Answers, States, condition_states, decide
from perfcalc.verdicts.margin import margins_of
from perfcalc.verdicts.positions import BLOCK, FEWEST, Codes, Line, Numberings, Positions, lines_of, positions
from perfcalc.verdicts.tables import COMPUTER, Book, Program, any_bit, kind_bits, tested, tested_fields

#: Positions that are kept; a few hundred are met in practice.
KEPT_POSITIONS: Final = 200_000

POSITIONS_BEFORE_COMPILING: Final = 5_000


@dataclass
class Judgement:
    """What a book says of each item of a batch.

    Attributes
    ----------
    codes
        The position of each item; items in one position get one answer.
    answers
        The answer for each position.
    margin
        For each item the signed relative distance to the nearest deciding line; none unless measured.
    beside
        What `Book.beside` says of them.
    """

    codes: Codes
    answers: Answers
    margin: Numbers | None = None
    beside: Judgement | None = None

    @cached_property
    def verdict(self) -> States:
        """For each item the place of its verdict in `VERDICTS`."""
        return self.answers.verdict.take(self.codes)

    @cached_property
    def met(self) -> Indices:
        """For each item a mask of the paragraphs surely met."""
        return self.answers.met.take(self.codes)

    @cached_property
    def open(self) -> Indices:
        """For each item a mask of the paragraphs neither met nor failed."""
        return self.answers.open.take(self.codes)

    @cached_property
    def needs(self) -> Indices:
        """For each item with an open verdict a mask of the metrics that would settle it."""
        return self.answers.needs.take(self.codes)


#: Facts and kinds of some rows, from the decimal text of the sheet, with the metrics of some lines; and which rows they are.
Exactly = Callable[[Indices, Sequence[Line]], tuple[Facts, Indices, Indices]]


def judge(book: Book, facts: Facts, kinds: Indices, exactly: Exactly, margins: bool = True) -> Judgement:
    """Judge a batch of items by one book, see `judge_all`."""
    return judge_all((book,), facts, kinds, exactly, margins)[0]


def judge_all(
    books: Sequence[Book], facts: Facts, kinds: Indices, exactly: Exactly, margins: bool = True
) -> list[Judgement]:
    """Judge a batch of items by several books at once.

    Parameters
    ----------
    facts
        With the metrics that the books test.
    kinds
        Code of each item's kind, -1 if unknown.
    exactly
        Called with the rows that lie within rounding of a limit and all lines of the books.
    margins
        Measure the distance to the line too.

    Returns
    -------
    list of Judgement
        One a book; books that say the same of every item share one.
    """
    shelf = _shelf(tuple(books))
    found, near = shelf.judge(facts, kinds, margins)
    rows = np.flatnonzero(near)
    if rows.size:
        exact_facts, exact_kinds, exact_rows = exactly(rows, shelf.lines.lines)
        again, _ = shelf.judge(exact_facts, exact_kinds, margins)
        codes = found[0].codes.copy()
        codes[exact_rows] = again[0].codes + found[0].answers.verdict.size
        for position, (first, second) in enumerate(zip(found, again, strict=True)):
            if first.margin is not None:
                first.margin[exact_rows] = second.margin
            found[position] = Judgement(codes, first.answers.followed_by(second.answers), first.margin)
    return shelf.judgements(found)


class _Shelf:
    """Books that are asked together, and what they said of every position that came by."""

    def __init__(self, books: Sequence[Book]) -> None:
        # Members of a union that only include its list are judged once.
        alike = [next(other for other in books if other.is_alike(book)) for book in books]
        self.primary = list(dict.fromkeys(alike))
        self.order = [self.primary.index(book) for book in alike]
        besides = [book.beside for book in self.primary if book.beside is not None]
        self.books = [*self.primary, *besides]
        self.lines = lines_of(self.books)
        self.lock = Lock()
        self.forget()

    def forget(self) -> None:
        """Start anew."""
        # Slot 0 is for positions that are not to be trusted.
        self.known: dict[Any, _Known] = {}
        self.used = 1
        self.answers = [Answers(np.zeros(1, np.uint8), *(np.zeros(1, np.int64) for _ in range(4))) for _ in self.books]

    def judgements(self, found: list[Judgement]) -> list[Judgement]:
        """One for each of the books as they were given."""
        besides = iter(found[len(self.primary) :])
        whole = [
            replace(judgement, beside=next(besides)) if book.beside is not None else judgement
            for book, judgement in zip(self.primary, found, strict=False)
        ]
        return [whole[position] for position in self.order]

    def judge(self, facts: Facts, kinds: Indices, margins: bool) -> tuple[list[Judgement], Flags]:
        """Judge by every book; and which items are within rounding of a limit."""
        where = positions(self.lines, facts, kinds, asking(facts, kinds))
        near = where.near[where.codes] if where.near.any() else np.zeros(facts.size, np.bool_)
        if facts.links is not None:
            _spread(near, facts.links)
        if facts.links is not None and (kinds == COMPUTER).any():
            # What a computer contains is not said by its own position.
            codes = np.arange(facts.size, dtype=np.int32)
            answers = [_decide_all(book, facts, kinds, facts.exact) for book in self.books]
        else:
            codes, answers = where.codes, self._answers(where, facts, kinds)
        found = [Judgement(codes, each) for each in answers]
        if margins:
            for book, judgement in zip(self.primary, found, strict=False):
                judgement.margin = margins_of(book, facts, kinds, judgement.answers, judgement.codes)
        return found, near

    def _answers(self, where: Positions, facts: Facts, kinds: Indices) -> list[Answers]:
        """What each book says of the positions of a batch; new ones are judged by their first item, and kept."""
        with self.lock:
            if self.used > KEPT_POSITIONS:
                self.forget()
            known = self.known.setdefault(where.batch, _Known())
            # The compiler takes as long as plain Python takes for some thousands of positions.
            plainly = facts.exact or self.used < POSITIONS_BEFORE_COMPILING
            codes, slots = known.slots(where)
            missing = np.flatnonzero(slots < 0)
            if missing.size:
                rows = where.first[missing]
                some, of_kinds = facts.take(rows), kinds[rows]
                learned = [_decide_all(book, some, of_kinds, plainly) for book in self.books]
                self.answers = [
                    each.take(np.arange(self.used)).followed_by(new)
                    for each, new in zip(self.answers, learned, strict=True)
                ]
                slots[missing] = np.arange(self.used, self.used + missing.size)
                known.learn(codes[missing], slots[missing])
                self.used += missing.size
            return [each.take(slots) for each in self.answers]


class _Known:
    """The positions met in batches of one sort, and the slots of their answers."""

    def __init__(self) -> None:
        self.numbers = Numberings(FEWEST)
        self.slot = np.empty(0, np.int64)

    def slots(self, where: Positions) -> tuple[Codes, Indices]:
        """The numbers of the positions of a batch, and their slots: 0 where not to be trusted, -1 where there is none yet."""
        codes = self.numbers.number(where.words, where.first.size)
        self.slot = np.append(self.slot, np.full(self.numbers.count - self.slot.size, -1))
        slots = self.slot[codes]
        slots[where.near] = 0
        return codes, slots

    def learn(self, codes: Codes, slots: Indices) -> None:
        """Keep the slots of some positions."""
        self.slot[codes] = slots


@lru_cache(maxsize=16)
def _shelf(books: tuple[Book, ...]) -> _Shelf:
    return _Shelf(books)


def _decide_all(book: Book, facts: Facts, kinds: Indices, plainly: bool) -> Answers:
    asked = asked_mask(book, facts, kinds)
    contained = (np.zeros(facts.size, np.int64), np.zeros(facts.size, np.int64))
    if (kinds == COMPUTER).any() and book.program.contains.any():
        contained = _contained(book, facts, kinds, asked, plainly)
    return _decide(book, facts, kinds, asked, contained, plainly)


def _decide(
    book: Book,
    facts: Facts,
    kinds: Indices,
    asked: Indices,
    contained: tuple[Indices, Indices],
    plainly: bool,
    limits: bool = False,
) -> Answers:
    """Run the kernels. With `limits`, paragraphs are judged by their limits alone, whatever is met elsewhere."""
    size = facts.size
    program = book.exact_program if facts.exact else book.program
    if limits:
        program = program._replace(unless=np.zeros_like(program.unless))
    of_kinds = kind_bits(kinds)
    states = _states(book, facts, program, plainly, tested(program, any_bit(of_kinds), any_bit(asked)))
    verdict = np.empty(size, np.uint8)
    met, still_open, needs = (np.empty(size, np.int64) for _ in range(3))
    scratch = np.empty((program.first_excluding.size + 2, BLOCK), np.uint8)
    run(
        decide,
        plainly,
        states,
        of_kinds,
        asked,
        *contained,
        book.modelled,
        program,
        scratch,
        met,
        still_open,
        verdict,
        needs,
    )
    return Answers(verdict, met, still_open, needs, asked)


def _states(book: Book, facts: Facts, program: Program, plainly: bool, wanted: set[int]) -> States:
    """State of every condition for every item."""
    states = np.zeros((program.metric.size, facts.size), np.uint8)
    for c in wanted:
        low, high = facts.interval(book.metrics[program.metric[c]])
        run(condition_states, plainly, low, high, int(program.operator[c]), program.limit[c], states[c])
    return states


def asked_mask(book: Book, facts: Facts, kinds: Indices) -> Indices:
    """For each item, the rules that are asked of it: core ones, and those that test a field which it carries."""
    mask = np.zeros(facts.size, dtype=np.int64)
    known: dict[frozenset[str], Flags] = {}
    for r, rule in enumerate(book.rules):
        if rule.core:
            mask |= 1 << r
            continue
        fields = tested_fields(rule)
        if fields not in known:
            known[fields] = is_asked(fields, facts, kinds)
        mask |= known[fields].astype(np.int64) << r
    return mask


def is_asked(fields: frozenset[str], facts: Facts, kinds: Indices) -> Flags:
    """The items that carry any of some fields."""
    flags = asking(facts, kinds)(fields)
    return np.full(facts.size, flags) if isinstance(flags, bool) else flags


def asking(facts: Facts, kinds: Indices) -> Callable[[frozenset[str]], bool | Flags]:
    """For a set of fields, the items that carry any of them; or whether all items do, or none."""
    counts: dict[int, int] = {}

    def ask(fields: frozenset[str]) -> bool | Flags:
        # Columns without a blank share their flags, and most columns have no blank or nothing else.
        columns = {id(flags): flags for name in fields if (flags := facts.given.get(name)) is not None}
        if "part_of" in fields and facts.links is not None:
            parts = _has_parts(facts, kinds)
            columns[id(parts)] = parts
        some = []
        for key, flags in columns.items():
            if key not in counts:
                counts[key] = int(np.count_nonzero(flags))
            if counts[key] == facts.size:
                return True
            if counts[key]:
                some.append(flags)
        if not some:
            return False
        flags = np.logical_or.reduce(some)
        return True if flags.all() else flags

    return ask


def _has_parts(facts: Facts, kinds: Indices) -> Flags:
    parts = np.zeros(facts.size, dtype=bool)
    if facts.links is not None:
        parts[facts.links.board[facts.links.board >= 0]] = True
    parts &= kinds == COMPUTER
    return parts


def _contained(book: Book, facts: Facts, kinds: Indices, asked: Indices, plainly: bool) -> tuple[Indices, Indices]:
    """Which paragraphs' limits the ICs in each computer meet, surely or possibly.

    A computer without listed parts may contain anything, and so may a part of unknown kind.
    """
    met, still_open = np.zeros(facts.size, np.int64), np.zeros(facts.size, np.int64)
    wanted = int(np.bitwise_or.reduce(book.program.contains))
    bare = kinds == COMPUTER
    if facts.links is not None:
        of_parts = _decide(book, facts, kinds, asked, (met, still_open), plainly, limits=True)
        for part in np.flatnonzero(facts.links.board >= 0):
            board = facts.links.board[part]
            bare[board] = False
            met[board] |= of_parts.met[part] & wanted
            still_open[board] |= wanted if kinds[part] < 0 else of_parts.open[part] & wanted
    still_open[bare] = wanted
    return met, still_open


def _spread(near: Flags, links: Links) -> None:
    """An exact re-check needs every row of an IC, and of the computer that contains it."""
    whole = np.where(links.board >= 0, links.ic[links.board], links.ic)
    near |= np.isin(whole, whole[near])
