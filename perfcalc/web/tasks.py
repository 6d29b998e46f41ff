"""What a child process does with one upload: it calls the line and the answers, and writes down what they say."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from perfcalc.answers.changes import changes_between, days_between
from perfcalc.answers.coverage import cover
from perfcalc.answers.evidence import evidence
from perfcalc.answers.explain import explain_row
from perfcalc.answers.report import keep, write_report
from perfcalc.errors import InputError
from perfcalc.files import whole_files, write
from perfcalc.line import Plan, parse_day, score_batch, score_sheet
from perfcalc.plans import plan_for
from perfcalc.rulebook.book import load
from perfcalc.rulebook.overlay import FOLDER as OVERLAYS
from perfcalc.rulebook.overlay import overlaid
from perfcalc.sheets.files import DELIMITERS, open_bytes
from perfcalc.sheets.headers import recognise, suggest
from perfcalc.sheets.lines import item_lines
from perfcalc.sheets.mapping import load_mapping
from perfcalc.sheets.read import Sheet, open_sheet
from perfcalc.sheets.report import Understood, report
from perfcalc.web.planes import planes_of
from perfcalc.web.saved import save
from perfcalc.web.workbook import write_workbook

Progress = Callable[[int, int | None], None]

#: So many rows are scored first, to be looked at while the rest is computed.
FIRST_ROWS: Final = 400
#: So many rejects and rows with problems are listed on the page; the files have all of them.
LISTED: Final = 200
#: Of a cell or a rejected line, as the page and the API show it; the files have all of it.
SHOWN_CHARS: Final = 1_000
#: From so many rows on the understanding of the columns is shown from the first ones.
INSPECTED_ROWS: Final = 5_000
#: Bytes that are looked at before a sheet is opened.
PEEKED: Final = 1 << 20
#: Longer sheets have no map: nobody finds a point in it, and it would be drawn anew for every day.
MAPPED_ROWS: Final = 2_000
RESULT, FIRST, SUMMARY, ANSWER, MAPS = "result.parquet", "first.parquet", "summary.json", "answer.json", "maps.json"


@dataclass(frozen=True)
class Task:
    """One run, as the child is told.

    Attributes
    ----------
    sheet
        The name of the sheet in the folder in which the child works: messages and rejects name it so.
    place
        Where the answer goes.
    asked
        Options by the names of `perfcalc.web.options.Options`, and what the kind of question needs besides.
    """

    kind: str
    sheet: str
    folder: Path
    place: Path
    mapping: tuple[str, ...]
    asked: dict[str, Any]
    limits: dict[str, Any]

    @classmethod
    def of(cls, told: dict[str, Any]) -> Task:
        """From JSON."""
        return cls(
            told["kind"],
            told["sheet"],
            Path(told["folder"]),
            Path(told["place"]),
            tuple(told["mapping"]),
            told["asked"],
            told["limits"],
        )


def do(task: Task, progress: Progress) -> None:
    """Answer, into the place of the task."""
    os.chdir(task.folder)
    tempfile.tempdir = str(task.place)
    DOES[task.kind](task, progress)


class LimitedSheet(Sheet):
    """A sheet that stops at the limits of the server, each with its message."""

    limits: dict[str, Any]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Read the files once, from their start."""
        rows, held, longest = 0, 0, self.limits["cell_chars"]
        for batch in super().batches():
            rows += batch.num_rows
            held += batch.nbytes
            if held > self.limits["sheet_bytes"]:
                raise InputError(
                    f"{self.path}: unfolds to more than {self.limits['sheet_bytes'] >> 20:,} MiB",
                    "give it in parts, or use the command line, which has no such limit",
                )
            if rows > self.limits["rows"]:
                raise InputError(
                    f"{self.path}: more than {self.limits['rows']:,} rows",
                    "give it in parts, or use the command line, which has no such limit",
                )
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
                if text and (pc.max(pc.utf8_length(column)).as_py() or 0) > longest:
                    raise InputError(
                        f"{self.path}: a cell of column {name[:60]!r} has more than {longest:,} characters",
                        "shorten it; look for a double quote that is never closed",
                    )
            yield batch


