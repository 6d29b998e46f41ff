"""Compile the law of one jurisdiction on one day to arrays that the decide kernel reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np

from perfcalc.errors import InputError
from perfcalc.facts import Indices, Numbers
from perfcalc.fields import FIELDS, KINDS, METRICS, fields_behind
from perfcalc.rulebook.book import OPERATORS, Box, Condition, Operator, Rule

#: Masks are signed 64-bit integers with one bit a paragraph, metric or field.
BITS: Final = 62

COMPUTER: Final = KINDS.index("computer")


class Program(NamedTuple):
    """The boxes of a book as arrays. Limits are arguments of the kernel, so new law never meets an old cache.

    Equal conditions are kept once (`metric`, `operator`, `limit`), and so are equal exclusions. Box b uses
    ``condition[first_use[b]]`` up to ``condition[first_use[b + 1]]``. Rule r is tested by the boxes from
    ``first_box[r]`` up to ``first_box[r + 1]`` and excluded by number ``exclusion[r]`` (-1: by none); exclusion e has
    the boxes from ``first_excluding[e]`` up to ``first_excluding[e + 1]``. Masks of kinds have a bit a kind; `contains`
    and `unless` have a bit a rule.
    """

    metric: Indices
    operator: Indices
    limit: Numbers
    condition: Indices
    hands_over: Indices
    first_use: Indices
    first_box: Indices
    exclusion: Indices
    first_excluding: Indices
    kinds: Indices
    core: Indices
    counts: Indices
    unread: Indices
    is_relaxable: Indices
    contains: Indices
    unless: Indices
    meets: Indices


@dataclass(frozen=True, eq=False)
class Book:
    """The law of one jurisdiction on one day; equal to itself only, so that what is known of it can be kept.

    Attributes
    ----------
    rules
        In principal order; bit r of a mask is rule r.
    metrics
        What the conditions test; bit m of a mask is metric m.
    modelled
        Mask of the kinds that a core paragraph covers on that day; the others are `not_modelled`.
    program, exact_program
        The same boxes with float and with exact limits.
    beside
        Flags and review lines, which never decide a verdict, in masks of their own; with the controls they refer to.
    """

    jurisdiction: str
    day: date
    rules: tuple[Rule, ...]
    metrics: tuple[str, ...]
    modelled: int
    program: Program
    exact_program: Program
    beside: Book | None = None

    def is_alike(self, other: Book) -> bool:
        """Whether both say the same of every item, as the members of a union do that only include its list."""
        beside, others = (book.beside.rules if book.beside is not None else None for book in (self, other))
        return self.rules == other.rules and beside == others

    def mask(self, paragraphs: Sequence[str]) -> int:
        """The bits of some paragraphs."""
        return sum(1 << r for r, rule in enumerate(self.rules) if rule.paragraph in paragraphs)

    @property
    def counting(self) -> int:
        """The bits of the paragraphs that can make an item controlled."""
        return sum(1 << r for r, rule in enumerate(self.rules) if _counts(rule))


def _counts(rule: Rule) -> bool:
    return not rule.at_only and rule.role == "control"


def is_rounded(name: str) -> bool:
    """Whether rounding may have moved a field or metric: not a choice or a count."""
    return not METRICS[name].whole if name in METRICS else FIELDS[name].type != "choice"


def kind_mask(rule: Rule) -> int:
    """The bits of the kinds of item that a rule is about."""
    return sum(1 << KINDS.index(kind) for kind in rule.kinds)


def tested_fields(rule: Rule) -> frozenset[str]:
    """The sheet fields behind a paragraph's own test: with one of them given, the paragraph is asked."""
    metrics = [*(condition.metric for box in rule.boxes for condition in box), *rule.measures]
    # A choice behind a metric (vector or not) is no measure: by itself it asks nothing.
    fields = frozenset(
        name
        for metric in metrics
        for name in fields_behind(metric)
        if metric not in METRICS or FIELDS[name].type != "choice"
    )
    return fields | {"part_of"} if rule.contains else fields


def _key(condition: Condition) -> tuple[str, Operator, Fraction]:
    return condition.metric, condition.operator, condition.limit


def compile_book(jurisdiction: str, day: date, rules: Sequence[Rule]) -> Book:
    """Compile rules that are in force on `day`: the controls, and beside them everything else."""
    book = _compile(jurisdiction, day, [rule for rule in rules if rule.role == "control"])
    chosen = {rule.paragraph for rule in rules if rule.role != "control"}
    if not chosen:
        return book
    while True:
        named = {code for rule in rules if rule.paragraph in chosen for code in _references(rule)} - chosen
        referred = {rule.paragraph for rule in rules} & named
        if not referred:
            break
        chosen |= referred
    return replace(book, beside=_compile(jurisdiction, day, [rule for rule in rules if rule.paragraph in chosen]))


