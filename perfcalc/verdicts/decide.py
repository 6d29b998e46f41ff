"""Intervals against boxes: the kernels that decide.

Three-valued logic with 0 failed, 1 open, 2 met: *and* is the minimum, *or* the maximum, *not* is ``2 - state``. So an
unknown can never clear an item.
"""

from __future__ import annotations

import numpy as np

from perfcalc.facts import Flags, Indices, Numbers
from perfcalc.kernel import kernel
from perfcalc.verdicts.tables import Program

FAILED, OPEN, MET = 0, 1, 2

VERDICTS = ("not_controlled", "cannot_tell", "controlled", "not_modelled")
NOT_MODELLED = 3

#: A float this close to a limit, relative to it, is decided again in exact arithmetic. A metric takes fewer than a
#: hundred roundings of 2**-53 each.
NEAR = 100 * 2.0**-53

# Bits of the `needs` mask that stand for something else than a metric.
NEEDS_PARTS = 60
NEEDS_LAW = 61


@kernel
def condition_state(low: float, high: float, operator: int, limit: float) -> int:
    """State of ``[low, high] operator limit``; an empty interval (low above high) fails every condition."""
    if operator == 0:  # >=
        return 0 if high < limit else (2 if low >= limit else 1)
    if operator == 1:  # >
        return 0 if high <= limit else (2 if low > limit else 1)
    if operator == 2:  # <=
        return 0 if low > limit else (2 if high <= limit else 1)
    if operator == 3:  # <
        return 0 if low >= limit else (2 if high < limit else 1)
    return 0 if high < limit or low > limit else (2 if low == high else 1)


@kernel
def is_near(low: float, high: float, operator: int, limit: float, tolerance: float) -> bool:
    """Whether a bound is so close to the limit that rounding could have moved it across."""
    return operator != 4 and (abs(low - limit) <= tolerance * limit or abs(high - limit) <= tolerance * limit)


@kernel
def boxes_state(low: Numbers, high: Numbers, i: int, first: int, last: int, program: Program, relaxed: bool) -> int:
    """State of "any of the boxes from `first` up to `last`".

    `relaxed` passes over upper limits that only hand over to another paragraph of the same control: they choose the
    paragraph and never free the item.
    """
    best = 0
    for b in range(first, last):
        state = 2
        for c in range(program.first_condition[b], program.first_condition[b + 1]):
            if relaxed and program.hands_over[c]:
                continue
            m = program.metric[c]
            state = min(state, condition_state(low[m, i], high[m, i], program.operator[c], program.limit[c]))
            if state == 0:
                break
        best = max(best, state)
        if best == 2:
            break
    return best


@kernel
def limits_state(low: Numbers, high: Numbers, i: int, r: int, program: Program, relaxed: bool) -> int:
    """State of a rule's boxes and exclusions, without what other paragraphs say."""
    if program.unread[r]:
        return 1
    tests = boxes_state(low, high, i, program.first_box[r], program.first_exclusion[r], program, relaxed)
    if tests == 0:
        return 0
    excluded = boxes_state(low, high, i, program.first_exclusion[r], program.first_box[r + 1], program, False)
    return min(tests, 2 - excluded)


@kernel
def is_asked(r: int, kind: int, given: int, program: Program) -> bool:
    """Whether a rule is asked of an item: it is of the kind, and core or a field that it tests is given."""
    return bool(program.kinds[r] >> kind & 1) and (program.core[r] == 1 or given & program.fields[r] != 0)