def opened(task: Task) -> Sheet:
    """The sheet of a task, within the limits."""
    said = load_mapping(None, task.mapping)
    check_width(Path(task.sheet), task.limits["columns"])
    sheet = open_sheet(Path(task.sheet), said.get("columns", ()))
    if len(sheet.schema) > task.limits["columns"]:
        raise InputError(
            f"{sheet.path}: {len(sheet.schema):,} columns, and {task.limits['columns']:,} are the most",
            "leave out the columns that perfcalc does not read",
        )
    if max(map(len, sheet.schema.names), default=0) > task.limits["cell_chars"]:
        raise InputError(
            f"{sheet.path}: a heading has more than {task.limits['cell_chars']:,} characters", "shorten it"
        )
    if sheet.rows is not None and sheet.rows > task.limits["rows"]:
        raise InputError(f"{sheet.path}: more than {task.limits['rows']:,} rows", "give it in parts")
    limited = LimitedSheet(**vars(sheet))
    limited.limits = task.limits
    return limited


def check_width(path: Path, most: int) -> None:
    """Refuse what is no text, or has absurdly many columns, before anything is made of each of them.

    Raises
    ------
    InputError
        It holds nothing but NUL bytes, or one of the first lines has ten times as many separators as there may be columns.
    """
    with open_bytes(path) as file:
        begin = file.read(PEEKED)
    if begin.startswith((b"PK", b"PAR1", b"\xd0\xcf", b"[", b"{")):
        return
    if begin.count(0) > len(begin) * 4 // 5:  # UTF-16 and UTF-32 have fewer
        raise InputError(f"{path}: holds no text", "is the file whole? save it anew")
    for line in begin.splitlines():
        if max(line.count(mark.encode()) for mark in DELIMITERS) > 10 * most:
            raise InputError(f"{path}: far more than {most:,} columns", "look for line breaks that are missing")


def planned(task: Task, sheet: Sheet, **other: Any) -> Plan:
    """The plan of a task: what `perfcalc score` would make of the same options."""
    asked = task.asked | other
    plan = plan_for(
        sheet.schema.names,
        str(sheet.path),
        asked["as_of"],
        tuple(asked["jurisdiction"].split(",")),
        asked["readings"],
        destination=asked["destination"] or None,
        end_user_hq=asked["end_user_hq"] or None,
        law=asked["law"],
        rules=tuple(OVERLAYS / f"{name}.yaml" for name in asked["rules"].split(",") if name),
        mapping=load_mapping(None, task.mapping),
    )
    return replace(plan, origin=bool(asked["origin"]))


def inspect(task: Task, _progress: Progress) -> None:
    """How each column is understood, even where no column is the name."""
    sheet = opened(task)
    said = load_mapping(None, task.mapping)
    try:
        columns = recognise(sheet.schema.names, str(sheet.path), said)
    except InputError as error:
        close = suggest(sheet.schema.names, {})
        unread = [vars(Understood(name, suggestion=close.get(name, ""))) for name in sheet.schema.names]
        found: dict[str, Any] = {"columns": unread, "notes": sheet.notes, "error": error.what, "remedy": error.remedy}
    else:
        shown = Sheet(sheet.path, sheet.schema, None, notes=sheet.notes, parts=[])
        first = _first(sheet, INSPECTED_ROWS)
        shown.batches = lambda: iter(first)  # type: ignore[method-assign] # the first rows are enough to look at
        found = report(shown, columns).to_dict()
    save(task.place / ANSWER, found)


