"""What a run did: counted batch by batch, for the last lines that it prints and for ``--json``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from perfcalc.fields import FIELDS, KINDS, RATES
from perfcalc.sheets.problems import kind_of_problem
from perfcalc.sheets.rejects import Reject
from perfcalc.verdicts.tables import Book, tested_fields

#: Problems that are shown one by one.
SHOWN: Final = 10


@dataclass
class Summary:
    """What a run did, for the last lines that it prints and for ``--json``."""

    as_of: date
    jurisdictions: tuple[str, ...]
    rows: int = 0
    rejects: list[Reject] = field(default_factory=list)
    verdicts: dict[str, Counter[str]] = field(default_factory=dict)
    entries: dict[str, Counter[str]] = field(default_factory=dict)
    problems: int = 0
    first_problems: list[str] = field(default_factory=list)
    not_asked: dict[str, list[str]] = field(default_factory=dict)
    suggestions: dict[str, str] = field(default_factory=dict)
    rulebook: str = ""
    #: The last day on which any text of the rule book was checked.
    checked: date | None = None
    hypothetical: tuple[str, ...] = ()
    findings: Counter[str] = field(default_factory=Counter)
    declared: Counter[str] = field(default_factory=Counter)

    @property
    def undecided(self) -> int:
        """Items without an answer in some jurisdiction."""
        return sum(counts["cannot_tell"] + counts["not_modelled"] for counts in self.verdicts.values())

    @property
    def is_stale(self) -> bool:
        """Whether the day asked is later than the last check of the book: law made since is not in it."""
        return self.checked is not None and self.as_of > self.checked

    def add(self, scored: pa.RecordBatch) -> None:
        """Count a scored batch."""
        names, problems = scored.column("name" if "name" in scored.schema.names else 0), scored.column("problems")
        troubled = np.flatnonzero(problems.is_valid().to_numpy(zero_copy_only=False))
        self.problems += int(troubled.size)
        for said, count in _counts(problems):
            for part in said.split("; ") if said else ():
                self.findings[kind_of_problem(part)] += count
        for row in troubled[: max(0, SHOWN - len(self.first_problems))]:
            self.first_problems.append(f"row {self.rows + row + 1} ({names[row].as_py()}): {problems[row].as_py()}")
        self.rows += scored.num_rows
        if "declared_eccn_check" in scored.schema.names:
            self.declared.update(scored.column("declared_eccn_check").to_pylist())
        for prefix in self.jurisdictions:
            for column, counts in (("verdict", self.verdicts), ("entries", self.entries)):
                counter = counts.setdefault(prefix, Counter())
                for word_list, count in _counts(scored.column(f"{prefix}_{column}")):
                    for word in (word_list or "").split(";"):
                        if word:
                            counter[word] += count

    def followed_by(self, other: Summary, name: str) -> Summary:
        """What two runs did together; the other one's rows are named by its sheet."""
        for mine, others in ((self.verdicts, other.verdicts), (self.entries, other.entries)):
            for prefix, counts in others.items():
                mine.setdefault(prefix, Counter()).update(counts)
        self.findings.update(other.findings)
        self.declared.update(other.declared)
        room = max(0, SHOWN - len(self.first_problems))
        self.first_problems += [f"{name}, {problem}" for problem in other.first_problems[:room]]
        self.rejects += other.rejects
        self.problems += other.problems
        self.rows += other.rows
        return self

    def to_dict(self) -> dict[str, Any]:
        """The summary for ``--json``."""
        return {
            "as_of": self.as_of.isoformat(),
            "rows": self.rows,
            "rejects": len(self.rejects),
            "problems": self.problems,
            "findings": dict(self.findings.most_common()),
            "verdicts": {name: dict(counts) for name, counts in self.verdicts.items()},
            "entries": {name: dict(sorted(counts.items())) for name, counts in self.entries.items()},
            "not_asked": self.not_asked,
            "unrecognised_columns": self.suggestions,
            "rulebook": self.rulebook,
            "rulebook_checked": None if self.checked is None else self.checked.isoformat(),
            "later_than_checked": self.is_stale,
            **({"declared_eccn": dict(self.declared)} if self.declared else {}),
            **({"hypothetical": list(self.hypothetical)} if self.hypothetical else {}),
        }


def not_asked(columns: Mapping[str, str], book: Book) -> list[str]:
    """Paragraphs of a book that no column of the sheet lets it ask, each with the fields it would need."""
    carried = set(columns)
    # Only of kinds that the sheet seems to be about: it has a column that not every kind of item has.
    about = {kind for name in carried if FIELDS[name].kinds != KINDS for kind in FIELDS[name].kinds}
    rates = {rate.name for rate in RATES}
    unasked: dict[frozenset[str], dict[str, None]] = {}
    for rule in book.rules:
        if rule.core or rule.role != "control" or not about & set(rule.kinds):
            continue
        if not (missing := tested_fields(rule)) & carried:
            # The mirrors of an entry are named together: one declared entry settles them all.
            named = missing - rates | {"a dense rate"} if rates <= missing else missing
            unasked.setdefault(named, {})[f"{rule.entry}.z" if rule.meets else rule.paragraph] = None
    return [f"{', '.join(codes)} (needs {' or '.join(sorted(missing))})" for missing, codes in unasked.items()]


def _counts(column: pa.Array) -> list[tuple[str | None, int]]:
    found = pc.value_counts(column)
    values = found.field("values")
    values = values.dictionary_decode() if isinstance(values, pa.DictionaryArray) else values
    return list(zip(values.to_pylist(), found.field("counts").to_pylist(), strict=True))
