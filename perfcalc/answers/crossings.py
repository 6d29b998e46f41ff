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
        for change in self.variants.changes():
            if names is not None and change.name not in names:
                continue
            rows = [row for row in self.rows if self.variants.has(change, row)]
            if rows:
                found = self._of_choice(change, rows) if change.is_choice else self._of_number(change, rows)
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

    def _of_choice(self, change: Change, rows: Sequence[int]) -> list[Crossing]:
        now = {row: self.variants.interval(change, row) for row in rows}
        codes = [Fraction(code) for code in range(len(change.fields[0].choices))]
        variants = [(row, code) for row, (low, high) in now.items() if low == high for code in codes if code != low]
        self.variants.ask(change, variants)
        return [
            Crossing(row, b, change, value, value, answer)
            for row, value in variants
            for b, answer in enumerate(self.variants.answers[change.name, row, value])
            if self._decided(b, row) and self._is_turned(b, row, answer)
        ]

    def _of_number(self, change: Change, rows: Sequence[int]) -> list[Crossing]:
        points = self.variants.solutions(change, rows)
        walks = [(row, step, walk) for row in rows for step, walk in self._walks(change, row, points[row])]
        self.variants.ask(change, ((row, value) for row, _, walk in walks for value in walk))
        turns = [
            turn
            for b in range(len(self._now))
            for row, step, walk in walks
            if self._decided(b, row)
            for turn in self._turns(change, b, row, step, walk)
        ]
        while wide := [turn for turn in turns if turn.gap > 1]:
            self.variants.ask(change, ((turn.row, turn.middle) for turn in wide))
            for turn in wide:
                turn.narrow(self._is_beyond(change, turn, turn.middle))
        nearest: dict[tuple[int, int, bool, str], Crossing] = {}
        for turn in turns:
            answer = self._answer(change, turn.book, turn.row, turn.value)
            key = turn.row, turn.book, turn.step > 0, "".join(answer.entries[:1])
            nearest.setdefault(key, Crossing(turn.row, turn.book, change, turn.value, turn.before, answer))
        return list(nearest.values())

    def _walks(self, change: Change, row: int, points: set[Fraction]) -> Iterator[tuple[Fraction, list[Fraction]]]:
        """Values to try above and below the item, the nearest first: one in each stretch between two points.

        Between two points no condition turns, so the first value beyond a point stands for the stretch; a point that can
        be written with the item's digits is tried too.
        """
        low, high = self.variants.interval(change, row)
        if high == np.inf:
            return
        step = self.variants.step(change, row)
        lowest, highest = ceil(change.low / step), floor(change.high / step)
        # Counted in last digits, which are whole numbers and so fast.
        at = [divmod(point.numerator * step.denominator, point.denominator * step.numerator) for point in points]
        for way, start in ((1, floor(high / step)), (-1, ceil(low / step))):
            counts = {lowest, highest, *(count for count, rest in at if not rest)}
            counts |= {count + 1 if way > 0 else count - (not rest) for count, rest in at}
            beyond = sorted(count for count in counts if lowest <= count <= highest and (count - start) * way > 0)
            yield step * way, [step * count for count in beyond[::way]]

    def _turns(self, change: Change, book: int, row: int, step: Fraction, walk: Sequence[Fraction]) -> Iterator[_Turn]:
        """The first turn along a walk away from the item; and of a free item each further paragraph's first line."""
        before = self.variants.interval(change, row)[1 if step > 0 else 0]
        seen: set[str] = set()
        for value in walk:
            answer = self._answer(change, book, row, value)
            principal = "".join(answer.entries[:1])
            if self._is_turned(book, row, answer) and principal not in seen and (principal or not seen):
                yield _Turn(row, book, step, before, value, principal if seen else None)
                seen.add(principal)
                if answer.verdict != CONTROLLED or self.leaving:
                    return
            before = value

    def _is_beyond(self, change: Change, turn: _Turn, value: Fraction) -> bool:
        answer = self._answer(change, turn.book, turn.row, value)
        if not self._is_turned(turn.book, turn.row, answer):
            return False
        return turn.principal is None or answer.entries[:1] == (turn.principal,)
