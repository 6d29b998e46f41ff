"""Compile the law of one jurisdiction on one day to arrays that the decide kernel reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np

from perfcalc.errors import InputError
from perfcalc.facts import Indices, Numbers
from perfcalc.fields import KINDS, fields_behind
from perfcalc.rulebook.book import OPERATORS, Operator, Rule

#: Masks are signed 64-bit integers with one bit a paragraph, metric or field.
BITS: Final = 62


class Program(NamedTuple):
    """The boxes of a book as arrays. Limits are arguments of the kernel, so new law never meets an old cache.

    Equal conditions are kept once (`metric`, `operator`, `limit`). Box b uses ``condition[first_use[b]]`` up to
    ``condition[first_use[b + 1]]``. Boxes of rule r: ``first_box[r]`` up to ``first_exclusion[r]`` test it, from there
    up to ``first_box[r + 1]`` exclude.
    """

    metric: Indices
    operator: Indices
    limit: Numbers
    condition: Indices
    hands_over: Indices
    first_use: Indices
    first_box: Indices
    first_exclusion: Indices
    kinds: Indices
    fields: Indices
    core: Indices
    counts: Indices
    unread: Indices
    is_relaxable: Indices
    contains: Indices
    unless: Indices


@dataclass(frozen=True)
class Book:
    """The law of one jurisdiction on one day.

    Attributes
    ----------
    rules
        In principal order; bit r of a mask is rule r.
    metrics
        What the conditions test; bit m of a mask is metric m.
    fields
        The sheet fields behind them; ``part_of`` stands for having listed parts.
    modelled
        Mask of the kinds that a core paragraph covers on that day; the others are `not_modelled`.
    program, exact_program
        The same boxes with float and with exact limits.
    """

    jurisdiction: str
    day: date
    rules: tuple[Rule, ...]
    metrics: tuple[str, ...]
    fields: tuple[str, ...]
    modelled: int
    program: Program
    exact_program: Program

    def mask(self, paragraphs: Sequence[str]) -> int:
        """The bits of some paragraphs."""
        return sum(1 << r for r, rule in enumerate(self.rules) if rule.paragraph in paragraphs)

    @property
    def counting(self) -> int:
        """The bits of the paragraphs that can make an item controlled."""
        return sum(1 << r for r, rule in enumerate(self.rules) if _counts(rule))


def _counts(rule: Rule) -> bool:
    return not rule.at_only and rule.review is None


def kind_mask(rule: Rule) -> int:
    """The bits of the kinds of item that a rule is about."""
    return sum(1 << KINDS.index(kind) for kind in rule.kinds)


def tested_fields(rule: Rule) -> frozenset[str]:
    """The sheet fields behind a paragraph's own test: with one of them given, the paragraph is asked."""
    fields = frozenset(name for box in rule.boxes for condition in box for name in fields_behind(condition.metric))
    return fields | {"part_of"} if rule.contains else fields


def compile_book(jurisdiction: str, day: date, rules: Sequence[Rule]) -> Book:
    """Compile rules that are in force on `day`."""
    metrics = tuple(dict.fromkeys(condition.metric for rule in rules for condition in rule.conditions()))
    fields = tuple(dict.fromkeys(name for rule in rules for name in sorted(tested_fields(rule))))
    if max(len(rules), len(metrics), len(fields)) > BITS:
        raise InputError(
            f"{jurisdiction}: {len(rules)} paragraphs, {len(metrics)} metrics, {len(fields)} fields on one day",
            f"a book holds at most {BITS} of each; split the jurisdiction",
        )
    distinct: dict[tuple[str, Operator, Fraction], int] = {}
    uses: list[int] = []
    hands_over: list[bool] = []
    first_use, first_box, first_exclusion = [0], [0], []
    for rule in rules:
        excluding = [box for exclusion in rule.exclusions for box in exclusion.boxes]
        first_exclusion.append(first_box[-1] + len(rule.boxes))
        for box in (*rule.boxes, *excluding):
            for condition in box:
                key = (condition.metric, condition.operator, condition.limit)
                uses.append(distinct.setdefault(key, len(distinct)))
                hands_over.append(condition.hands_over_to is not None)
            first_use.append(len(uses))
        first_box.append(first_exclusion[-1] + len(excluding))
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
        first_exclusion=integers(first_exclusion),
        kinds=integers(kind_mask(rule) for rule in rules),
        fields=integers(sum(1 << fields.index(name) for name in tested_fields(rule)) for rule in rules),
        core=integers(rule.core for rule in rules),
        counts=integers(_counts(rule) for rule in rules),
        unread=integers(bool(rule.unread) for rule in rules),
        is_relaxable=integers(any(condition.hands_over_to for condition in rule.conditions()) for rule in rules),
        contains=integers(sum(paragraphs.get(code, 0) for code in rule.contains) for rule in rules),
        unless=integers(sum(paragraphs.get(code, 0) for code in rule.unless) for rule in rules),
    )
    modelled = 0
    for rule in rules:
        if rule.core and _counts(rule):
            modelled |= kind_mask(rule)
    exact_program = program._replace(limit=exact_limits)
    return Book(jurisdiction, day, tuple(rules), metrics, fields, modelled, program, exact_program)
