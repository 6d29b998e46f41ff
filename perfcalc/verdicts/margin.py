"""How far from the line: the kernels that measure a verdict's margin."""

from __future__ import annotations

import numpy as np

from perfcalc.facts import Indices, Numbers
from perfcalc.kernel import kernel
from perfcalc.verdicts.decide import States
from perfcalc.verdicts.positions import BLOCK
from perfcalc.verdicts.tables import Program


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
def worst_and_best(
    program: Program, first: int, last: int, distance: Numbers, start: int, box: Numbers, best: Numbers
) -> None:
    """Of each box its worst condition, of all boxes the best; for the block of items that begins at `start`.

    An upper limit that only hands over to another paragraph is no line that would free the item.
    """
    for i in range(best.shape[0]):
        best[i] = -np.inf
    for b in range(first, last):
        for i in range(box.shape[0]):
            box[i] = np.inf
        for use in range(program.first_use[b], program.first_use[b + 1]):
            if not program.hands_over[use]:
                of_condition = distance[program.condition[use], start : start + box.shape[0]]
                for i in range(box.shape[0]):
                    box[i] = min(box[i], of_condition[i])
        for i in range(box.shape[0]):
            best[i] = max(best[i], box[i])


@kernel
def measure(
    distance: Numbers,
    distance_of_excluding: Numbers,
    kinds: Indices,
    asked: Indices,
    verdict: States,
    program: Program,
    scratch: Numbers,
    margin: Numbers,
) -> None:
    """Signed relative distance of each decided item to the nearest deciding line; NaN while the verdict is open.

    A controlled item is measured by its least favourable bounds, a free one by its most favourable, so that the
    margin never promises too much. Of a paragraph its best box and whatever excludes it count, of an item its best
    paragraph. `scratch` has the shape (exclusions + 3, `BLOCK`).
    """
    size = kinds.shape[0]
    for start in range(0, size, BLOCK):
        stop = min(size, start + BLOCK)
        rows = stop - start
        of_verdict, of_kinds, of_asked = verdict[start:stop], kinds[start:stop], asked[start:stop]
        box, of_rule, best = scratch[-1, :rows], scratch[-2, :rows], scratch[-3, :rows]
        for e in range(program.first_excluding.shape[0] - 1):
            first, last = program.first_excluding[e], program.first_excluding[e + 1]
            worst_and_best(program, first, last, distance_of_excluding, start, box, scratch[e, :rows])
        present = 0
        any_asked = 0
        for i in range(rows):
            present |= of_kinds[i]
            any_asked |= of_asked[i]
            best[i] = -np.inf
        for r in range(program.kinds.shape[0]):
            # A mirror is as far from the line as what it mirrors.
            if not program.counts[r] or program.unread[r] or program.contains[r] or program.meets[r]:
                continue
            if program.kinds[r] & present == 0 or any_asked >> r & 1 == 0:
                continue
            worst_and_best(program, program.first_box[r], program.first_box[r + 1], distance, start, box, of_rule)
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
            margin[start + i] = best[i] if decided and -np.inf < best[i] < np.inf else np.nan
