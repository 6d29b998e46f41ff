"""A catalogue's regression test: verdicts, entries and figures against what is expected of them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import pyarrow as pa
from rich.markup import escape

from perfcalc.answers.catalogue import KEYS, Catalogue
from perfcalc.errors import InputError
from perfcalc.fields import METRICS
from perfcalc.files import whole_files
from perfcalc.verdicts.columns import result_names

#: Columns of a golden file that hold no result: the day, why a row is as it is, and digests of what it was made from.
BESIDE: Final = ("as_of", "reason", "rulebook", "cells")

#: Relative, for numbers without a tolerance of their own: what another order of additions may do.
USUAL_TOLERANCE: Final = 1e-9

Row = dict[str, str]


@dataclass
class Drift:
    """One cell that is not as expected; `why` is what speaks for what was found, if more can be said."""

    column: str
    expected: str
    found: str
    off: float | None = None
    why: str = ""

    @property
    def words(self) -> str:
        """In one line."""
        off = f" ({self.off:+.3g} of it)" if self.off is not None else ""
        return f"{self.column}: expected {self.expected or 'nothing'}, found {self.found or 'nothing'}{off}"


@dataclass
class Checked:
    """One item on one day: ``same``, ``drift``, ``missing`` from the sheet, or ``extra`` in it.

    `cause` says what is another one than when the golden file was written, if it carries the digests that tell.
    """

    item: str
    as_of: str
    outcome: str
    drifts: list[Drift] = field(default_factory=list)
    cause: str = ""

    @property
    def words(self) -> str:
        """In as many lines as it takes: the item, and each column with what was expected, what was found, and why."""
        lines = [f"{self.item} on {self.as_of}: {self.outcome}{f' ({self.cause})' if self.cause else ''}"]
        for drift in self.drifts:
            lines += [f"  {drift.words}", *([f"    {drift.why}"] if drift.why else [])]
        return "\n".join(lines)


@dataclass
class Check:
    """The answer of `check`.

    Attributes
    ----------
    updated
        The golden file was rewritten.
    """

    expected: str
    columns: list[str]
    tolerances: dict[str, float]
    items: list[Checked]
    hypothetical: list[str]
    updated: bool = False

    @property
    def drifted(self) -> list[Checked]:
        """Whatever is not as expected."""
        return [item for item in self.items if item.outcome != "same"]

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {**asdict(self), "drifted": len(self.drifted)}

    def junit(self) -> str:
        """As JUnit XML: one test case an item and day."""
        failures = str(len(self.drifted))
        suites = ET.Element("testsuites", tests=str(len(self.items)), failures=failures)
        suite = ET.SubElement(suites, "testsuite", name="perfcalc check", tests=str(len(self.items)), failures=failures)
        for item in self.items:
            case = ET.SubElement(suite, "testcase", classname=f"perfcalc.{item.as_of}", name=_printable(item.item))
            if item.outcome != "same":
                message = f"{item.item}: {'; '.join(drift.words for drift in item.drifts) or item.outcome}"
                failure = ET.SubElement(case, "failure", type=item.outcome, message=_printable(message))
                failure.text = _printable(item.words)
        ET.indent(suites)
        return f"{ET.tostring(suites, 'unicode', xml_declaration=True)}\n"

    def __str__(self) -> str:
        from perfcalc.answers.comparisons import plain

        return plain(check_parts(self), width=1000)


def _printable(text: str) -> str:
    """XML has no control characters."""
    return "".join(character for character in text if character >= " " or character in "\t\n")


def read_golden(path: Path) -> list[Row]:
    """The rows of a golden file.

    Raises
    ------
    InputError
        The file is absent, or names neither an item nor a result.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="", strict=True)
            rows = [{key: cell.strip() for key, cell in row.items()} for row in reader]
            heads = list(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error, AttributeError) as error:
        raise InputError(f"{path}: cannot be read as a golden file: {error}", "see `perfcalc check --help`") from error
    if not set(KEYS) & set(heads) or len(set(heads)) != len(heads) or not rows:
        raise InputError(f"{path}: no rows, no column 'id' or 'name', or one twice", "write one row an item")
    return rows


