"""The assembly line: sheet, facts, metrics, verdicts, file; batch by batch."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from perfcalc import metrics
from perfcalc.errors import InputError
from perfcalc.facts import Facts, Flags, Indices
from perfcalc.fields import FIELDS, KINDS, METRICS, RATES
from perfcalc.files import whole_files, write
from perfcalc.kernel import count_rows
from perfcalc.metrics.packages import link
from perfcalc.metrics.readings import DEFAULT, Readings, every_combination, one_changed
from perfcalc.origin.assess import origin_columns
from perfcalc.origin.columns import recognise_origin
from perfcalc.rulebook.book import LAYERS, Law, RuleBook, load
from perfcalc.rulebook.licences import licences_on, read_groups
from perfcalc.sheets.columns import Problems, read_facts, read_kinds, text_column
from perfcalc.sheets.headers import recognise, suggest
from perfcalc.sheets.problems import kind_of_problem, problem_column
from perfcalc.sheets.read import Sheet
from perfcalc.sheets.rejects import Reject, rejects_path, write_rejects
from perfcalc.verdicts.columns import metric_columns, verdict_columns
from perfcalc.verdicts.declared import declared_columns
from perfcalc.verdicts.judge import judge_all
from perfcalc.verdicts.licences import licence_columns
from perfcalc.verdicts.tables import Book, compile_book, tested_fields


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
    names: Iterable[str] = METRICS,
) -> Items:
    """Read the facts of a batch and compute every metric, or those in `names`."""
    facts, problems = read_facts(batch, plan.columns, exact)
    kinds = read_kinds(batch, plan.columns, facts)
    if "unit" in plan.columns or "part_of" in plan.columns:
        cells = (text_column(batch, plan.columns, FIELDS[name]) for name in ("id", "name", "unit", "part_of"))
        facts.links = link(*cells)
    metrics.compute(facts, readings, names)
    return Items(facts, kinds, problems)


def score_batch(batch: pa.RecordBatch, plan: Plan) -> pa.RecordBatch:
    """Score one batch: its own columns untouched and in order, then the results. Pure; called by every engine."""
    count_rows(batch.num_rows)
    readings: tuple[Readings, ...] = (plan.readings,)
    items = measure_batch(batch, plan, readings)
    problems, exactly = items.problems, _exactly(batch, plan, readings)
    turning: list[dict[str, Flags]] = [{} for _ in plan.books]
    if plan.widen:
        relevant = metrics.relevant_readings(items.facts)
        usual = judge_all(plan.books, items.facts, items.kinds, exactly, margins=False)
        for change, reading in one_changed(plan.readings, relevant):
            other = measure_batch(batch, plan, (reading,))
            judged = judge_all(plan.books, other.facts, other.kinds, _exactly(batch, plan, (reading,)), margins=False)
            for turned, before, now in zip(turning, usual, judged, strict=True):
                turned[change] = now.verdict != before.verdict
        readings = every_combination(plan.readings, relevant)
        items, exactly = measure_batch(batch, plan, readings), _exactly(batch, plan, readings)
    results = metric_columns(items.facts, items.kinds)
    said: list[tuple[Book, dict[str, pa.Array]]] = []
    judgements = judge_all(plan.books, items.facts, items.kinds, exactly)
    for book, turned, judgement in zip(plan.books, turning, judgements, strict=True):
        alike = next((one for one in said if one[0].is_alike(book)), None)
        if alike is None:
            alike = book, verdict_columns(book, judgement, items.facts, items.kinds, turned, plan.destination)
            said.append(alike)
        first, shared = alike
        columns = {book.jurisdiction + name.removeprefix(first.jurisdiction): each for name, each in shared.items()}
        if plan.destination is not None:
            table = licences_on(book.jurisdiction, book.day, plan.law)
            review = columns.pop(f"{book.jurisdiction}_review")
            columns |= licence_columns(book, table, judgement, plan.destination, plan.end_user_hq, review)
        results |= columns
    results["problems"] = problem_column(problems, batch.num_rows)
    decided = zip(plan.books, judgements, strict=True)
    results |= declared_columns(batch, plan.columns, decided, items.facts, items.kinds)
    if plan.origin:
        results |= origin_columns(batch, recognise_origin(batch.schema.names))
    if plan.overlays:
        results["hypothetical"] = pa.array([True] * batch.num_rows, pa.bool_())
    taken = {name: f"input_{name}" if name in results else name for name in batch.schema.names}
    return pa.RecordBatch.from_arrays([*batch.columns, *results.values()], names=[*taken.values(), *results.keys()])


def _exactly(
    batch: pa.RecordBatch, plan: Plan, readings: Sequence[Readings]
) -> Callable[[Indices, Sequence[str]], tuple[Facts, Indices, Indices]]:
    measured: dict[tuple[bytes, tuple[str, ...]], Items] = {}

    def exactly(rows: Indices, names: Sequence[str]) -> tuple[Facts, Indices, Indices]:
        key = rows.tobytes(), tuple(names)
        if key not in measured:
            # Books share limits, and so the rows on them.
            measured[key] = measure_batch(batch.take(pa.array(rows)), plan, readings, exact=True, names=names)
        return measured[key].facts, measured[key].kinds, rows

    return exactly


@dataclass
class Summary:
    """What a run did, for the last lines that it prints and for ``--json``."""

    as_of: date
    jurisdictions: tuple[str, ...]
    rows: int = 0
    rejects: list[Reject] = field(default_factory=list)
    verdicts: dict[str, Counter[str]] = field(default_factory=dict)
    entries: dict[str, Counter[str]] = field(default_factory=dict)
    problems: int = 0
    first_problems: list[str] = field(default_factory=list)
    not_asked: dict[str, list[str]] = field(default_factory=dict)
    suggestions: dict[str, str] = field(default_factory=dict)
    rulebook: str = ""
    hypothetical: tuple[str, ...] = ()
    findings: Counter[str] = field(default_factory=Counter)
    declared: Counter[str] = field(default_factory=Counter)

    @property
    def undecided(self) -> int:
        """Items without an answer in some jurisdiction."""
        return sum(counts["cannot_tell"] + counts["not_modelled"] for counts in self.verdicts.values())

    def add(self, scored: pa.RecordBatch) -> None:
        """Count a scored batch."""
        names, problems = scored.column("name" if "name" in scored.schema.names else 0), scored.column("problems")
        troubled = np.flatnonzero(problems.is_valid().to_numpy(zero_copy_only=False))
        self.problems += int(troubled.size)
        self.findings.update(kind_of_problem(part) for row in troubled for part in problems[row].as_py().split("; "))
        for row in troubled[: max(0, 10 - len(self.first_problems))]:
            self.first_problems.append(f"row {self.rows + row + 1} ({names[row].as_py()}): {problems[row].as_py()}")
        self.rows += scored.num_rows
        if "declared_eccn_check" in scored.schema.names:
            self.declared.update(scored.column("declared_eccn_check").to_pylist())
        for prefix in self.jurisdictions:
            for column, counts in (("verdict", self.verdicts), ("entries", self.entries)):
                counter = counts.setdefault(prefix, Counter())
                for pair in scored.column(f"{prefix}_{column}").value_counts().to_pylist():
                    for word in (pair["values"] or "").split(";"):
                        if word:
                            counter[word] += pair["counts"]

    def to_dict(self) -> dict[str, Any]:
        """The summary for ``--json``."""
        return {
            "as_of": self.as_of.isoformat(),
            "rows": self.rows,
            "rejects": len(self.rejects),
            "problems": self.problems,
            "findings": dict(self.findings.most_common()),
            "verdicts": {name: dict(counts) for name, counts in self.verdicts.items()},
            "entries": {name: dict(sorted(counts.items())) for name, counts in self.entries.items()},
            "not_asked": self.not_asked,
            "unrecognised_columns": self.suggestions,
            "rulebook": self.rulebook,
            **({"declared_eccn": dict(self.declared)} if self.declared else {}),
            **({"hypothetical": list(self.hypothetical)} if self.hypothetical else {}),
        }


def not_asked(plan: Plan, book: Book) -> list[str]:
    """Paragraphs of a book that no column of the sheet lets it ask, each with the fields it would need."""
    carried = set(plan.columns)
    # Only of kinds that the sheet seems to be about: it has a column that not every kind of item has.
    about = {kind for name in carried if FIELDS[name].kinds != KINDS for kind in FIELDS[name].kinds}
    rates = {rate.name for rate in RATES}
    unasked: dict[frozenset[str], dict[str, None]] = {}
    for rule in book.rules:
        if rule.core or rule.role != "control" or not about & set(rule.kinds):
            continue
        if not (missing := tested_fields(rule)) & carried:
            # The mirrors of an entry are named together: one declared entry settles them all.
            named = missing - rates | {"a dense rate"} if rates <= missing else missing
            unasked.setdefault(named, {})[f"{rule.entry}.z" if rule.meets else rule.paragraph] = None
    return [f"{', '.join(codes)} (needs {' or '.join(sorted(missing))})" for missing, codes in unasked.items()]


def run(batches: Iterable[pa.RecordBatch], plan: Plan, threads: int | None = None) -> Iterator[pa.RecordBatch]:
    """Score batches in a pool of threads, in order. Rows that refer to one another are scored as one batch."""
    if {"unit", "part_of"} & set(plan.columns):
        batches = _together(batches)
    workers = threads or os.cpu_count() or 1
    if workers == 1:
        yield from (score_batch(batch, plan) for batch in batches)
        return
    waiting: deque[Future[pa.RecordBatch]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for batch in batches:
                waiting.append(pool.submit(score_batch, batch, plan))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for job in waiting:
                job.cancel()


def _together(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    gathered = list(batches)
    if gathered:
        yield from pa.Table.from_batches(gathered).combine_chunks().to_batches()


def score_sheet(
    sheet: Sheet,
    plan: Plan,
    out: Path | None = None,
    threads: int | None = None,
    progress: Callable[[int], None] = lambda _rows: None,
) -> tuple[Summary, list[pa.RecordBatch]]:
    """Score a sheet into a file, or, without `out`, into memory.

    The file appears whole or not at all; rows that could not be read go to ``OUT.rejects.csv``.
    """
    jurisdictions = tuple(book.jurisdiction for book in plan.books)
    summary = Summary(plan.books[0].day, jurisdictions, rulebook=plan.rulebook, hypothetical=plan.overlays)
    summary.not_asked = {book.jurisdiction: not_asked(plan, book) for book in plan.books}
    summary.suggestions = suggest(sheet.schema.names, plan.columns)
    kept: list[pa.RecordBatch] = []

    def counted() -> Iterator[pa.RecordBatch]:
        for scored in run(sheet.batches(), plan, threads):
            summary.add(scored)
            progress(summary.rows)
            yield scored

    if out is None:
        kept.extend(counted())
        summary.rejects = sheet.rejects
        return summary, kept
    empty = score_batch(pa.RecordBatch.from_pylist([], schema=sheet.schema), plan)
    with whole_files(out, rejects_path(out)) as (result, rejects):
        write(chain((empty,), counted()), result, out)
        summary.rejects = sheet.rejects
        if sheet.rejects:
            write_rejects(sheet.rejects, rejects)
    return summary, kept


def origin_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """One batch with the origin columns behind its own. Pure."""
    results = origin_columns(batch, recognise_origin(batch.schema.names))
    taken = [f"input_{name}" if name in results else name for name in batch.schema.names]
    return pa.RecordBatch.from_arrays([*batch.columns, *results.values()], names=[*taken, *results])


def origin_sheet(sheet: Sheet, out: Path | None = None) -> tuple[int, list[pa.RecordBatch]]:
    """Say where the items of a sheet were likely made, into a file or, without `out`, into memory.

    Raises
    ------
    InputError
        No column is the item's name.
    """
    if "name" not in recognise_origin(sheet.schema.names):
        raise InputError(f"{sheet.path}: no column is called 'name'", "call the item's column 'name'")
    scored = (origin_batch(batch) for batch in sheet.batches())
    if out is None:
        kept = list(scored)
        return sum(batch.num_rows for batch in kept), kept
    empty = origin_batch(pa.RecordBatch.from_pylist([], schema=sheet.schema))
    rows = 0

    def counted() -> Iterator[pa.RecordBatch]:
        nonlocal rows
        for batch in scored:
            rows += batch.num_rows
            yield batch

    with whole_files(out, rejects_path(out)) as (result, rejects):
        write(chain((empty,), counted()), result, out)
        if sheet.rejects:
            write_rejects(sheet.rejects, rejects)
    return rows, []


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
