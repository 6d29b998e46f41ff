"""A verdict in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from perfcalc.answers.numbers import interval_text
from perfcalc.rulebook.book import Rule, load
from perfcalc.verdicts.tables import Book

if TYPE_CHECKING:
    from perfcalc.answers.explain import ParagraphTrace


def reason(book: Book, paragraphs: Sequence[ParagraphTrace], scored: dict[str, Any], kind: str) -> str:
    """The verdict in one sentence."""
    prefix = book.jurisdiction
    verdict = scored[f"{prefix}_verdict"]
    counting = [each for each in paragraphs if not each.at_only and each.role == "control"]
    at_only = [each.paragraph for each in paragraphs if each.at_only and each.state == "met"]
    tail = f" Only {', '.join(at_only)} (anti-terrorism) is met." if at_only and verdict != "controlled" else ""
    if verdict == "not_modelled":
        covered = [rule.start for rule in _core_rules(prefix, kind)]
        since = f"; the first rule for this kind in the book is of {min(covered)}" if covered else ""
        if any(rule.status == "not_enforced" and rule.start <= book.day for rule in _core_rules(prefix, kind)):
            since += " and codified, but not enforced (--law codified asks it)"
        silent = f"No rule for items of kind {kind} is modelled on {book.day}{since}. That is not a 'no'."
        return f"{silent} {load().place(prefix).note}".rstrip()
    if verdict == "controlled":
        met = [f"{each.paragraph} ({_clause_words(each)})" for each in counting if each.state == "met"]
        also = f"; also {', '.join(met[1:])}" if met[1:] else ""
        principal = (
            met[0] if met else f"{scored[f'{prefix}_entries']}, under whichever paragraph the open facts lead to"
        )
        return f"Meets {principal}{also}."
    if verdict == "cannot_tell":
        needs = (scored[f"{prefix}_needs"] or "").replace(";", ", ")
        still_open = ", ".join(each.paragraph for each in counting if each.state == "open")
        why = "".join(f" {each.paragraph}: {each.unread}" for each in counting if each.state == "open" and each.unread)
        return f"Open under {still_open or 'every paragraph'}; would be settled by: {needs}.{_conditional(counting)}{why}{tail}"
    line = nearest(counting)
    return f"Meets no paragraph that makes an item controlled{f'; nearest line: {line}' if line else ''}.{tail}"


def _conditional(paragraphs: Sequence[ParagraphTrace], most: int = 3) -> str:
    """Under which open paragraph the item would be controlled, and if what; empty where that would be a long list."""
    conditions = []
    for paragraph in paragraphs:
        states = {clause.state for _, boxes in paragraph.exclusions for box in boxes for clause in box}
        for box in paragraph.boxes if paragraph.state == "open" and "open" not in states else []:
            missing = [f"{each.metric} {each.operator} {each.limit}" for each in box if each.state == "open"]
            if missing and not any(clause.state == "failed" for clause in box):
                conditions.append(f"controlled under {paragraph.paragraph} if {' and '.join(missing)}")
    return f" It is {'; '.join(conditions)}." if 0 < len(conditions) <= most else ""


def _core_rules(jurisdiction: str, kind: str) -> list[Rule]:
    return [rule for rule in load().of(jurisdiction) if rule.core and rule.role == "control" and kind in rule.kinds]


def _clause_words(paragraph: ParagraphTrace) -> str:
    if paragraph.contains:
        return f"contains an IC of {' or '.join(paragraph.contains)}"
    met = [box for box in paragraph.boxes if all(clause.state == "met" for clause in box)]
    words = [
        f"{clause.metric} {interval_text(clause.low, clause.high)} {clause.operator} {clause.limit}"
        for clause in met[0]
    ]
    return ", ".join(words)


def nearest(paragraphs: Sequence[ParagraphTrace]) -> str:
    """The line that the item misses by the least: of each box its worst clause, of all boxes the best one."""
    best: tuple[float, str] | None = None
    for paragraph in paragraphs:
        for box in paragraph.boxes:
            failed = [clause for clause in box if clause.state == "failed" and clause.margin is not None]
            if failed and not any(clause.state == "failed" and clause.margin is None for clause in box):
                worst = min(failed, key=lambda clause: clause.margin or 0.0)
                words = (
                    f"{worst.metric} {interval_text(worst.low, worst.high)} against {worst.operator} {worst.limit} "
                    f"of {paragraph.paragraph} ({100 * (worst.margin or 0.0):+.1f} %)"
                )
                if best is None or (worst.margin or 0.0) > best[0]:
                    best = (worst.margin or 0.0, words)
    return best[1] if best else ""
