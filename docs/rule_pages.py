"""The rule book as pages, one a jurisdiction, made from its YAML: dates, tests and citations, never sentences of the law."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby

from perfcalc.fields import METRICS
from perfcalc.rulebook import modelled
from perfcalc.rulebook.book import FOLDER, Box, Instrument, Rule, RuleBook, load, read_yaml
from perfcalc.rulebook.licences import Area, Entry, read_groups, read_licences
from perfcalc.rulebook.overlay import Overlay, find, read, shipped

STATUS = {
    "in_force": "in force",
    "not_enforced": "**law, but not enforced** (asked with `--law codified`)",
    "suspended": "**suspended**",
    "proposed": "**proposed: not law**",
    "superseded": "superseded",
}
ROLES = {
    "definition": "a definition",
    "presumption": "a presumption",
    "notice": "a notice",
    "tariff": "a tariff",
    "review": "a line of licence review",
}


def rule_pages() -> dict[str, str]:
    """The pages of ``rules/`` by name, without the ending."""
    book = load()
    pages = {name: _text(_jurisdiction(book, name)) for name in book.jurisdictions}
    pages["index"] = _text(_index(book))
    pages["overlays"] = _text(_overlays())
    for name in book.jurisdictions:
        if read_licences(name) is not None:
            pages[f"{name}-licences"] = _text(_licences(book, name))
    return pages


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text that Markdown leaves alone."""
    return re.sub(r"([\\`*_\[\]<>|~$])", r"\\\1", text)


def _index(book: RuleBook) -> Iterator[str]:
    yield "# The rule book"
    yield ""
    yield (
        "Made from `perfcalc/rulebook/`: every paragraph in every version, with its days, status, test, citation, the day "
        "on which its text was last checked and how sure the encoding is. It restates facts in perfcalc's own words; the "
        "law is what the cited act says. `until` is the first day on which a version no longer held."
    )
    yield ""
    yield f"The book holds {len(book.rules)} versions; it was last checked on {book.checked}."
    yield ""
    yield "| list | page | versions of its own | also binding |"
    yield "|---|---|---|---|"
    for name in sorted(book.jurisdictions, key=lambda name: book.place(name).name):
        place = book.place(name)
        own = sum(rule.jurisdiction == name for rule in book.rules)
        included = ", ".join(f"[{code.upper()}]({code}.md)" for code in place.includes) or ""
        yield f"| {escaped(place.name)} | [{name.upper()}]({name}.md) | {own or ''} | {included} |"
    yield ""
    with_licences = [name for name in book.jurisdictions if read_licences(name) is not None]
    for name in with_licences:
        yield f"Licence requirements, exceptions and review: [{escaped(book.place(name).name)}]({name}-licences.md)."
        yield ""
    yield "Bills and proposals, which are not law: [overlays](overlays.md)."


def _jurisdiction(book: RuleBook, name: str) -> Iterator[str]:
    place, own = book.place(name), [rule for rule in book.rules if rule.jurisdiction == name]
    yield f"# {escaped(place.name)}"
    yield ""
    yield f"`--jurisdiction {name}`. The columns of results are `{name}_verdict`, `{name}_entries` and so on."
    yield ""
    for code in place.includes:
        yield f"The list of [{escaped(book.place(code).name)}]({code}.md) binds here too and is asked with this one."
        yield ""
    if place.note:
        yield f"{escaped(place.note)}"
        yield ""
    if read_licences(name) is not None:
        yield f"Requirements, exceptions and review of licences: [the licence table]({name}-licences.md)."
        yield ""
    if missing := [each for each in modelled.load().missing if each.jurisdiction == name]:
        yield "Known to exist and not in the book:"
        yield ""
        yield from (f"- {escaped(each.what)}: {escaped(each.why)}." for each in missing)
        yield ""
    if not own:
        yield "No paragraph of a national list is in the book."
        return
    yield from _summary(own, book.checked)
    for entry, rules in groupby(sorted(own, key=lambda rule: rule.entry), lambda rule: rule.entry):
        versions = list(rules)
        yield ""
        yield f"## {escaped(entry)}"
        yield ""
        reasons = f"Reasons for control: {', '.join(versions[0].reasons)}. " if versions[0].reasons else ""
        yield f"{reasons}[Where the text stands]({versions[0].url})."
        for paragraph, each in groupby(sorted(versions, key=_order), lambda rule: rule.paragraph):
            yield ""
            yield from _paragraph(paragraph, list(each))


def _order(rule: Rule) -> tuple[str, int]:
    return rule.paragraph, -rule.start.toordinal()


