"""At which value of one field an item's verdict turns: the search behind `headroom`.

The candidates come from the boxes: each condition is solved for the field, in fractions. What they do is then asked of
the engine itself, with the value written into the sheet, so that nothing here judges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor, isfinite
from typing import Final

import numpy as np
import pyarrow as pa

from perfcalc import metrics
from perfcalc.answers.views import Measured
from perfcalc.exact import Fraction
from perfcalc.facts import Facts, Indices, Links
from perfcalc.fields import FIELDS, KINDS, METRICS, Field, fields_behind
from perfcalc.line import Plan
from perfcalc.sheets.columns import read_facts, read_kinds
from perfcalc.sheets.headers import Binding, Columns, bindings_of
from perfcalc.verdicts.columns import entries_of
from perfcalc.verdicts.judge import judge
from perfcalc.verdicts.tables import Book

NOT_CONTROLLED, CONTROLLED = 0, 2

#: How a figure was measured or counted: no property of the item that could be changed.
MEASURED: Final = (
    "layer_gates",
    "two_qubit_uncertainty",
    "native_gate",
    "error_statistic",
    "error_convention",
    "gate_operation",
    "post_selected",
    "qubit_count",
)

#: The column that a changed field is read from.
CHANGED: Final = "changed {}"

Variant = tuple[int, Fraction]


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
    field: str
    value: Fraction
    before: Fraction
    verdict: int
    entries: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What a book says of a variant."""

    verdict: int
    entries: tuple[str, ...]


