"""Overlays: a bill, a proposal or a rule of one's own, laid over the rule book to see whom it would move.

An overlay never becomes law by being read: every answer given with one is marked as hypothetical.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeAlias

from perfcalc.errors import InputError
from perfcalc.rulebook import book as books
from perfcalc.rulebook.book import Instrument, Rule, RuleBook
from perfcalc.rulebook.lint import Finding, lint

#: Overlays that ship with perfcalc are found here by name.
FOLDER: Final = books.FOLDER / books.OVERLAYS

#: Files, names of overlays that ship, or a rule book that is ready.
Overlays: TypeAlias = Sequence[str | Path] | RuleBook

KEYS: Final = frozenset(("title", "jurisdiction", "text", "note", "instruments", "ends", "entries"))
REQUIRED: Final = frozenset(("title", "jurisdiction", "text", "instruments"))


@dataclass(frozen=True)
class End:
    """A paragraph of the book that ceases to apply."""

    paragraph: str
    day: date


@dataclass(frozen=True)
class Overlay:
    """One overlay.

    Attributes
    ----------
    rules
        Versions that it adds. One of a paragraph that the book has replaces the book's for its days.
    ends
        Paragraphs that it ends.
    """

    name: str
    title: str
    jurisdiction: str
    url: str
    note: str
    rules: tuple[Rule, ...]
    ends: tuple[End, ...]
    digest: str


def shipped() -> tuple[str, ...]:
    """The names of the overlays that ship with perfcalc."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def overlaid(overlays: Overlays) -> RuleBook:
    """The rule book that ships, with overlays on it in the order given.

    Raises
    ------
    InputError
        A file is absent or not an overlay.
    """
    if isinstance(overlays, RuleBook):
        return overlays
    if isinstance(overlays, (str, Path)):
        overlays = (overlays,)
    book = books.load()
    for each in overlays:
        book = apply(book, read(find(each)))
    return book


def find(name: str | Path) -> Path:
    """The file of an overlay, from its path or from the name of one that ships."""
    path, shipping = Path(name), FOLDER / f"{name}.yaml"
    if path.is_file():
        return path
    if path.name == str(name) and shipping.is_file():
        return shipping
    raise InputError(f"no overlay {str(name)!r}", f"give a file, or one of {', '.join(shipped())}")


def read(path: Path) -> Overlay:
    """Read one overlay.

    Raises
    ------
    InputError
        It does not have the form of an overlay; the message says where.
    """
    text = books.read_yaml(path)
    if not isinstance(text, dict) or REQUIRED - set(text):
        raise InputError(
            f"{path}: not an overlay", f"it must say {', '.join(sorted(REQUIRED))}; see perfcalc/rulebook/overlays/"
        )
    if strange := set(text) - KEYS:
        raise InputError(
            f"{path}: {', '.join(map(repr, sorted(strange)))} is not a key of an overlay", f"use {sorted(KEYS)}"
        )
    try:
        overlay = Overlay(
            name=path.stem,
            title=str(text["title"]),
            jurisdiction=str(text["jurisdiction"]),
            url=str(text["text"]),
            note=str(text.get("note", "")),
            rules=tuple(_rules(path, text)),
            ends=tuple(End(str(end["paragraph"]), _day(end["day"])) for end in text.get("ends", ())),
            digest=hashlib.sha256(path.read_bytes()).hexdigest(),
        )
    except InputError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(
            f"{path}: {error} is missing or not of its form", "compare it with the files in perfcalc/rulebook/overlays/"
        ) from error
    if not overlay.rules and not overlay.ends:
        raise InputError(f"{path}: neither adds nor ends anything", "give it 'entries' or 'ends'")
    return overlay


def _rules(path: Path, text: Any) -> Iterator[Rule]:
    instruments = {
        citation: Instrument(citation, entry["title"], _day(entry["published"]), entry["url"])
        for citation, entry in text["instruments"].items()
    }
    for entry in text.get("entries", ()):
        for code, paragraph in entry["paragraphs"].items():
            for version in paragraph["versions"]:
                _day(version["from"])
                if version["until"] is not None:
                    _day(version["until"])
                # The form of a version is the rule book's own, so its reader reads it.
                rule = books._read_version(path, {"text": text["text"]} | entry, code, paragraph, version, instruments)  # noqa: SLF001
                yield replace(rule, jurisdiction=str(text["jurisdiction"]), status="in_force", overlay=path.stem)


def _day(value: Any) -> date:
    if not isinstance(value, date):
        raise TypeError(f"{value!r} (not a day, YYYY-MM-DD)")
    return value


def apply(book: RuleBook, overlay: Overlay) -> RuleBook:
    """A book with an overlay on it; neither is changed.

    For the days of a version that the overlay brings, the book's versions of the same paragraph do not apply.
    """
    rules = list(book.rules)
    for end in overlay.ends:
        rules = [part for rule in rules for part in _without(rule, overlay.jurisdiction, end.paragraph, end.day, None)]
    for new in overlay.rules:
        at = _place(rules, new)
        before, after = (
            [part for rule in some for part in _without(rule, new.jurisdiction, new.paragraph, new.start, new.end)]
            for some in (rules[:at], rules[at:])
        )
        rules = [*before, new, *after]
    digest = hashlib.sha256(f"{book.digest}{overlay.digest}".encode()).hexdigest()
    return replace(book, rules=tuple(rules), digest=digest, overlays=(*book.overlays, overlay.title))


def _place(rules: Sequence[Rule], new: Rule) -> int:
    """Where a version goes: before the paragraph that it replaces, else after those that make an item controlled."""
    own = [at for at, rule in enumerate(rules) if rule.jurisdiction == new.jurisdiction]
    same = [at for at in own if rules[at].paragraph == new.paragraph]
    last = [at for at in own if rules[at].at_only or rules[at].review] if not new.at_only and not new.review else []
    return (same or last or [own[-1] + 1 if own else len(rules)])[0]


def _without(rule: Rule, jurisdiction: str, paragraph: str, start: date, end: date | None) -> Iterator[Rule]:
    """What is left of a version when some days are taken out of it."""
    if (rule.jurisdiction, rule.paragraph) != (jurisdiction, paragraph):
        yield rule
        return
    if rule.start < start:
        yield replace(rule, end=start if rule.end is None else min(rule.end, start))
    if end is not None and (rule.end is None or end < rule.end):
        yield replace(rule, start=max(rule.start, end))


def lint_overlay(overlay: Overlay, book: RuleBook, today: date) -> list[Finding]:
    """Everything wrong with an overlay, and with the book once it lies on it."""
    findings = []
    for end in overlay.ends:
        where = f"{overlay.jurisdiction} {end.paragraph}"
        versions = [
            rule for rule in book.rules if (rule.jurisdiction, rule.paragraph) == (overlay.jurisdiction, end.paragraph)
        ]
        if not versions:
            findings.append(Finding("error", where, "ended by the overlay, but not in the book"))
        elif all(rule.end is not None and rule.end <= end.day for rule in versions):
            findings.append(Finding("warning", where, f"ended by the overlay on {end.day}, when it no longer applies"))
    before = {(each.level, each.where, each.what) for each in lint(book, today)}
    findings += [
        each for each in lint(apply(book, overlay), today) if (each.level, each.where, each.what) not in before
    ]
    return sorted(findings, key=lambda finding: (finding.level != "error", finding.where))