def _summary(own: list[Rule], day: date) -> Iterator[str]:
    """What is law on the day of the book, paragraph by paragraph."""
    now = [rule for rule in own if rule.in_force(day, "codified")]
    yield f"## In force on {day}"
    yield ""
    if not now:
        yield "Nothing that this book holds."
        return
    yield "| paragraph | asked of | test |"
    yield "|---|---|---|"
    for rule in sorted(now, key=_order):
        words = _short(rule) + (" (not enforced)" if rule.status == "not_enforced" else "")
        yield f"| [{escaped(rule.paragraph)}](#{anchor(rule)}) | {', '.join(rule.kinds)} | {words} |"


def anchor(rule: Rule) -> str:
    """Where a paragraph stands on its page."""
    return re.sub(r"[^a-z0-9]+", "-", f"{rule.jurisdiction}-{rule.paragraph}".casefold()).strip("-")


def _short(rule: Rule) -> str:
    if rule.unread or rule.none:
        return "numbers not read: `cannot_tell`" if rule.unread else "no such control"
    words = (
        f"contains {', '.join(map(escaped, rule.contains))}" if rule.contains else " or ".join(map(_box, rule.boxes))
    )
    words += f"; and {' or '.join(map(escaped, rule.meets))} is met" if rule.meets else ""
    return words + ("; with exceptions" if rule.exclusions or rule.unless else "")


def _paragraph(code: str, versions: list[Rule]) -> Iterator[str]:
    first = versions[0]
    yield f"({anchor(first)})="
    yield f"### {escaped(code)}"
    yield ""
    about = [f"{escaped(first.title)}.", f"Asked of {', '.join(f'`{kind}`' for kind in first.kinds)}"]
    about[-1] += "." if first.core else ", when the sheet carries a field that it tests."
    if first.role != "control":
        about.append(f"It is {ROLES[first.role]} and never makes an item controlled.")
    elif first.at_only:
        about.append("Anti-terrorism only: it is listed and never makes an item controlled.")
    yield " ".join(about)
    for rule in versions:
        yield ""
        yield from _version(rule)


def _version(rule: Rule) -> Iterator[str]:
    yet = "" if rule.start <= load().checked else ", not yet"
    yield f"**From {rule.start}{f' until {rule.end}' if rule.end else ''}**, {STATUS[rule.status]}{yet}"
    yield ""
    if rule.boxes:
        yield "- Met if " + ", or ".join(map(_box, rule.boxes))
    if rule.contains:
        yield f"- Met if it contains an IC of {' or '.join(map(escaped, rule.contains))}"
    if rule.meets:
        yield f"- Only where one of these is met: {', '.join(map(escaped, rule.meets))}"
    if rule.unread:
        yield f"- Numbers not read, so the answer is `cannot_tell`: {escaped(rule.unread)}"
    if rule.none:
        yield f"- No such control: {escaped(rule.none)}"
    for exclusion in rule.exclusions:
        yield f"- Except {escaped(exclusion.name)}: {', or '.join(map(_box, exclusion.boxes))}"
    if rule.unless:
        yield f"- Unless met elsewhere: {', '.join(map(escaped, rule.unless))}"
    if rule.review:
        yield f"- Review: {escaped(rule.review[0])} where met, else {escaped(rule.review[1])}"
    if rule.measures:
        yield f"- Asked of a sheet that carries {', '.join(f'`{name}`' for name in rule.measures)}"
    yield from _papers(rule.instruments, rule.verified, rule.confidence, rule.note)


def _papers(acts: Iterable[Instrument], verified: date, confidence: str, note: str) -> Iterator[str]:
    for act in acts:
        yield f"- Source: [{escaped(act.citation)}]({act.url}), {escaped(act.title)}, published {act.published}"
    yield f"- Text checked on {verified}; confidence {confidence}"
    if note:
        yield f"- Note: {escaped(' '.join(note.split()))}"


def _box(box: Box) -> str:
    return " and ".join(
        f"`{condition.metric} {condition.operator} {condition.limit_text}`{_unit(condition.metric)}"
        + (f" (there {escaped(condition.hands_over_to)} takes over)" if condition.hands_over_to else "")
        for condition in box
    )


def _unit(name: str) -> str:
    metric = METRICS.get(name)
    return f" {metric.unit}" if metric is not None and metric.unit and metric.unit != "TPP" else ""


def _overlays() -> Iterator[str]:
    yield "# Bills and proposals"
    yield ""
    yield (
        "Overlays that ship with perfcalc. **None of them is law.** `--rules NAME` lays one over the rule book, and every "
        "answer given with it is marked as hypothetical. [How to write one](../guide/overlays.md)."
    )
    for name in shipped():
        yield ""
        yield from _overlay(name, read(find(name)))


