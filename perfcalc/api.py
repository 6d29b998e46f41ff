"""The Python API: pandas in, pandas out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from perfcalc.answers.evidence import evidence
from perfcalc.answers.explain import Explanation, explain_row, find_row
from perfcalc.answers.replay import replay
from perfcalc.errors import InputError
from perfcalc.fields import KINDS, SHEET_FIELDS
from perfcalc.frames import Frame, is_pandas, to_arrow
from perfcalc.line import parse_day
from perfcalc.line import run as run_line
from perfcalc.plans import plan_for
from perfcalc.questions import chart, check, design_chart, headroom, headroom_design
from perfcalc.rulebook.book import Law, RuleBook
from perfcalc.rulebook.overlay import Overlays, overlaid
from perfcalc.sheets.decimals import decimal_marks
from perfcalc.sheets.mapping import load_mapping
from perfcalc.sheets.read import BATCH_ROWS, open_sheet

if TYPE_CHECKING:
    import pandas as pd

    from perfcalc.answers.changes import Changes
    from perfcalc.answers.coverage import Coverage

__all__ = [
    "Frame",
    "changes",
    "chart",
    "check",
    "coverage",
    "design_chart",
    "evidence",
    "explain",
    "headroom",
    "headroom_design",
    "origin",
    "plan_for",
    "read",
    "replay",
    "score",
    "template",
    "template_columns",
    "to_arrow",
]


def read(path: str | Path | Sequence[str | Path]) -> pd.DataFrame:
    """Read a spec sheet as it stands: text, or typed columns from Parquet.

    Delimited text in any usual encoding, XLSX and ODS, JSON lines and Parquet are read, compressed or not; a folder,
    a pattern or several paths are read as one sheet. Rows that could not be read are listed in
    ``frame.attrs["rejects"]``, and what to know of the reading in ``frame.attrs["notes"]``.

    Raises
    ------
    InputError
        A file is absent, empty or not of its kind.
    """
    sheet = open_sheet(path)
    frame: pd.DataFrame = pa.Table.from_batches(sheet.batches(), sheet.schema.remove_metadata()).to_pandas()
    frame.attrs["rejects"] = [vars(reject) for reject in sheet.rejects]
    frame.attrs["notes"] = list(sheet.notes)
    frame.attrs["decimals"] = decimal_marks(sheet.schema)
    return frame


def score(
    frame: Frame,
    *,
    origin: bool = False,
    as_of: str | date | None = None,
    jurisdictions: Sequence[str] = ("us",),
    readings: str | Mapping[str, str] = "",
    destination: str | None = None,
    end_user_hq: str | None = None,
    law: Law = "enforced",
    rules: Overlays = (),
    mapping: Mapping[str, str] | str | Path | None = None,
) -> Frame:
    """Score every row of a frame.

    Parameters
    ----------
    frame
        With a column ``name`` and whatever is known, in the fields of ``perfcalc.fields``.
    origin
        Add where each item was likely made, as `perfcalc.origin` does.
    as_of
        The day whose law is asked, ``YYYY-MM-DD``; today by default.
    jurisdictions
        Such as ``("us",)``.
    readings
        ``"all"`` to cover every open reading, or choices such as ``"tf32_bits=32"`` or ``{"tf32_bits": "32"}``.
    destination
        Two-letter country code; adds ``us_licence``, ``us_exceptions`` and ``us_review``.
    end_user_hq
        Two-letter country code of the headquarters of the end user, or of its ultimate parent. Not known by default.
    law
        ``enforced``, or ``codified``: with the rules that are law but not enforced.
    rules
        Overlays on the rule book: files, or names of those that ship (``safe-chips``). Every row is then marked in a
        column ``hypothetical``.
    mapping
        ``{"Their heading": "field"}`` or ``{"Their heading": "field (unit)"}``, a mapping file, or the name of an
        importer.

    Returns
    -------
    pandas.DataFrame, or pyarrow.Table for any other frame
        The same rows in the same order, with the result columns added.

    Raises
    ------
    InputError
        A column, day, jurisdiction or reading cannot be used.
    """
    import pandas as pd

    table = to_arrow(frame)
    plan = plan_for(
        table.schema.names,
        "the frame",
        as_of,
        jurisdictions,
        readings,
        destination=destination,
        end_user_hq=end_user_hq,
        law=law,
        rules=rules,
        mapping=_mapping(mapping),
    )
    # An empty frame still has result columns.
    batches = table.combine_chunks().to_batches(BATCH_ROWS) or [pa.RecordBatch.from_pylist([], schema=table.schema)]
    scored = pa.Table.from_batches(run_line(batches, replace(plan, origin=origin)))
    if not is_pandas(frame):
        return scored
    results = scored.select(range(len(table.schema.names), scored.num_columns)).to_pandas()
    results.index = frame.index
    kept = frame.rename(columns={name: f"input_{name}" for name in frame.columns if name in results.columns})
    joined = pd.concat([kept, results], axis=1)
    joined.attrs = {}
    return joined


def explain(
    frame: Frame,
    *,
    item: str,
    as_of: str | date | None = None,
    jurisdictions: Sequence[str] = ("us",),
    readings: str | Mapping[str, str] = "",
    law: Law = "enforced",
    rules: Overlays = (),
) -> Explanation:
    """Explain one item of a frame; ``str()`` of the result is the text that the command line prints.

    Raises
    ------
    InputError
        No item, or several, are called so.
    """
    table = to_arrow(frame)
    plan = plan_for(table.schema.names, "the frame", as_of, jurisdictions, readings, law=law, rules=rules)
    batches = table.combine_chunks().to_batches()
    if not batches:
        raise InputError("the frame has no rows", "give it one")
    return explain_row(batches[0], plan, find_row(batches[0], plan, item))


def origin(frame: Frame) -> Frame:
    """Where each item was likely made: stock from before its designer's cut-off, domestic, diverted, or lawful.

    Parameters
    ----------
    frame
        With a column ``name`` and whatever is known, in the fields of ``perfcalc.fields.ORIGIN_FIELDS``.

    Returns
    -------
    pandas.DataFrame, or pyarrow.Table for any other frame
        The same rows in the same order, with the columns ``origin``, ``origin_probability``, ``origin_low``,
        ``origin_high``, ``origin_basis``, ``origin_leaning``, ``origin_because`` and ``origin_needs``. The
        probability is that of the answer, and of the leaning where the answer is ``cannot_tell``. See
        ``perfcalc origin card`` for how far it can be trusted.

    Raises
    ------
    InputError
        No column is the name.
    """
    from perfcalc.origin.columns import recognise_origin
    from perfcalc.origin_line import origin_batch

    table = to_arrow(frame)
    if "name" not in recognise_origin(table.schema.names):
        raise InputError("the frame has no column 'name'", "call the item's column 'name'")
    batches = table.combine_chunks().to_batches(BATCH_ROWS) or [pa.RecordBatch.from_pylist([], schema=table.schema)]
    scored = pa.Table.from_batches([origin_batch(batch) for batch in batches])
    if not is_pandas(frame):
        return scored
    results = scored.select(range(len(table.schema.names), scored.num_columns)).to_pandas()
    results.index = frame.index
    kept = frame.rename(columns={name: f"input_{name}" for name in frame.columns if name in results.columns})
    return kept.join(results)


def template(kind: str = "ic") -> pd.DataFrame:
    """An empty sheet with every field of one kind of item.

    Raises
    ------
    InputError
        There is no such kind.
    """
    import pandas as pd

    return pd.DataFrame(columns=template_columns(kind), dtype=str)


def template_columns(kind: str) -> list[str]:
    """The fields of one kind of item."""
    if kind not in KINDS:
        raise InputError(f"{kind!r} is not a kind of item", f"choose from {', '.join(KINDS)}")
    return [field.name for field in SHEET_FIELDS if kind in field.kinds]


def _mapping(said: Mapping[str, str] | str | Path | None) -> Mapping[str, Any] | None:
    if isinstance(said, Mapping):
        return load_mapping(None, [f"{heading}={field}" for heading, field in said.items()])
    return load_mapping(said) if said else None


def changes(
    frame: Frame,
    *,
    from_: str | date | None = None,
    to: str | date | None = None,
    jurisdictions: Sequence[str] = ("us",),
    rules: Overlays = (),
    readings: str | Mapping[str, str] = "",
    law: Law = "enforced",
    step: bool = False,
) -> Changes:
    """Who moves between two days, or between the rule book and an overlay: by which clause, and why.

    Parameters
    ----------
    from_, to
        The two days, ``YYYY-MM-DD``; `to` is today by default. Without `from_`, the book is compared with the same
        book under the overlays on the day `to`.
    rules
        Overlays: files, or names of those that ship. They are law on the far side of the comparison only.
    step
        Every day in between on which the book changes, not only the two ends.

    Returns
    -------
    Changes
        ``str()`` is what the command line prints; ``to_dict()`` and ``to_pandas()`` have everything.

    Raises
    ------
    InputError
        A day, jurisdiction or overlay cannot be used, or there is nothing to compare.
    """
    from perfcalc.answers.changes import changes_between, days_between

    table = to_arrow(frame)
    last = parse_day(to)
    first = last if from_ is None else parse_day(from_)
    if first > last:
        raise InputError(f"{first} is after {last}", "give the earlier day as the first")
    if first == last and not rules:
        raise InputError("nothing to compare", "give two days, or a day and an overlay of the rules")
    book = overlaid(rules)
    asked = book.jurisdictions if tuple(jurisdictions) == ("all",) else tuple(jurisdictions)
    dates = sorted({day for name in asked for day in book.dates(name)})
    days = days_between(dates, first, last) if step else [last]
    # With overlays the first comparison is on the first day itself, so that the days after it show the calendar only.
    days = [first, *days] if rules and step and first < last else days
    before = _without_unknown(overlaid(()), book, asked)
    plans = [
        plan_for(table.schema.names, "the frame", day, asked, readings, law=law, rules=rules_then)
        for day, rules_then in ((first, before), *((day, book) for day in days))
    ]
    return changes_between(table, plans)


def _without_unknown(plain: RuleBook, book: RuleBook, asked: Sequence[str]) -> RuleBook:
    """The plain book, to be asked for jurisdictions that only an overlay knows: nothing is modelled there."""
    strange = [
        rule for rule in book.rules if rule.jurisdiction in asked and rule.jurisdiction not in plain.jurisdictions
    ]
    return replace(plain, rules=(*plain.rules, *(replace(rule, status="proposed") for rule in strange)))


def coverage(
    frame: Frame,
    *,
    as_of: str | date | None = None,
    jurisdictions: Sequence[str] = ("all",),
    rules: Overlays = (),
    readings: str | Mapping[str, str] = "",
    law: Law = "enforced",
) -> Coverage:
    """Items against jurisdictions on one day, and the gaps: what some control and others leave free.

    An open verdict, or one that is not modelled, is never counted as free.

    Raises
    ------
    InputError
        A day, jurisdiction or overlay cannot be used.
    """
    from perfcalc.answers.coverage import cover

    table = to_arrow(frame)
    plan = plan_for(table.schema.names, "the frame", as_of, jurisdictions, readings, law=law, rules=rules)
    return cover(table, plan)
