"""Metrics meet the law: decide a batch, then decide again exactly whatever lies on a line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from perfcalc.facts import Facts, Flags, Indices, Links, Numbers
from perfcalc.fields import KINDS
from perfcalc.kernel import run
from perfcalc.verdicts.decide import MET, NEAR, OPEN, decide, limits_state, measure
from perfcalc.verdicts.tables import Book

COMPUTER = KINDS.index("computer")


@dataclass
class Judgement:
    """What a book says of each item; see `perfcalc.verdicts.decide.decide` for the masks."""

    verdict: Indices
    met: Indices
    open: Indices
    needs: Indices
    margin: Numbers

    def put(self, rows: Indices, other: Judgement) -> None:
        """Replace some rows by another judgement of the same items."""
        for name in ("verdict", "met", "open", "needs", "margin"):
            getattr(self, name)[rows] = getattr(other, name)


#: Facts and kinds of some rows, from the decimal text of the sheet, metrics included; and which rows they are.
Exactly = Callable[[Indices], tuple[Facts, Indices, Indices]]


def judge(book: Book, facts: Facts, kinds: Indices, exactly: Exactly) -> Judgement:
    """Judge a batch of items by a book.

    Parameters
    ----------
    facts
        With the metrics that the book tests.
    kinds
        Code of each item's kind, -1 if unknown.
    exactly
        Called with the rows that lie within rounding of a limit.
    """
    judgement, near = _judge(book, facts, kinds)
    rows = np.flatnonzero(near)
    if rows.size:
        exact_facts, exact_kinds, exact_rows = exactly(rows)
        again, _ = _judge(book, exact_facts, exact_kinds)
        judgement.put(exact_rows, again)
    return judgement


def _judge(book: Book, facts: Facts, kinds: Indices) -> tuple[Judgement, Flags]:
    size = facts.size
    program = book.exact_program if facts.exact else book.program
    low, high = stack(book, facts)
    given = given_mask(book, facts, kinds)
    contained_met, contained_open = np.zeros(size, np.int64), np.zeros(size, np.int64)
    computers = kinds == COMPUTER
    if computers.any() and program.contains.any():
        _contained(book, low, high, facts.links, kinds, given, (contained_met, contained_open))
    verdict, met, still_open, needs = (np.zeros(size, np.int64) for _ in range(4))
    judgement = Judgement(verdict, met, still_open, needs, np.empty(size))
    near = np.zeros(size, dtype=bool)
    run(
        decide,
        size,
        facts.exact,
        low,
        high,
        kinds,
        given,
        contained_met,
        contained_open,
        book.modelled,
        program,
        -1.0 if facts.exact else NEAR,
        judgement.met,
        judgement.open,
        judgement.verdict,
        judgement.needs,
        near,
    )
    run(measure, size, facts.exact, low, high, kinds, given, judgement.verdict, program, judgement.margin)
    if facts.links is not None and computers.any():
        _margin_of_parts(judgement, facts.links, computers)
    if near.any() and facts.links is not None:
        _spread(near, facts.links)
    return judgement, near


def stack(book: Book, facts: Facts) -> tuple[Numbers, Numbers]:
    """Both bounds of the tested metrics, shape (metrics, items)."""
    intervals = [facts.interval(name) for name in book.metrics]
    if not intervals:
        empty = np.empty((0, facts.size))
        return empty, empty
    low = np.stack([low for low, _ in intervals])
    if all(low is high for low, high in intervals):
        return low, low
    return low, np.stack([high for _, high in intervals])


def given_mask(book: Book, facts: Facts, kinds: Indices) -> Indices:
    """For each item, the fields of the book that it carries."""
    mask = np.zeros(facts.size, dtype=np.int64)
    for position, name in enumerate(book.fields):
        if name == "part_of":
            given = np.zeros(facts.size, dtype=bool)
            if facts.links is not None:
                given[facts.links.board[facts.links.board >= 0]] = True
            given &= kinds == COMPUTER
        else:
            given = facts.is_given(name)
        mask[given] |= 1 << position
    return mask


def _contained(
    book: Book,
    low: Numbers,
    high: Numbers,
    links: Links | None,
    kinds: Indices,
    given: Indices,
    masks: tuple[Indices, Indices],
) -> None:
    """Fill in which paragraphs' limits the ICs in each computer meet. A computer without listed parts is open."""
    met, still_open = masks
    program = book.exact_program if low.dtype == object else book.program
    wanted = int(np.bitwise_or.reduce(program.contains))
    parts = np.empty(0, np.int64) if links is None else np.flatnonzero(links.board >= 0)
    bare = kinds == COMPUTER
    for part in map(int, parts):
        assert links is not None
        board = links.board[part]
        bare[board] = False
        for r in range(len(book.rules)):
            if wanted >> r & 1 and (kinds[part] < 0 or program.kinds[r] >> kinds[part] & 1):
                # An IC of unknown kind could be anything.
                state = OPEN if kinds[part] < 0 else limits_state(low, high, part, r, program, False)
                asked = program.core[r] or given[part] & program.fields[r]
                if state == MET and asked:
                    met[board] |= 1 << r
                elif state == OPEN and asked:
                    still_open[board] |= 1 << r
    still_open[bare] = wanted


def _margin_of_parts(judgement: Judgement, links: Links, computers: Flags) -> None:
    """A computer is as far from the line as the worst of the ICs that it contains."""
    for part in np.flatnonzero(links.board >= 0):
        board = links.board[part]
        same = judgement.verdict[part] == judgement.verdict[board]
        if computers[board] and same and not np.isnan(judgement.margin[part]):
            judgement.margin[board] = np.fmax(judgement.margin[board], judgement.margin[part])


def _spread(near: Flags, links: Links) -> None:
    """An exact re-check needs every row of an IC, and of the computer that contains it."""
    whole = np.where(links.board >= 0, links.ic[links.board], links.ic)
    near |= np.isin(whole, whole[near])