def compared_columns(heads: Iterable[str], places: Sequence[str]) -> tuple[list[str], list[str]]:
    """The result columns that a golden file expects, and the jurisdictions that they are of.

    Raises
    ------
    InputError
        A column is no result, or there is none.
    """
    wanted = [head for head in heads if head not in (*KEYS, *BESIDE)]
    known = {name: place for place in places for name in result_names((place,), None) if name.startswith(f"{place}_")}
    figures = set(result_names((), None))
    strange = [name for name in wanted if name not in known and name not in figures]
    if strange or not wanted:
        what = f"{', '.join(strange)}: no such result" if strange else "the golden file expects nothing"
        raise InputError(what, "name result columns, such as us_verdict, us_entries or tpp")
    return wanted, list(dict.fromkeys(known[name] for name in wanted if name in known))


def parse_tolerances(texts: Sequence[str] | Mapping[str, float]) -> dict[str, float]:
    """``tpp=0.1%`` or ``tpp=0.001``: relative, of numbers.

    Raises
    ------
    InputError
        It is not of this form.
    """
    if isinstance(texts, Mapping):
        pairs = [(name, str(value)) for name, value in texts.items()]
    else:
        pairs = [(name.strip(), value.strip()) for name, _, value in (text.partition("=") for text in texts)]
    tolerances = {}
    for name, value in pairs:
        try:
            number = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
        except ValueError:
            number = -1
        if not (_is_number(name) and 0 <= number < 1):
            raise InputError(f"{name}={value}: not a tolerance", "write COLUMN=0.1%, for a column of numbers")
        tolerances[name] = number
    return tolerances


def _is_number(column: str) -> bool:
    return column.endswith("_margin") or column.removesuffix("_low").removesuffix("_high") in METRICS


def compare(column: str, expected: str, found: str, tolerances: Mapping[str, float]) -> Drift | None:
    """One cell: words exactly, numbers within a relative tolerance; a blank is a value too."""
    if expected == found:
        return None
    if _is_number(column) and expected and found:
        try:
            want, have = float(expected.replace(",", "")), float(found)
        except ValueError:
            return Drift(column, expected, found)
        if abs(have - want) <= tolerances.get(column, USUAL_TOLERANCE) * abs(want):
            return None
        return Drift(column, expected, found, (have - want) / abs(want) if want else None)
    return Drift(column, expected, found)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else str(value)


def check_rows(
    golden: Sequence[Row], catalogue: Catalogue, places: Sequence[str], tolerances: Mapping[str, float], today: str
) -> tuple[list[str], list[Checked], list[Row]]:
    """Compare; and the golden file as it would have to be: cells that hold keep their text."""
    columns, asked = compared_columns(golden[0], places)
    if stray := set(tolerances) - set(columns):
        raise InputError(f"{', '.join(sorted(stray))}: a tolerance for nothing", "name a column of the golden file")
    key = next(name for name in KEYS if name in golden[0])
    checked: list[Checked] = []
    fresh: list[Row] = []
    for day in dict.fromkeys(row.get("as_of") or "" for row in golden):
        found = _by_key(catalogue.scored(day or None, asked), key, columns)
        known: Counter[str] = Counter()
        drifted: list[tuple[int, Row, Checked]] = []
        for row in (each for each in golden if (each.get("as_of") or "") == day):
            label, when, at = row.get("name") or row[key], day or today, (row[key], known[row[key]])
            known[row[key]] += 1
            if at not in found:
                checked.append(Checked(label, when, "missing"))
                continue
            line, have = found.pop(at)
            drifts = [d for name in columns if (d := compare(name, row[name], have[name], tolerances))]
            checked.append(Checked(label, when, "drift" if drifts else "same", drifts))
            made_from = {}
            if drifts:
                drifted.append((line, row, checked[-1]))
                made_from = _made_from(catalogue, line)
            fresh.append({**row, **{drift.column: drift.found for drift in drifts}, **_kept(made_from, row)})
        for at, (line, have) in found.items():
            checked.append(Checked(have.get("name") or at[0], day or today, "extra"))
            made_from = _made_from(catalogue, line)
            fresh.append({**dict.fromkeys(golden[0], ""), **_kept({**have, **made_from}, golden[0]), "as_of": day})
        _explain(catalogue, day or None, asked, drifted)
    return columns, checked, fresh


