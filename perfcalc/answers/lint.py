"""Check everything that a machine can see wrong with the rule book, an overlay, and the lists beside the book."""

from __future__ import annotations

from perfcalc.line import parse_day
from perfcalc.rulebook.book import load
from perfcalc.rulebook.lint import Finding, lint
from perfcalc.rulebook.overlay import find, lint_overlay, read


def lint_all(overlay: str | None, as_of: str | None) -> tuple[list[Finding], int]:
    """What is found, errors first, and how many versions were checked: of the book, or of one overlay."""
    today = parse_day(as_of)
    if overlay is not None:
        laid = read(find(overlay))
        return lint_overlay(laid, load(), today), len(laid.rules)
    return lint(load(), today), len(load().rules)
