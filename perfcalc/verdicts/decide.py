"""Intervals against boxes: the kernels that decide.

Three-valued logic with 0 failed, 1 open, 2 met: *and* is the minimum, *or* the maximum, *not* is ``2 - state``. So an
unknown can never clear an item. A quantity that an item does not have is NaN at both ends, and no condition on it is
met. Rows are taken in blocks that stay in the cache, and every inner loop runs over one block without a branch.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perfcalc.facts import Columns, Flags, Indices, Numbers
from perfcalc.kernel import kernel
from perfcalc.verdicts.tables import Program

FAILED, OPEN, MET = 0, 1, 2

VERDICTS = ("not_controlled", "cannot_tell", "controlled", "not_modelled")
NOT_MODELLED = 3

#: Rows of a block: the states of a few dozen conditions on them fit into the first-level cache.
BLOCK = 512

#: A float this close to a limit, relative to it, is decided again in exact arithmetic. A metric takes fewer than a
#: hundred roundings of 2**-53 each.
NEAR = 100 * 2.0**-53

# Bits of the `needs` mask that stand for something else than a metric.
NEEDS_PARTS = 60
NEEDS_LAW = 61

States = npt.NDArray[np.uint8]


@kernel
def condition_states(low: Numbers, high: Numbers, operator: int, limit: float, states: States) -> None:
    """State of ``[low, high] operator limit`` for each item."""
    if operator == 0:
        for i in range(low.shape[0]):
            states[i] = (1 if low[i] >= limit else 0) + (1 if high[i] >= limit else 0)
    elif operator == 1:
        for i in range(low.shape[0]):
            states[i] = (1 if low[i] > limit else 0) + (1 if high[i] > limit else 0)
    elif operator == 2:
        for i in range(low.shape[0]):
            states[i] = (1 if low[i] <= limit else 0) + (1 if high[i] <= limit else 0)
    elif operator == 3:
        for i in range(low.shape[0]):
            states[i] = (1 if low[i] < limit else 0) + (1 if high[i] < limit else 0)
    else:
        for i in range(low.shape[0]):
            possible = 1 if low[i] <= limit <= high[i] else 0
            states[i] = possible + (1 if low[i] == limit and high[i] == limit else 0)


@kernel
def flag_near(low: Numbers, high: Numbers, limit: float, tolerance: float, near: Flags) -> None:
    """Flag items with a bound so close to the limit that rounding could have moved it across."""
    first, last = limit - tolerance * limit, limit + tolerance * limit
    for i in range(low.shape[0]):
        near[i] |= (low[i] >= first and low[i] <= last) or (high[i] >= first and high[i] <= last)


@kernel
def any_box(program: Program, first: int, last: int, relaxed: bool, states: States, box: States, best: States) -> None:
    """State of "any of the boxes from `first` up to `last`" from the states of their conditions.

    `relaxed` passes over upper limits that only hand over to another paragraph of the same control: they choose the
    paragraph and never free the item.
    """
    for i in range(best.shape[0]):
        best[i] = 0
    for b in range(first, last):
        for i in range(best.shape[0]):
            box[i] = 2
        for use in range(program.first_use[b], program.first_use[b + 1]):
            if not (relaxed and program.hands_over[use]):
                of_condition = states[program.condition[use]]
                for i in range(best.shape[0]):
                    box[i] = min(box[i], of_condition[i])
        for i in range(best.shape[0]):
            best[i] = max(best[i], box[i])


@kernel
def paragraph_states(program: Program, r: int, relaxed: bool, states: States, box: States, result: States) -> None:
    """State of a rule's boxes and exclusions, without what other paragraphs say."""
    if program.unread[r]:
        for i in range(result.shape[0]):
            result[i] = 1
        return
    any_box(program, program.first_box[r], program.first_exclusion[r], relaxed, states, box, result)
    if program.first_exclusion[r] < program.first_box[r + 1]:
        excluded = states[-1, : result.shape[0]]
        any_box(program, program.first_exclusion[r], program.first_box[r + 1], False, states, box, excluded)
        for i in range(result.shape[0]):
            result[i] = min(result[i], 2 - excluded[i])


