"""Metrics meet the law: decide a batch, then decide again exactly whatever lies on a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from perfcalc.facts import Facts, Flags, Indices, Links, Numbers
from perfcalc.fields import KINDS
from perfcalc.kernel import run
from perfcalc.rulebook.book import OPERATORS
from perfcalc.verdicts.decide import BLOCK, NEAR, States, any_near, condition_states, decide
from perfcalc.verdicts.margin import distances, measure
from perfcalc.verdicts.tables import Book, Program, is_rounded, tested_fields

COMPUTER = KINDS.index("computer")
EQUAL = OPERATORS.index("=")


@dataclass
class Judgement:
    """What a book says of each item; see `perfcalc.verdicts.decide.decide` for the masks."""

    verdict: States
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


def judge(book: Book, facts: Facts, kinds: Indices, exactly: Exactly, margins: bool = True) -> Judgement:
    """Judge a batch of items by a book.

    Parameters
    ----------
    facts
        With the metrics that the book tests.
    kinds
        Code of each item's kind, -1 if unknown.
    exactly
        Called with the rows that lie within rounding of a limit.
    margins
        Measure the distance to the line too; what stands beside a book has no use for it.
    """
    judgement, near = _judge(book, facts, kinds, margins)
    rows = np.flatnonzero(near)
    if rows.size:
        exact_facts, exact_kinds, exact_rows = exactly(rows)
        again, _ = _judge(book, exact_facts, exact_kinds, margins)
        judgement.put(exact_rows, again)
    return judgement


def judge_all(books: Sequence[Book], facts: Facts, kinds: Indices, exactly: Exactly) -> list[Judgement]:
    """Judge a batch by several books, see `judge`; books with equal rules are judged once and share a judgement."""
    first: list[Book] = []
    judged: list[Judgement] = []
    for book in books:
        known = next((j for other, j in zip(first, judged, strict=True) if other.rules == book.rules), None)
        first.append(book)
        judged.append(known or judge(book, facts, kinds, exactly))
    return judged


def _judge(book: Book, facts: Facts, kinds: Indices, margins: bool) -> tuple[Judgement, Flags]:
    asked = asked_mask(book, facts, kinds)
    links = facts.links
    computers = kinds == COMPUTER
    contained = (np.zeros(facts.size, np.int64), np.zeros(facts.size, np.int64))
    if computers.any() and book.program.contains.any():
        contained = _contained(book, facts, kinds, asked)
    judgement, near = _decide(book, facts, kinds, asked, contained, margins)
    if links is not None:
        if computers.any():
            _margin_of_parts(judgement, links, computers)
        _spread(near, links)
    return judgement, near


def _decide(
    book: Book,
    facts: Facts,
    kinds: Indices,
    asked: Indices,
    contained: tuple[Indices, Indices],
    margins: bool,
    limits: bool = False,
) -> tuple[Judgement, Flags]:
    """Run the kernels. With `limits`, paragraphs are judged by their limits alone, whatever is met elsewhere."""
    size = facts.size
    program = book.exact_program if facts.exact else book.program
    if limits:
        program = program._replace(unless=np.zeros_like(program.unless))
    kind_bits = np.where(kinds >= 0, 1 << np.maximum(kinds, 0), 0)
    tested = _tested(program, kind_bits, asked)
    states, near = _states(book, facts, program, kind_bits, tested)
    met, still_open, needs = (np.empty(size, np.int64) for _ in range(3))
    judgement = Judgement(np.empty(size, np.uint8), met, still_open, needs, np.full(size, np.nan))
    verdict, excluding = judgement.verdict, program.first_excluding.size - 1
    scratch = np.empty((excluding + 3, BLOCK), np.uint8)
    run(
        decide,
        facts.exact,
        states,
        kind_bits,
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
    if margins and not limits:
        number = object if facts.exact else np.float64
        scratch_numbers: Numbers = np.empty((excluding + 3, BLOCK), dtype=number)
        inside, outside = _distances(book, facts, program, verdict, tested)
        run(
            measure,
            facts.exact,
            inside,
            outside,
            kind_bits,
            asked,
            verdict,
            program,
            scratch_numbers,
            judgement.margin,
        )
    return judgement, near


def _tested(program: Program, kind_bits: Indices, asked: Indices) -> set[int]:
    """The conditions of the paragraphs that are asked of any item of the batch: the others need no work."""
    kinds, rules = (int(np.bitwise_or.reduce(mask)) if mask.size else 0 for mask in (kind_bits, asked))
    boxes: set[int] = set()
    for r, kind in enumerate(program.kinds):
        if rules >> r & 1 and kinds & kind:
            boxes.update(range(program.first_box[r], program.first_box[r + 1]))
            e = program.exclusion[r]
            if e >= 0:
                boxes.update(range(program.first_excluding[e], program.first_excluding[e + 1]))
    return {int(program.condition[use]) for b in boxes for use in range(program.first_use[b], program.first_use[b + 1])}


def _states(book: Book, facts: Facts, program: Program, kind_bits: Indices, tested: set[int]) -> tuple[States, Flags]:
    """State of every condition for every item, and which items lie within rounding of a limit."""
    states = np.zeros((program.metric.size, facts.size), np.uint8)
    near = np.zeros(facts.size, dtype=bool)
    present = int(np.bitwise_or.reduce(kind_bits)) if facts.size else 0
    for c, (m, operator, limit) in enumerate(zip(program.metric, program.operator, program.limit, strict=True)):
        if not program.condition_kinds[c] & present:
            continue
        low, high = facts.interval(book.metrics[m])
        if c in tested:
            run(condition_states, facts.exact, low, high, int(operator), limit, states[c])
        if not (facts.exact or facts.settled) and operator != EQUAL and is_rounded(book.metrics[m]):
            # Below a limit of one the distance is absolute: an error found as 1 - fidelity carries the rounding of a
            # number near one, however small the error and its limit are.
            reach = NEAR * max(limit, 1)
            first, last = limit - reach, limit + reach
            if run(any_near, False, low, high, first, last):
                near |= ((low >= first) & (low <= last)) | ((high >= first) & (high <= last))
    return states, near


def _distances(
    book: Book, facts: Facts, program: Program, verdict: States, tested: set[int]
) -> tuple[Numbers, Numbers]:
    """Distance of every item to every condition, as a test of a paragraph and as an exclusion from it."""
    shape, number = (program.metric.size, facts.size), object if facts.exact else np.float64
    inside: Numbers = np.empty(shape, dtype=number)
    outside: Numbers = np.empty(shape, dtype=number)
    free = (verdict == 0).astype(np.uint8)
    uses_of_exclusions = program.first_use[program.first_excluding[0]]
    counted = {
        int(program.condition[use])
        for r in np.flatnonzero(program.counts)
        for use in range(program.first_use[program.first_box[r]], program.first_use[program.first_box[r + 1]])
        if not program.hands_over[use]
    }
    excluding = {int(c) for c in program.condition[uses_of_exclusions:]}
    for wanted, hopeful, result in ((counted, free, inside), (excluding, 1 - free, outside)):
        for c in wanted:
            if c not in tested:
                if facts.exact:
                    # Plain Python passes over these too, and needs numbers there.
                    result[c] = -np.inf
                continue
            limit = program.limit[c]
            low, high = facts.interval(book.metrics[program.metric[c]])
            operator, scale = int(program.operator[c]), limit or limit + 1
            run(distances, facts.exact, low, high, operator, limit, scale, hopeful, result[c])
    return inside, outside


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
            known[fields] = np.zeros(facts.size, dtype=bool)
            for name in fields:
                known[fields] |= _has_parts(facts, kinds) if name == "part_of" else facts.is_given(name)
        mask |= known[fields].astype(np.int64) << r
    return mask


def _has_parts(facts: Facts, kinds: Indices) -> Flags:
    parts = np.zeros(facts.size, dtype=bool)
    if facts.links is not None:
        parts[facts.links.board[facts.links.board >= 0]] = True
    parts &= kinds == COMPUTER
    return parts


def _contained(book: Book, facts: Facts, kinds: Indices, asked: Indices) -> tuple[Indices, Indices]:
    """Which paragraphs' limits the ICs in each computer meet, surely or possibly.

    A computer without listed parts may contain anything, and so may a part of unknown kind.
    """
    met, still_open = np.zeros(facts.size, np.int64), np.zeros(facts.size, np.int64)
    wanted = int(np.bitwise_or.reduce(book.program.contains))
    bare = kinds == COMPUTER
    if facts.links is not None:
        of_parts, _ = _decide(book, facts, kinds, asked, (met, still_open), margins=False, limits=True)
        for part in np.flatnonzero(facts.links.board >= 0):
            board = facts.links.board[part]
            bare[board] = False
            met[board] |= of_parts.met[part] & wanted
            still_open[board] |= wanted if kinds[part] < 0 else of_parts.open[part] & wanted
    still_open[bare] = wanted
    return met, still_open


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
