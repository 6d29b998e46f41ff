"""The law's paragraphs as rectangles on two quantities, straight from the boxes of the rule book."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from perfcalc.fields import Kind, unit_of
from perfcalc.rulebook.book import Box, Condition, Rule


@dataclass(frozen=True)
class Region:
    """One box of one paragraph, as far as two quantities go.

    Attributes
    ----------
    x, y
        From and to; 0 and infinity where the box sets no limit.
    tests_y
        Whether the box tests y at all. One that does not takes items in that have no y.
    only_if
        The conditions of the box on anything else, in words.
    unless
        The exclusions that reach into the rectangle, in words of the rule book.
    overlay
        The overlay that brought it, for hypothetical law.
    """

    paragraph: str
    title: str
    x: tuple[float, float]
    y: tuple[float, float]
    tests_y: bool
    only_if: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    overlay: str = ""


def regions_of(rules: Sequence[Rule], kind: Kind, x: str, y: str) -> list[Region]:
    """Every box of every paragraph that can control a kind of item and tests one of two quantities, in principal order."""
    found = []
    for rule in rules:
        if not decides(rule, kind):
            continue
        for box in rule.boxes:
            tested = {condition.metric for condition in box}
            if not tested & {x, y}:
                continue
            reach = bounds(box, x), bounds(box, y)
            others = [condition for condition in box if condition.metric not in (x, y)]
            found.append(
                Region(
                    rule.paragraph,
                    rule.title,
                    *reach,
                    y in tested,
                    tuple(condition_words(each) for each in others)
                    + ((f"meets {' or '.join(rule.meets)}",) if rule.meets else ()),
                    tuple(_exclusions(rule, reach, x, y)),
                    rule.overlay,
                )
            )
    return found


def decides(rule: Rule, kind: Kind) -> bool:
    """Whether a paragraph can make a kind of item controlled."""
    return rule.role == "control" and not rule.at_only and kind in rule.kinds


def bounds(box: Iterable[Condition], metric: str) -> tuple[float, float]:
    """The limits that a box sets to a quantity."""
    low, high = 0.0, inf
    for condition in box:
        if condition.metric == metric:
            limit = float(condition.limit)
            if condition.operator in (">=", ">", "="):
                low = max(low, limit)
            if condition.operator in ("<=", "<", "="):
                high = min(high, limit)
    return low, high


def condition_words(condition: Condition) -> str:
    """One condition as the rule book has it."""
    return f"{condition.metric} {condition.operator} {condition.limit_text}"


def _exclusions(rule: Rule, reach: tuple[tuple[float, float], tuple[float, float]], x: str, y: str) -> Iterable[str]:
    for exclusion in rule.exclusions:
        if any(_overlap(bounds(box, x), reach[0]) and _overlap(bounds(box, y), reach[1]) for box in exclusion.boxes):
            yield exclusion.name
    if rule.unless:
        yield f"met under {' or '.join(rule.unless)}"


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def undrawn(rules: Sequence[Rule], kind: Kind, regions: Iterable[Region]) -> list[Rule]:
    """The paragraphs that can control a kind of item, but have no rectangle on these quantities."""
    drawn = {region.paragraph for region in regions}
    return [rule for rule in rules if decides(rule, kind) and rule.paragraph not in drawn]


def axes_of(rules: Sequence[Rule], kind: Kind, usual: tuple[str, str]) -> tuple[str, str]:
    """The two quantities to draw: the usual ones, unless the paragraphs of the day test others instead.

    The rule of October 2022 tests a transfer rate and another measure of performance.
    """
    boxes: list[Box] = [box for rule in rules if decides(rule, kind) and rule.core for box in rule.boxes]
    if any({condition.metric for condition in box} & set(usual) for box in boxes):
        return usual
    for box in boxes:
        tested = list(dict.fromkeys(each.metric for each in box if unit_of(each.metric)))
        if len(tested) == 2:
            return tested[1], tested[0]
    return usual
