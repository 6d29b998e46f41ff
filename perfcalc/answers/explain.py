"""Why an item is judged as it is: every figure, every clause, every citation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from numbers import Rational
from typing import Any, Final

import numpy as np
import pyarrow as pa

from perfcalc import metrics
from perfcalc.answers.numbers import interval_text
from perfcalc.answers.origin import explain_origin
from perfcalc.answers.reasons import reason
from perfcalc.errors import InputError
from perfcalc.facts import Links
from perfcalc.fields import FIELDS, KINDS, METRICS, RATES, unit_of
from perfcalc.line import Items, Plan, measure_batch, score_batch
from perfcalc.metrics.readings import QUESTIONS, every_combination, one_changed
from perfcalc.rulebook.book import OPERATORS, Box, Condition, Rule
from perfcalc.sheets.columns import text_column
from perfcalc.verdicts import declared
from perfcalc.verdicts.decide import FAILED, OPEN, VERDICTS, condition_states
from perfcalc.verdicts.judge import asked_mask, judge
from perfcalc.verdicts.margin import distances
from perfcalc.verdicts.tables import Book

#: Shown whether or not a paragraph of the day tests them.
MAIN_METRICS: Final = ("tpp", "performance_density")
STATES: Final = ("failed", "open", "met")


@dataclass
class ClauseTrace:
    """One condition of a paragraph against the item."""

    metric: str
    operator: str
    limit: str
    low: float
    high: float
    unit: str
    state: str
    margin: float | None


@dataclass
class ParagraphTrace:
    """One paragraph: its state, its clauses and where it is written."""

    paragraph: str
    title: str
    state: str
    at_only: bool
    boxes: list[list[ClauseTrace]]
    exclusions: list[tuple[str, list[list[ClauseTrace]]]]
    contains: list[str]
    unless: list[str]
    unread: str
    none: str
    citation: str
    published: list[str]
    links: list[str]
    valid_from: str
    valid_until: str | None
    status: str
    verified: str
    confidence: str
    note: str
    role: str
    meets: list[str]


@dataclass
class JurisdictionTrace:
    """The verdict of one jurisdiction and what it rests on."""

    jurisdiction: str
    verdict: str
    entries: list[str]
    needs: list[str]
    margin: float | None
    reason: str
    paragraphs: list[ParagraphTrace]
    turned_by: dict[str, str]


@dataclass
class Explanation:
    """Everything that an item's verdicts rest on, and where it was likely made."""

    item: str
    origin: dict[str, Any] | None
    kind: str
    as_of: str
    fields: dict[str, str]
    metrics: dict[str, dict[str, Any]]
    arithmetic: list[str]
    readings: dict[str, str]
    problems: str
    jurisdictions: list[JurisdictionTrace] = field(default_factory=list)
    law: str = "enforced"
    #: Titles of the overlays on the rule book; with any, the explanation is hypothetical.
    hypothetical: list[str] = field(default_factory=list)
    #: Where the sheet has a column for it: ``declared``, ``check`` and ``because``.
    declared_eccn: dict[str, str] | None = None

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``: infinities become null."""
        cleaned = _clean(asdict(self))
        assert isinstance(cleaned, dict)
        return cleaned

    def __str__(self) -> str:
        from perfcalc.answers.text import explanation_text

        return explanation_text(self)


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _clean(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(each) for each in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def find_row(batch: pa.RecordBatch, plan: Plan, wanted: str) -> int:
    """The row whose id or name is `wanted`; case does not matter, and a part of one name will do.

    Raises
    ------
    InputError
        No row, or several, are called so; the message says which come close.
    """
    names = [name or "" for name in text_column(batch, plan.columns, FIELDS["name"])]
    ids = [key or "" for key in text_column(batch, plan.columns, FIELDS["id"])]
    folded = wanted.casefold()
    for match in (
        [row for row, name in enumerate(names) if wanted in (name, ids[row])],
        [row for row, name in enumerate(names) if folded in (name.casefold(), ids[row].casefold())],
        [row for row, name in enumerate(names) if folded in name.casefold()],
    ):
        same_item = len({ids[row] or names[row] for row in match}) == 1
        if match and same_item:
            return match[0]
        if match:
            listed = ", ".join(names[row] for row in match[:8])
            raise InputError(
                f"{len(match)} items are called like {wanted!r}: {listed}", "give the whole name or the id"
            )
    close = get_close_matches(wanted, names, n=5, cutoff=0.3)
    raise InputError(f"no item is called {wanted!r}", f"close names: {', '.join(close)}" if close else "check the name")


def metrics_behind(name: str) -> frozenset[str]:
    """The metrics that a metric is computed from."""
    parts = [part for part in METRICS[name].inputs if part in METRICS] if name in METRICS else []
    return frozenset(parts).union(*(metrics_behind(part) for part in parts))


def explain_row(batch: pa.RecordBatch, plan: Plan, row: int) -> Explanation:
    """Explain one item of a sheet. Everything is computed in exact arithmetic."""
    linked = {"unit", "part_of"} & set(plan.columns)
    links = measure_batch(batch, plan, (plan.readings,)).facts.links if linked else None
    batch, row = with_its_parts(batch, links, row)
    items = measure_batch(batch, plan, (plan.readings,), exact=True)
    if plan.widen:
        readings = every_combination(plan.readings, metrics.relevant_readings(items.facts))
        items = measure_batch(batch, plan, readings, exact=True)
    scored = score_batch(batch, plan).slice(row, 1).to_pylist()[0]
    kind = KINDS[items.kinds[row]] if items.kinds[row] >= 0 else "unknown"
    tested = {name for book in plan.books for each in (book, book.beside) if each for name in each.metrics}
    behind = {part for name in tested for part in (name, *metrics_behind(name))} | set(MAIN_METRICS)
    asked = [metric.name for metric in METRICS.values() if kind in metric.kinds and metric.name in behind]
    relevant = set(metrics.relevant_readings(items.facts))
    explanation = Explanation(
        origin=explain_origin(batch, row),
        item=str(scored[plan.columns["name"]]),
        kind=kind,
        as_of=plan.books[0].day.isoformat(),
        fields={
            name: str(scored[column])
            for name, column in plan.columns.items()
            if scored[column] is not None and str(scored[column]).strip()
        },
        metrics={name: _metric(items, name, row) for name in asked},
        arithmetic=_arithmetic(items, plan, row, asked),
        readings={
            question.name: getattr(plan.readings, question.name) for question in QUESTIONS if question.name in relevant
        },
        problems=scored["problems"] or "",
        law=plan.law,
        hypothetical=list(plan.overlays),
    )
    others = [
        (change, measure_batch(batch, plan, (readings,), exact=True))
        for change, readings in one_changed(plan.readings, metrics.relevant_readings(items.facts))
    ]
    said: list[tuple[Book, JurisdictionTrace]] = []
    for book in plan.books:
        # The members of a union say the same, each under its own name.
        alike = next((trace for first, trace in said if first.is_alike(book)), None)
        said.append((book, _explain_book(book, items, others, row, scored, alike)))
    explanation.jurisdictions = [trace for _, trace in said]
    if declared.COLUMN in scored and "declared_eccn" in plan.columns:
        explanation.declared_eccn = _declared(batch, plan, items, row)
    return explanation


def _declared(batch: pa.RecordBatch, plan: Plan, items: Items, row: int) -> dict[str, str]:
    book = next(book for book in plan.books if book.jurisdiction == "us")
    judgement = judge(book, items.facts, items.kinds, lambda rows, _names: (items.facts, items.kinds, rows))
    verdict, *masks = (int(mask[row]) for mask in declared.masks(book, judgement, items.facts, items.kinds))
    cell = text_column(batch, plan.columns, FIELDS["declared_eccn"])[row]
    check, because = declared.compare(declared.Item(book, VERDICTS[verdict], *masks), cell)
    return {"declared": cell or "", "check": check, "because": because}


def with_its_parts(batch: pa.RecordBatch, links: Links | None, row: int) -> tuple[pa.RecordBatch, int]:
    """The rows that bear on one item: itself, the units of its IC, its parts and the board it is on."""
    if links is None:
        return batch.slice(row, 1), 0
    board = int(links.board[row])
    wanted = (links.ic == links.ic[row]) | np.isin(links.board, [row] + ([board] if board >= 0 else []))
    if board >= 0:
        wanted[board] = True
    rows = np.flatnonzero(wanted)
    return batch.take(pa.array(rows)), int(np.flatnonzero(rows == row)[0])


def _bounds(items: Items, name: str, row: int) -> tuple[float, float]:
    low, high = items.facts.interval(name)
    return float(low[row]), float(high[row])


def _metric(items: Items, name: str, row: int) -> dict[str, Any]:
    low, high = _bounds(items, name, row)
    metric = METRICS[name]
    return {
        "low": low,
        "high": high,
        "unit": metric.unit,
        "formula": metric.formula,
        "law": metric.law,
        "exists": not np.isnan(low),
    }


def _arithmetic(items: Items, plan: Plan, row: int, asked: Sequence[str]) -> list[str]:
    """The sums, one line each, with the item's own numbers."""
    facts = items.facts
    lines: list[str] = []
    if "tpp" in asked:
        for rate in RATES:
            if facts.is_given(rate.name)[row]:
                bits = int(plan.readings.tf32_bits) if rate.name == "tf32_tflops" else rate.bits
                low, high = _bounds(items, rate.name, row)
                product = interval_text(low * bits, high * bits)
                lines.append(f"{rate.name}: {interval_text(low, high)} {rate.unit} × {bits} bit = {product}")
    for name in asked:
        low, high = _bounds(items, name, row)
        metric = METRICS[name]
        shown = (
            "does not exist (planar: no applicable die area)"
            if np.isnan(low)
            else interval_text(low, high, metric.unit)
        )
        inputs = [
            f"{part} {interval_text(*_bounds(items, part, row), unit_of(part))}"
            for part in metric.inputs
            if part in METRICS or (part in facts.given and facts.is_given(part)[row] and not FIELDS[part].bits)
            if FIELDS.get(part) is None or FIELDS[part].type == "number"
        ]
        source = f"   from {', '.join(inputs)}" if inputs else ""
        lines.append(f"{name} = {shown}   [{metric.formula}]{source}")
    return lines


