"""Items with one thing changed, judged by the engine itself.

The changed value is written into the sheet and read again, so that nothing here judges; the variants of many items are
read and judged together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pyarrow as pa

from perfcalc import metrics
from perfcalc.answers.exact import cell, decimals, solve
from perfcalc.answers.views import Measured
from perfcalc.facts import Facts, Indices, Links, Numbers
from perfcalc.fields import FIELDS, KINDS, METRICS, RATES, Field, Kind, fields_behind
from perfcalc.line import Plan
from perfcalc.rulebook.book import Rule
from perfcalc.sheets.cells import as_text
from perfcalc.sheets.columns import read_facts, read_kinds
from perfcalc.sheets.decimals import decimal_marks
from perfcalc.sheets.headers import Binding, Columns, bindings_of
from perfcalc.sheets.messy import with_decimal
from perfcalc.sheets.numerals import POINT
from perfcalc.sheets.quantities import PLAIN
from perfcalc.sheets.units import field_unit
from perfcalc.verdicts.columns import entries_of
from perfcalc.verdicts.judge import judge_all
from perfcalc.verdicts.positions import Line
from perfcalc.verdicts.tables import Book, compile_book

CONTROLLED: Final = 2

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

#: The change of every dense rate by one factor, as a faster or slower part of one design has it.
ALL_RATES: Final = "all_rates"
#: One last digit of that factor, and the largest one tried.
FACTOR_STEP: Final = Fraction(1, 1000)
LARGEST_FACTOR: Final = Fraction(1000)

#: The column that a changed field is read from.
CHANGED: Final = "changed {}"


@dataclass(frozen=True)
class Change:
    """What is changed: one field, or every dense rate by one factor.

    Attributes
    ----------
    name
        The field, or `ALL_RATES`.
    low, high
        The smallest and the largest value that is tried.
    """

    name: str
    fields: tuple[Field, ...]
    low: Fraction
    high: Fraction

    @property
    def is_factor(self) -> bool:
        """Several fields are multiplied by the value; else one field takes it."""
        return self.name == ALL_RATES

    @property
    def is_choice(self) -> bool:
        """The value is the code of a choice."""
        return self.fields[0].type == "choice"


#: A change, the row of the item, and the value that it takes.
Variant = tuple[Change, int, Fraction]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a book says of a variant, and where its figures stand."""

    verdict: int
    entries: tuple[str, ...]
    figures: Mapping[str, tuple[Numbers, Numbers]]
    at: int

    def figure(self, metric: str) -> tuple[Any, Any]:
        """The interval of a metric."""
        low, high = self.figures[metric]
        return low[self.at], high[self.at]


