"""How far from the line: the kernels that measure a verdict's margin."""

from __future__ import annotations

from collections.abc import Sequence
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


#: Metrics that most batches are measured by.
FEW_METRICS: Final = 8


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


class Gauge(NamedTuple):
    """What is measured of a batch, as arrays.

    Measurement m is the distance to condition ``condition[m]``, by the bounds of metric ``metric[m]``; `excludes` says
    whether it takes an item out of a paragraph (1) or into it (0). Box b takes the worst of ``term[first_term[b]]`` up to
    ``term[first_term[b + 1]]``. Group g takes the best of the boxes from ``first_box[g]`` up to ``first_box[g + 1]``:
    exclusions first (`rule` -1), then paragraphs, bit `rule` of a mask, which group `exclusion` (-1: none) may exclude.
    """

    condition: Indices
    metric: Indices
    excludes: Indices
    term: Indices
    first_term: Indices
    first_box: Indices
    rule: Indices
    exclusion: Indices


@kernel
def measure(
    lows: Sequence[Numbers],
    highs: Sequence[Numbers],
    operators: Indices,
    limits: Numbers,
    scales: Numbers,
    gauge: Gauge,
    codes: Codes,
    rules: Indices,
    free: States,
    distance: Numbers,
    best: Numbers,
    margin: Numbers,
) -> None:
    """Signed relative distance of each decided item to the nearest deciding line; NaN while the verdict is open.

    A controlled item is measured by its least favourable bounds, a free one by its most favourable, so that the
    margin never promises too much. Of a box its worst condition, of a paragraph its best box and whatever excludes it
    count, of an item its best paragraph.

    Parameters
    ----------
    lows, highs
        The bounds of each metric that is measured.
    operators, limits, scales
        Of each condition; `scales` is what distances to it are divided by.
    codes, rules, free
        The position of each item, and for each position the mask of the paragraphs that it is measured by and whether
        its items are free (1) or not (0).
    distance, best
        Room for a block: shapes (measurements + 2, `BLOCK`) and (groups, `BLOCK`).
    """
    of_rules, hopeful = np.zeros(BLOCK, np.int64), np.zeros((2, BLOCK), np.uint8)
    for start in range(0, margin.shape[0], BLOCK):
        stop = min(margin.shape[0], start + BLOCK)
        rows = stop - start
        box, of_item = distance[-1], distance[-2]
        for i in range(rows):
            of_rules[i] = rules[codes[start + i]]
            hopeful[0, i] = free[codes[start + i]]
            hopeful[1, i] = 1 - hopeful[0, i]
            of_item[i] = -np.inf
        for m in range(gauge.condition.shape[0]):
            c, low, high = gauge.condition[m], lows[gauge.metric[m]][start:stop], highs[gauge.metric[m]][start:stop]
            distances(low, high, operators[c], limits[c], scales[c], hopeful[gauge.excludes[m]], distance[m])
        for g in range(gauge.rule.shape[0]):
            of_group = best[g]
            for i in range(rows):
                of_group[i] = -np.inf
            for b in range(gauge.first_box[g], gauge.first_box[g + 1]):
                for i in range(rows):
                    box[i] = np.inf
                for place in range(gauge.first_term[b], gauge.first_term[b + 1]):
                    of_condition = distance[gauge.term[place]]
                    for i in range(rows):
                        box[i] = min(box[i], of_condition[i])
                for i in range(rows):
                    of_group[i] = max(of_group[i], box[i])
            if gauge.rule[g] >= 0:
                if gauge.exclusion[g] >= 0:
                    excluding = best[gauge.exclusion[g]]
                    for i in range(rows):
                        of_group[i] = min(of_group[i], -excluding[i])
                bit = 1 << gauge.rule[g]
                for i in range(rows):
                    of_item[i] = max(of_item[i], of_group[i]) if of_rules[i] & bit else of_item[i]
        for i in range(rows):
            margin[start + i] = of_item[i] if -np.inf < of_item[i] < np.inf else np.nan


@lru_cache(maxsize=256)
def gauge_of(book: Book, kinds: int, asked: int) -> tuple[Gauge, tuple[str, ...]]:
    """What to measure of items of some kinds, of which some paragraphs are asked; and the metrics that it takes."""
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
    metrics = list(dict.fromkeys(program.metric[c] for c, _ in measurements))
    gauge = Gauge(
        condition=np.array([c for c, _ in measurements], np.int64),
        metric=np.array([metrics.index(program.metric[c]) for c, _ in measurements], np.int64),
        excludes=np.array([excludes for _, excludes in measurements], np.int64),
        term=np.array(terms, np.int64),
        first_term=np.array(first_term, np.int64),
        first_box=np.array(first_box, np.int64),
        rule=np.array(rule, np.int64),
        exclusion=np.array(exclusion, np.int64),
    )
    return gauge, tuple(book.metrics[metric] for metric in metrics)


def margins_of(book: Book, facts: Facts, kinds: Indices, answers: Answers, codes: Codes) -> Numbers:
    """The distance of each item to the nearest deciding line."""
    exact = facts.exact
    program = book.exact_program if exact else book.program
    present = kinds_in(kinds)
    gauge, metrics = gauge_of(book, sum(1 << kind for kind in present if kind >= 0), any_bit(answers.asked))
    bounds = [facts.interval(name) for name in metrics] or [(facts.full(0),) * 2]
    # Few lengths, for which the kernel is compiled once.
    bounds += bounds[-1:] * (-len(bounds) % FEW_METRICS)
    of_positions = np.full(answers.asked.size, present[0] if len(present) == 1 else -1)
    if len(present) > 1:
        of_positions[codes] = kinds
    of_kinds = kind_bits(of_positions)
    rules = np.zeros(answers.asked.size, np.int64)
    decided = (answers.verdict == FREE) | (answers.verdict == CONTROLLED)
    for r in gauge.rule[gauge.rule >= 0]:
        rules |= np.where(decided & (of_kinds & program.kinds[r] != 0), answers.asked & 1 << r, 0)
    number = object if exact else np.float64
    margin: Numbers = np.empty(facts.size)
    run(
        measure,
        exact,
        alike(low for low, _ in bounds),
        alike(high for _, high in bounds),
        program.operator,
        program.limit,
        np.where(program.limit == 0, program.limit + 1, program.limit),
        gauge,
        codes,
        rules,
        (answers.verdict == FREE).astype(np.uint8),
        np.empty((gauge.condition.size + 2, BLOCK), number),
        np.empty((gauge.rule.size, BLOCK), number),
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
