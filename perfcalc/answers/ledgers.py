"""The two ledgers as pages and tables: how far the book goes, and where the law is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from textwrap import wrap
from typing import Any, Final

from rich.table import Table

from perfcalc.answers.tables import alike
from perfcalc.line import parse_day
from perfcalc.metrics.readings import QUESTIONS
from perfcalc.rulebook import ambiguities, modelled
from perfcalc.rulebook.book import load

MARKS: Final[dict[str, str]] = {
    "modelled": "yes",
    "no_such_control": "none",
    "flagged_only": "flag",
    "not_modelled": "-",
}
LEGEND: Final = (
    "yes: modelled with its numbers. none: the list is known to hold no such control. flag: known to exist, numbers "
    "not read, so the answer is cannot_tell. -: not modelled."
)


def rules_coverage(as_of: str | date | None = None) -> dict[str, Any]:
    """How far the book goes, for ``--json``: per jurisdiction and topic, and what is known to be missing."""
    book, reviewed = load(), modelled.load()
    day = parse_day(as_of) if as_of is not None else book.checked
    rows = []
    for name in book.jurisdictions:
        topics = {}
        for topic in reviewed.topics:
            word, paragraphs = modelled.standing(book, reviewed, name, topic.id, day)
            topics[topic.id] = {"standing": word, "paragraphs": paragraphs}
        others = [rule.paragraph for rule in book.on(name, day) if reviewed.topic_of(rule) is None]
        rows.append({"jurisdiction": name, "topics": topics, "other_paragraphs": others})
    return {
        "as_of": day.isoformat(),
        "topics": {topic.id: topic.title for topic in reviewed.topics},
        "jurisdictions": rows,
        "not_modelled": [asdict(each) for each in reviewed.missing],
    }


def coverage_table(answer: dict[str, Any]) -> Table:
    """How far the book goes, as a terminal table."""
    marks = {
        row["jurisdiction"]: tuple(MARKS[row["topics"][topic]["standing"]] for topic in answer["topics"])
        for row in answer["jurisdictions"]
    }
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("list", overflow="fold", min_width=8)
    for topic in answer["topics"]:
        table.add_column(topic.replace("_", "\n"), justify="center", no_wrap=True)
    for names in alike(marks):
        table.add_row(" ".join(name.upper() for name in names), *marks[names[0]])
    return table


def topics_text(answer: dict[str, Any]) -> Iterator[str]:
    """What the columns of the table are, and what is known to be missing."""
    yield "; ".join(f"{topic.replace('_', ' ')}: {title}" for topic, title in answer["topics"].items())
    yield LEGEND
    for each in answer["not_modelled"]:
        yield f"not modelled: {each['jurisdiction'].upper()}: {each['what']} ({each['why']})"


def coverage_page(answer: dict[str, Any]) -> str:
    """``docs/coverage.md``."""
    lines = [
        "# What perfcalc models, and what it does not",
        "",
        *wrap(
            "Made by `perfcalc rules coverage --markdown` from the rule book and "
            "`perfcalc/rulebook/not_modelled.yaml`; a test compares this page with them. "
            f"The law is that of {answer['as_of']}.",
            110,
        ),
        "",
        *wrap(LEGEND, 110),
        "",
        f"| jurisdiction | {' | '.join(answer['topics'].values())} |",
        f"|---|{'---|' * len(answer['topics'])}",
    ]
    for row in answer["jurisdictions"]:
        marks = (MARKS[row["topics"][topic]["standing"]] for topic in answer["topics"])
        lines.append(f"| {row['jurisdiction'].upper()} | {' | '.join(marks)} |")
    lines += ["", "## Paragraphs", ""]
    for row in answer["jurisdictions"]:
        for topic, title in answer["topics"].items():
            cell = row["topics"][topic]
            if cell["paragraphs"]:
                words = MARKS[cell["standing"]]
                lines.append(f"- {row['jurisdiction'].upper()}, {title} ({words}): {', '.join(cell['paragraphs'])}")
        if row["other_paragraphs"]:
            lines.append(f"- {row['jurisdiction'].upper()}, other subjects: {', '.join(row['other_paragraphs'])}")
    lines += ["", "## Known to exist and not modelled", "", "| jurisdiction | what | why |", "|---|---|---|"]
    lines += [f"| {each['jurisdiction'].upper()} | {each['what']} | {each['why']} |" for each in answer["not_modelled"]]
    return "\n".join(lines)


def ledger() -> list[dict[str, Any]]:
    """Every open reading, for ``--json``."""
    offered = {question.name: list(question.options) for question in QUESTIONS}
    return [asdict(each) | {"choices": offered.get(each.option or "", [])} for each in ambiguities.load()]


def ledger_text(entries: Sequence[dict[str, Any]]) -> str:
    """The ledger in a terminal."""
    lines = []
    for entry in entries:
        lines.append(f"{entry['id']}  ({entry['jurisdiction'].upper()} {entry['paragraph']})")
        lines += wrap(entry["question"], 98, initial_indent="  ", subsequent_indent="  ")
        for view in entry["readings"]:
            lines += wrap(f"- {view['who']}: {view['says']}", 98, initial_indent="  ", subsequent_indent="    ")
        lines += wrap(f"perfcalc: {entry['default']} {_option(entry)}", 98, initial_indent="  ", subsequent_indent="  ")
        lines.append("")
    return "\n".join(lines).rstrip()


def _option(entry: dict[str, Any]) -> str:
    if entry["option"]:
        return f"Changed by --readings {entry['option']}={'|'.join(entry['choices']) or '...'}."
    return f"Changed by {entry['switch']}." if entry["switch"] else "No option changes it."


def ledger_page() -> str:
    """``docs/ambiguities.md``."""
    return "\n".join(_ledger_lines(ledger()))


def _ledger_lines(entries: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield "# Where the law is open"
    yield ""
    yield from wrap(
        "Every open reading that perfcalc knows of: who reads it how, what perfcalc does by default, and which option "
        "changes it. Made by `perfcalc rules ambiguities --markdown` from `perfcalc/rulebook/ambiguities.yaml`; a test "
        "compares the two.",
        110,
    )
    yield ""
    yield "| reading | jurisdiction | paragraph | option |"
    yield "|---|---|---|---|"
    for entry in entries:
        option = f"`{entry['option'] or entry['switch']}`" if entry["option"] or entry["switch"] else "none"
        yield f"| [{entry['id']}](#{entry['id']}) | {entry['jurisdiction'].upper()} | {entry['paragraph']} | {option} |"
    for entry in entries:
        yield ""
        yield f"## {entry['id']}"
        yield ""
        yield f"{entry['jurisdiction'].upper()}, {entry['paragraph']}."
        yield ""
        yield from wrap(entry["question"], 110)
        yield ""
        for view in entry["readings"]:
            yield from wrap(f"- {view['who']}: {view['says']}.", 110, subsequent_indent="  ")
            yield f"  <{view['source']}>"
        yield ""
        yield from wrap(f"**perfcalc:** {entry['default']} {_option(entry)}", 110)
