"""Check everything that a machine can see wrong with the rule book, an overlay, and the ledgers beside the book."""

from __future__ import annotations

from perfcalc.line import parse_day
from perfcalc.metrics.readings import QUESTIONS
from perfcalc.rulebook import ambiguities, modelled
from perfcalc.rulebook.book import load
from perfcalc.rulebook.lint import Finding, lint
from perfcalc.rulebook.overlay import find, lint_overlay, read, shipped


def lint_all(overlay: str | None, as_of: str | None) -> tuple[list[Finding], int]:
    """What is found, errors first, and how many versions were checked: of everything that ships, or of one overlay."""
    today, book = parse_day(as_of), load()
    if overlay is not None:
        laid = read(find(overlay))
        return lint_overlay(laid, book, today), len(laid.rules)
    findings = lint(book, today)
    overlays = [read(find(name)) for name in shipped()]
    for laid in overlays:
        findings += lint_overlay(laid, book, today)
    findings += ambiguities.lint_ledger(ambiguities.load(), [question.name for question in QUESTIONS], book)
    findings += modelled.lint_missing(book, modelled.load())
    findings.sort(key=lambda finding: finding.level != "error")
    return findings, len(book.rules) + sum(len(laid.rules) for laid in overlays)