class Crossings:
    """Find the crossings of the items of a batch.

    Parameters
    ----------
    leaving
        Look for the first verdict other than the item's own; else for the opposite one, `cannot_tell` being neither.
    """

    def __init__(self, batch: pa.RecordBatch, plan: Plan, rows: Sequence[int], leaving: bool = False) -> None:
        self.batch, self.plan, self.leaving = batch, plan, leaving
        self.measured = Measured(batch, plan)
        items = self.measured.items
        self.views = [self.measured.view(book) for book in plan.books]
        self.facts, self.kinds, self.links = items.facts, items.kinds, items.facts.links
        self.exact, _ = read_facts(batch, plan.columns, exact=True)
        self.rows = [
            row for row in rows if self.kinds[row] >= 0 and any(self._decided(b, row) for b in range(len(plan.books)))
        ]
        self.limits: dict[str, set[Fraction]] = {}
        for book in plan.books:
            for rule in book.rules:
                for condition in rule.conditions():
                    self.limits.setdefault(condition.metric, set()).add(condition.limit)
        self.answers: dict[tuple[str, int, Fraction], list[Answer]] = {}

    def found(self) -> list[Crossing]:
        """Every crossing, by field."""
        fields = {name for metric in self.limits for name in fields_behind(metric)}
        crossings: list[Crossing] = []
        for name, field in FIELDS.items():
            if name not in fields or field.derived or field.type == "text" or name in MEASURED:
                continue
            rows = [
                row for row in self.rows if self.exact.is_given(name)[row] and KINDS[self.kinds[row]] in field.kinds
            ]
            if rows:
                crossings += self._of_choice(field, rows) if field.type == "choice" else self._of_number(field, rows)
        return crossings

    def _decided(self, book: int, row: int) -> bool:
        return int(self.views[book].judgement.verdict[row]) in (NOT_CONTROLLED, CONTROLLED)

    def _is_turned(self, book: int, row: int, answer: Answer) -> bool:
        now = int(self.views[book].judgement.verdict[row])
        return answer.verdict != now if self.leaving else answer.verdict == 2 - now

    def _of_choice(self, field: Field, rows: Sequence[int]) -> list[Crossing]:
        low, high = self.exact.interval(field.name)
        variants = [
            (row, Fraction(code))
            for row in rows
            if low[row] == high[row]
            for code in range(len(field.choices))
            if code != low[row]
        ]
        self._ask(field, variants)
        return [
            Crossing(row, b, field.name, value, value, answer.verdict, answer.entries)
            for row, value in variants
            for b, answer in enumerate(self.answers[field.name, row, value])
            if self._decided(b, row) and self._is_turned(b, row, answer)
        ]

    def _of_number(self, field: Field, rows: Sequence[int]) -> list[Crossing]:
        steps = {row: self._step(field, row) for row in rows}
        points = self._solutions(field, rows)
        ends = self.exact.interval(field.name)
        walks: dict[tuple[int, int], list[Fraction]] = {}
        for row in rows:
            low, high, step = ends[0][row], ends[1][row], steps[row]
            if high == np.inf:
                continue
            counts = {floor(point / step) + k for point in points[row] for k in (-1, 0, 1)}
            around = {step * count for count in counts} | {Fraction(str(field.high)), Fraction(str(field.low))}
            values = sorted(value for value in around if field.low <= value <= field.high)
            walks[row, 1] = [value for value in values if value > high]
            walks[row, -1] = [value for value in reversed(values) if value < low]
        self._ask(field, [(row, value) for (row, _), walk in walks.items() for value in walk])
        crossings: list[Crossing] = []
        for b in range(len(self.plan.books)):
            for (row, way), walk in walks.items():
                if self._decided(b, row):
                    start = ends[1 if way > 0 else 0][row]
                    crossings += self._along(field, b, row, start, walk, steps[row] * way)
        return crossings

    def _along(
        self, field: Field, book: int, row: int, start: Fraction, walk: Sequence[Fraction], step: Fraction
    ) -> list[Crossing]:
        """The first turn along a walk away from the item; and of a free item each further paragraph's first line."""
        found: list[Crossing] = []
        seen: set[str] = set()
        before = start
        for value in walk:
            answer = self.answers[field.name, row, value][book]
            known = bool(seen) and (
                answer.entries[:1] == () or answer.entries[0] in seen or abs(value - before) != abs(step)
            )
            if self._is_turned(book, row, answer) and not known:
                at, before_it = (value, before) if seen else self._nearest(field, book, row, before, value, step)
                answer = self.answers[field.name, row, at][book]
                found.append(Crossing(row, book, field.name, at, before_it, answer.verdict, answer.entries))
                seen.add(answer.entries[0] if answer.entries else "")
                if answer.verdict != CONTROLLED or self.leaving:
                    break
            before = value
        return found

    def _nearest(
        self, field: Field, book: int, row: int, before: Fraction, value: Fraction, step: Fraction
    ) -> tuple[Fraction, Fraction]:
        """Halve the way from a value that does not turn the verdict to one that does, down to one last digit."""
        # Most often the boxes were solved to the digit, and the two are neighbours.
        size, way = abs(step), 1 if step > 0 else -1
        while (gap := floor(way * (value - before) / size)) > 1:
            middle = size * (floor(value / size) - way * (gap // 2))
            self._ask(field, [(row, middle)])
            if self._is_turned(book, row, self.answers[field.name, row, middle][book]):
                value = middle
            else:
                before = middle
        return value, before

    def _step(self, field: Field, row: int) -> Fraction:
        """One last digit: whole qubits, 0.0000001 of an error, else 0.01; finer where a limit or the cell is."""
        if field.unit == "qubits":
            return Fraction(1)
        known = [
            *self.limits.get(field.name, ()),
            *(end[row] for end in self.exact.interval(field.name) if end[row] < np.inf),
        ]
        digits = max([7 if field.high <= 1 else 2, *(decimals(number) for number in known)])
        return Fraction(1, 10**digits)

    def _solutions(self, field: Field, rows: Sequence[int]) -> dict[int, set[Fraction]]:
        """Where a condition's metric meets its limit, were the field the only thing to change.

        In one field every metric is, beyond some value, a straight line or the inverse of one (a rate in TPP, an area in
        a density). Three points show which, and its solution is exact.
        """
        tested = [metric for metric in self.limits if field.name in fields_behind(metric)]
        points: dict[int, set[Fraction]] = {row: set(self.limits.get(field.name, ())) for row in rows}
        measured = [metric for metric in tested if metric in METRICS]
        if not measured:
            return points
        top = Fraction(str(field.high)) / (8 if field.high <= 1 else 1)
        probes = (top / 4, top / 2, top)
        index, own, links = self._blocks([(row, probe) for row in rows for probe in probes])
        facts = self._exact_rows(index)
        facts.links = links
        low, high = (end.copy() for end in facts.interval(field.name))
        low[own] = high[own] = np.array(probes * len(rows), dtype=object)
        facts.set(field.name, low, high)
        metrics.compute(facts, self.measured.readings, self._with_inputs(measured))
        for metric in measured:
            for end in facts.interval(metric):
                at = end[own]
                for i, row in enumerate(rows):
                    values = list(at[3 * i : 3 * i + 3])
                    points[row] |= set(solve(probes, values, self.limits[metric]))
        return points

    @staticmethod
    def _with_inputs(names: Iterable[str]) -> set[str]:
        wanted = set(names)
        for name in reversed(METRICS):
            if name in wanted:
                wanted |= set(METRICS[name].inputs) & set(METRICS)
        return wanted

    def _exact_rows(self, index: Indices) -> Facts:
        facts = Facts(index.size, exact=True)
        facts.low = {name: end[index] for name, end in self.exact.low.items()}
        facts.high = {name: end[index] for name, end in self.exact.high.items()}
        facts.given = {name: given[index] for name, given in self.exact.given.items()}
        return facts

    def _blocks(self, variants: Sequence[Variant]) -> tuple[Indices, Indices, Links | None]:
        """For each variant the rows that belong to its item, which of them is the item's own, and their links."""
        if self.links is None:
            return np.array([row for row, _ in variants], dtype=np.int64), np.arange(len(variants)), None
        links = self.links
        whole = np.where(links.board >= 0, links.ic[links.board], links.ic)
        blocks = [np.flatnonzero(whole == whole[row]) for row, _ in variants]
        offsets = np.cumsum([0, *(block.size for block in blocks)])
        own = [
            int(offset + np.flatnonzero(block == row)[0])
            for offset, block, (row, _) in zip(offsets, blocks, variants, strict=False)
        ]
        ic = np.concatenate([links.ic[block] + k * links.ics for k, block in enumerate(blocks)])
        board = np.concatenate(
            [
                [
                    offset + int(np.flatnonzero(block == links.board[row])[0]) if links.board[row] >= 0 else -1
                    for row in block
                ]
                for offset, block in zip(offsets, blocks, strict=False)
            ]
        )
        numbers, ic = np.unique(ic, return_inverse=True)
        return np.concatenate(blocks), np.array(own), Links(ic.astype(np.int64), len(numbers), board.astype(np.int64))

    def _ask(self, field: Field, variants: Sequence[Variant]) -> None:
        """Write each variant's value into the sheet and let every book judge it."""
        variants = [each for each in variants if (field.name, *each) not in self.answers]
        if not variants:
            return
        index, own, links = self._blocks(variants)
        low, high = (end[index] for end in self.exact.interval(field.name))
        given = self.exact.is_given(field.name)[index]
        cells = [cell(field, *each) for each in zip(low, high, given, strict=True)]
        for at, (_, value) in zip(own, variants, strict=True):
            cells[at] = cell(field, value, value, True)
        taken, name = self.batch.take(pa.array(index)), CHANGED.format(field.name)
        changed = pa.RecordBatch.from_arrays(
            [*taken.columns, pa.array(cells, pa.string())],
            schema=taken.schema.append(pa.field(name, pa.string())),
        )
        plan = replace(self.plan, columns=_with_column(self.plan.columns, field.name, name))

        def measure(batch: pa.RecordBatch, links: Links | None, exact: bool) -> tuple[Facts, Indices]:
            facts, _ = read_facts(batch, plan.columns, exact)
            kinds = read_kinds(batch, plan.columns, facts)
            facts.links = links
            metrics.compute(facts, self.measured.readings)
            return facts, kinds

        def exactly(rows: Indices, _names: Sequence[str]) -> tuple[Facts, Indices, Indices]:
            return *measure(changed.take(pa.array(rows)), _of_rows(links, rows), exact=True), rows

        facts, kinds = measure(changed, links, exact=False)
        judged = [judge(book, facts, kinds, exactly) for book in plan.books]
        for at, (row, value) in zip(own, variants, strict=True):
            self.answers[field.name, row, value] = [
                Answer(
                    int(each.verdict[at]), _entries(book, int(each.met[at]), int(each.open[at]), int(each.verdict[at]))
                )
                for book, each in zip(plan.books, judged, strict=True)
            ]


def _entries(book: Book, met: int, still_open: int, verdict: int) -> tuple[str, ...]:
    met &= book.counting
    return tuple(entries_of(book, met, still_open, controlled=verdict == CONTROLLED))


def _with_column(columns: Mapping[str, str], field: str, column: str) -> Columns:
    kept = [binding for name in columns if name != field for binding in bindings_of(columns, name)]
    importer = columns.importer if isinstance(columns, Columns) else ""
    return Columns([*kept, Binding(field, column)], importer)


def _of_rows(links: Links | None, rows: Indices) -> Links | None:
    if links is None:
        return None
    position = {int(row): at for at, row in enumerate(rows)}
    numbers, ic = np.unique(links.ic[rows], return_inverse=True)
    board = np.array([position.get(int(each), -1) for each in links.board[rows]], dtype=np.int64)
    return Links(ic.astype(np.int64), len(numbers), board)


def solve(probes: Sequence[Fraction], values: Sequence[Fraction], limits: Iterable[Fraction]) -> Iterable[Fraction]:
    """Solve ``metric = limit`` for each limit, of a metric known at three points; nothing where it is neither form."""
    if not all(isfinite(value) for value in values):
        return
    for inverse in (False, True):
        if inverse and any(value == 0 for value in values):
            continue
        y = [1 / Fraction(value) if inverse else Fraction(value) for value in values]
        slope = (y[1] - y[0]) / (probes[1] - probes[0])
        if slope != 0 and slope == (y[2] - y[1]) / (probes[2] - probes[1]):
            for limit in limits:
                if not (inverse and limit == 0):
                    yield probes[0] + ((1 / limit if inverse else limit) - y[0]) / slope
            return


def decimals(number: Fraction) -> int:
    """How many decimals a number has, up to nine."""
    return next((digits for digits in range(10) if (number * 10**digits).denominator == 1), 9)


def decimal(number: Fraction) -> str:
    """A number as exact decimal text; one without an end keeps thirty digits."""
    digits = 0
    while (number * 10**digits).denominator != 1 and digits < 30:
        digits += 1
    scaled = round(number * 10**digits)
    text = f"{abs(scaled):0{digits + 1}d}"
    whole, part = (text[:-digits], text[-digits:]) if digits else (text, "")
    return f"{'-' if scaled < 0 else ''}{whole}{f'.{part}' if part else ''}"


def cell(field: Field, low: Fraction, high: Fraction, given: bool) -> str | None:
    """A cell that is read as this interval."""
    if not given:
        return None
    if field.type == "choice":
        return field.choices[int(low)] if low == high else "unknown"
    if high == np.inf:
        return "unknown"
    return decimal(low) if low == high else f"{decimal(low)}-{decimal(high)}"