def score(task: Task, progress: Progress) -> None:
    """The scored sheet as Parquet, its rejects, and what to say of the run. The first rows come first."""
    sheet = opened(task)
    plan = planned(task, sheet)
    if not {"unit", "part_of"} & set(plan.columns):  # rows that refer to one another are judged together
        first = [score_batch(batch, plan) for batch in _first(sheet, FIRST_ROWS)]
        if first and first[0].num_rows == FIRST_ROWS:
            with whole_files(task.place / FIRST) as (draft,):
                write(iter(first), draft, draft)
            progress(FIRST_ROWS, sheet.rows)
    summary, _ = score_sheet(sheet, plan, task.place / RESULT, progress=lambda rows: progress(rows, sheet.rows))
    if 0 < summary.rows <= MAPPED_ROWS:
        save(task.place / MAPS, planes_of(_table(sheet), plan))
    said = summary.to_dict() | {
        "hypothetical": list(summary.hypothetical),
        "notes": sheet.notes,
        "columns": {field: heading for field, heading in plan.columns.items() if heading in sheet.schema.names},
        "jurisdictions": list(summary.jurisdictions),
        "first_rejects": [vars(reject) | {"raw": reject.raw[:SHOWN_CHARS]} for reject in summary.rejects[:LISTED]],
        "first_problems": problem_rows(task.place / RESULT, sheet, plan) if summary.problems else [],
    }
    save(task.place / SUMMARY, said)


def problem_rows(result: Path, sheet: Sheet, plan: Plan) -> list[dict[str, Any]]:
    """The first rows with cells to look at: row, line in the file, item, and what is wrong."""
    name = plan.columns["name"]
    found: list[dict[str, Any]] = []
    with pq.ParquetFile(result) as file:
        done = 0
        for batch in file.iter_batches(columns=[name, "problems"]):
            odd = pc.indices_nonzero(pc.is_valid(batch.column("problems"))).to_pylist()[: LISTED - len(found)]
            for at, row in zip(odd, batch.take(pa.array(odd, pa.int64())).to_pylist(), strict=True):
                found.append({"row": done + at + 1, "item": row[name], "problems": row["problems"]})
            done += batch.num_rows
            if len(found) >= LISTED:
                break
    lines, at = item_lines(sheet), 0
    for one in found:
        one["line"] = next(islice(lines, one["row"] - 1 - at, None), None)
        at = one["row"]
    return found


def score_to_csv(task: Task, progress: Progress) -> None:
    """What ``perfcalc score SHEET -o result.csv`` writes."""
    sheet = opened(task)
    out = task.place / "result.csv"
    summary, _ = score_sheet(sheet, planned(task, sheet), out, progress=lambda rows: progress(rows, sheet.rows))
    save(task.place / SUMMARY, summary.to_dict())


def explain(task: Task, _progress: Progress) -> None:
    """Everything behind the verdicts of one row."""
    sheet = opened(task)
    plan = planned(task, sheet)
    row = int(task.asked["row"]) - 1
    left = row
    linked = {"unit", "part_of"} & set(plan.columns)
    batches = [_table(sheet).to_batches()[0]] if linked else sheet.batches()
    for batch in batches:
        if left < batch.num_rows:
            found = explain_row(batch, plan, left) if linked else explain_row(batch.slice(left, 1), plan, 0)
            save(task.place / ANSWER, found.to_dict() | {"row": row + 1, "text": str(found)})
            return
        left -= batch.num_rows
    raise InputError(f"{sheet.path}: no row {row + 1}", "choose a row of the results")


def coverage(task: Task, _progress: Progress) -> None:
    """Items against jurisdictions, and the gaps."""
    sheet = opened(task)
    save(task.place / ANSWER, cover(_table(sheet, task), planned(task, sheet)).to_dict())


