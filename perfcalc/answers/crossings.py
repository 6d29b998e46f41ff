"""At which value of one field an item's verdict turns: the search behind `headroom`.

The candidates come from the boxes: each condition is solved for the field, in fractions. What they do is then asked of
the engine itself (`perfcalc.answers.variants`), many items at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor
from typing import Final

import numpy as np
import pyarrow as pa

from perfcalc.answers.variants import CONTROLLED, Answer, Change, Variants
from perfcalc.answers.views import Measured
from perfcalc.line import Plan

NOT_CONTROLLED: Final = 0


@dataclass(frozen=True)
class Crossing:
    """The first value of a field, seen from the item, at which a verdict is another.

    Attributes
    ----------
    book
        Position of the jurisdiction in the plan.
    value, before
        The value and the one before it, a last digit nearer to the item. Codes of a choice; it has nothing before.
    """

    row: int
    book: int
    change: Change
    value: Fraction
    before: Fraction
    answer: Answer


@dataclass
class _Turn:
    """A turn between two values: beyond `value`, not yet at `before`. Narrowed down to one last digit.

    Attributes
    ----------
    step
        One last digit, away from the item.
    principal
        The paragraph to look for; none: whatever turns the verdict.
    """

    change: Change
    row: int
    book: int
    step: Fraction
    before: Fraction
    value: Fraction
    principal: str | None
    is_new: bool = True

    @property
    def gap(self) -> int:
        """How many last digits lie between the two."""
        return floor((self.value - self.before) / self.step)

    @property
    def middle(self) -> Fraction:
        """The value to ask next: most often the boxes were solved to the digit, so that the first is the neighbour."""
        return self.value - self.step * (1 if self.is_new else self.gap // 2)

    def narrow(self, is_beyond: bool) -> None:
        """Take the middle for one of the ends."""
        if is_beyond:
            self.value = self.middle
        else:
            self.before = self.middle
        self.is_new = False


class Crossings:
    """Find the crossings of the items of a batch.

    Parameters
    ----------
    leaving
        Look for the first verdict other than the item's own; else for the opposite one, `cannot_tell` being neither.
    """

    def __init__(self, batch: pa.RecordBatch, plan: Plan, rows: Sequence[int], leaving: bool = False) -> None:
        self.leaving = leaving
        self.measured = Measured(batch, plan)
        self.views = [self.measured.view(book) for book in plan.books]
        self.variants = Variants(batch, plan, self.measured)
        self._now = [
            self.views[self.variants.position.index(b)].judgement.verdict for b in range(len(self.variants.books))
        ]
        self.rows = [
            row
            for row in rows
            if self.variants.kinds[row] >= 0 and any(self._decided(b, row) for b in range(len(self._now)))
        ]

    def found(self, names: frozenset[str] | None = None) -> Iterator[Crossing]:
        """Every crossing, change by change; of some fields only, if they are named."""
        changes = {
            change: rows
            for change in self.variants.changes()
            if (names is None or change.name in names)
            and (rows := [row for row in self.rows if self.variants.has(change, row)])
        }
        walks = {change: self._walks(change, rows) for change, rows in changes.items() if not change.is_choice}
        choices = {change: self._codes(change, rows) for change, rows in changes.items() if change.is_choice}
        first = [(change, row, value) for change, some in walks.items() for row, _, walk in some for value in walk]
        self.variants.ask([*first, *((change, *each) for change, some in choices.items() for each in some)])
        turns = {change: self._turns_of(change, some) for change, some in walks.items()}
        while wide := [turn for some in turns.values() for turn in some if turn.gap > 1]:
            self.variants.ask((turn.change, turn.row, turn.middle) for turn in wide)
            for turn in wide:
                turn.narrow(self._is_beyond(turn, turn.middle))
        for change in changes:
            found = self._choices(change, choices[change]) if change.is_choice else self._nearest(turns[change])
            for crossing in found:
                for b, position in enumerate(self.variants.position):
                    if position == crossing.book:
                        yield replace(crossing, book=b)

    def _decided(self, book: int, row: int) -> bool:
        return int(self._now[book][row]) in (NOT_CONTROLLED, CONTROLLED)

    def _is_turned(self, book: int, row: int, answer: Answer) -> bool:
        now = int(self._now[book][row])
        return answer.verdict != now if self.leaving else answer.verdict == 2 - now

    def _answer(self, change: Change, book: int, row: int, value: Fraction) -> Answer:
        return self.variants.answers[change.name, row, value][book]

    def _codes(self, change: Change, rows: Sequence[int]) -> list[tuple[int, Fraction]]:
        """The other options of each item's choice, where it is known."""
        now = {row: self.variants.interval(change, row) for row in rows}
        codes = [Fraction(code) for code in range(len(change.fields[0].choices))]
        return [(row, code) for row, (low, high) in now.items() if low == high for code in codes if code != low]

    def _choices(self, change: Change, variants: Sequence[tuple[int, Fraction]]) -> Iterator[Crossing]:
        for row, value in variants:
            for b, answer in enumerate(self.variants.answers[change.name, row, value]):
                if self._decided(b, row) and self._is_turned(b, row, answer):
                    yield Crossing(row, b, change, value, value, answer)

    def _walks(self, change: Change, rows: Sequence[int]) -> list[tuple[int, Fraction, list[Fraction]]]:
        """For each item, above and below it, one last digit and the values to try, the nearest first.

        Between two points where a condition meets its limit no verdict turns, so the first value beyond a point stands
        for the stretch; a point that can be written with the item's digits is tried too.
        """
        points, walks = self.variants.solutions(change, rows), []
        for row in rows:
            low, high = self.variants.interval(change, row)
            if high == np.inf:
                continue
            step = self.variants.step(change, row)
            lowest, highest = ceil(change.low / step), floor(change.high / step)
            # Counted in last digits, which are whole numbers and so fast.
            over, under = step.denominator, step.numerator
            at = [divmod(point.numerator * over, point.denominator * under) for point in points[row]]
            for way, start in ((1, floor(high / step)), (-1, ceil(low / step))):
                counts = {lowest, highest, *(count for count, rest in at if not rest)}
                counts |= {count + 1 if way > 0 else count - (not rest) for count, rest in at}
                beyond = sorted(count for count in counts if lowest <= count <= highest and (count - start) * way > 0)
                walks.append((row, step * way, [step * count for count in beyond[::way]]))
        return walks

    def _turns_of(self, change: Change, walks: Sequence[tuple[int, Fraction, list[Fraction]]]) -> list[_Turn]:
        return [
            turn
            for b in range(len(self._now))
            for row, step, walk in walks
            if self._decided(b, row)
            for turn in self._turns(change, b, row, step, walk)
        ]

    def _nearest(self, turns: Sequence[_Turn]) -> Iterator[Crossing]:
        """The crossing of each turn; of two that were narrowed down to one paragraph, the first."""
        seen: set[tuple[int, int, bool, str]] = set()
        for turn in turns:
            answer = self._answer(turn.change, turn.book, turn.row, turn.value)
            key = turn.row, turn.book, turn.step > 0, "".join(answer.entries[:1])
            if key not in seen:
                seen.add(key)
                yield Crossing(turn.row, turn.book, turn.change, turn.value, turn.before, answer)

    def _turns(self, change: Change, book: int, row: int, step: Fraction, walk: Sequence[Fraction]) -> Iterator[_Turn]:
        """The first turn along a walk away from the item; and of a free item each further paragraph's first line."""
        before = self.variants.interval(change, row)[1 if step > 0 else 0]
        seen: set[str] = set()
        for value in walk:
            answer = self._answer(change, book, row, value)
            principal = "".join(answer.entries[:1])
            if self._is_turned(book, row, answer) and principal not in seen and (principal or not seen):
                yield _Turn(change, row, book, step, before, value, principal if seen else None)
                seen.add(principal)
                if answer.verdict != CONTROLLED or self.leaving:
                    return
            before = value

    def _is_beyond(self, turn: _Turn, value: Fraction) -> bool:
        answer = self._answer(turn.change, turn.book, turn.row, value)
        if not self._is_turned(turn.book, turn.row, answer):
            return False
        return turn.principal is None or answer.entries[:1] == (turn.principal,)
