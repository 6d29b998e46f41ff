"""Load the rule book: one YAML file a control-list entry, in folders shaped like the law."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from perfcalc.errors import InputError
from perfcalc.fields import FIELDS, Kind
from perfcalc.rulebook import folders
from perfcalc.rulebook.folders import digest_of, folder_in_use, rule_files

Operator = Literal[">=", ">", "<=", "<", "="]
Status = Literal["in_force", "not_enforced", "suspended", "proposed", "superseded"]

OPERATORS: Final[tuple[Operator, ...]] = (">=", ">", "<=", "<", "=")
STATUSES: Final[tuple[Status, ...]] = ("in_force", "not_enforced", "suspended", "proposed", "superseded")
CONFIDENCES: Final = ("high", "medium", "low")

Role = Literal["control", "definition", "presumption", "tariff", "review", "notice"]
Law = Literal["enforced", "codified"]

#: What a paragraph does. Only a control can make an item controlled; the rest, but for review, are flags.
ROLES: Final[tuple[Role, ...]] = ("control", "definition", "presumption", "tariff", "review", "notice")

#: Statuses that were or are law on the days of their validity. Codified law has rules that are not enforced.
LAW: Final = frozenset(("in_force", "superseded"))
LAYERS: Final[dict[Law, frozenset[str]]] = {"enforced": LAW, "codified": LAW | {"not_enforced"}}

#: Files of a jurisdiction's folder that hold no paragraphs.
NOT_ENTRIES: Final = ("instruments.yaml", "jurisdiction.yaml", "country_groups.yaml")

FOLDER: Final = folders.FOLDER
OVERLAYS: Final = folders.OVERLAYS


@dataclass(frozen=True)
class Condition:
    """One side of a box: ``metric operator limit``.

    Attributes
    ----------
    limit
        Exact, from the decimal text of the file. A choice such as ``yes`` is its code in `perfcalc.fields`.
    hands_over_to
        The paragraph that takes over beyond an upper limit (3A090.b ends where 3A090.a begins). Such a limit
        chooses the paragraph; it never frees the item.
    """

    metric: str
    operator: Operator
    limit: Fraction
    hands_over_to: str | None = None

    @property
    def limit_text(self) -> str:
        """The limit as the law writes it."""
        field = FIELDS.get(self.metric)
        if field is not None and field.type == "choice":
            return field.choices[int(self.limit)]
        value = float(self.limit)
        return f"{value:,.12g}" if value >= 0.001 else f"{value:.12g}"


Box = tuple[Condition, ...]


@dataclass(frozen=True)
class Exclusion:
    """A note that takes items out of a paragraph: out, if any of its boxes is met."""

    name: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Instrument:
    """The legal act that made a version of a rule."""

    citation: str
    title: str
    published: date
    url: str


@dataclass(frozen=True)
class Rule:
    """One version of one paragraph, with everything needed to judge by it and to defend it.

    Attributes
    ----------
    start, end
        Valid on days with ``start <= day < end``; `end` is None while the version is open.
    boxes
        Met, if any of these boxes is.
    exclusions
        Not met, if any of these is.
    unless
        Not met, where one of these paragraphs is ("not elsewhere specified").
    contains
        For a computer or board: met, if one of its ICs meets these paragraphs.
    unread
        The paragraph is known to exist but its numbers were not read in a source: why. It answers `cannot_tell`.
    core
        Always asked of items of its kinds; other paragraphs are asked when the sheet carries a field they test.
    meets
        Met only where one of these paragraphs is met as well (the .z paragraphs mirror 3A090 and 4A090).
    measures
        For an unread paragraph that is not core: what it measures. It is asked when the sheet carries a field of it.
    role
        See `ROLES`.
    review
        For a licence review line: the words for met and failed. It never makes an item controlled.
    none
        The list was read, or reported, and holds no such control in these days: by whom. It is never met, and being
        core it makes the answer `not_controlled` where silence would be `not_modelled`.
    overlay
        The overlay that put this version into the book (`perfcalc.rulebook.overlay`): hypothetical law.
    """

    jurisdiction: str
    entry: str
    paragraph: str
    title: str
    kinds: tuple[Kind, ...]
    reasons: tuple[str, ...]
    core: bool
    start: date
    end: date | None
    status: Status
    boxes: tuple[Box, ...]
    exclusions: tuple[Exclusion, ...]
    unless: tuple[str, ...]
    contains: tuple[str, ...]
    unread: str
    review: tuple[str, str] | None
    destinations: tuple[str, ...]
    instruments: tuple[Instrument, ...]
    verified: date
    confidence: str
    note: str
    url: str
    meets: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    role: Role = "control"
    none: str = ""
    overlay: str = ""

    @property
    def at_only(self) -> bool:
        """Controlled for anti-terrorism reasons only: reported, but never a verdict of `controlled`."""
        return self.reasons == ("AT",)

    @property
    def citation(self) -> str:
        """The legal acts, as people cite them."""
        return "; ".join(instrument.citation for instrument in self.instruments)

    @property
    def is_flag(self) -> bool:
        """Reported beside the verdict: neither a control nor a review line."""
        return self.role not in ("control", "review")

    def in_force(self, day: date, law: Law = "enforced") -> bool:
        """Whether this version was law on `day`, as enforced or as codified."""
        return self.status in LAYERS[law] and self.start <= day and (self.end is None or day < self.end)

    def conditions(self) -> Iterator[Condition]:
        """Every condition of the paragraph and of its exclusions."""
        for box in (*self.boxes, *(box for exclusion in self.exclusions for box in exclusion.boxes)):
            yield from box


@dataclass(frozen=True)
class Jurisdiction:
    """What a folder's ``jurisdiction.yaml`` says of it.

    Attributes
    ----------
    includes
        Other jurisdictions whose lists bind here too, as Annex I of the EU does in every member state.
    note
        What is not modelled, and why.
    """

    code: str
    name: str
    includes: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class RuleBook:
    """Every version of every paragraph of every jurisdiction, in principal order."""

    rules: tuple[Rule, ...]
    digest: str
    places: Mapping[str, Jurisdiction] = field(default_factory=dict)
    #: Titles of the overlays laid on it; with any, every answer is hypothetical.
    overlays: tuple[str, ...] = ()

    @property
    def jurisdictions(self) -> tuple[str, ...]:
        """Jurisdictions with a folder of their own."""
        return tuple(sorted({rule.jurisdiction for rule in self.rules} | set(self.places)))

    @property
    def checked(self) -> date:
        """The day of the book itself: the latest on which any of its texts was checked."""
        return max(rule.verified for rule in self.rules)

    def place(self, jurisdiction: str) -> Jurisdiction:
        """What is known of a jurisdiction beside its rules."""
        return self.places.get(jurisdiction, Jurisdiction(jurisdiction, jurisdiction.upper()))

    def of(self, jurisdiction: str) -> tuple[Rule, ...]:
        """Every version that binds in a jurisdiction: its own, and those of the lists that it includes.

        That another list holds no such control says nothing of the jurisdiction's own list, so such a statement
        stays where it is made.
        """
        included = self.place(jurisdiction).includes
        chosen = (
            rule
            for rule in self.rules
            if rule.jurisdiction == jurisdiction or (rule.jurisdiction in included and not rule.none)
        )
        return tuple(sorted(chosen, key=principal_order))

    def on(self, jurisdiction: str, day: date, law: Law = "enforced") -> tuple[Rule, ...]:
        """The law of one jurisdiction on one day, as enforced or as codified."""
        return tuple(rule for rule in self.of(jurisdiction) if rule.in_force(day, law))

    def dates(self, jurisdiction: str | None = None) -> tuple[date, ...]:
        """Every day on which something changes."""
        chosen = self.rules if jurisdiction is None else self.of(jurisdiction)
        starts = {rule.start for rule in chosen}
        return tuple(sorted(starts | {rule.end for rule in chosen if rule.end is not None}))


def load() -> RuleBook:
    """The rule book that ships with perfcalc; within `law_from`, that of another folder."""
    return _load(folder_in_use())


@cache
def _load(folder: Path) -> RuleBook:
    return read_folder(folder)


def read_folder(folder: Path) -> RuleBook:
    """Read a folder of jurisdictions, each a folder of entries.

    Raises
    ------
    InputError
        A file does not have the form described in CONTRIBUTING.md.
    """
    rules: list[Rule] = []
    for path in rule_files(folder):
        if path.name not in NOT_ENTRIES and path.parent.parent == folder:
            rules.extend(_read_entry(path, instruments_of(path.parent)))
    rules.sort(key=lambda rule: (rule.jurisdiction, *principal_order(rule)))
    return RuleBook(
        tuple(rules),
        digest_of(folder),
        {path.parent.name: _place(path) for path in folder.glob("*/jurisdiction.yaml")},
    )


def principal_order(rule: Rule) -> tuple[bool, bool, bool, str]:
    """What sorts the paragraphs of a jurisdiction: those that make an item controlled, core first, by entry."""
    return rule.role != "control", rule.at_only, not rule.core, rule.entry


def _place(path: Path) -> Jurisdiction:
    text = read_yaml(path)
    return Jurisdiction(path.parent.name, text["name"], tuple(text.get("includes", ())), text.get("note", ""))


def read_yaml(path: Path) -> Any:
    """Parse one file of the rule book."""
    try:
        return yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not YAML: {error}", "correct the file where the message points") from error


@cache
def instruments_of(folder: Path) -> dict[str, Instrument]:
    """The acts that a jurisdiction's files cite."""
    table = read_yaml(folder / "instruments.yaml")
    return {
        citation: Instrument(citation, entry["title"], entry["published"], entry["url"])
        for citation, entry in table.items()
    }


