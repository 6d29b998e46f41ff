"""Who moves between two days, or between the rule book and an overlay: by which clause, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from perfcalc.answers.explain import ClauseTrace, _clean
from perfcalc.answers.views import Measured, View, batches_of, deciding_clauses, decision_words, source_of
from perfcalc.line import Items, Plan
from perfcalc.rulebook.book import Rule
from perfcalc.sheets.read import BATCH_ROWS

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Side:
    """What a jurisdiction says of an item on one side of a change."""

    verdict: str
    entries: list[str]
    needs: list[str]
    margin: float | None


@dataclass
class ParagraphChange:
    """One paragraph that moves an item.

    Attributes
    ----------
    change
        ``starts`` or ``ends`` to apply, ``amended``, or ``same`` (it says what it said: another paragraph that it
        refers to has changed).
    before, after
        ``met``, ``open``, ``failed``, or none where it is no law or not asked.
    was, now
        The deciding clauses in words, with the item's figures.
    source_before, source_after
        Citation, day of publication, links and validity of the version on each side.
    ended_by
        What took effect on the day on which it ended.
    """

    paragraph: str
    title: str
    at_only: bool
    change: str
    before: str | None
    after: str | None
    was: str
    now: str
    clauses_before: list[ClauseTrace]
    clauses_after: list[ClauseTrace]
    source_before: dict[str, Any] | None
    source_after: dict[str, Any] | None
    ended_by: list[str]

    @property
    def words(self) -> str:
        """In one line."""
        if self.change == "ends":
            return f"ends: {self.was}"
        if self.change == "amended" and self.was != self.now:
            return f"{self.now} (was {self.was})"
        return self.now

    @property
    def citation(self) -> str:
        """The act that did it."""
        if self.change == "ends":
            return "; ".join(self.ended_by)
        return str((self.source_after or {}).get("citation", ""))


@dataclass
class Move:
    """One item that moves in one jurisdiction."""

    item: str
    id: str
    row: int
    jurisdiction: str
    before: Side
    after: Side
    paragraphs: list[ParagraphChange]

    @property
    def turns(self) -> bool:
        """Whether the verdict changes, not only the paragraph."""
        return self.before.verdict != self.after.verdict


@dataclass
class Step:
    """From one state of the law to the next.

    Attributes
    ----------
    acts
        For each jurisdiction the acts behind the versions that begin, as (citation, title, day of publication, link).
    counts
        For each jurisdiction how many items go from which verdict to which; moves from one paragraph to another under
        the same verdict are counted too.
    """

    from_day: str
    to_day: str
    hypothetical: list[str]
    acts: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)


@dataclass
class Changes:
    """The answer of `changes`."""

    from_day: str
    to_day: str
    jurisdictions: list[str]
    rows: int
    hypothetical: list[str]
    steps: list[Step]

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``; every move under an overlay is marked."""
        cleaned = _clean(asdict(self))
        assert isinstance(cleaned, dict)
        for step in cleaned["steps"]:
            for move in step["moves"] if step["hypothetical"] else ():
                move["hypothetical"] = True
        return cleaned

    def to_pandas(self) -> pd.DataFrame:
        """One row a move."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "from_day": step.from_day,
                    "to_day": step.to_day,
                    "jurisdiction": move.jurisdiction,
                    "row": move.row,
                    "item": move.item,
                    "from_verdict": move.before.verdict,
                    "to_verdict": move.after.verdict,
                    "from_entries": ";".join(move.before.entries),
                    "to_entries": ";".join(move.after.entries),
                    "margin": move.after.margin,
                    "clauses": "; ".join(each.words for each in move.paragraphs),
                    "citation": "; ".join(dict.fromkeys(each.citation for each in move.paragraphs if each.citation)),
                    "hypothetical": bool(step.hypothetical),
                }
                for step in self.steps
                for move in step.moves
            ],
            columns=[
                *("from_day", "to_day", "jurisdiction", "row", "item", "from_verdict", "to_verdict", "from_entries"),
                *("to_entries", "margin", "clauses", "citation", "hypothetical"),
            ],
        )

    def __str__(self) -> str:
        from perfcalc.answers.comparisons import changes_parts, plain

        return plain(changes_parts(self))


def changes_between(table: pa.Table, plans: Sequence[Plan]) -> Changes:
    """Compare each state of the law with the one before it.

    Parameters
    ----------
    plans
        One for each state, in order; they differ in the day or in the overlays.
    """
    days = [plan.books[0].day.isoformat() for plan in plans]
    steps = [
        Step(days[at], days[at + 1], list(plans[at + 1].overlays), _acts(plans[at], plans[at + 1]))
        for at in range(len(plans) - 1)
    ]
    first = 0
    for batch in batches_of(table, plans[0], BATCH_ROWS):
        measured = Measured(batch, plans[0])
        views = {book.jurisdiction: measured.view(book) for book in plans[0].books}
        for step, plan in zip(steps, plans[1:], strict=True):
            for book in plan.books:
                before, after = views[book.jurisdiction], measured.view(book)
                views[book.jurisdiction] = after
                step.moves.extend(_moves(measured, before, after, plan.overlays, first))
        first += batch.num_rows
    for step in steps:
        for name in (book.jurisdiction for book in plans[0].books):
            counted = Counter(
                f"{move.before.verdict} -> {move.after.verdict}" for move in step.moves if move.jurisdiction == name
            )
            step.counts[name] = dict(counted.most_common())
    jurisdictions = [book.jurisdiction for book in plans[0].books]
    return Changes(days[0], days[-1], jurisdictions, table.num_rows, list(plans[-1].overlays), steps)


def _acts(before: Plan, after: Plan) -> dict[str, list[dict[str, str]]]:
    """The acts behind whatever is law after but not before."""
    found: dict[str, list[dict[str, str]]] = {}
    for old, new in zip(before.books, after.books, strict=True):
        acts = {act.citation: act for rule in new.rules if rule not in old.rules for act in rule.instruments}
        found[new.jurisdiction] = [
            {"citation": act.citation, "title": act.title, "published": act.published.isoformat(), "url": act.url}
            for act in sorted(acts.values(), key=lambda act: act.published)
        ]
    return found


def _moves(measured: Measured, before: View, after: View, overlays: Sequence[str], first: int) -> list[Move]:
    rows = [
        row
        for row in range(measured.batch.num_rows)
        if (before.verdict[row], before.entries[row]) != (after.verdict[row], after.entries[row])
    ]
    if not rows:
        return []
    items, at = measured.exact(rows)
    return [
        Move(
            measured.names[row],
            measured.ids[row],
            first + row + 1,
            after.book.jurisdiction,
            _side(before, row),
            _side(after, row),
            _paragraphs(before, after, row, items, at[row], overlays),
        )
        for row in rows
    ]


def _side(view: View, row: int) -> Side:
    return Side(view.verdict[row], _list(view.entries[row]), _list(view.needs[row]), view.margin[row])


def _list(text: str) -> list[str]:
    return text.split(";") if text else []


def _paragraphs(
    before: View, after: View, row: int, items: Items, at: int, overlays: Sequence[str]
) -> list[ParagraphChange]:
    old = {rule.paragraph: rule for rule in before.book.rules if rule.at_only or before.counts(rule)}
    new = {rule.paragraph: rule for rule in after.book.rules if rule.at_only or after.counts(rule)}
    kind = int(items.kinds[at])
    found = []
    for code in dict.fromkeys((*new, *old)):
        was, now = old.get(code), new.get(code)
        state_before = before.state(was, row, kind) if was else None
        state_after = after.state(now, row, kind) if now else None
        if _matters(was, now, state_before, state_after, before.verdict[row], after.verdict[row]):
            found.append(_paragraph(was, now, state_before, state_after, items, at, after.book.rules, overlays))
    # What makes the verdict first, then what made the former one.
    return sorted(found, key=lambda each: (each.at_only, each.change == "ends", each.after == "failed"))


def _matters(
    was: Rule | None,
    now: Rule | None,
    state_before: str | None,
    state_after: str | None,
    verdict_before: str,
    verdict_after: str,
) -> bool:
    """Whether a paragraph is part of the answer: its state moved, or it is a changed line that the item misses."""
    if {state_before, state_after} & {"met", "open"} and state_before != state_after:
        return True
    if was == now or verdict_before == verdict_after or (was or now).at_only:  # type: ignore[union-attr]  # one is given
        return state_before == state_after == "met" and was != now and _tested(was) != _tested(now)
    missed_before = state_before == "failed" and verdict_before == "not_controlled"
    missed_after = state_after == "failed" and verdict_after == "not_controlled" and verdict_before == "controlled"
    return missed_before or missed_after


def _tested(rule: Rule | None) -> Any:
    return None if rule is None else (rule.boxes, rule.exclusions, rule.contains, rule.unread)


def _paragraph(
    was: Rule | None,
    now: Rule | None,
    state_before: str | None,
    state_after: str | None,
    items: Items,
    at: int,
    rules: Sequence[Rule],
    overlays: Sequence[str],
) -> ParagraphChange:
    rule = now or was
    assert rule is not None
    clauses_before = deciding_clauses(was, state_before, items, at) if was else []
    clauses_after = deciding_clauses(now, state_after, items, at) if now else []
    change = (
        "starts" if was is None else "ends" if now is None else "same" if _tested(was) == _tested(now) else "amended"
    )
    return ParagraphChange(
        paragraph=rule.paragraph,
        title=rule.title,
        at_only=rule.at_only,
        change=change,
        before=state_before,
        after=state_after,
        was=decision_words(was, state_before, clauses_before) if was else "",
        now=decision_words(now, state_after, clauses_after) if now else "",
        clauses_before=clauses_before,
        clauses_after=clauses_after,
        source_before=source_of(was) if was else None,
        source_after=source_of(now) if now else None,
        ended_by=_ended_by(was, rules, overlays) if was and now is None else [],
    )


def _ended_by(rule: Rule, rules: Sequence[Rule], overlays: Sequence[str]) -> list[str]:
    """The acts that put something in the place of a version on the day on which it ended: in its entry, else in another."""
    heirs = [each for each in rules if each.start == rule.end and each.role == rule.role]
    of_entry = [each for each in heirs if (each.jurisdiction, each.entry) == (rule.jurisdiction, rule.entry)]
    acts = [act.citation for each in of_entry or heirs for act in each.instruments]
    return list(dict.fromkeys(acts)) or list(overlays)


def days_between(dates: Sequence[date], start: date, end: date) -> list[date]:
    """The days of change after `start` and up to `end`, and `end` itself."""
    return [*(day for day in dates if start < day < end), end]