@kernel
def decide(
    low: Columns,
    high: Columns,
    kinds: Indices,
    given: Indices,
    contained_met: Indices,
    contained_open: Indices,
    modelled: int,
    program: Program,
    tolerance: float,
    states: States,
    met: Indices,
    still_open: Indices,
    verdict: States,
    needs: Indices,
    near: Flags,
) -> None:
    """Judge every item by every rule of a book.

    Parameters
    ----------
    low, high
        Bounds of each tested metric: one array a metric.
    kinds
        For each item the bit of its kind; 0 when the kind is not known.
    given
        For each item a mask of the fields that it carries.
    contained_met, contained_open
        For each item a mask of the paragraphs whose limits are surely, or possibly, met by an IC that it contains.
    modelled
        Mask of the kinds that the book covers.
    tolerance
        See `NEAR`; negative in the exact re-check.
    states
        Scratch, shape (conditions + 4, `BLOCK`).
    met, still_open
        Results: masks of the rules surely met, and neither met nor failed.
    verdict
        Result: position in `VERDICTS`.
    needs
        Result: for an open verdict, a mask of the metrics that would settle it.
    near
        Result: items to decide again exactly.
    """
    size = kinds.shape[0]
    conditions = program.metric.shape[0]
    for start in range(0, size, BLOCK):
        stop = min(size, start + BLOCK)
        rows = stop - start
        for i in range(start, stop):
            met[i] = 0
            still_open[i] = 0
            needs[i] = 0
            verdict[i] = 0
            near[i] = False
        for c in range(conditions):
            of_low, of_high = low[program.metric[c]][start:stop], high[program.metric[c]][start:stop]
            condition_states(of_low, of_high, program.operator[c], program.limit[c], states[c, :rows])
            if tolerance >= 0 and program.operator[c] != 4:
                flag_near(of_low, of_high, program.limit[c], tolerance, near[start:stop])
        box, state, relaxed = states[-2, :rows], states[-3, :rows], states[-4, :rows]
        for r in range(program.kinds.shape[0]):
            if program.contains[r]:
                for i in range(rows):
                    sure = 1 if contained_met[start + i] & program.contains[r] != 0 else 0
                    possible = 1 if contained_open[start + i] & program.contains[r] != 0 else 0
                    state[i] = max(2 * sure, possible)
                    relaxed[i] = state[i]
            else:
                paragraph_states(program, r, False, states[:, :rows], box, state)
                if program.is_relaxable[r]:
                    paragraph_states(program, r, True, states[:, :rows], box, relaxed)
                else:
                    for i in range(rows):
                        relaxed[i] = state[i]
            for i in range(rows):
                of_kind = kinds[start + i] & program.kinds[r] != 0
                asked = 1 if of_kind and (program.core[r] or given[start + i] & program.fields[r] != 0) else 0
                state[i] *= asked
                relaxed[i] *= asked
            if program.unless[r]:
                for i in range(rows):
                    free = 0 if met[start + i] & program.unless[r] else 2
                    free = min(free, 1 if still_open[start + i] & program.unless[r] else 2)
                    state[i] = min(state[i], free)
                    relaxed[i] = min(relaxed[i], free)
            for i in range(rows):
                met[start + i] |= (1 if state[i] == 2 else 0) << r
                still_open[start + i] |= (1 if state[i] == 1 else 0) << r
            if program.counts[r]:
                for i in range(rows):
                    verdict[start + i] = max(verdict[start + i], relaxed[i])
        for i in range(start, stop):
            if kinds[i] == 0:
                verdict[i] = 1
            elif verdict[i] != 2 and kinds[i] & modelled == 0:
                verdict[i] = 3
            elif verdict[i] == 1:
                needs[i] = open_metrics(program, still_open[i], states, i - start)


@kernel
def open_metrics(program: Program, still_open: int, states: States, i: int) -> int:
    """Mask of the metrics that hold an item open: those of open conditions in boxes that have not failed."""
    mask = 0
    for r in range(program.kinds.shape[0]):
        if not (program.counts[r] and still_open >> r & 1):
            continue
        if program.unread[r]:
            mask |= 1 << 61
        elif program.contains[r]:
            mask |= 1 << 60
        for b in range(program.first_box[r], program.first_box[r + 1]):
            box = 2
            of_box = 0
            for use in range(program.first_use[b], program.first_use[b + 1]):
                c = program.condition[use]
                box = min(box, states[c, i])
                if states[c, i] == 1:
                    of_box |= 1 << program.metric[c]
            if box == 1:
                mask |= of_box
    return mask


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
def measure(
    low: Columns,
    high: Columns,
    kinds: Indices,
    given: Indices,
    verdict: States,
    program: Program,
    scratch: Numbers,
    hopeful: States,
    margin: Numbers,
) -> None:
    """Signed relative distance of each decided item to the nearest deciding line; NaN while the verdict is open.

    A controlled item is measured by its least favourable bounds, a free one by its most favourable, so that the
    margin never promises too much. Of a box its worst condition counts, of a paragraph its best box and whatever
    excludes it, of an item its best paragraph. `scratch` has the shape (conditions × 2 + 3, `BLOCK`).
    """
    size = kinds.shape[0]
    conditions = program.metric.shape[0]
    for start in range(0, size, BLOCK):
        stop = min(size, start + BLOCK)
        rows = stop - start
        # An exclusion is measured the other way round, so every condition is measured both ways.
        for side in range(2):
            for i in range(rows):
                hopeful[i] = (verdict[start + i] == 0) != (side == 1)
            for c in range(conditions):
                m, limit = program.metric[c], program.limit[c]
                of_low, of_high = low[m][start:stop], high[m][start:stop]
                scale = limit if limit != 0 else limit + 1
                distance = scratch[side * conditions + c, :rows]
                distances(of_low, of_high, program.operator[c], limit, scale, hopeful[:rows], distance)
        of_box, of_rule, best = scratch[-1, :rows], scratch[-2, :rows], scratch[-3, :rows]
        for i in range(rows):
            best[i] = -np.inf
        for r in range(program.kinds.shape[0]):
            if not program.counts[r] or program.unread[r] or program.contains[r]:
                continue
            for i in range(rows):
                of_rule[i] = -np.inf
            for b in range(program.first_box[r], program.first_box[r + 1]):
                excluding = b >= program.first_exclusion[r]
                for i in range(rows):
                    of_box[i] = -np.inf if excluding else np.inf
                for use in range(program.first_use[b], program.first_use[b + 1]):
                    if excluding:
                        distance = scratch[conditions + program.condition[use], :rows]
                        for i in range(rows):
                            of_box[i] = max(of_box[i], -distance[i])
                    elif not program.hands_over[use]:
                        distance = scratch[program.condition[use], :rows]
                        for i in range(rows):
                            of_box[i] = min(of_box[i], distance[i])
                for i in range(rows):
                    of_rule[i] = min(of_rule[i], of_box[i]) if excluding else max(of_rule[i], of_box[i])
            for i in range(rows):
                of_kind = kinds[start + i] & program.kinds[r] != 0
                if of_kind and (program.core[r] or given[start + i] & program.fields[r] != 0):
                    best[i] = max(best[i], of_rule[i])
        for i in range(rows):
            decided = verdict[start + i] == 0 or verdict[start + i] == 2
            margin[start + i] = best[i] if decided and -np.inf < best[i] < np.inf else np.nan
