"""Build the report: what was asked, the counts, charts, a table with filters, the trace of each item, problems."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from perfcalc import __version__
from perfcalc.answers.charts.frame import place_name
from perfcalc.answers.charts.page import POLICY
from perfcalc.answers.charts.render import missing, script_json
from perfcalc.answers.charts.style import VERDICTS
from perfcalc.answers.numbers import interval_text
from perfcalc.answers.report.traces import traces_of
from perfcalc.answers.tables import alike, label
from perfcalc.errors import InputError
from perfcalc.fields import FIELDS, METRICS
from perfcalc.files import whole_files
from perfcalc.line import Plan, run
from perfcalc.metrics.readings import DEFAULT
from perfcalc.sheets.read import Sheet
from perfcalc.summary import Summary

if TYPE_CHECKING:
    from perfcalc.answers.charts.render import Chart
    from perfcalc.answers.explain import ClauseTrace

HERE: Final = Path(__file__).parent
#: Rows that stand in the page before its script has run; the script shows as many at a time.
STATIC_ROWS: Final = 200
#: Rows that the filters search. Longer sheets are what ``-o`` is for.
MOST_ROWS: Final = 20_000
#: Items whose trace is in the file, nearest to a line first: a trace takes about four kilobytes for each jurisdiction.
MOST_TRACES: Final = 300
#: Problems and rejects that are listed.
MOST_LISTED: Final = 500
#: Jurisdictions, or groups of them that are alike, that get a chart of their own.
MOST_CHARTS: Final = 3
FIGURES: Final = (
    "tpp",
    "performance_density",
    "memory_bandwidth_density",
    "app_wt",
    "counted_qubits",
    "cnot_error",
)


@dataclass
class KeptSheet(Sheet):
    """A sheet that was read once and is held in memory, because a report needs its rows more than once."""

    kept: list[pa.RecordBatch] = field(default_factory=list)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows that were read."""
        yield from self.kept


def keep(sheet: Sheet) -> KeptSheet:
    """Read a sheet into memory."""
    kept = list(sheet.batches())
    return KeptSheet(sheet.path, sheet.schema, sheet.rows, list(sheet.rejects), sheet.notes, kept=kept)


def write_report(path: Path, sheet: Sheet, plan: Plan, summary: Summary, scored: Sequence[pa.RecordBatch]) -> None:
    """Write the report of a scored sheet, whole or not at all.

    Raises
    ------
    InputError
        The folder does not exist, or the extra ``charts`` is not installed.
    """
    # Into a file, the rows were not kept.
    text = report_html(sheet, plan, summary, scored or list(run(sheet.batches(), plan)))
    with whole_files(path) as (draft,):
        draft.write_text(text, "utf-8")


def report_html(sheet: Sheet, plan: Plan, summary: Summary, scored: Sequence[pa.RecordBatch]) -> str:
    """The report as HTML. Everything that comes from the sheet is escaped by the template."""
    try:
        import jinja2
    except ImportError as error:
        raise missing() from error
    rows = [row for batch in scored for row in batch.to_pylist()]
    name = plan.columns.get("name", "name")
    name = name if not rows or name in rows[0] else "name"
    answers = {
        book.jurisdiction: tuple(
            (row[f"{book.jurisdiction}_verdict"], row[f"{book.jurisdiction}_entries"]) for row in rows
        )
        for book in plan.books
    }
    groups = alike(answers)
    narrow = replace(
        plan, books=tuple(book for book in plan.books if book.jurisdiction in {each[0] for each in groups})
    )
    # Charts are for those that say most: a country whose numbers were not read has none to draw.
    decided = {names[0]: summary.verdicts[names[0]] for names in groups}
    ranked = sorted(
        groups, key=lambda names: -sum(decided[names[0]][word] for word in ("controlled", "not_controlled"))
    )
    charted = [names[0] for names in ranked[:MOST_CHARTS]]
    table = _Table(rows, name, groups, plan)
    traced = _traced(rows, groups)
    source = pa.Table.from_batches(sheet.batches(), sheet.schema)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["value"] = _value
    text: str = environment.get_template("page.html").render(
        policy=POLICY,
        style=(HERE / "page.css").read_text("utf-8"),
        script=(HERE / "page.js").read_text("utf-8"),
        version=__version__,
        file=sheet.path.name,
        day=summary.as_of.isoformat(),
        law=plan.law,
        digest=plan.rulebook,
        overlays=plan.overlays,
        readings=_readings(plan),
        summary=summary,
        groups=[(label(names), [place_name(each) for each in names], summary.verdicts.get(names[0], {}), summary.entries.get(names[0], {}),
                 summary.not_asked.get(names[0], [])) for names in groups],
        verdicts=VERDICTS,
        charts=[_picture(*pair) for pair in _charts(source, narrow, plan, rows, charted)],
        undrawn=[label(names) for names in groups if names[0] not in charted],
        heads=table.heads,
        shown=table.rows[:STATIC_ROWS],
        total=len(rows),
        searched=min(len(rows), MOST_ROWS),
        kinds=sorted({row[1] for row in table.rows}),
        data=script_json({"rows": [[*row, at if at in traced else -1] for at, row in enumerate(table.rows[:MOST_ROWS])],
                          "figures": len(table.figures) + len(table.origin), "groups": [label(names) for names in groups], "page": STATIC_ROWS,
                          "words": {word: each[0] for word, each in VERDICTS.items()}, "signs": {word: each[3] for word, each in VERDICTS.items()}}),
        traces=list(traces_of(source, narrow, traced, [rows[at]["problems"] or "" for at in traced])),
        traced=set(traced),
        problems=[(at + 1, row[name] or "", row["problems"]) for at, row in enumerate(rows) if row["problems"]][:MOST_LISTED],
        rejects=summary.rejects[:MOST_LISTED],
        most=MOST_LISTED,
    )  # fmt: skip
    return text


