"""How far from the line: the kernels that measure a verdict's margin."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from perfcalc.facts import Facts, Flags, Indices, Links, Numbers
from perfcalc.kernel import alike, kernel, run
from perfcalc.verdicts.decide import Answers, States
from perfcalc.verdicts.positions import BLOCK, Codes, kinds_in
from perfcalc.verdicts.tables import COMPUTER, Book, Program, any_bit, tested

#: Bounds of the metrics that most batches are measured by.
FEW_COLUMNS: Final = 16


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


@kernel
def worst_and_best(program: Program, first: int, last: int, distance: Numbers, box: Numbers, best: Numbers) -> None:
    """Of each box its worst condition, of all boxes the best; for the items of a block.

    An upper limit that only hands over to another paragraph is no line that would free the item.
    """
    for i in range(best.shape[0]):
        best[i] = -np.inf
    for b in range(first, last):
        for i in range(box.shape[0]):
            box[i] = np.inf
        for use in range(program.first_use[b], program.first_use[b + 1]):
            if not program.hands_over[use]:
                of_condition = distance[program.condition[use], : box.shape[0]]
                for i in range(box.shape[0]):
                    box[i] = min(box[i], of_condition[i])
        for i in range(box.shape[0]):
            best[i] = max(best[i], box[i])


@kernel
def measure(
    columns: Sequence[Numbers],
    uses: Indices,
    scales: Numbers,
    kinds: Indices,
    codes: Codes,
    asked: Indices,
    verdict: States,
    program: Program,
    inside: Numbers,
    outside: Numbers,
    scratch: Numbers,
    margin: Numbers,
) -> None:
    """Signed relative distance of each decided item to the nearest deciding line; NaN while the verdict is open.

    A controlled item is measured by its least favourable bounds, a free one by its most favourable, so that the
    margin never promises too much. Of a paragraph its best box and whatever excludes it count, of an item its best
    paragraph.

    Parameters
    ----------
    uses
        What is to be measured, a row each: the condition, its lower and upper bound among the `columns`, and whether it
        excludes from a paragraph (1) or tests it (0).
    scales
        What the distances to each condition are divided by.
    kinds
        For each item the code of its kind, below zero when it is not known.
    codes, asked, verdict
        The position of each item, and for each position the rules that are asked and the verdict.
    inside, outside
        Room for the distances of a block: shape (conditions, `BLOCK`).
    scratch
        Shape (exclusions + 3, `BLOCK`).
    """
    of_kinds, of_asked = np.zeros(BLOCK, np.int64), np.zeros(BLOCK, np.int64)
    free, not_free, of_verdict = np.zeros(BLOCK, np.uint8), np.zeros(BLOCK, np.uint8), np.zeros(BLOCK, np.uint8)
    for start in range(0, kinds.shape[0], BLOCK):
        stop = min(kinds.shape[0], start + BLOCK)
        rows = stop - start
        box, of_rule, best = scratch[-1, :rows], scratch[-2, :rows], scratch[-3, :rows]
        present = 0
        any_asked = 0
        for i in range(rows):
            of_asked[i] = asked[codes[start + i]]
            of_verdict[i] = verdict[codes[start + i]]
        for i in range(rows):
            of_kinds[i] = 1 << kinds[start + i] if kinds[start + i] >= 0 else 0
            present |= of_kinds[i]
            any_asked |= of_asked[i]
            best[i] = -np.inf
        for i in range(rows):
            free[i] = 1 if of_verdict[i] == 0 else 0
            not_free[i] = 1 - free[i]
        for use in range(uses.shape[0]):
            c = uses[use, 0]
            low, high = columns[uses[use, 1]][start:stop], columns[uses[use, 2]][start:stop]
            operator, limit, scale = program.operator[c], program.limit[c], scales[c]
            if uses[use, 3]:
                distances(low, high, operator, limit, scale, not_free, outside[c, :rows])
            else:
                distances(low, high, operator, limit, scale, free, inside[c, :rows])
        for e in range(program.first_excluding.shape[0] - 1):
            first, last = program.first_excluding[e], program.first_excluding[e + 1]
            worst_and_best(program, first, last, outside, box, scratch[e, :rows])
        for r in range(program.kinds.shape[0]):
            # A mirror is as far from the line as what it mirrors.
            if not program.counts[r] or program.unread[r] or program.contains[r] or program.meets[r]:
                continue
            if program.kinds[r] & present == 0 or any_asked >> r & 1 == 0:
                continue
            worst_and_best(program, program.first_box[r], program.first_box[r + 1], inside, box, of_rule)
            if program.exclusion[r] >= 0:
                excluding = scratch[program.exclusion[r], :rows]
                for i in range(rows):
                    of_rule[i] = min(of_rule[i], -excluding[i])
            kind, bit = program.kinds[r], 1 << r
            for i in range(rows):
                is_asked = (of_kinds[i] & kind != 0) & (of_asked[i] & bit != 0)
                best[i] = max(best[i], of_rule[i]) if is_asked else best[i]
        for i in range(rows):
            decided = (of_verdict[i] == 0) | (of_verdict[i] == 2)
            margin[start + i] = best[i] if decided & (best[i] > -np.inf) & (best[i] < np.inf) else np.nan


@lru_cache(maxsize=256)
def _measured(book: Book, kinds: int, asked: int) -> tuple[tuple[int, int], ...]:
    """The conditions to measure for some kinds and paragraphs: their numbers, and whether they exclude (1) or test (0)."""
    program = book.program
    uses_of_exclusions = program.first_use[program.first_excluding[0]]
    testing = {
        int(program.condition[use])
        for r in np.flatnonzero(program.counts)
        for use in range(program.first_use[program.first_box[r]], program.first_use[program.first_box[r + 1]])
        if not program.hands_over[use]
    }
    excluding = {int(c) for c in program.condition[uses_of_exclusions:]}
    wanted = tested(program, kinds, asked)
    return tuple((c, outside) for outside, some in enumerate((testing, excluding)) for c in sorted(some & wanted))


def margins_of(book: Book, facts: Facts, kinds: Indices, answers: Answers, codes: Codes) -> Numbers:
    """The distance of each item to the nearest deciding line."""
    exact = facts.exact
    program = book.exact_program if exact else book.program
    present = sum(1 << kind for kind in kinds_in(kinds) if kind >= 0)
    measured = _measured(book, present, any_bit(answers.asked))
    columns: list[Numbers] = []
    at: dict[int, int] = {}
    uses = np.zeros((len(measured), 4), np.int64)
    for row, (c, excludes) in enumerate(measured):
        bounds = facts.interval(book.metrics[program.metric[c]])
        for bound in bounds:
            if id(bound) not in at:
                at[id(bound)] = len(columns)
                columns.append(bound)
        uses[row] = c, at[id(bounds[0])], at[id(bounds[1])], excludes
    # Few lengths, for which the kernel is compiled once.
    columns += (columns[-1:] or [facts.full(0)]) * (-len(columns) % FEW_COLUMNS or (0 if columns else FEW_COLUMNS))
    number, conditions = object if exact else np.float64, program.metric.size
    # Plain Python passes over distances that nobody asked for too, and needs numbers there.
    inside, outside = (np.full((conditions, BLOCK if facts.size else 0), -np.inf, dtype=number) for _ in range(2))
    scales = np.where(program.limit == 0, program.limit + 1, program.limit)
    scratch: Numbers = np.empty((program.first_excluding.size + 2, BLOCK), dtype=number)
    margin: Numbers = np.empty(facts.size)
    run(
        measure,
        exact,
        alike(columns),
        uses,
        scales,
        kinds,
        codes,
        answers.asked,
        answers.verdict,
        program,
        inside,
        outside,
        scratch,
        margin,
    )
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
