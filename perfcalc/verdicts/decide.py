"""Intervals against boxes: the kernels that decide.

Three-valued logic with 0 failed, 1 open, 2 met: *and* is the minimum, *or* the maximum, *not* is ``2 - state``. So an
unknown can never clear an item. A quantity that an item does not have is NaN at both ends, and no condition on it is
met. Rows are taken in blocks that stay in the cache, and every inner loop runs over one block without a branch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perfcalc.facts import Indices, Numbers
from perfcalc.kernel import kernel
from perfcalc.verdicts.positions import BLOCK
from perfcalc.verdicts.tables import Program

FAILED, OPEN, MET = 0, 1, 2

VERDICTS = ("not_controlled", "cannot_tell", "controlled", "not_modelled")
NOT_MODELLED = 3

# Bits of the `needs` mask that stand for something else than a metric.
NEEDS_PARTS = 60
NEEDS_LAW = 61

States = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Answers:
    """What one book says of each position; see `decide` for the masks."""

    verdict: States
    met: Indices
    open: Indices
    needs: Indices
    asked: Indices

    def take(self, rows: Indices) -> Answers:
        """The answers for some positions."""
        return Answers(*(column[rows] for column in self._columns()))

    def followed_by(self, other: Answers) -> Answers:
        """These answers and then others."""
        pairs = zip(self._columns(), other._columns(), strict=True)
        return Answers(*(np.concatenate(pair) for pair in pairs))

    def _columns(self) -> tuple[Any, ...]:
        return self.verdict, self.met, self.open, self.needs, self.asked


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
def any_box(
    program: Program, first: int, last: int, relaxed: int, states: States, start: int, box: States, best: States
) -> None:
    """State of "any of the boxes from `first` up to `last`" for the block of items that begins at `start`.

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
                of_condition = states[program.condition[use], start : start + best.shape[0]]
                for i in range(best.shape[0]):
                    box[i] = min(box[i], of_condition[i])
        for i in range(best.shape[0]):
            best[i] = max(best[i], box[i])


@kernel
def decide(
    states: States,
    kinds: Indices,
    asked: Indices,
    contained_met: Indices,
    contained_open: Indices,
    modelled: int,
    program: Program,
    scratch: States,
    met: Indices,
    still_open: Indices,
    verdict: States,
    needs: Indices,
) -> None:
    """Judge every item by every rule of a book.

    Parameters
    ----------
    states
        State of each condition for each item, shape (conditions, items).
    kinds
        For each item the bit of its kind; 0 when the kind is not known.
    asked
        For each item a mask of the rules that are asked of it, if they are about its kind.
    contained_met, contained_open
        For each item a mask of the paragraphs whose limits are surely, or possibly, met by an IC that it contains.
    modelled
        Mask of the kinds that the book covers.
    scratch
        Shape (exclusions + 3, `BLOCK`).
    met, still_open
        Results: masks of the rules surely met, and neither met nor failed.
    verdict
        Result: position in `VERDICTS`.
    needs
        Result: for an open verdict, a mask of the metrics that would settle it.
    """
    size = kinds.shape[0]
    for start in range(0, size, BLOCK):
        stop = min(size, start + BLOCK)
        rows = stop - start
        of_kinds, of_asked = kinds[start:stop], asked[start:stop]
        block_met, block_open, block_verdict = met[start:stop], still_open[start:stop], verdict[start:stop]
        block_needs = needs[start:stop]
        present = 0
        any_asked = 0
        for i in range(rows):
            block_met[i] = 0
            block_open[i] = 0
            block_needs[i] = 0
            block_verdict[i] = 0
            present |= of_kinds[i]
            any_asked |= of_asked[i]
        box, state, relaxed = scratch[-1, :rows], scratch[-2, :rows], scratch[-3, :rows]
        for e in range(program.first_excluding.shape[0] - 1):
            first, last = program.first_excluding[e], program.first_excluding[e + 1]
            any_box(program, first, last, 0, states, start, box, scratch[e, :rows])
        for r in range(program.kinds.shape[0]):
            if program.kinds[r] & present == 0 or any_asked >> r & 1 == 0:
                continue
            first, last = program.first_box[r], program.first_box[r + 1]
            if program.contains[r]:
                for i in range(rows):
                    sure = 2 if contained_met[start + i] & program.contains[r] else 0
                    state[i] = max(sure, 1 if contained_open[start + i] & program.contains[r] else 0)
            elif program.unread[r]:
                for i in range(rows):
                    state[i] = 1
            else:
                any_box(program, first, last, 0, states, start, box, state)
            if program.is_relaxable[r]:
                any_box(program, first, last, 1, states, start, box, relaxed)
            else:
                # Not a slice: the compiler spends seconds on the error message of a slice that does not fit.
                for i in range(rows):
                    relaxed[i] = state[i]
            if program.exclusion[r] >= 0:
                excluded = scratch[program.exclusion[r], :rows]
                for i in range(rows):
                    state[i] = min(state[i], 2 - excluded[i])
                    relaxed[i] = min(relaxed[i], 2 - excluded[i])
            restrict(program, r, of_kinds, of_asked, block_met, block_open, state, relaxed)
            bit = 1 << r
            for i in range(rows):
                block_met[i] |= bit if state[i] == 2 else 0
            for i in range(rows):
                block_open[i] |= bit if state[i] == 1 else 0
            if program.counts[r]:
                for i in range(rows):
                    block_verdict[i] = max(block_verdict[i], relaxed[i])
        any_open = 0
        for i in range(rows):
            outside = (block_verdict[i] != 2) & (of_kinds[i] & modelled == 0)
            word = 3 if outside else block_verdict[i]
            block_verdict[i] = 1 if of_kinds[i] == 0 else word
            any_open |= block_verdict[i] & 1
        if any_open:
            what_is_open(program, states, start, block_open, block_verdict, box, block_needs)