def _read_entry(path: Path, instruments: Mapping[str, Instrument]) -> Iterator[Rule]:
    text = read_yaml(path)
    try:
        for code, paragraph in text["paragraphs"].items():
            for version in paragraph["versions"]:
                yield _read_version(path, text, code, paragraph, version, instruments)
    except KeyError as error:
        raise InputError(
            f"{path}: {error} is missing or not known", "see 'How to add a rule' in CONTRIBUTING.md"
        ) from error


def _read_version(
    path: Path, entry: Any, code: str, paragraph: Any, version: Any, instruments: Mapping[str, Instrument]
) -> Rule:
    review = version.get("review")
    return Rule(
        jurisdiction=path.parent.name,
        entry=str(entry["entry"]),
        paragraph=code,
        title=paragraph.get("title", entry["title"]),
        kinds=tuple(paragraph["kinds"]),
        reasons=tuple(entry["reasons"]),
        core=bool(version.get("core", paragraph.get("core", False))),
        start=version["from"],
        end=version["until"],
        status=version["status"],
        boxes=tuple(_boxes(path, version.get("test", ()))),
        exclusions=tuple(
            Exclusion(exclusion["name"], tuple(_boxes(path, exclusion["test"])))
            for exclusion in version.get("except", ())
        ),
        unless=tuple(version.get("unless", ())),
        contains=tuple(version.get("contains", ())),
        unread=version.get("unread", ""),
        review=None if review is None else (review["met"], review["failed"]),
        destinations=tuple(version.get("destinations", ())),
        instruments=tuple(instruments[citation] for citation in version["citation"]),
        verified=version["verified"],
        confidence=version["confidence"],
        note=version.get("note", ""),
        url=entry["text"],
        meets=tuple(version.get("meets", ())),
        measures=tuple(version.get("measures", ())),
        role=paragraph.get("role", "control" if review is None else "review"),
        none=version.get("none", ""),
    )


def _boxes(path: Path, test: Iterable[Mapping[str, Mapping[str, Any]]]) -> Iterator[Box]:
    for box in test:
        yield tuple(
            Condition(metric, operator, _limit(path, metric, limits[operator]), _successor(operator, limits))
            for metric, limits in box.items()
            for operator in OPERATORS
            if operator in limits
        )


def _successor(operator: str, limits: Mapping[str, Any]) -> str | None:
    return limits.get("hands_over_to") if operator in ("<", "<=") else None


def _limit(path: Path, metric: str, value: Any) -> Fraction:
    field = FIELDS.get(metric)
    try:
        if field is not None and field.type == "choice":
            return Fraction(field.choices.index(value))
        return Fraction(str(value))
    except ValueError as error:
        raise InputError(
            f"{path}: {value!r} is not a limit of {metric}", "write a decimal number, or one of the field's choices"
        ) from error