@kernel
def decide(
    low: Numbers,
    high: Numbers,
    kinds: Indices,
    given: Indices,
    contained_met: Indices,
    contained_open: Indices,
    modelled: int,
    program: Program,
    tolerance: float,
    met: Indices,
    still_open: Indices,
    verdict: Indices,
    needs: Indices,
    near: Flags,
) -> None:
    """Judge every item by every rule of a book.

    Parameters
    ----------
    low, high
        Bounds of each tested metric, shape (metrics, items).
    kinds
        Code of each item's kind; -1 when it is not known.
    given
        For each item a mask of the fields that it carries.
    contained_met, contained_open
        For each item a mask of the paragraphs whose limits are surely, or possibly, met by an IC that it contains.
    modelled
        Mask of the kinds that the book covers.
    tolerance
        See `NEAR`; negative in the exact re-check.
    met, still_open
        Results: masks of the rules surely met, and neither met nor failed.
    verdict
        Result: position in `VERDICTS`.
    needs
        Result: for an open verdict, a mask of the metrics that would settle it.
    near
        Result: items to decide again exactly.
    """
    rules = program.kinds.shape[0]
    for i in range(kinds.shape[0]):
        met[i] = 0
        still_open[i] = 0
        needs[i] = 0
        near[i] = False
        if kinds[i] < 0:
            verdict[i] = 1
            continue
        state_of_item = 0
        for r in range(rules):
            if not is_asked(r, kinds[i], given[i], program):
                continue
            if program.contains[r]:
                state = 0
                if contained_met[i] & program.contains[r]:
                    state = 2
                elif contained_open[i] & program.contains[r]:
                    state = 1
                relaxed = state
            else:
                state = limits_state(low, high, i, r, program, False)
                relaxed = max(state, limits_state(low, high, i, r, program, True))
                if tolerance >= 0:
                    for c in range(
                        program.first_condition[program.first_box[r]], program.first_condition[program.first_box[r + 1]]
                    ):
                        m = program.metric[c]
                        if is_near(low[m, i], high[m, i], program.operator[c], program.limit[c], tolerance):
                            near[i] = True
            if program.unless[r] & met[i]:
                state = 0
                relaxed = 0
            elif program.unless[r] & still_open[i]:
                state = min(state, 1)
                relaxed = min(relaxed, 1)
            if state == 2:
                met[i] |= 1 << r
            elif state == 1:
                still_open[i] |= 1 << r
            if program.counts[r]:
                state_of_item = max(state_of_item, relaxed)
        verdict[i] = state_of_item
        if state_of_item != 2 and not modelled >> kinds[i] & 1:
            verdict[i] = 3
        elif state_of_item == 1:
            for r in range(rules):
                if program.counts[r] and still_open[i] >> r & 1:
                    needs[i] |= open_metrics(low, high, i, r, program)


@kernel
def open_metrics(low: Numbers, high: Numbers, i: int, r: int, program: Program) -> int:
    """Mask of the metrics that hold a rule open."""
    if program.unread[r]:
        return 1 << 61
    if program.contains[r]:
        return 1 << 60
    mask = 0
    for b in range(program.first_box[r], program.first_box[r + 1]):
        box = 2
        of_box = 0
        for c in range(program.first_condition[b], program.first_condition[b + 1]):
            m = program.metric[c]
            state = condition_state(low[m, i], high[m, i], program.operator[c], program.limit[c])
            box = min(box, state)
            if state == 1:
                of_box |= 1 << m
        if box == 1:
            mask |= of_box
    return mask


@kernel
def condition_margin(low: float, high: float, operator: int, limit: float, hopeful: bool) -> float:
    """How far a bound is inside (positive) or outside (negative) a condition, relative to the limit."""
    if low > high:
        return -np.inf
    if operator == 4:
        if low == high:
            return np.inf if low == limit else -np.inf
        return np.inf if hopeful and low <= limit <= high else -np.inf
    scale = limit if limit != 0 else 1
    if operator <= 1:
        return ((high if hopeful else low) - limit) / scale
    return (limit - (low if hopeful else high)) / scale


@kernel
def rule_margin(low: Numbers, high: Numbers, i: int, r: int, program: Program, hopeful: bool) -> float:
    """Signed distance of an item to the line of one rule: of its best box, and of what excludes it."""
    margin: float = -np.inf
    for b in range(program.first_box[r], program.first_box[r + 1]):
        excluding = b >= program.first_exclusion[r]
        of_box: float = -np.inf if excluding else np.inf
        for c in range(program.first_condition[b], program.first_condition[b + 1]):
            m = program.metric[c]
            if excluding:
                distance = condition_margin(low[m, i], high[m, i], program.operator[c], program.limit[c], not hopeful)
                of_box = max(of_box, -distance)
            elif not program.hands_over[c]:
                distance = condition_margin(low[m, i], high[m, i], program.operator[c], program.limit[c], hopeful)
                of_box = min(of_box, distance)
        margin = min(margin, of_box) if excluding else max(margin, of_box)
    return margin


@kernel
def measure(
    low: Numbers, high: Numbers, kinds: Indices, given: Indices, verdict: Indices, program: Program, margin: Numbers
) -> None:
    """Signed relative distance of each decided item to the nearest deciding line; NaN while the verdict is open.

    A controlled item is measured by its least favourable bounds, a free one by its most favourable, so that the
    margin never promises too much.
    """
    for i in range(kinds.shape[0]):
        margin[i] = np.nan
        if verdict[i] == 0 or verdict[i] == 2:
            best: float = -np.inf
            for r in range(program.kinds.shape[0]):
                if program.counts[r] and not program.unread[r] and is_asked(r, kinds[i], given[i], program):
                    best = max(best, rule_margin(low, high, i, r, program, verdict[i] == 0))
            if -np.inf < best < np.inf:
                margin[i] = best