def _references(rule: Rule) -> tuple[str, ...]:
    return (*rule.contains, *rule.unless, *rule.meets)


def _compile(jurisdiction: str, day: date, rules: Sequence[Rule]) -> Book:
    metrics = tuple(dict.fromkeys(condition.metric for rule in rules for condition in rule.conditions()))
    if max(len(rules), len(metrics)) > BITS:
        raise InputError(
            f"{jurisdiction}: {len(rules)} paragraphs and {len(metrics)} metrics on one day",
            f"a book holds at most {BITS} of each; split the jurisdiction",
        )
    distinct: dict[tuple[str, Operator, Fraction], int] = {}
    uses: list[int] = []
    hands_over: list[bool] = []
    first_use = [0]

    def add(boxes: Sequence[Box]) -> int:
        for box in boxes:
            uses.extend(distinct.setdefault(_key(condition), len(distinct)) for condition in box)
            hands_over.extend(condition.hands_over_to is not None for condition in box)
            first_use.append(len(uses))
        return len(first_use) - 1

    first_box = [0, *(add(rule.boxes) for rule in rules)]
    excluding = list(dict.fromkeys(rule.exclusions for rule in rules if rule.exclusions))
    first_excluding = [
        first_box[-1],
        *(add([box for exclusion in exclusions for box in exclusion.boxes]) for exclusions in excluding),
    ]
    paragraphs = {rule.paragraph: 1 << r for r, rule in enumerate(rules)}
    exact_limits: Numbers = np.empty(len(distinct), dtype=object)
    exact_limits[:] = [limit for _, _, limit in distinct]

    def integers(values: Any) -> Indices:
        return np.array(list(values), dtype=np.int64)

    program = Program(
        metric=integers(metrics.index(metric) for metric, _, _ in distinct),
        operator=integers(OPERATORS.index(operator) for _, operator, _ in distinct),
        limit=np.array([float(limit) for _, _, limit in distinct], dtype=np.float64),
        condition=integers(uses),
        hands_over=integers(hands_over),
        first_use=integers(first_use),
        first_box=integers(first_box),
        exclusion=integers(excluding.index(rule.exclusions) if rule.exclusions else -1 for rule in rules),
        first_excluding=integers(first_excluding),
        kinds=integers(kind_mask(rule) for rule in rules),
        core=integers(rule.core for rule in rules),
        counts=integers(_counts(rule) for rule in rules),
        unread=integers(bool(rule.unread) for rule in rules),
        is_relaxable=integers(any(condition.hands_over_to for condition in rule.conditions()) for rule in rules),
        contains=integers(sum(paragraphs.get(code, 0) for code in rule.contains) for rule in rules),
        unless=integers(sum(paragraphs.get(code, 0) for code in rule.unless) for rule in rules),
        # Bit 62 is never met: it keeps a mirror of paragraphs that are not law that day from being met.
        meets=integers(
            sum(paragraphs.get(code, 0) for code in rule.meets) | (1 << BITS if rule.meets else 0) for rule in rules
        ),
    )
    modelled = 0
    for rule in rules:
        if rule.core and _counts(rule):
            modelled |= kind_mask(rule)
    exact_program = program._replace(limit=exact_limits)
    return Book(jurisdiction, day, tuple(rules), metrics, modelled, program, exact_program)


def kind_bits(kinds: Indices) -> Indices:
    """For each item the bit of its kind; 0 when the kind is not known."""
    return np.where(kinds >= 0, 1 << np.maximum(kinds, 0), 0)


def tested(program: Program, kinds: int, asked: int) -> set[int]:
    """The conditions of the paragraphs that are asked of any item, given masks of kinds and paragraphs."""
    boxes: set[int] = set()
    for r, kind in enumerate(program.kinds):
        if asked >> r & 1 and kinds & kind:
            boxes.update(range(program.first_box[r], program.first_box[r + 1]))
            e = program.exclusion[r]
            if e >= 0:
                boxes.update(range(program.first_excluding[e], program.first_excluding[e + 1]))
    return {int(program.condition[use]) for b in boxes for use in range(program.first_use[b], program.first_use[b + 1])}


def any_bit(masks: Indices) -> int:
    """The bits that any of some masks has."""
    return int(np.bitwise_or.reduce(masks)) if masks.size else 0
