"""The rule book as people read it."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any, Final

from rich.markup import escape
from rich.table import Table

from perfcalc.errors import InputError
from perfcalc.line import parse_day
from perfcalc.rulebook.book import Box, Rule, load
from perfcalc.rulebook.overlay import Overlays, overlaid

WIDTH: Final = 100


def describe(rule: Rule) -> dict[str, Any]:
    """One version of one paragraph, for ``--json``."""
    return {
        "jurisdiction": rule.jurisdiction,
        "paragraph": rule.paragraph,
        "title": rule.title,
        "kinds": list(rule.kinds),
        "reasons": list(rule.reasons),
        "from": rule.start.isoformat(),
        "until": rule.end.isoformat() if rule.end else None,
        "status": rule.status,
        "test": [_box(box) for box in rule.boxes],
        "except": [{"name": each.name, "test": [_box(box) for box in each.boxes]} for each in rule.exclusions],
        "unless": list(rule.unless),
        "contains": list(rule.contains),
        "unread": rule.unread,
        "none": rule.none,
        "review": list(rule.review) if rule.review else None,
        "meets": list(rule.meets),
        "role": rule.role,
        "citation": rule.citation,
        "published": [instrument.published.isoformat() for instrument in rule.instruments],
        "links": [instrument.url for instrument in rule.instruments],
        "verified": rule.verified.isoformat(),
        "confidence": rule.confidence,
        "note": rule.note,
        **({"hypothetical": True, "overlay": rule.overlay} if rule.overlay else {}),
    }


def _box(box: Box) -> list[str]:
    return [f"{condition.metric} {condition.operator} {condition.limit_text}" for condition in box]


def list_rules(as_of: str | None, jurisdictions: Sequence[str] | None, overlays: Overlays = ()) -> list[dict[str, Any]]:
    """Every version, or those in force on a day."""
    day = parse_day(as_of) if as_of else None
    book = overlaid(overlays)
    # A list that several of the jurisdictions include is listed once.
    chosen = (
        book.rules if jurisdictions is None else dict.fromkeys(rule for name in jurisdictions for rule in book.of(name))
    )
    return [describe(rule) for rule in chosen if day is None or rule.in_force(day)]


def show_rules(entry: str, as_of: str | None) -> list[dict[str, Any]]:
    """The versions of an entry or paragraph.

    Raises
    ------
    InputError
        The book has no such entry, or not on that day.
    """
    folded = entry.casefold()
    found = [
        rule
        for rule in list_rules(as_of, None)
        if rule["paragraph"].casefold() == folded or rule["paragraph"].casefold().startswith(f"{folded}.")
    ]
    if not found:
        known = ", ".join(dict.fromkeys(rule.paragraph for rule in load().rules))
        raise InputError(f"{entry!r} is not in the rule book{f' on {as_of}' if as_of else ''}", f"it has {known}")
    return found


def words_of_test(rule: dict[str, Any]) -> str:
    """The test of a paragraph in one line."""
    if rule["contains"]:
        return f"contains an IC of {' or '.join(rule['contains'])}"
    silent = f"no such control: {rule['none']}" if rule["none"] else f"numbers not read: {rule['unread']}"
    return " or ".join(" and ".join(box) for box in rule["test"]) or silent


def rules_table(found: Sequence[dict[str, Any]]) -> Table:
    """Rules as a terminal table."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("list", "paragraph", "from", "until"):
        table.add_column(heading, no_wrap=True)
    table.add_column("test", ratio=2)
    table.add_column("citation", no_wrap=True)
    for rule in found:
        words = ("[bold magenta]HYPOTHETICAL[/] " if rule.get("hypothetical") else "") + escape(words_of_test(rule))
        table.add_row(
            rule["jurisdiction"], rule["paragraph"], rule["from"], rule["until"] or "", words, rule["citation"]
        )
    return table


def rule_text(rule: dict[str, Any]) -> str:
    """One version as text."""
    lines = [
        f"{rule['paragraph']}  {rule['title']}",
        f"  {rule['jurisdiction'].upper()}, {', '.join(rule['kinds'])}; reasons for control: {', '.join(rule['reasons'])}",
        f"  in force from {rule['from']}{' until ' + rule['until'] if rule['until'] else ''} ({rule['status']})",
        f"  test: {words_of_test(rule)}",
    ]
    lines += [
        f"  except: {each['name']}: {' or '.join(' and '.join(box) for box in each['test'])}" for each in rule["except"]
    ]
    if rule["role"] != "control":
        lines.append(f"  role: {rule['role']}; it never makes an item controlled")
    if rule["meets"]:
        lines.append(f"  and meets: {', '.join(rule['meets'])}")
    if rule["unless"]:
        lines.append(f"  unless met elsewhere: {', '.join(rule['unless'])}")
    if rule["review"]:
        lines.append(f"  review: {rule['review'][0]} where met, else {rule['review'][1]}")
    published = ", ".join(rule["published"])
    lines.append(
        f"  {rule['citation']} (published {published}); checked {rule['verified']}, {rule['confidence']} confidence"
    )
    lines += [f"  {link}" for link in rule["links"]]
    if rule["note"]:
        lines += wrap(rule["note"], WIDTH, initial_indent="  note: ", subsequent_indent="  ")
    return "\n".join(lines)