@kernel
def what_is_open(
    program: Program, states: States, start: int, still_open: Indices, verdict: States, box: States, needs: Indices
) -> None:
    """For open verdicts, a mask of the metrics that hold them open: of open conditions in boxes that have not failed."""
    for r in range(program.kinds.shape[0]):
        if not program.counts[r]:
            continue
        if program.unread[r] or program.contains[r]:
            bit = 1 << (61 if program.unread[r] else 60)
            for i in range(needs.shape[0]):
                needs[i] |= bit if (still_open[i] >> r & 1 != 0) & (verdict[i] == 1) else 0
        open_in_boxes(program, r, program.first_box[r], program.first_box[r + 1], states, start, still_open, box, needs)
        e = program.exclusion[r]
        if e >= 0:
            first, last = program.first_excluding[e], program.first_excluding[e + 1]
            open_in_boxes(program, r, first, last, states, start, still_open, box, needs)
    for i in range(needs.shape[0]):
        needs[i] = needs[i] if verdict[i] == 1 else 0


@kernel
def open_in_boxes(
    program: Program,
    r: int,
    first: int,
    last: int,
    states: States,
    start: int,
    still_open: Indices,
    box: States,
    needs: Indices,
) -> None:
    """Add the metrics of open conditions in open boxes of a rule that is open."""
    rows = needs.shape[0]
    for b in range(first, last):
        for i in range(rows):
            box[i] = 1 if still_open[i] >> r & 1 else 0
        for use in range(program.first_use[b], program.first_use[b + 1]):
            of_condition = states[program.condition[use], start : start + rows]
            for i in range(rows):
                box[i] = min(box[i], of_condition[i])
        for use in range(program.first_use[b], program.first_use[b + 1]):
            of_condition = states[program.condition[use], start : start + rows]
            bit = 1 << program.metric[program.condition[use]]
            for i in range(rows):
                needs[i] |= bit if (box[i] == 1) & (of_condition[i] == 1) else 0


@kernel
def restrict(
    program: Program,
    r: int,
    kinds: Indices,
    asked: Indices,
    met: Indices,
    still_open: Indices,
    state: States,
    relaxed: States,
) -> None:
    """Fail a rule where it is not asked of an item, mirrors what is not met, or an item is specified elsewhere."""
    kind, unless, meets, bit = program.kinds[r], program.unless[r], program.meets[r], 1 << r
    for i in range(state.shape[0]):
        is_asked = 1 if (kinds[i] & kind != 0) & (asked[i] & bit != 0) else 0
        state[i] *= is_asked
        relaxed[i] *= is_asked
    if meets:
        for i in range(state.shape[0]):
            mirrored = 2 if met[i] & meets else (1 if still_open[i] & meets else 0)
            state[i] = min(state[i], mirrored)
            relaxed[i] = min(relaxed[i], mirrored)
    if unless:
        for i in range(state.shape[0]):
            free = 0 if met[i] & unless else (1 if still_open[i] & unless else 2)
            state[i] = min(state[i], free)
            relaxed[i] = min(relaxed[i], free)