def _overlay(name: str, overlay: Overlay) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    yield f"[{escaped(overlay.title)}]({overlay.url}). {escaped(overlay.note)}"
    for end in overlay.ends:
        yield ""
        yield f"Ends {escaped(end.paragraph)} on {end.day}."
    for rule in overlay.rules:
        yield ""
        yield f"### {escaped(rule.paragraph)}"
        yield ""
        yield f"{escaped(rule.title)}. Asked of {', '.join(f'`{kind}`' for kind in rule.kinds)}. Hypothetical: not law."
        yield ""
        # An overlay is read as if it were in force; a page says what it is.
        yield from (line.replace(STATUS["in_force"], "laid over the book as if it were law") for line in _version(rule))


def _licences(book: RuleBook, name: str) -> Iterator[str]:
    requirements, exceptions, reviews = read_licences(name) or ((), (), ())
    levels = read_yaml(FOLDER / name / "licences" / "requirements.yaml").get("levels", {})
    yield f"# {escaped(book.place(name).name)}: licences"
    yield ""
    yield (
        "What `--destination` and `--end-user-hq` ask. The numbers of an item are tested; conditions beyond them are "
        "named and not decided. `until` is the first day on which a line no longer held."
    )
    for level, codes in levels.items():
        yield ""
        yield f"**Level {level}** is {', '.join(map(escaped, codes))}."
    for title, entries, both in (
        ("Licence requirements", requirements, "or"),
        ("Licence exceptions", exceptions, "or"),
        ("Review of applications", reviews, "and"),
    ):
        yield ""
        yield f"## {title}"
        for entry in entries:
            yield ""
            yield from _line(entry, levels, both)
    groups = read_groups(name)
    yield ""
    yield "## Country groups"
    yield ""
    yield f"As they stood on {groups.as_of}; earlier days are found from the changes below."
    yield ""
    yield "| group | members |"
    yield "|---|---|"
    for group, members in groups.members.items():
        yield f"| {group} | {' '.join(sorted(members))} |"
    yield ""
    yield "| country | from | joins | leaves | source | confidence |"
    yield "|---|---|---|---|---|---|"
    for each in groups.changes:
        day = f"{each.known_from}"
        if each.unknown_from != each.known_from:
            day = f"some day from {each.unknown_from}, known on {each.known_from}"
        joins, leaves = ", ".join(each.joins), ", ".join(each.leaves)
        yield f"| {each.country} | {day} | {joins} | {leaves} | {escaped(each.citation)} | {each.confidence} |"


def _line(entry: Entry, levels: Mapping[str, Sequence[str]], both: str) -> Iterator[str]:
    word = f" ({escaped(entry.word)})" if entry.word and entry.word not in entry.paragraph else ""
    yield (
        f"**{escaped(entry.paragraph)}**{word}, from {entry.start}{f' until {entry.end}' if entry.end else ''}, "
        + (STATUS[entry.status])
    )
    yield ""
    if entry.applies_to:
        yield f"- For {_codes(entry.applies_to, levels)}"
    for line in entry.lines:
        words = f"- For {_codes(line.paragraphs, levels)}"
        words += f", where {' and '.join(map(escaped, line.when))}" if line.when else ""
        yield words + (f", and {', '.join(map(escaped, line.beside))} too" if line.beside else "")
    if entry.without:
        yield f"- Not where it meets {_codes(entry.without, levels)}"
    if entry.when:
        yield f"- Where met: {', '.join(map(escaped, entry.when))}"
    if entry.when_not:
        yield f"- Where not met: {', '.join(map(escaped, entry.when_not))}"
    for words, area in (
        ("Destination", entry.destinations),
        (
            f"{f'{both.capitalize()} h' if entry.destinations else 'H'}eadquarters of the end user or its parent",
            entry.headquarters,
        ),
        ("Headquarters, besides", entry.and_headquarters),
        ("Headquarters not in", entry.not_headquarters),
    ):
        if area is not None:
            yield f"- {words}: {_area(area)}"
    for words, text in (
        ("Not in the book, so the answer is `not_modelled`", entry.unread),
        ("Depends on who is asked", entry.individual),
        ("Beyond the numbers", entry.beyond),
    ):
        if text:
            yield f"- {words}: {escaped(' '.join(text.split()))}"
    yield from _papers(entry.instruments, entry.verified, entry.confidence, entry.note)


def _codes(codes: Sequence[str], levels: Mapping[str, Sequence[str]]) -> str:
    """Paragraphs, with a whole level called by its name."""
    said, rest = [], list(codes)
    for level, members in levels.items():
        if set(members) <= set(rest):
            said.append(f"level {level}")
            rest = [code for code in rest if code not in members]
    return ", ".join((*said, *map(escaped, rest)))


def _area(area: Area) -> str:
    words = ", ".join(area.any)
    words += f", but not {', '.join(area.without)}" if area.without else ""
    return words + (f", and {', '.join(area.also)}" if area.also else "")
