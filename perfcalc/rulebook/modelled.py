"""What the book models, what it only flags, and what is known to be missing: the book itself and ``not_modelled.yaml``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final, Literal

from perfcalc.errors import InputError
from perfcalc.rulebook.book import FOLDER, Rule, RuleBook, read_yaml
from perfcalc.rulebook.lint import Finding

Standing = Literal["modelled", "no_such_control", "flagged_only", "not_modelled"]

LIST: Final = "not_modelled.yaml"


@dataclass(frozen=True)
class Topic:
    """One subject that a jurisdiction may control."""

    id: str
    title: str
    kinds: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    contains: bool = False
    review: bool = False
    licences: bool = False

    def fits(self, rule: Rule) -> bool:
        """Whether a paragraph is about it."""
        if rule.role == "review":
            # A review line, or a test that the licence table asks: neither says that the item is controlled.
            return self.review if rule.review is not None else self.licences
        if self.contains:
            return bool(rule.contains)
        tested = {condition.metric for condition in rule.conditions()}
        return bool(tested & set(self.metrics)) or bool(set(rule.kinds) & set(self.kinds))


@dataclass(frozen=True)
class Missing:
    """Something that is known to exist and is not in the book."""

    jurisdiction: str
    what: str
    why: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Reviewed:
    """The reviewed list: topics, where untested paragraphs belong, and what is missing."""

    topics: tuple[Topic, ...]
    untested: dict[str, str]
    missing: tuple[Missing, ...]

    def topic_of(self, rule: Rule) -> str | None:
        """The topic of a paragraph; none where it fits no topic."""
        if rule.role not in ("control", "review"):
            return None  # a definition, tariff or presumption is listed among the other subjects
        if not rule.boxes and not rule.contains:
            return self.untested.get(rule.kinds[0])
        return next((topic.id for topic in self.topics if topic.fits(rule)), None)


@cache
def load() -> Reviewed:
    """The list that ships with perfcalc."""
    path = FOLDER / LIST
    try:
        text: Any = read_yaml(path)
        return Reviewed(
            tuple(
                Topic(
                    topic["id"],
                    topic["title"],
                    tuple(topic.get("kinds", ())),
                    tuple(topic.get("metrics", ())),
                    bool(topic.get("contains")),
                    bool(topic.get("review")),
                    bool(topic.get("licences")),
                )
                for topic in text["topics"]
            ),
            dict(text["untested"]),
            tuple(
                Missing(each["jurisdiction"], each["what"], each["why"], tuple(map(str, each["paragraphs"])))
                for each in text["not_modelled"]
            ),
        )
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: {error} is missing or not of its form", "compare it with its neighbours") from error


def standing(
    book: RuleBook, reviewed: Reviewed, jurisdiction: str, topic: str, day: date
) -> tuple[Standing, list[str]]:
    """How far a topic of a jurisdiction is modelled on a day, and by which paragraphs."""
    rules = [rule for rule in book.on(jurisdiction, day) if reviewed.topic_of(rule) == topic]
    tested = [rule.paragraph for rule in rules if rule.boxes or rule.contains]
    if tested:
        return "modelled", tested
    if unread := [rule.paragraph for rule in rules if rule.unread]:
        return "flagged_only", unread
    return ("no_such_control" if rules else "not_modelled"), [rule.paragraph for rule in rules]


def lint_missing(book: RuleBook, reviewed: Reviewed) -> Iterator[Finding]:
    """What the list says is missing though the book has it."""
    for each in reviewed.missing:
        for code in each.paragraphs:
            held = sorted(
                {
                    rule.paragraph
                    for rule in book.rules
                    if rule.jurisdiction == each.jurisdiction and rule.paragraph.startswith(code)
                }
            )
            if held:
                yield Finding("error", f"{LIST} {each.jurisdiction} {code}", f"the book holds {', '.join(held)}")
