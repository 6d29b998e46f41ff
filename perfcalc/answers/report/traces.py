"""The trace of many items at once: what `perfcalc.explain` says of each, from one measurement of them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from perfcalc import metrics
from perfcalc.answers.explain import (
    MAIN_METRICS,
    Explanation,
    JurisdictionTrace,
    ParagraphTrace,
    _arithmetic,
    _metric,
    _trace,
    metrics_behind,
)
from perfcalc.answers.reasons import reason
from perfcalc.answers.views import Measured, View, batches_of
from perfcalc.fields import METRICS
from perfcalc.line import Items, Plan
from perfcalc.metrics.readings import QUESTIONS


def traces_of(
    table: pa.Table, plan: Plan, wanted: Sequence[int], problems: Sequence[str]
) -> Iterator[tuple[int, Explanation]]:
    """Explain some rows of a sheet.

    Parameters
    ----------
    wanted
        Row numbers from 0, in order.
    problems
        Of each of these rows, the cells that could not be read.
    """
    if not {"unit", "part_of"} & set(plan.columns):
        # Rows that refer to no other row are measured alone.
        batches = table.take(pa.array(list(wanted), pa.int64())).combine_chunks().to_batches()
        for batch in batches:
            found = _of_batch(batch, plan, range(batch.num_rows))
            for (_, explanation), row, problem in zip(found, wanted, problems, strict=True):
                explanation.problems = problem
                yield row, explanation
        return
    first, said = 0, dict(zip(wanted, problems, strict=True))
    for batch in batches_of(table, plan, max(len(table), 1)):
        rows = [row - first for row in wanted if first <= row < first + batch.num_rows]
        if rows:
            for row, explanation in _of_batch(batch, plan, rows):
                explanation.problems = said[first + row]
                yield first + row, explanation
        first += batch.num_rows


def _of_batch(batch: pa.RecordBatch, plan: Plan, rows: Sequence[int]) -> Iterator[tuple[int, Explanation]]:
    measured = Measured(batch, plan)
    views = [measured.view(book) for book in plan.books]
    beside = [measured.view(book.beside) if book.beside is not None else None for book in plan.books]
    turned = [measured.turned(book, view) for book, view in zip(plan.books, views, strict=True)]
    items, at = measured.exact(rows)
    relevant = set(metrics.relevant_readings(measured.items.facts))
    tested = {name for book in plan.books for each in (book, book.beside) if each for name in each.metrics}
    behind = {part for name in tested for part in (name, *metrics_behind(name))} | set(MAIN_METRICS)
    cells = {name: batch.column(column) for name, column in plan.columns.items()}
    for row in rows:
        kind = measured.kind(row)
        asked = [metric.name for metric in METRICS.values() if kind in metric.kinds and metric.name in behind]
        fields = {name: str(column[row].as_py()) for name, column in cells.items() if column[row].as_py() is not None}
        yield (
            row,
            Explanation(
                item=measured.names[row],
                origin=None,
                kind=kind,
                as_of=plan.books[0].day.isoformat(),
                fields={name: text for name, text in fields.items() if text.strip()},
                metrics={name: _metric(items, name, at[row]) for name in asked},
                arithmetic=_arithmetic(items, plan, at[row], asked),
                readings={each.name: getattr(plan.readings, each.name) for each in QUESTIONS if each.name in relevant},
                problems="",
                jurisdictions=[
                    _of_book(view, other, turns, row, items, at[row], kind)
                    for view, other, turns in zip(views, beside, turned, strict=True)
                ],
                law=plan.law,
                hypothetical=list(plan.overlays),
            ),
        )


def _of_book(
    view: View, beside: View | None, turned: dict[str, list[str]], row: int, items: Items, at: int, kind: str
) -> JurisdictionTrace:
    prefix, code = view.book.jurisdiction, int(items.kinds[at])
    paragraphs = list(_asked(view, row, items, at, code, flags=False))
    if beside is not None:
        paragraphs += _asked(beside, row, items, at, code, flags=True)
    scored = {f"{prefix}_{name}": getattr(view, name)[row] for name in ("verdict", "entries", "needs", "margin")}
    return JurisdictionTrace(
        jurisdiction=prefix,
        verdict=view.verdict[row],
        entries=view.entries[row].split(";") if view.entries[row] else [],
        needs=view.needs[row].split(";") if view.needs[row] else [],
        margin=view.margin[row],
        reason=reason(view.book, paragraphs, scored, kind),
        paragraphs=paragraphs,
        turned_by={change: words[row] for change, words in turned.items() if words[row] != view.verdict[row]},
    )


def _asked(view: View, row: int, items: Items, at: int, kind: int, *, flags: bool) -> Iterator[ParagraphTrace]:
    for rule in view.book.rules:
        state = view.state(rule, row, kind)
        if state is not None and (rule.is_flag or not flags):
            yield _trace(rule, items, at, state)
