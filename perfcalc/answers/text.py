"""Answers as text that fits a terminal and can be pasted into a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import fill, wrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from perfcalc.answers.explain import ClauseTrace, Explanation, JurisdictionTrace, ParagraphTrace

WIDTH: Final = 100
STATE_WORDS: Final = {"met": "MET", "failed": "not met", "open": "OPEN"}
VERDICT_WORDS: Final = {
    "controlled": "CONTROLLED",
    "not_controlled": "not controlled",
    "cannot_tell": "CANNOT TELL",
    "not_modelled": "NOT MODELLED",
}


def explanation_text(explanation: Explanation) -> str:
    """The whole explanation, paragraph by paragraph."""
    return "\n".join(line.rstrip() for line in _explanation_lines(explanation))


def _explanation_lines(explanation: Explanation) -> Iterator[str]:
    heading = f"{explanation.item} ({explanation.kind}) as of {explanation.as_of}"
    if explanation.law != "enforced":
        heading += f", law as {explanation.law}"
    yield heading
    yield "=" * len(heading)
    if explanation.hypothetical:
        overlays = "; ".join(explanation.hypothetical)
        yield from wrap(f"HYPOTHETICAL: with {overlays} laid over the rule book. Not law.", WIDTH)
    for jurisdiction in explanation.jurisdictions:
        yield ""
        yield f"{jurisdiction.jurisdiction.upper()}: {VERDICT_WORDS[jurisdiction.verdict]}"
        yield from _paragraph(jurisdiction.reason)
        if jurisdiction.margin is not None:
            yield from _paragraph(_margin_words(jurisdiction))
    if explanation.declared_eccn is not None:
        said = explanation.declared_eccn
        because = f": {said['because']}" if said["because"] else ""
        yield ""
        yield f"Declared ECCN: {said['declared'] or 'none'}"
        yield from _paragraph(f"{said['check'].replace('_', ' ')}{because}")
    yield from _section("What the sheet says")
    yield from _listing(explanation.fields.items())
    if explanation.problems:
        yield from _paragraph(f"Could not be read, so counts as unknown: {explanation.problems}")
    yield from _section("What was computed")
    for line in explanation.arithmetic:
        yield from wrap(line, WIDTH, initial_indent="  ", subsequent_indent="      ")
    for jurisdiction in explanation.jurisdictions:
        yield from _section(f"Every paragraph asked, {jurisdiction.jurisdiction.upper()}")
        for paragraph in jurisdiction.paragraphs:
            if paragraph.role == "control":
                yield from _paragraph_lines(paragraph)
        if flags := [paragraph for paragraph in jurisdiction.paragraphs if paragraph.role != "control"]:
            yield from _section(f"What does not decide the verdict, {jurisdiction.jurisdiction.upper()}")
            for paragraph in flags:
                yield from _paragraph_lines(paragraph)
    yield from _section("Readings where the law is open")
    yield from _paragraph(", ".join(f"{name}={option}" for name, option in explanation.readings.items()))
    for jurisdiction in explanation.jurisdictions:
        turned = [f"{change} gives {verdict}" for change, verdict in jurisdiction.turned_by.items()]
        words = "; ".join(turned) if turned else "no other reading changes the verdict"
        yield from _paragraph(f"{jurisdiction.jurisdiction.upper()}: {words}.")
    if explanation.origin is not None and explanation.origin["origin"] != "not_applicable":
        from perfcalc.answers.origin import origin_lines

        yield from _section("Where it was likely made (never part of a verdict)")
        yield from origin_lines(explanation.origin)
    yield ""
    yield from wrap("Computed from the figures above in exact arithmetic. Not legal advice.", WIDTH)


def _margin_words(jurisdiction: JurisdictionTrace) -> str:
    percent = 100 * abs(jurisdiction.margin or 0.0)
    if jurisdiction.verdict == "controlled":
        return f"Margin: {percent:.1f} % above the last line that it would have to fall below to be free."
    return f"Margin: {percent:.1f} % short of the nearest line."


def _section(title: str) -> Iterator[str]:
    yield ""
    yield title
    yield "-" * len(title)


def _paragraph(text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ")


def _listing(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    pairs = list(pairs)
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        yield fill(value, WIDTH, initial_indent=f"  {name:<{width}}  ", subsequent_indent=" " * (width + 4))


def _paragraph_lines(paragraph: ParagraphTrace) -> Iterator[str]:
    at_only = ", anti-terrorism only" if paragraph.at_only else ""
    role = "" if paragraph.role == "control" else f" ({paragraph.role})"
    yield from wrap(
        f"{paragraph.paragraph}: {STATE_WORDS[paragraph.state]}   {paragraph.title}{at_only}{role}",
        WIDTH,
        initial_indent="  ",
        subsequent_indent="      ",
    )
    for position, box in enumerate(paragraph.boxes):
        if position:
            yield "      or"
        yield from (_clause_line(clause, "      ") for clause in box)
    if paragraph.contains:
        yield f"      contains an IC that meets {' or '.join(paragraph.contains)}"
    if paragraph.meets:
        yield f"      and meets {' or '.join(paragraph.meets)}"
    if paragraph.none:
        yield from wrap(
            f"no such control: {paragraph.none}", WIDTH, initial_indent="      ", subsequent_indent="      "
        )
    if paragraph.unread:
        yield from wrap(f"not decided: {paragraph.unread}", WIDTH, initial_indent="      ", subsequent_indent="      ")
    for name, boxes in paragraph.exclusions:
        yield from wrap(f"unless {name}:", WIDTH, initial_indent="      ", subsequent_indent="        ")
        for box in boxes:
            yield from (_clause_line(clause, "        ") for clause in box)
    if paragraph.unless:
        yield f"      unless met elsewhere: {', '.join(paragraph.unless)}"
    until = f" until {paragraph.valid_until}" if paragraph.valid_until else ""
    yield from wrap(
        f"{paragraph.citation}, in force from {paragraph.valid_from}{until}; text checked {paragraph.verified}, "
        f"confidence {paragraph.confidence}",
        WIDTH,
        initial_indent="      ",
        subsequent_indent="      ",
    )
    yield f"      {paragraph.links[0]}"
    if paragraph.note:
        yield from wrap(f"note: {paragraph.note}", WIDTH, initial_indent="      ", subsequent_indent="      ")


def _clause_line(clause: ClauseTrace, indent: str) -> str:
    from perfcalc.answers.numbers import interval_text
    from perfcalc.fields import FIELDS

    field = FIELDS.get(clause.metric)
    if field is not None and field.type == "choice":
        value = field.choices[int(clause.low)] if clause.low == clause.high else "unknown"
    elif clause.low != clause.low:
        value = "does not exist"
    else:
        value = interval_text(clause.low, clause.high)
    margin = f"{100 * clause.margin:+.1f} %" if clause.margin is not None else ""
    condition = f"{clause.metric} {clause.operator} {clause.limit}"
    return f"{indent}{condition:<44} {value:>18}  {STATE_WORDS[clause.state]:<8}{margin:>10}"
