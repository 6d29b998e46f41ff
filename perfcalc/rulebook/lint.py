"""Check the rule book: whatever a machine can see wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise

from perfcalc.fields import FIELDS, KINDS, METRICS
from perfcalc.rulebook.book import CONFIDENCES, ROLES, STATUSES, Rule, RuleBook

#: A text checked longer ago than this is reported as stale.
STALE = timedelta(days=365)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or that a reader should know."""

    level: str
    where: str
    what: str


def lint(book: RuleBook, today: date) -> list[Finding]:
    """Everything found, errors first."""
    findings = [finding for rule in book.rules for finding in _lint_rule(rule, book, today)]
    for place in book.places.values():
        findings.extend(
            Finding("error", place.code, f"includes {code}, which has no folder")
            for code in place.includes
            if code not in book.jurisdictions
        )
    ordered = sorted(book.rules, key=lambda rule: (rule.jurisdiction, rule.paragraph, rule.start))
    for _, versions in groupby(ordered, lambda rule: (rule.jurisdiction, rule.paragraph)):
        findings.extend(_lint_versions(list(versions)))
    for jurisdiction in book.jurisdictions:
        findings.extend(_lint_holes(book, jurisdiction))
    return sorted(findings, key=lambda finding: (finding.level != "error", finding.where))


def _lint_rule(rule: Rule, book: RuleBook, today: date) -> Iterator[Finding]:
    where = f"{rule.jurisdiction} {rule.paragraph} from {rule.start}"
    codes = {each.paragraph for each in book.of(rule.jurisdiction)}

    def error(what: str) -> Finding:
        return Finding("error", where, what)

    if rule.end is not None and rule.end <= rule.start:
        yield error(f"ends on {rule.end}, before it begins")
    if rule.status not in STATUSES:
        yield error(f"status {rule.status!r} is none of {', '.join(STATUSES)}")
    if rule.status == "superseded" and rule.end is None:
        yield error("superseded, but has no last day")
    if rule.confidence not in CONFIDENCES:
        yield error(f"confidence {rule.confidence!r} is none of {', '.join(CONFIDENCES)}")
    if rule.role not in ROLES:
        yield error(f"role {rule.role!r} is none of {', '.join(ROLES)}")
    if not rule.instruments:
        yield error("no citation")
    if not all(each.url.startswith("https://") or each.url.startswith("http://") for each in rule.instruments):
        yield error("an instrument without a link")
    if rule.verified < min((each.published for each in rule.instruments), default=rule.verified):
        yield error("checked before it was published")
    if not rule.boxes and not rule.contains and not rule.unread and not rule.none:
        yield error("neither a test nor a reason why its numbers were not read")
    if rule.none and (rule.boxes or rule.contains or rule.unread or not rule.core):
        yield error("says that there is no such control, but holds one (or is not core, and so never heard)")
    if rule.unread and not rule.core and not rule.measures:
        yield error("unread, neither core nor with `measures`: it would never be asked")
    if rule.unread and rule.boxes:
        yield error("unread, but has numbers")
    if set(rule.kinds) - set(KINDS) or not rule.kinds:
        yield error(f"kinds {rule.kinds} are not all of {', '.join(KINDS)}")
    for condition in rule.conditions():
        if condition.metric not in FIELDS and condition.metric not in METRICS:
            yield error(f"tests {condition.metric!r}, which perfcalc.fields does not know")
        if condition.hands_over_to is not None and condition.hands_over_to not in codes:
            yield error(f"hands over to {condition.hands_over_to}, which is not in the book")
    for name in rule.measures:
        if name not in FIELDS and name not in METRICS:
            yield error(f"measures {name!r}, which perfcalc.fields does not know")
    for code in (*rule.unless, *rule.contains, *rule.meets):
        if code not in codes:
            yield error(f"refers to {code}, which is not in the book")
    if rule.end is None and today - rule.verified > STALE:
        yield Finding("warning", where, f"text last checked on {rule.verified}")


def _lint_versions(versions: list[Rule]) -> Iterator[Finding]:
    for earlier, later in pairwise(versions):
        where = f"{later.jurisdiction} {later.paragraph} from {later.start}"
        if earlier.end is None or earlier.end > later.start:
            yield Finding("error", where, f"overlaps the version from {earlier.start}")
        elif earlier.end < later.start:
            yield Finding("warning", where, f"no version from {earlier.end} until then")


def _lint_holes(book: RuleBook, jurisdiction: str) -> Iterator[Finding]:
    """Days between two modelled times on which a kind of item has no core paragraph: the answer is `not_modelled`."""
    for kind in KINDS:
        covered = [
            (day, any(rule.core and kind in rule.kinds for rule in book.on(jurisdiction, day)))
            for day in book.dates(jurisdiction)
        ]
        modelled = [at for at, (_, is_covered) in enumerate(covered) if is_covered]
        for at in range(modelled[0], modelled[-1]) if modelled else ():
            if covered[at][1] and not covered[at + 1][1]:
                until = next(day for day, is_covered in covered[at + 1 :] if is_covered)
                begins = covered[at + 1][0]
                asked = [
                    rule.paragraph
                    for rule in book.on(jurisdiction, begins)
                    if kind in rule.kinds and rule.role == "control" and not rule.at_only
                ]
                what = f"no core paragraph for this kind until {until}"
                if asked:
                    what += f"; asked only of a sheet with their fields: {', '.join(asked)}"
                yield Finding("warning", f"{jurisdiction} {kind} from {begins}", what)