def _explain_book(
    book: Book,
    items: Items,
    others: Sequence[tuple[str, Items]],
    row: int,
    scored: dict[str, Any],
    alike: JurisdictionTrace | None,
) -> JurisdictionTrace:
    prefix = book.jurisdiction
    paragraphs = _asked_paragraphs(book, items, row) if alike is None else alike.paragraphs
    if alike is None and book.beside is not None:
        flags = {rule.paragraph for rule in book.beside.rules if rule.is_flag}
        paragraphs += [each for each in _asked_paragraphs(book.beside, items, row) if each.paragraph in flags]
    turned: dict[str, str] = {}
    for change, other in others if alike is None else ():
        row_verdict = judge(
            book, other.facts, other.kinds, lambda rows, _names: (items.facts, items.kinds, rows)
        ).verdict[row]
        word = VERDICTS[row_verdict]
        if word != scored[f"{prefix}_verdict"]:
            turned[change] = word
    return JurisdictionTrace(
        jurisdiction=prefix,
        verdict=scored[f"{prefix}_verdict"],
        entries=(scored[f"{prefix}_entries"] or "").split(";") if scored[f"{prefix}_entries"] else [],
        needs=(scored[f"{prefix}_needs"] or "").split(";") if scored[f"{prefix}_needs"] else [],
        margin=scored[f"{prefix}_margin"],
        reason=reason(book, paragraphs, scored, KINDS[items.kinds[row]] if items.kinds[row] >= 0 else "unknown"),
        paragraphs=paragraphs,
        turned_by=turned if alike is None else alike.turned_by,
    )