def _readings(plan: Plan) -> str:
    if plan.widen:
        return "every open reading of the law"
    chosen = {name: option for name, option in asdict(plan.readings).items() if option != getattr(DEFAULT, name)}
    return ", ".join(f"{name}={option}" for name, option in chosen.items()) or "the usual ones"


class _Table:
    """The rows of the table as text: name, kind, figures, and verdict, detail and margin of each group."""

    def __init__(self, rows: Sequence[dict[str, Any]], name: str, groups: Sequence[Sequence[str]], plan: Plan) -> None:
        self.figures = [
            metric
            for metric in FIGURES
            if any(row[metric] is not None or row[f"{metric}_low"] is not None for row in rows)
        ]
        self.heads = ["item", "kind", *(_head(metric) for metric in self.figures)]
        self.origin = ["likely origin"] if plan.origin else []
        self.heads += self.origin
        for names in groups:
            self.heads += [label(names), f"{label(names)} entries, or what is needed", f"{label(names)} margin"]
        kind = plan.columns.get("kind", "kind")
        self.rows = [self._row(row, name, kind, groups) for row in rows]

    def _row(self, row: dict[str, Any], name: str, kind: str, groups: Sequence[Sequence[str]]) -> list[str]:
        from perfcalc.answers.tables import _metric

        cells = [str(row.get(name) or ""), str(row.get(kind) or ""), *(_metric(row, metric) for metric in self.figures)]
        if self.origin:
            chance = row["origin_probability"]
            cells.append(row["origin"].replace("_", " ") + (f" ({chance:.2f})" if chance is not None else ""))
        for first, *_ in groups:
            needs, entries, margin = (row[f"{first}_{part}"] for part in ("needs", "entries", "margin"))
            detail = f"needs {needs}" if needs else entries or ""
            cells += [
                row[f"{first}_verdict"],
                detail.replace(";", ", "),
                "" if margin is None else f"{100 * margin:+.1f} %",
            ]
        return cells


def _head(metric: str) -> str:
    unit = METRICS[metric].unit
    words = {
        "tpp": "TPP",
        "performance_density": "density",
        "memory_bandwidth_density": "bandwidth density",
        "app_wt": "APP",
    }
    said = words.get(metric, metric.replace("_", " ").replace("cnot", "C-NOT"))
    return f"{said} ({unit})" if unit and unit != "TPP" and metric != "counted_qubits" else said


def _traced(rows: Sequence[dict[str, Any]], groups: Sequence[Sequence[str]]) -> list[int]:
    """Which items get a trace: the open ones and those nearest to a line, up to a limit; in the order of the sheet."""

    def urgency(row: dict[str, Any]) -> float:
        margins: list[float] = [
            abs(row[f"{names[0]}_margin"]) for names in groups if row[f"{names[0]}_margin"] is not None
        ]
        is_open = any(row[f"{names[0]}_verdict"] == "cannot_tell" for names in groups)
        return min([*margins, 0.05 if is_open else 9.0])

    ranked = sorted(range(len(rows)), key=lambda at: urgency(rows[at])) if len(rows) > MOST_TRACES else range(len(rows))
    return sorted(list(ranked)[:MOST_TRACES])


def _value(clause: ClauseTrace) -> str:
    """The item's figure in a clause."""
    field = FIELDS.get(clause.metric)
    if field is not None and field.type == "choice":
        return field.choices[int(clause.low)] if clause.low == clause.high else "unknown"
    return "does not exist" if isnan(clause.low) else interval_text(clause.low, clause.high, clause.unit)


def _charts(
    table: pa.Table, plan: Plan, whole: Plan, rows: Sequence[dict[str, Any]], charted: Sequence[str]
) -> Iterator[tuple[Chart, Chart]]:
    """The charts that the sheet has items for, each for a light page and for a dark one.

    `plan` has one jurisdiction of each group that is alike, `whole` has all of them.
    """
    from perfcalc.answers.charts.coverage import coverage_chart
    from perfcalc.answers.charts.origin import origin_chart
    from perfcalc.answers.charts.plane import PLANES, plane_charts

    if not rows:
        return
    for place in charted:
        one = replace(plan, books=tuple(book for book in plan.books if book.jurisdiction == place))
        for kind in PLANES:
            try:
                yield plane_charts(kind, table, one)
            except InputError as error:
                # A sheet of chips has no chart of quantum computers; that an extra is missing must be said.
                if not error.what.startswith(("the sheet has no items", "no item can be drawn")):
                    raise
    if len(whole.books) > 1:
        yield coverage_chart(table, whole), coverage_chart(table, whole, dark=True)
    if plan.origin:
        try:
            yield origin_chart(table), origin_chart(table, dark=True)
        except InputError as error:
            if not error.what.startswith(("the sheet has no designer", "no item of the sheet")):
                raise


def _picture(light: Chart, dark: Chart) -> dict[str, str]:
    """A chart as data that an image holds: what is in it cannot touch the page."""
    urls = [f"data:image/svg+xml;base64,{b64encode(chart.svg().encode()).decode()}" for chart in (light, dark)]
    return {"light": urls[0], "dark": urls[1], "alt": light.description, "title": light.title}
