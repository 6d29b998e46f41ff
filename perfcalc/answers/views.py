"""What several books say of the same items: the common ground of `changes` and `coverage`.

The figures of an item do not depend on the law, so they are computed once and judged by every book.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa

from perfcalc import metrics
from perfcalc.answers.explain import STATES, ClauseTrace, _clauses
from perfcalc.answers.numbers import interval_text
from perfcalc.facts import Indices
from perfcalc.fields import FIELDS, KINDS, unit_of
from perfcalc.line import Items, Plan, _exactly, _together, measure_batch
from perfcalc.metrics.readings import Readings, every_combination, one_changed
from perfcalc.rulebook.book import Rule
from perfcalc.sheets.columns import text_column
from perfcalc.verdicts.columns import verdict_columns
from perfcalc.verdicts.decide import VERDICTS, States
from perfcalc.verdicts.judge import Judgement, asked_mask, judge
from perfcalc.verdicts.tables import Book

#: Views of a batch that are kept for the next book with the same rules.
KEPT_VIEWS: Final = 8


@dataclass(eq=False)
class View:
    """What one book says of a batch."""

    book: Book
    judgement: Judgement
    asked: Indices
    verdict: list[str]
    entries: list[str]
    needs: list[str]
    margin: list[float | None]

    def __post_init__(self) -> None:
        self._bits = {rule.paragraph: r for r, rule in enumerate(self.book.rules)}

    def counts(self, rule: Rule) -> bool:
        """Whether a paragraph can make an item controlled."""
        return bool(self.book.counting >> self._bits[rule.paragraph] & 1)

    def state(self, rule: Rule, row: int, kind: int) -> str | None:
        """``met``, ``open`` or ``failed``; none when the paragraph is not asked of the item."""
        r = self._bits[rule.paragraph]
        if kind < 0 or KINDS[kind] not in rule.kinds or not self.asked[row] >> r & 1:
            return None
        return STATES[2 if self.judgement.met[row] >> r & 1 else int(self.judgement.open[row] >> r & 1)]


class Measured:
    """A batch with its figures, to be judged by any number of books."""

    def __init__(self, batch: pa.RecordBatch, plan: Plan) -> None:
        self.batch, self.plan = batch, plan
        self.items = measure_batch(batch, plan, (plan.readings,))
        self.readings: tuple[Readings, ...] = (plan.readings,)
        if plan.widen:
            self.readings = every_combination(plan.readings, metrics.relevant_readings(self.items.facts))
            self.items = measure_batch(batch, plan, self.readings)
        self._exactly = _exactly(batch, plan, self.readings)
        self._views: deque[View] = deque(maxlen=KEPT_VIEWS)
        self.names = [name or "" for name in text_column(batch, plan.columns, FIELDS["name"])]
        self.ids = [key or "" for key in text_column(batch, plan.columns, FIELDS["id"])]

    def view(self, book: Book) -> View:
        """Judge every item by a book, or share what a book with the same rules said of them."""
        alike = next((one for one in self._views if one.book.is_alike(book)), None)
        if alike is None:
            alike = self._view(book)
        else:
            self._views.remove(alike)
        self._views.append(alike)
        return replace(alike, book=book)

    def _view(self, book: Book) -> View:
        facts, kinds = self.items.facts, self.items.kinds
        judgement = judge(book, facts, kinds, self._exactly)
        prefix = book.jurisdiction
        turning = {}
        if self.plan.widen:
            # An item that is open because of a reading needs that reading to be settled.
            usual = self._under(book, self.plan.readings)
            turning = {change: self._under(book, other) != usual for change, other in self._other_readings()}
        columns = verdict_columns(book, judgement, facts, kinds, turning, None)
        words = {name: columns[f"{prefix}_{name}"].to_pylist() for name in ("verdict", "entries", "needs", "margin")}
        return View(
            book,
            judgement,
            asked_mask(book, facts, kinds),
            words["verdict"],
            [text or "" for text in words["entries"]],
            [text or "" for text in words["needs"]],
            words["margin"],
        )

    def exact(self, rows: Sequence[int]) -> tuple[Items, dict[int, int]]:
        """The figures of some rows as fractions, and where each row is among them."""
        links = self.items.facts.links
        if links is not None:
            # An IC in several rows, or a computer, needs all of its rows: take the whole batch.
            rows = range(self.batch.num_rows)
        part = self.batch.take(pa.array(list(rows), pa.int64()))
        return measure_batch(part, self.plan, self.readings, exact=True), {row: at for at, row in enumerate(rows)}

    def turned(self, book: Book, view: View) -> dict[str, list[str]]:
        """For each other reading of the law (``name=option``) the verdicts that it gives, where any differs."""
        found = {}
        for change, readings in self._other_readings():
            verdicts = [VERDICTS[code] for code in self._under(book, readings)]
            if verdicts != view.verdict:
                found[change] = verdicts
        return found

    def _other_readings(self) -> tuple[tuple[str, Readings], ...]:
        return one_changed(self.plan.readings, metrics.relevant_readings(self.items.facts))

    def _under(self, book: Book, readings: Readings) -> States:
        """The verdicts under one choice of readings."""
        other = measure_batch(self.batch, self.plan, (readings,))
        return judge(book, other.facts, other.kinds, _exactly(self.batch, self.plan, (readings,))).verdict

    def kind(self, row: int) -> str:
        """The kind of an item."""
        code = int(self.items.kinds[row])
        return KINDS[code] if code >= 0 else "unknown"


def batches_of(table: pa.Table, plan: Plan, size: int) -> Iterator[pa.RecordBatch]:
    """The rows of a sheet in batches; in one, when rows refer to one another."""
    batches: Iterable[pa.RecordBatch] = table.to_batches(size)
    yield from _together(batches) if {"unit", "part_of"} & set(plan.columns) else batches


def deciding_clauses(rule: Rule, state: str | None, items: Items, row: int) -> list[ClauseTrace]:
    """The clauses that make a paragraph met, hold it open, or free the item from it."""
    boxes = [_clauses(box, items, row) for box in rule.boxes]
    if state == "met":
        # A limit that only hands over to another paragraph is no reason.
        return next((box for box in boxes if all(each.state == "met" for each in box)), [])
    if state == "open":
        return [each for box in boxes if all(c.state != "failed" for c in box) for each in box if each.state == "open"]
    excluding = [_clauses(box, items, row) for exclusion in rule.exclusions for box in exclusion.boxes]
    if any(all(each.state == "met" for each in box) for box in boxes):
        return next((box for box in excluding if all(each.state == "met" for each in box)), [])
    missed = [[each for each in box if each.state == "failed"] for box in boxes]
    return min(missed, key=_shortfall, default=[])


def _shortfall(clauses: list[ClauseTrace]) -> float:
    return max((-each.margin if each.margin is not None else np.inf for each in clauses), default=np.inf)


def decision_words(rule: Rule, state: str | None, clauses: Sequence[ClauseTrace]) -> str:
    """A paragraph and what decides it, in one line: ``3A090.a.1: tpp 4,992 >= 4,800``."""
    # What a paragraph says instead of numbers: why they were not read, or that the list holds no such control.
    if silence := rule.unread or rule.none:
        return f"{rule.paragraph}: {silence}"
    if rule.contains:
        verb = {"met": "contains", "open": "may contain"}.get(state or "", "contains no")
        return f"{rule.paragraph}: {verb} {' or '.join(rule.contains)}"
    words = ", ".join(clause_words(each) for each in clauses)
    excluded = state == "failed" and any(each.state == "met" for each in clauses)
    names = "; ".join(exclusion.name for exclusion in rule.exclusions)
    return f"{rule.paragraph}: {f'out by {names}: ' if excluded else ''}{words or 'not met'}"


def clause_words(clause: ClauseTrace) -> str:
    """One condition with the item's own figure."""
    field = FIELDS.get(clause.metric)
    if field is not None and field.type == "choice":
        value = field.choices[int(clause.low)] if clause.low == clause.high else "unknown"
    elif np.isnan(clause.low):
        value = "does not exist"
    else:
        value = interval_text(clause.low, clause.high, unit_of(clause.metric) if clause.metric != "tpp" else "")
    sign = {"failed": "not ", "open": "? "}.get(clause.state, "")
    return f"{clause.metric} {value} {sign}{clause.operator} {clause.limit}"


def source_of(rule: Rule) -> dict[str, Any]:
    """Where a version is written, and how sure its encoding is."""
    return {
        "citation": rule.citation,
        "published": [instrument.published.isoformat() for instrument in rule.instruments],
        "links": [instrument.url for instrument in rule.instruments],
        "from": rule.start.isoformat(),
        "until": rule.end.isoformat() if rule.end else None,
        "verified": rule.verified.isoformat(),
        "confidence": rule.confidence,
        "note": rule.note,
        **({"overlay": rule.overlay} if rule.overlay else {}),
    }