class Variants:
    """The items of a batch, to be asked about with one thing changed.

    Attributes
    ----------
    books
        The books of the plan, of their paragraphs those that can decide a verdict here, and of equal books one.
    position
        Where each book of the plan is among them.
    limits
        The limits of each metric.
    answers
        By name of the change, row and value: what each of `books` says.
    """

    def __init__(self, batch: pa.RecordBatch, plan: Plan, measured: Measured) -> None:
        self.batch, self.plan, self.measured = batch, plan, measured
        self.kinds, self.links = measured.items.kinds, measured.items.facts.links
        self.exact, _ = read_facts(batch, plan.columns, exact=True)
        present = {KINDS[kind] for kind in np.unique(self.kinds) if kind >= 0}
        self.books: list[Book] = []
        self.position: list[int] = []
        for book in plan.books:
            deciding = _deciding(book, present)
            alike = [b for b, other in enumerate(self.books) if other.rules == deciding]
            self.position.append(alike[0] if alike else len(self.books))
            self.books += [] if alike else [compile_book(book.jurisdiction, book.day, deciding)]
        self.limits: dict[str, set[Fraction]] = {}
        for book in self.books:
            for condition in (each for rule in book.rules for each in rule.conditions()):
                self.limits.setdefault(condition.metric, set()).add(condition.limit)
        self.answers: dict[tuple[str, int, Fraction], list[Answer]] = {}
        self._metrics = [name for name in METRICS if name in self.limits]
        self._texts: dict[tuple[str, str], Numbers] = {}
        self._plain: dict[str, bool] = {}
        self._marks = decimal_marks(batch.schema)
        self._entries: dict[tuple[int, int, int, int], tuple[str, ...]] = {}
        self._counting = [book.counting for book in self.books]
        if self.links is not None:
            whole = np.where(self.links.board >= 0, self.links.ic[self.links.board], self.links.ic)
            self._whole = whole
            self._members = {int(one): np.flatnonzero(whole == one) for one in np.unique(whole)}

    def changes(self) -> Iterator[Change]:
        """Every change that a limit may notice."""
        behind = {name for metric in self.limits for name in fields_behind(metric)}
        for name, field in FIELDS.items():
            if name in behind and not field.derived and field.type != "text" and name not in MEASURED:
                yield Change(name, (field,), Fraction(str(field.low)), Fraction(str(field.high)))
        rates = tuple(rate for rate in RATES if rate.name in behind and self.exact.is_given(rate.name).any())
        if len(rates) > 1:
            yield Change(ALL_RATES, rates, FACTOR_STEP, LARGEST_FACTOR)

    def has(self, change: Change, row: int) -> bool:
        """Whether the sheet gives an item what is changed: of the rates, two or more."""
        if KINDS[self.kinds[row]] not in change.fields[0].kinds:
            return False
        if not change.is_factor:
            return bool(self.exact.is_given(change.name)[row])
        given = np.zeros(len(change.fields), dtype=bool)
        for mate in self._mates(row):
            given |= [self.exact.is_given(rate.name)[mate] for rate in change.fields]
        return int(given.sum()) > 1

    def interval(self, change: Change, row: int) -> tuple[Fraction, Any]:
        """What the item has now."""
        if change.is_factor:
            return Fraction(1), Fraction(1)
        low, high = self.exact.interval(change.name)
        return low[row], high[row]

    def step(self, change: Change, row: int) -> Fraction:
        """One last digit: whole qubits, 0.0000001 of an error, else 0.01; finer where a limit or the cell is."""
        if change.is_factor:
            return FACTOR_STEP
        (field,) = change.fields
        if field.unit == "qubits":
            return Fraction(1)
        known = [*self.limits.get(field.name, ()), *(end for end in self.interval(change, row) if end < np.inf)]
        digits = max([7 if field.high <= 1 else 2, *(decimals(number) for number in known)])
        return Fraction(1, 10**digits)

    def solutions(self, change: Change, rows: Sequence[int]) -> dict[int, set[Fraction]]:
        """Where a condition's metric meets its limit, were this the only thing to change.

        In one field, and in one factor of all rates, every metric is, beyond some value, a straight line or the inverse
        of one (a rate in TPP, an area in a density). Three points show which, and its solution is exact.
        """
        points: dict[int, set[Fraction]] = {row: set(self.limits.get(change.name, ())) for row in rows}
        names = {field.name for field in change.fields}
        tested = [metric for metric in self.limits if metric in METRICS and names & fields_behind(metric)]
        if not tested:
            return points
        top = change.high / (8 if change.high <= 1 else 1)
        probes = (top / 4, top / 2, top)
        index, own, links, mates = self._blocks([(change, row, probe) for row in rows for probe in probes])
        facts = Facts(index.size, exact=True, links=links)
        facts.low = {name: end[index] for name, end in self.exact.low.items()}
        facts.high = {name: end[index] for name, end in self.exact.high.items()}
        facts.given = {name: given[index] for name, given in self.exact.given.items()}
        for name in names:
            low, high = (end.copy() for end in facts.interval(name))
            for k, rows_of in enumerate(mates):
                probe = probes[k % 3]
                low[rows_of] = low[rows_of] * probe if change.is_factor else probe
                high[rows_of] = high[rows_of] * probe if change.is_factor else probe
            facts.set(name, low, high)
        metrics.compute(facts, self.measured.readings, tested)
        for metric in tested:
            low, high = facts.interval(metric)
            for at in (low[own],) if low is high else (low[own], high[own]):
                for i, row in enumerate(rows):
                    points[row] |= set(solve(probes, list(at[3 * i : 3 * i + 3]), self.limits[metric]))
        return points

    def ask(self, variants: Iterable[Variant]) -> None:
        """Write each variant's value into the sheet and let every book judge it."""
        together: dict[str, list[Variant]] = {}
        for change, row, value in dict.fromkeys(variants):
            if (change.name, row, value) not in self.answers:
                # Where a value cannot stand in the sheet's own column, a column for it holds for every row.
                own = all(self._is_plain(field) for field in change.fields)
                together.setdefault("" if own else change.name, []).append((change, row, value))
        for name, some in together.items():
            self._ask(some, in_own_columns=not name)

    def _ask(self, variants: Sequence[Variant], in_own_columns: bool) -> None:
        index, own, links, mates = self._blocks(variants)
        changed, columns = self.batch.take(pa.array(index)), self.plan.columns
        for field in dict.fromkeys(field for change, _, _ in variants for field in change.fields):
            cells = (self._said(field) if in_own_columns else self._cells(field))[index]
            ends, given = self.exact.interval(field.name), self.exact.is_given(field.name)
            for rows, (change, _, value) in zip(mates, variants, strict=True):
                if change.is_factor and field.bits:
                    for at in rows[given[index[rows]]]:
                        low, high = (end[index[at]] * value for end in ends)
                        cells[at] = cell(field, low, high, given=True)
                elif change.name == field.name:
                    cells[rows] = cell(field, value, value, given=True)
            texts = pa.array(cells, pa.string())
            if in_own_columns:
                name = columns[field.name]
                changed = changed.set_column(changed.schema.get_field_index(name), pa.field(name, pa.string()), texts)
            else:
                name = CHANGED.format(field.name)
                changed = changed.append_column(pa.field(name, pa.string()), texts)
                columns = _with_column(columns, field.name, name)

        def exactly(rows: Indices, lines: Sequence[Line]) -> tuple[Facts, Indices, Indices]:
            part, names = changed.take(pa.array(rows)), [line.metric for line in lines]
            return *self._measure(part, columns, _of_rows(links, rows), names, exact=True), rows

        facts, kinds = self._measure(changed, columns, links, self._metrics)
        judged = judge_all(self.books, facts, kinds, exactly, margins=False)
        masks = [[each.verdict[own].tolist(), each.met[own].tolist(), each.open[own].tolist()] for each in judged]
        figures = {metric: facts.interval(metric) for metric in self._metrics}
        for k, (change, row, value) in enumerate(variants):
            self.answers[change.name, row, value] = [
                Answer(verdict[k], self._entries_of(b, met[k], still_open[k], verdict[k]), figures, int(own[k]))
                for b, (verdict, met, still_open) in enumerate(masks)
            ]

    def _measure(
        self,
        batch: pa.RecordBatch,
        columns: Mapping[str, str],
        links: Links | None,
        names: Sequence[str],
        exact: bool = False,
    ) -> tuple[Facts, Indices]:
        facts, _ = read_facts(batch, columns, exact)
        kinds = read_kinds(batch, columns, facts)
        facts.links = links
        metrics.compute(facts, self.measured.readings, names)
        return facts, kinds

    def _entries_of(self, book: int, met: int, still_open: int, verdict: int) -> tuple[str, ...]:
        key = book, met & self._counting[book], still_open, verdict
        if key not in self._entries:
            self._entries[key] = tuple(
                entries_of(self.books[book], key[1], still_open, controlled=verdict == CONTROLLED)
            )
        return self._entries[key]

    def _is_plain(self, field: Field) -> bool:
        """Whether the sheet has one column of the field that takes plain decimals in the field's own unit."""
        if field.name not in self._plain:
            bindings = bindings_of(self.plan.columns, field.name)
            style = with_decimal(bindings[0].style, self._marks.get(bindings[0].column, POINT)) if bindings else PLAIN
            self._plain[field.name] = (
                len(bindings) == 1
                and replace(style, unit=None) == PLAIN
                and style.unit in (None, field_unit(field.unit))
                and not bindings[0].values
                and bindings[0].spread is None
                and list(self.plan.columns.values()).count(bindings[0].column) == 1
            )
        return self._plain[field.name]

    def _said(self, field: Field) -> Numbers:
        """The cells of the field's own column."""
        return self._kept("said", field, lambda: as_text(self.batch.column(self.plan.columns[field.name])).to_pylist())

    def _cells(self, field: Field) -> Numbers:
        """What the sheet says of a field, as text that is read as the same intervals."""
        ends, given = self.exact.interval(field.name), self.exact.is_given(field.name)
        return self._kept("read", field, lambda: [cell(field, *each) for each in zip(*ends, given, strict=True)])

    def _kept(self, how: str, field: Field, texts: Callable[[], list[str | None]]) -> Numbers:
        if (how, field.name) not in self._texts:
            cells: Numbers = np.empty(self.exact.size, dtype=object)
            cells[:] = texts()
            self._texts[how, field.name] = cells
        return self._texts[how, field.name]

    def _mates(self, row: int) -> Indices:
        """The rows of an item's IC: its processing units."""
        if self.links is None:
            return np.array([row])
        members: Indices = self._members[int(self._whole[row])]
        mates: Indices = members[self.links.ic[members] == self.links.ic[row]]
        return mates

    def _blocks(self, variants: Sequence[Variant]) -> tuple[Indices, Indices, Links | None, Sequence[Indices]]:
        """For each variant the rows that belong to its item, the item's own among them, links, and the rows to change."""
        if self.links is None:
            own = np.arange(len(variants), dtype=np.int64)
            return np.array([row for _, row, _ in variants], dtype=np.int64), own, None, list(own[:, None])
        links = self.links
        blocks = [self._members[int(self._whole[row])] for _, row, _ in variants]
        offsets = np.cumsum([0, *(block.size for block in blocks)])[:-1]
        rows = [row for _, row, _ in variants]
        own = np.array(
            [at + np.flatnonzero(block == row)[0] for at, block, row in zip(offsets, blocks, rows, strict=True)]
        )
        index = np.concatenate(blocks)
        number = np.repeat(np.arange(len(blocks)), [block.size for block in blocks])
        ics, ic = np.unique(links.ic[index] + number * links.ics, return_inverse=True)
        # Members are sorted, so a board is found among them by bisection.
        board = [
            at + np.searchsorted(block, links.board[block]) if (links.board[block] >= 0).any() else block * 0
            for at, block in zip(offsets, blocks, strict=True)
        ]
        whole = np.where(links.board[index] >= 0, np.concatenate(board), -1)
        mates = [
            at + np.flatnonzero(links.ic[block] == links.ic[row]) if change.is_factor else own[k : k + 1]
            for k, (at, block, (change, row, _)) in enumerate(zip(offsets, blocks, variants, strict=True))
        ]
        return index, own, Links(ic.astype(np.int64), len(ics), whole.astype(np.int64)), mates


def _deciding(book: Book, present: set[Kind]) -> tuple[Rule, ...]:
    """The paragraphs of a book that can decide the verdict of some kinds of item, and those that they refer to."""
    counting = book.counting
    chosen = {rule.paragraph for r, rule in enumerate(book.rules) if counting >> r & 1 and present & set(rule.kinds)}
    while named := {
        code
        for rule in book.rules
        if rule.paragraph in chosen
        for code in (*rule.contains, *rule.unless, *rule.meets)
        if code not in chosen
    }:
        chosen |= named
    return tuple(rule for rule in book.rules if rule.paragraph in chosen)


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
