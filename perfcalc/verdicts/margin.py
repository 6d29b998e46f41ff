"""How far from the line: the kernels that measure a verdict's margin."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from perfcalc.facts import Facts, Flags, Indices, Links, Numbers
from perfcalc.kernel import alike, kernel, run
from perfcalc.verdicts.decide import VERDICTS, Answers, States
from perfcalc.verdicts.positions import BLOCK, Codes, kinds_in
from perfcalc.verdicts.tables import COMPUTER, Book, any_bit, kind_bits

FREE: Final = VERDICTS.index("not_controlled")
CONTROLLED: Final = VERDICTS.index("controlled")


@kernel
def distances(
    low: Numbers, high: Numbers, operator: int, limit: float, scale: float, hopeful: States, distance: Numbers
) -> None:
    """How far each item is inside (positive) or outside (negative) a condition, relative to the limit.

    `hopeful` items are measured by the bound nearer to meeting the condition, the others by the farther one.
    """
    if operator <= 1:
        for i in range(low.shape[0]):
            distance[i] = ((high[i] if hopeful[i] else low[i]) - limit) / scale
    elif operator <= 3:
        for i in range(low.shape[0]):
            distance[i] = (limit - (low[i] if hopeful[i] else high[i])) / scale
    else:
        for i in range(low.shape[0]):
            met = low[i] == limit and high[i] == limit
            possible = low[i] <= limit <= high[i]
            distance[i] = np.inf if met or (hopeful[i] and possible) else -np.inf
    for i in range(low.shape[0]):
        if low[i] != low[i]:
            distance[i] = -np.inf


class MarginProgram(NamedTuple):
    """What is measured of a batch, as arrays.

    Measurement m is the distance to condition ``condition[m]``; `excludes` says whether it takes an item out of a
    paragraph (1) or into it (0). Box b takes the worst of ``term[first_term[b]]`` up to ``term[first_term[b + 1]]``. Group
    g takes the best of the boxes from ``first_box[g]`` up to ``first_box[g + 1]``: exclusions first (`rule` -1), then
    paragraphs, bit `rule` of a mask, which group `exclusion` (-1: none) may exclude.
    """

    condition: Indices
    excludes: Indices
    term: Indices
    first_term: Indices
    first_box: Indices
    rule: Indices
    exclusion: Indices


@kernel
def measure(
    distance: Numbers,
    term: Indices,
    first_term: Indices,
    first_box: Indices,
    rule: Indices,
    exclusion: Indices,
    codes: Codes,
    rules: Indices,
    best: Numbers,
    margin: Numbers,
) -> None:
    """Of a box its worst condition, of a paragraph its best box and whatever excludes it, of an item its best paragraph.

    Parameters
    ----------
    distance
        Of each item to each condition measured, shape (measurements, items).
    term, first_term, first_box, rule, exclusion
        See `MarginProgram`.
    codes, rules
        The position of each item, and for each position the mask of the paragraphs that it is measured by.
    best
        Room for a block, shape (groups + 2, `BLOCK`).
    margin
        Result: not a number where there is no line.
    """
    box, of_item = best[-1], best[-2]
    of_rules = np.zeros(BLOCK, np.int64)
    for start in range(0, margin.shape[0], BLOCK):
        rows = min(BLOCK, margin.shape[0] - start)
        for i in range(rows):
            of_item[i] = -np.inf
            of_rules[i] = rules[codes[start + i]]
        for g in range(rule.shape[0]):
            of_group = best[g]
            for i in range(rows):
                of_group[i] = -np.inf
            for b in range(first_box[g], first_box[g + 1]):
                for i in range(rows):
                    box[i] = np.inf
                for place in range(first_term[b], first_term[b + 1]):
                    of_condition = distance[term[place]]
                    for i in range(rows):
                        box[i] = min(box[i], of_condition[start + i])
                for i in range(rows):
                    of_group[i] = max(of_group[i], box[i])
            if rule[g] >= 0:
                if exclusion[g] >= 0:
                    excluding = best[exclusion[g]]
                    for i in range(rows):
                        of_group[i] = min(of_group[i], -excluding[i])
                bit = 1 << rule[g]
                for i in range(rows):
                    of_item[i] = max(of_item[i], of_group[i]) if of_rules[i] & bit else of_item[i]
        for i in range(rows):
            margin[start + i] = of_item[i] if -np.inf < of_item[i] < np.inf else np.nan


@lru_cache(maxsize=256)
def margin_program(book: Book, kinds: int, asked: int) -> MarginProgram:
    """What to measure of items of some kinds, of which some paragraphs are asked."""
    program = book.program
    measurements: dict[tuple[int, int], int] = {}
    terms: list[int] = []
    first_term, first_box, rule, exclusion = [0], [0], [], []
    excluded: dict[int, int] = {}

    def add(first: int, last: int, excludes: int, r: int, by: int) -> None:
        for b in range(first, last):
            for use in range(program.first_use[b], program.first_use[b + 1]):
                # An upper limit that only hands over to another paragraph is no line that would free the item.
                if not program.hands_over[use]:
                    key = int(program.condition[use]), excludes
                    terms.append(measurements.setdefault(key, len(measurements)))
            first_term.append(len(terms))
        first_box.append(len(first_term) - 1)
        rule.append(r)
        exclusion.append(by)

    # A mirror is as far from the line as what it mirrors.
    elsewhere = program.unread | program.contains | program.meets
    in_question = [asked >> r & 1 and kinds & int(program.kinds[r]) for r in range(len(book.rules))]
    measured = [int(r) for r in np.flatnonzero(program.counts) if in_question[r] and not elsewhere[r]]
    for e in sorted({int(program.exclusion[r]) for r in measured} - {-1}):
        excluded[e] = len(rule)
        add(program.first_excluding[e], program.first_excluding[e + 1], 1, -1, -1)
    for r in measured:
        add(program.first_box[r], program.first_box[r + 1], 0, r, excluded.get(int(program.exclusion[r]), -1))
    return MarginProgram(
        condition=np.array([c for c, _ in measurements], np.int64),
        excludes=np.array([excludes for _, excludes in measurements], np.int64),
        term=np.array(terms, np.int64),
        first_term=np.array(first_term, np.int64),
        first_box=np.array(first_box, np.int64),
        rule=np.array(rule, np.int64),
        exclusion=np.array(exclusion, np.int64),
    )


def margins_of(book: Book, facts: Facts, kinds: Indices, answers: Answers, codes: Codes) -> Numbers:
    """Signed relative distance of each decided item to the nearest deciding line; NaN while the verdict is open.

    A controlled item is measured by its least favourable bounds, a free one by its most favourable, so that the
    margin never promises too much.
    """
    exact = facts.exact
    program = book.exact_program if exact else book.program
    present = kinds_in(kinds)
    wanted = margin_program(book, sum(1 << kind for kind in present if kind >= 0), any_bit(answers.asked))
    of_positions = np.full(answers.asked.size, present[0] if len(present) == 1 else -1)
    if len(present) > 1:
        of_positions[codes] = kinds
    of_kinds = kind_bits(of_positions)
    rules = np.zeros(answers.asked.size, np.int64)
    decided = (answers.verdict == FREE) | (answers.verdict == CONTROLLED)
    for r in wanted.rule[wanted.rule >= 0]:
        rules |= np.where(decided & (of_kinds & program.kinds[r] != 0), answers.asked & 1 << r, 0)
    free = (answers.verdict == FREE).astype(np.uint8)[codes]
    hopeful = free, 1 - free
    number = object if exact else np.float64
    distance: Numbers = np.empty((wanted.condition.size, facts.size), number)
    for m, (c, excludes) in enumerate(zip(wanted.condition, wanted.excludes, strict=True)):
        low, high = alike(facts.interval(book.metrics[program.metric[c]]))
        operator, limit = int(program.operator[c]), program.limit[c]
        run(distances, exact, low, high, operator, limit, limit or limit + 1, hopeful[excludes], distance[m])
    best: Numbers = np.empty((wanted.rule.size + 2, BLOCK), number)
    margin: Numbers = np.empty(facts.size)
    boxes = wanted.term, wanted.first_term, wanted.first_box, wanted.rule, wanted.exclusion
    run(measure, exact, distance, *boxes, codes, rules, best, margin)
    computers = kinds == COMPUTER
    if facts.links is not None and computers.any():
        _margin_of_parts(answers.verdict[codes], margin, facts.links, computers)
    return margin


def _margin_of_parts(verdict: States, margin: Numbers, links: Links, computers: Flags) -> None:
    """A computer is as far from the line as the worst of the ICs that it contains."""
    for part in np.flatnonzero(links.board >= 0):
        board = links.board[part]
        same = verdict[part] == verdict[board]
        if computers[board] and same and not np.isnan(margin[part]):
            margin[board] = np.fmax(margin[board], margin[part])
