"""A catalogue's regression test: verdicts, entries and figures against what is expected of them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import pyarrow as pa
from rich.markup import escape

from perfcalc.errors import InputError
from perfcalc.fields import METRICS
from perfcalc.files import whole_files
from perfcalc.verdicts.columns import result_names

#: Columns of a golden file that say which item, on which day, and why a row is as it is.
KEYS: Final = ("id", "name")
BESIDE: Final = ("as_of", "reason")

#: Relative, for numbers without a tolerance of their own: what another order of additions may do.
USUAL_TOLERANCE: Final = 1e-9

Row = dict[str, str]

#: The scored sheet on a day (none: the day of the options) in some jurisdictions.
Score = Callable[[str | None, Sequence[str]], pa.Table]


@dataclass
class Drift:
    """One cell that is not as expected."""

    column: str
    expected: str
    found: str
    off: float | None = None

    @property
    def words(self) -> str:
        """In one line."""
        off = f" ({self.off:+.3g} of it)" if self.off is not None else ""
        return f"{self.column}: expected {self.expected or 'nothing'}, found {self.found or 'nothing'}{off}"


@dataclass
class Checked:
    """One item on one day: ``same``, ``drift``, ``missing`` from the sheet, or ``extra`` in it."""

    item: str
    as_of: str
    outcome: str
    drifts: list[Drift] = field(default_factory=list)


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
                message = "; ".join(drift.words for drift in item.drifts) or item.outcome
                failure = ET.SubElement(case, "failure", type=item.outcome, message=_printable(message))
                failure.text = _printable("\n".join(drift.words for drift in item.drifts) or item.outcome)
        ET.indent(suites)
        return f"{ET.tostring(suites, 'unicode', xml_declaration=True)}\n"

    def __str__(self) -> str:
        from perfcalc.answers.comparisons import plain

        return plain(check_parts(self))


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
    golden: Sequence[Row], score: Score, places: Sequence[str], tolerances: Mapping[str, float], today: str
) -> tuple[list[str], list[Checked], list[Row]]:
    """Compare; and the golden file as it would have to be: cells that hold keep their text."""
    columns, asked = compared_columns(golden[0], places)
    if stray := set(tolerances) - set(columns):
        raise InputError(f"{', '.join(sorted(stray))}: a tolerance for nothing", "name a column of the golden file")
    days = list(dict.fromkeys(row.get("as_of") or "" for row in golden))
    key = next(name for name in KEYS if name in golden[0])
    checked: list[Checked] = []
    fresh: list[Row] = []
    for day in days:
        found = _by_key(score(day or None, asked), key, columns)
        known: dict[tuple[str, int], None] = {}
        for row in (each for each in golden if (each.get("as_of") or "") == day):
            number = sum(1 for name, _ in known if name == row[key])
            known[row[key], number] = None
            label, when = row.get("name") or row[key], day or today
            have = found.get((row[key], number))
            if have is None:
                checked.append(Checked(label, when, "missing"))
                continue
            drifts = [d for name in columns if (d := compare(name, row[name], have[name], tolerances))]
            checked.append(Checked(label, when, "drift" if drifts else "same", drifts))
            fresh.append({**row, **{drift.column: drift.found for drift in drifts}})
        for at, have in found.items():
            if at not in known:
                checked.append(Checked(have.get("name") or at[0], day or today, "extra"))
                fresh.append({**dict.fromkeys(golden[0], ""), **_kept(have, golden[0]), "as_of": day})
    return columns, checked, fresh


def _kept(row: Row, heads: Iterable[str]) -> Row:
    return {name: row[name] for name in heads if name in row}


def _by_key(scored: pa.Table, key: str, columns: Sequence[str]) -> dict[tuple[str, int], Row]:
    """The rows of a scored sheet by key; of several rows of one key, by their number among them."""
    names = [name for name in KEYS if name in scored.column_names]
    if key not in names:
        raise InputError(f"the sheet has no column {key!r}", "call the golden file's first column as the sheet does")
    found: dict[tuple[str, int], Row] = {}
    times: dict[str, int] = {}
    for row in scored.select([*names, *columns]).to_pylist():
        name = _text(row[key]).strip()
        found[name, times.setdefault(name, 0)] = {column: _text(value) for column, value in row.items()}
        times[name] += 1
    return found


def new_golden(scored: pa.Table, places: Sequence[str], day: date) -> list[Row]:
    """A first golden file: verdicts, entries and the figures that the sheet's items have."""
    key = next(name for name in KEYS if name in scored.column_names)
    figures = [name for name in METRICS if scored.column(name).null_count < scored.num_rows]
    columns = [*(f"{place}_{what}" for place in places for what in ("verdict", "entries")), *figures]
    return [
        {**_kept(row, KEYS), "as_of": day.isoformat(), **_kept(row, columns)}
        for row in _by_key(scored, key, columns).values()
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
        yield f"[bold]{escape(item.item)}[/] on {item.as_of}: {item.outcome}"
        yield from (f"  {escape(drift.words)}" for drift in item.drifts)
    same = len(answer.items) - len(answer.drifted)
    yield f"{same:,} as expected, {len(answer.drifted):,} not, of {len(answer.items):,} in {escape(answer.expected)}"
    if answer.updated:
        yield f"{escape(answer.expected)} rewritten"