def _made_from(catalogue: Catalogue, line: int) -> Row:
    return {"rulebook": catalogue.rulebook, "cells": catalogue.cells[line]}


def _explain(
    catalogue: Catalogue, day: str | None, places: Sequence[str], drifted: Sequence[tuple[int, Row, Checked]]
) -> None:
    """Say of each drift why the result is what it is, and what is another one than in the golden file."""
    reasons = catalogue.why(day, places, [line for line, _, _ in drifted])
    for (line, row, item), why in zip(drifted, reasons, strict=True):
        now = _made_from(catalogue, line)
        if row.get("rulebook") and row.get("cells"):
            what = {"rulebook": "the rule book", "cells": "the item's row in the sheet, or a heading over it"}
            other = [words for name, words in what.items() if row[name] != now[name]]
            item.cause = f"not as it was: {' and '.join(other)}" if other else "same row, same rule book"
        for drift in item.drifts:
            entries = row.get(f"{drift.column.rpartition('_')[0]}_entries", "")
            drift.why = why.of(drift.column, [code for code in entries.split(";") if code])


def _kept(row: Row, heads: Iterable[str]) -> Row:
    return {name: row[name] for name in heads if name in row}


def _by_key(scored: pa.Table, key: str, columns: Sequence[str]) -> dict[tuple[str, int], tuple[int, Row]]:
    """The rows of a scored sheet and where they are, by key; of several rows of one key, by their number among them."""
    names = [name for name in KEYS if name in scored.column_names]
    if key not in names:
        raise InputError(f"the sheet has no column {key!r}", "call the golden file's first column as the sheet does")
    found: dict[tuple[str, int], tuple[int, Row]] = {}
    times: Counter[str] = Counter()
    for line, row in enumerate(scored.select([*names, *columns]).to_pylist()):
        name = _text(row[key]).strip()
        found[name, times[name]] = line, {column: _text(value) for column, value in row.items()}
        times[name] += 1
    return found


def new_golden(catalogue: Catalogue, places: Sequence[str], day: date) -> list[Row]:
    """A first golden file: verdicts, entries and the figures that the sheet's items have."""
    scored = catalogue.scored(None, places)
    key = next(name for name in KEYS if name in scored.column_names)
    figures = [name for name in METRICS if scored.column(name).null_count < scored.num_rows]
    columns = [*(f"{place}_{what}" for place in places for what in ("verdict", "entries")), *figures]
    return [
        {**_kept(row, KEYS), "as_of": day.isoformat(), **_kept(row, columns), **_made_from(catalogue, line)}
        for line, row in _by_key(scored, key, columns).values()
    ]


def write_golden(path: Path, rows: Sequence[Row], changed: Iterable[int], reason: str) -> None:
    """Rewrite a golden file whole; the rows that changed say why in their column ``reason``."""
    heads = [
        name for name in rows[0] if name != "reason" and (name != "as_of" or any(row.get("as_of") for row in rows))
    ]
    at = set(changed)
    out = StringIO()
    writer = csv.DictWriter(out, [*heads, "reason"], lineterminator="\n", extrasaction="ignore", restval="")
    writer.writeheader()
    writer.writerows({**row, **({"reason": reason} if k in at else {})} for k, row in enumerate(rows))
    with whole_files(path) as (draft,):
        draft.write_text(out.getvalue(), "utf-8")


def check_parts(answer: Check) -> Iterable[Any]:
    """The diff, item by item, and the count."""
    from perfcalc.answers.tables import hypothetical_lines

    yield from hypothetical_lines(answer.hypothetical)
    for item in answer.drifted:
        yield escape(item.words).replace(escape(item.item), f"[bold]{escape(item.item)}[/]", 1)
    same = len(answer.items) - len(answer.drifted)
    yield f"{same:,} as expected, {len(answer.drifted):,} not, of {len(answer.items):,} in {escape(answer.expected)}"
    if answer.updated:
        yield f"{escape(answer.expected)} rewritten"