def changes(task: Task, _progress: Progress) -> None:
    """Who moves between two days, or between the book and an overlay."""
    sheet = opened(task)
    table = _table(sheet, task)
    first, last = parse_day(task.asked["from_day"]), parse_day(task.asked["as_of"])
    if first > last:
        raise InputError(f"{first} is after {last}", "give the earlier day as the first")
    if first == last and not task.asked["rules"]:
        raise InputError("nothing to compare", "give two days, or a day and an overlay of the rules")
    places = task.asked["jurisdiction"].split(",")
    asked = overlaid(()).jurisdictions if places == ["all"] else places
    dates = sorted({day for name in asked for day in load().dates(name)})
    days = days_between(dates, first, last) if task.asked["step"] else [last]
    # An overlay is law on the far side of the comparison only.
    plans = [planned(task, sheet, as_of=first, rules=""), *(planned(task, sheet, as_of=day) for day in days)]
    save(task.place / ANSWER, changes_between(table, plans).to_dict())


def file(task: Task, progress: Progress) -> None:
    """A finished result in another format."""
    if task.asked["format"] in MADE_ANEW:
        MADE_ANEW[task.asked["format"]](task, progress)
        return
    source = pq.ParquetFile(task.asked["result"])
    name = f"result.{task.asked['format']}"
    with whole_files(task.place / name) as (draft,):
        empty = pa.RecordBatch.from_pylist([], schema=source.schema_arrow)

        def batches() -> Iterator[pa.RecordBatch]:
            done = 0
            yield empty
            for batch in source.iter_batches():
                done += batch.num_rows
                progress(done, source.metadata.num_rows)
                yield batch

        if task.asked["format"] == "xlsx":
            write_workbook(batches(), draft)
        else:
            write(batches(), draft, draft)


def evidence_pack(task: Task, progress: Progress) -> None:
    """What ``perfcalc score --evidence`` writes, as an archive that ``perfcalc replay`` reads."""
    asked, folder = task.asked, task.place / "evidence"
    evidence(
        task.sheet,
        folder,
        as_of=asked["as_of"],
        jurisdictions=asked["jurisdiction"].split(","),
        readings=asked["readings"],
        destination=asked["destination"] or None,
        end_user_hq=asked["end_user_hq"] or None,
        law=asked["law"],
        rules=[OVERLAYS / f"{name}.yaml" for name in asked["rules"].split(",") if name],
        mapping=load_mapping(None, task.mapping),
        origin=bool(asked["origin"]),
        progress=lambda rows: progress(rows, None),
    )
    shutil.make_archive(str(task.place / "result.evidence"), "zip", folder)
    shutil.rmtree(folder)


def html_report(task: Task, progress: Progress) -> None:
    """What ``perfcalc score --report`` writes; it shows every row, so it is for sheets that a person looks at."""
    sheet = keep(opened(task))
    _table(sheet, task)
    plan = planned(task, sheet)
    summary, scored = score_sheet(sheet, plan, progress=lambda rows: progress(rows, sheet.rows))
    write_report(task.place / "result.report.html", sheet, plan, summary, scored)


#: Files that are not made from the result, but from the sheet once more.
MADE_ANEW: Final = {"evidence.zip": evidence_pack, "report.html": html_report}

DOES: Final[dict[str, Callable[[Task, Progress], None]]] = {
    "inspect": inspect,
    "score": score,
    "score_to_csv": score_to_csv,
    "explain": explain,
    "coverage": coverage,
    "changes": changes,
    "file": file,
}


def _first(sheet: Sheet, rows: int) -> list[pa.RecordBatch]:
    for batch in sheet.batches():
        return [batch.slice(0, rows)]
    return []


def _table(sheet: Sheet, task: Task | None = None) -> pa.Table:
    """The whole sheet; given the task, no more rows than a person compares."""
    most = task.limits["compared_rows"] if task is not None else None
    batches, rows = [], 0
    for batch in sheet.batches():
        rows += batch.num_rows
        if most is not None and rows > most:
            raise InputError(
                f"{sheet.path}: more than {most:,} rows, and this answer names every item",
                "take a part of the sheet, or ask the command line",
            )
        batches.append(batch)
    if not batches or not rows:
        raise InputError(f"{sheet.path}: the sheet has no rows", "give it one")
    return pa.Table.from_batches(batches, sheet.schema).combine_chunks()
