"""The assembly line: sheet, facts, metrics, verdicts, file; batch by batch."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Container, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from perfcalc import metrics
from perfcalc.errors import InputError
from perfcalc.facts import Facts, Flags, Indices
from perfcalc.fields import FIELDS, METRICS
from perfcalc.files import whole_files, write
from perfcalc.kernel import count_rows
from perfcalc.metrics.packages import link
from perfcalc.metrics.readings import DEFAULT, Readings, every_combination, one_changed
from perfcalc.origin.assess import origin_columns
from perfcalc.origin.columns import recognise_origin
from perfcalc.origin.words import RESULTS as ORIGIN_RESULTS
from perfcalc.recheck import like_rows, settle
from perfcalc.rulebook.book import LAYERS, Law, RuleBook, load
from perfcalc.rulebook.licences import licences_on, read_groups
from perfcalc.sheets.columns import read_facts, read_kinds, text_column
from perfcalc.sheets.headers import bindings_of, cells_of, recognise, suggest
from perfcalc.sheets.problems import Problems
from perfcalc.sheets.read import Sheet
from perfcalc.sheets.rejects import rejects_path, write_rejects
from perfcalc.stream import in_order
from perfcalc.summary import Summary, not_asked
from perfcalc.verdicts.columns import (
    BOOK_COLUMNS,
    EVERYTHING,
    LICENCE_COLUMNS,
    metric_columns,
    result_names,
    verdict_columns,
)
from perfcalc.verdicts.declared import COLUMN as DECLARED
from perfcalc.verdicts.declared import declared_columns
from perfcalc.verdicts.judge import Exactly, judge_all
from perfcalc.verdicts.licences import licence_columns
from perfcalc.verdicts.positions import Line
from perfcalc.verdicts.tables import Book, compile_book

#: Fields that join rows to other rows.
LINKS: Final = frozenset({"unit", "part_of"})


@dataclass(frozen=True)
class Plan:
    """Everything that `score_batch` needs besides the batch; it pickles.

    Attributes
    ----------
    origin
        Add where the item was likely made.
    columns
        Which column carries which field.
    books
        The law of each jurisdiction on the day.
    readings
        One choice for every open reading.
    widen
        Cover every reading: metrics become intervals, and verdicts that turn on a reading say so.
    destination
        Two-letter code, for the licence table.
    end_user_hq
        Two-letter code of the country in which the end user, or its ultimate parent, has its headquarters.
    law
        Law as enforced, or as codified.
    rulebook
        Digest of the rule book.
    overlays
        Titles of the overlays on it: with any, every result is marked as hypothetical.
    checked
        The last day on which any of its texts was checked.
    encoded
        Give text results as dictionaries, which are faster to write.
    keep
        The columns of the result, in order; all of them by default. What no column of them needs is not worked out.
    """

    origin: bool = field(default=False, kw_only=True)
    columns: Mapping[str, str]
    books: tuple[Book, ...]
    readings: Readings = DEFAULT
    widen: bool = False
    destination: str | None = None
    end_user_hq: str | None = None
    law: Law = "enforced"
    rulebook: str = ""
    overlays: tuple[str, ...] = ()
    checked: date | None = None
    encoded: bool = field(default=False, kw_only=True)
    keep: tuple[str, ...] | None = field(default=None, kw_only=True)


def make_plan(
    columns: Sequence[str],
    where: str,
    as_of: date,
    jurisdictions: Sequence[str] = ("us",),
    readings: Readings = DEFAULT,
    widen: bool = False,
    destination: str | None = None,
    end_user_hq: str | None = None,
    law: Law = "enforced",
    rules: RuleBook | None = None,
    mapping: Mapping[str, Any] | None = None,
) -> Plan:
    """Recognise the columns of a sheet and compile the law of a day.

    Without `rules`, the book that ships with perfcalc; the jurisdiction ``all`` stands for every one in the book.

    Raises
    ------
    InputError
        A heading, jurisdiction, country or layer of law cannot be used.
    """
    book = rules or load()
    jurisdictions = book.jurisdictions if tuple(jurisdictions) == ("all",) else jurisdictions
    if law not in LAYERS:
        raise InputError(f"{law!r} is not a layer of law", f"choose from {', '.join(LAYERS)}")
    if end_user_hq and not destination:
        raise InputError("the end user's headquarters bear on the licence table only", "name a destination too")
    for country in filter(None, (destination, end_user_hq)):
        read_groups("us").code(country)
    for name in jurisdictions:
        if name not in book.jurisdictions:
            raise InputError(f"no rules for the jurisdiction {name!r}", f"choose from {', '.join(book.jurisdictions)}")
    return Plan(
        recognise(columns, where, mapping),
        tuple(compile_book(name, as_of, book.on(name, as_of, law)) for name in jurisdictions),
        readings,
        widen,
        destination.upper() if destination else None,
        end_user_hq.upper() if end_user_hq else None,
        law,
        book.digest,
        book.overlays,
        book.checked,
    )


@dataclass
class Items:
    """A batch read and measured: its facts with metrics, kinds and unreadable cells."""

    facts: Facts
    kinds: Indices
    problems: Problems


def measure_batch(
    batch: pa.RecordBatch,
    plan: Plan,
    readings: Sequence[Readings],
    exact: bool = False,
    names: Collection[str] = METRICS,
) -> Items:
    """Read the facts of a batch and compute metrics: all of them, or those of some `names`."""
    facts, problems = read_facts(batch, plan.columns, exact)
    kinds = read_kinds(batch, plan.columns, facts)
    if LINKS & set(plan.columns):
        cells = (text_column(batch, plan.columns, FIELDS[name]) for name in ("id", "name", "unit", "part_of"))
        facts.links = link(*cells)
    metrics.compute(facts, readings, names)
    return Items(facts, kinds, problems)


def score_batch(batch: pa.RecordBatch, plan: Plan) -> pa.RecordBatch:
    """Score one batch: its own columns untouched and in order, then the results. Pure; called by every engine."""
    count_rows(batch.num_rows)
    readings: tuple[Readings, ...] = (plan.readings,)
    items = measure_batch(batch, plan, readings)
    problems, exactly = items.problems, _exactly(batch, plan, readings, items)
    turning: list[dict[str, Flags]] = [{} for _ in plan.books]
    if plan.widen:
        relevant = metrics.relevant_readings(items.facts)
        usual = judge_all(plan.books, items.facts, items.kinds, exactly, margins=False)
        for change, reading in one_changed(plan.readings, relevant):
            other = measure_batch(batch, plan, (reading,))
            near = _exactly(batch, plan, (reading,), other)
            judged = judge_all(plan.books, other.facts, other.kinds, near, margins=False)
            for turned, before, now in zip(turning, usual, judged, strict=True):
                turned[change] = now.verdict != before.verdict
        readings = every_combination(plan.readings, relevant)
        items = measure_batch(batch, plan, readings)
        exactly = _exactly(batch, plan, readings, items)
    wanted: Container[str] = EVERYTHING if plan.keep is None else frozenset(plan.keep)
    asked = frozenset(name for book in plan.books for name in BOOK_COLUMNS if f"{book.jurisdiction}_{name}" in wanted)
    results = metric_columns(items.facts, items.kinds, wanted)
    said: list[tuple[Book, dict[str, pa.Array]]] = []
    judgements = judge_all(plan.books, items.facts, items.kinds, exactly, margins="margin" in asked)
    for book, turned, judgement in zip(plan.books, turning, judgements, strict=True):
        alike = next((one for one in said if one[0].is_alike(book)), None)
        if alike is None:
            made = verdict_columns(book, judgement, items.facts, items.kinds, turned, plan.destination, asked)
            alike = book, made
            said.append(alike)
        first, shared = alike
        columns = {book.jurisdiction + name.removeprefix(first.jurisdiction): each for name, each in shared.items()}
        if plan.destination is not None and asked & LICENCE_COLUMNS:
            table = licences_on(book.jurisdiction, book.day, plan.law)
            review = columns.pop(f"{book.jurisdiction}_review")
            columns |= licence_columns(book, table, judgement, plan.destination, plan.end_user_hq, review)
        results |= columns
    results["problems"] = problems.column(batch.num_rows)
    if DECLARED in wanted:
        decided = zip(plan.books, judgements, strict=True)
        results |= declared_columns(batch, plan.columns, decided, items.facts, items.kinds)
    if plan.origin and any(name in wanted for name in ORIGIN_RESULTS):
        results |= origin_columns(batch, recognise_origin(batch.schema.names))
    if plan.overlays:
        results["hypothetical"] = pa.array([True] * batch.num_rows, pa.bool_())
    if not plan.encoded:
        results = {name: _decoded(column) for name, column in results.items()}
    names = _kept_apart(batch.schema.names, plan)
    scored = pa.RecordBatch.from_arrays([*batch.columns, *results.values()], names=[*names, *results])
    return scored if plan.keep is None else scored.select(list(plan.keep))


def _decoded(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column


def _kept_apart(names: Sequence[str], plan: Plan) -> list[str]:
    """The names of input columns in the result: one that a result column has too is called ``input_...``."""
    taken = {*result_names([book.jurisdiction for book in plan.books], plan.destination)}
    taken |= {*ORIGIN_RESULTS} if plan.origin else set()
    taken |= {"hypothetical"} if plan.overlays else set()
    taken |= {DECLARED} if "declared_eccn" in plan.columns else set()
    return [f"input_{name}" if name in taken else name for name in names]


def _exactly(batch: pa.RecordBatch, plan: Plan, readings: Sequence[Readings], items: Items | None = None) -> Exactly:
    """Find exactly what lies on a line. With the `items` of the batch, only the metrics that do."""
    measured: dict[tuple[bytes, frozenset[str]], Items] = {}

    def measure(rows: Indices, names: frozenset[str]) -> Items:
        key = rows.tobytes(), names
        if key not in measured:
            # Books share limits, and so the rows on them.
            measured[key] = measure_batch(batch.take(pa.array(rows)), plan, readings, exact=True, names=names)
        return measured[key]

    def exactly(rows: Indices, lines: Sequence[Line]) -> tuple[Facts, Indices, Indices]:
        if items is None or items.facts.links is not None:
            found = measure(rows, frozenset(line.metric for line in lines))
            return found.facts, found.kinds, rows
        columns = [batch.column(name) for name in cells_of(plan.columns)]
        facts = settle(
            items.facts.take(rows),
            lines,
            lambda some: like_rows(columns, rows[some]),
            lambda some, near: measure(rows[some], near).facts,
        )
        return facts, items.kinds[rows], rows

    return exactly


def run(batches: Iterable[pa.RecordBatch], plan: Plan, threads: int | None = None) -> Iterator[pa.RecordBatch]:
    """Score batches in a pool of threads, in order. Rows that refer to one another are scored as one batch."""
    if LINKS & set(plan.columns):
        batches = _together(batches)
    return in_order(batches, lambda batch: score_batch(batch, plan), threads or os.cpu_count() or 1)


def _together(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    gathered = list(batches)
    if gathered:
        yield from pa.Table.from_batches(gathered).combine_chunks().to_batches()


def keep_columns(plan: Plan, sheet: Sheet, names: Sequence[str]) -> tuple[Plan, Sheet]:
    """A plan whose result has some columns only, and the sheet with those columns that it takes to find them.

    Raises
    ------
    InputError
        The result has no such column.
    """
    whole = score_batch(pa.RecordBatch.from_pylist([], schema=sheet.schema), replace(plan, keep=None)).schema.names
    for name in names:
        if name not in whole:
            close = get_close_matches(name, whole, 1, 0.0)[0]
            raise InputError(f"the result has no column {name!r}", f"did you mean {close}?")
    kept = tuple(dict.fromkeys(names))
    own = dict(zip(_kept_apart(sheet.schema.names, plan), sheet.schema.names, strict=True))
    read = {one.column for field in plan.columns for one in bindings_of(plan.columns, field)}
    read |= {own[name] for name in kept if name in own}
    read |= set(recognise_origin(sheet.schema.names).values()) if plan.origin else set()
    return replace(plan, keep=kept), sheet.only(read)


def score_sheet(
    sheet: Sheet,
    plan: Plan,
    out: Path | None = None,
    threads: int | None = None,
    progress: Callable[[int], None] = lambda _rows: None,
    engine: Callable[[Sheet, Plan], Iterator[pa.RecordBatch]] | None = None,
) -> tuple[Summary, list[pa.RecordBatch]]:
    """Score a sheet into a file, or, without `out`, into memory.

    The file appears whole or not at all; rows that could not be read go to ``OUT.rejects.csv``. An `engine` scores the
    batches in another way than `run`; the result is the same.
    """
    jurisdictions = tuple(book.jurisdiction for book in plan.books)
    summary = Summary(
        plan.books[0].day, jurisdictions, rulebook=plan.rulebook, hypothetical=plan.overlays, checked=plan.checked
    )
    summary.not_asked = {book.jurisdiction: not_asked(plan.columns, book) for book in plan.books}
    summary.suggestions = suggest(sheet.schema.names, plan.columns)
    kept: list[pa.RecordBatch] = []
    counting = plan if plan.keep is None else replace(plan, keep=_with_counted(plan, sheet))

    def counted() -> Generator[pa.RecordBatch]:
        chosen = replace(counting, encoded=out is not None)
        for scored in engine(sheet, chosen) if engine else run(sheet.batches(), chosen, threads):
            summary.add(scored)
            progress(summary.rows)
            yield scored if plan.keep is None else scored.select(list(plan.keep))

    if out is None:
        kept.extend(counted())
        summary.rejects = sheet.rejects
        return summary, kept
    nothing = pa.RecordBatch.from_pylist([], schema=sheet.schema)
    schema = score_batch(nothing, plan).schema
    first = score_batch(nothing, replace(plan, encoded=True))
    with whole_files(out, rejects_path(out)) as (result, rejects), closing(counted()) as scored:
        write(chain((first,), scored), result, out, schema, threads)
        summary.rejects = sheet.rejects
        if sheet.rejects:
            write_rejects(sheet.rejects, rejects)
    return summary, kept


def _with_counted(plan: Plan, sheet: Sheet) -> tuple[str, ...]:
    """The columns to keep and those that the summary counts."""
    counted = [f"{book.jurisdiction}_{name}" for book in plan.books for name in ("verdict", "entries")]
    name = [name for name in _kept_apart(sheet.schema.names, plan) if name == "name"]
    return tuple(dict.fromkeys((*(plan.keep or ()), *counted, "problems", *name)))


def parse_day(text: str | date | None) -> date:
    """A day from ``YYYY-MM-DD``; today without one."""
    if text is None:
        return date.today()  # noqa: DTZ011 - law is dated by the local calendar
    if isinstance(text, date):
        return text
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is not a day", "write it as YYYY-MM-DD") from error