def _asked_paragraphs(book: Book, items: Items, row: int) -> list[ParagraphTrace]:
    judgement = judge(book, items.facts, items.kinds, lambda rows, _names: (items.facts, items.kinds, rows))
    asked = asked_mask(book, items.facts, items.kinds)
    kind = int(items.kinds[row])
    paragraphs = []
    for r, rule in enumerate(book.rules):
        if kind >= 0 and KINDS[kind] in rule.kinds and asked[row] >> r & 1:
            state = 2 if judgement.met[row] >> r & 1 else int(judgement.open[row] >> r & 1)
            paragraphs.append(_trace(rule, items, row, STATES[state]))
    return paragraphs


def _trace(rule: Rule, items: Items, row: int, state: str) -> ParagraphTrace:
    return ParagraphTrace(
        paragraph=rule.paragraph,
        title=rule.title,
        state=state,
        at_only=rule.at_only,
        boxes=[_clauses(box, items, row) for box in rule.boxes],
        exclusions=[(each.name, [_clauses(box, items, row) for box in each.boxes]) for each in rule.exclusions],
        contains=list(rule.contains),
        unless=list(rule.unless),
        unread=rule.unread,
        none=rule.none,
        citation=rule.citation,
        published=[instrument.published.isoformat() for instrument in rule.instruments],
        links=[*(instrument.url for instrument in rule.instruments), rule.url],
        valid_from=rule.start.isoformat(),
        valid_until=rule.end.isoformat() if rule.end else None,
        status=rule.status,
        verified=rule.verified.isoformat(),
        confidence=rule.confidence,
        note=rule.note,
        role=rule.role,
        meets=list(rule.meets),
    )


def _clauses(box: Box, items: Items, row: int) -> list[ClauseTrace]:
    clauses = []
    for condition in box:
        low, high = (bound[row] for bound in items.facts.interval(condition.metric))
        state, margin = clause_state(low, high, condition)
        clauses.append(
            ClauseTrace(
                condition.metric,
                condition.operator,
                condition.limit_text,
                float(low),
                float(high),
                unit_of(condition.metric),
                STATES[state],
                margin if np.isfinite(margin) and state != OPEN else None,
            )
        )
    return clauses


def clause_state(low: Any, high: Any, condition: Condition) -> tuple[int, float]:
    """State of one condition, and by how much, from the kernels that judge whole batches."""
    exact = isinstance(low, Rational) or isinstance(high, Rational)
    lows, highs, margin = (np.empty(1, dtype=object if exact else np.float64) for _ in range(3))
    lows[0], highs[0] = low, high
    limit: Any = condition.limit if exact else float(condition.limit)
    code = OPERATORS.index(condition.operator)
    state, hopeful = np.empty(1, np.uint8), np.empty(1, np.uint8)
    condition_states(lows, highs, code, limit, state)
    hopeful[0] = state[0] == FAILED
    distances(lows, highs, code, limit, limit or limit + 1, hopeful, margin)
    return int(state[0]), float(margin[0])
