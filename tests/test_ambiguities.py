"""The two ledgers: the pages say what the data says, every option is in the ledger, nothing is claimed that is not there."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from perfcalc.answers import ledgers
from perfcalc.answers.lint import lint_all
from perfcalc.metrics.readings import QUESTIONS
from perfcalc.rulebook import ambiguities, modelled
from perfcalc.rulebook.book import load

DOCS = Path(__file__).parent.parent / "docs"
OPTIONS = [question.name for question in QUESTIONS]


@pytest.mark.parametrize(
    ("page", "made"),
    [
        ("ambiguities.md", ledgers.ledger_page),
        ("coverage.md", lambda: ledgers.coverage_page(ledgers.rules_coverage())),
    ],
)
def test_page_is_what_the_data_says(page, made):
    written = (DOCS / page).read_text("utf-8")
    assert written == made() + "\n", "run: python docs/make.py"


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_every_reading_is_in_the_ledger(question):
    entries = [entry for entry in ambiguities.load() if entry.option == question.name]
    assert entries
    page = (DOCS / "ambiguities.md").read_text("utf-8")
    assert f"--readings {question.name}={'|'.join(question.options)}" in page.replace("\n", " ")


def test_whatever_ships_passes_the_linter():
    findings, versions = lint_all(None, "2026-11-23")
    assert [finding for finding in findings if finding.level == "error"] == []
    assert versions > len(load().rules)


def test_the_ledger_linter_finds():
    ledger, book = ambiguities.load(), load()
    assert not [each for each in ambiguities.lint_ledger(ledger, OPTIONS, book) if each.level == "error"]

    def found(entries, options=OPTIONS):
        return [finding.what for finding in ambiguities.lint_ledger(entries, options, book)]

    assert any("occurs twice" in what for what in found([*ledger, ledger[0]]))
    assert any("nobody" in what for what in found([replace(ledger[0], id="x", readings=())]))
    view = replace(ledger[0].readings[0], source="a book")
    assert any("without a link" in what for what in found([replace(ledger[0], readings=(view,))]))
    assert any("'new_one' is not in the ledger" in what for what in found(ledger, [*OPTIONS, "new_one"]))
    assert any("does not offer" in what for what in found([replace(ledger[0], option="nothing")]))


def test_topics_of_known_paragraphs():
    topics = {rule.paragraph: modelled.load().topic_of(rule) for rule in load().rules if rule.jurisdiction == "us"}
    assert topics["3A090.a"] == topics["3A090.a.1"] == topics["3A090.b.2"] == "chips"
    assert topics["3A090.c"] == "hbm"
    assert topics["4A090.a"] == "computers_with_chips"
    assert topics["4A003.b"] == "computers"
    assert topics["742.6(b)(10)(iii)(A)(1)"] == "review"


def test_standing_on_a_day():
    """The memory line begins on 2024-12-02; a paragraph without numbers is flagged; an empty list is not modelled."""
    book, reviewed = load(), modelled.load()
    assert modelled.standing(book, reviewed, "us", "hbm", date(2024, 12, 1))[0] == "not_modelled"
    assert modelled.standing(book, reviewed, "us", "hbm", date(2024, 12, 2)) == ("modelled", ["3A090.c"])
    rule = next(rule for rule in book.rules if rule.paragraph == "3A090.c")
    unread = replace(book, rules=(replace(rule, boxes=(), unread="not read"),))
    assert modelled.standing(unread, reviewed, "us", "hbm", date(2025, 1, 1)) == ("flagged_only", ["3A090.c"])


def test_what_is_listed_as_missing_is_missing():
    book, reviewed = load(), modelled.load()
    assert list(modelled.lint_missing(book, reviewed)) == []
    claimed = modelled.Missing("us", "everything", "a test", ("3A090",))
    (finding,) = modelled.lint_missing(book, replace(reviewed, missing=(claimed,)))
    assert "3A090.a.1" in finding.what


def test_holes_are_found():
    """Without the rule of October 2022's successor, chips would go unmodelled between two modelled times."""
    from perfcalc.rulebook.lint import lint

    book = load()
    core = [rule for rule in book.rules if rule.jurisdiction == "us" and rule.core and "ic" in rule.kinds]
    first = next(rule for rule in core if rule.paragraph == "3A090.a")
    later = replace(next(rule for rule in core if rule.paragraph == "3A090.a.1"), start=date(2024, 6, 1))
    findings = lint(replace(book, rules=(first, later)), date(2026, 11, 23))
    assert any("no core paragraph for this kind until 2024-06-01" in finding.what for finding in findings)
    stale = lint(replace(book, rules=(later,)), date(2030, 1, 1))
    assert any("last checked" in finding.what for finding in stale)


def test_command_line():
    def run(*arguments):
        command = [sys.executable, "-m", "perfcalc.cli", "rules", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8").stdout

    ledger = json.loads(run("ambiguities", "--json"))
    assert {entry["option"] for entry in ledger} >= set(OPTIONS)
    assert run("ambiguities", "--markdown") == (DOCS / "ambiguities.md").read_text("utf-8")
    answer = json.loads(run("coverage", "--json", "--as-of", "2022-10-20"))
    us = next(row for row in answer["jurisdictions"] if row["jurisdiction"] == "us")
    assert us["topics"]["hbm"]["standing"] == "not_modelled"
    assert "not modelled: US" in run("coverage")
