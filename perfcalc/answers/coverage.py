"""Items against jurisdictions on one day, and the gaps: what some control and others leave free."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from perfcalc.answers.explain import _clean, _trace
from perfcalc.answers.reasons import nearest
from perfcalc.answers.views import Measured, View, batches_of
from perfcalc.line import Items, Plan
from perfcalc.sheets.read import BATCH_ROWS

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Cell:
    """What one jurisdiction says of one item.

    Attributes
    ----------
    margin
        Signed relative distance to the nearest deciding line.
    why
        Of a gap: the line that a free item misses by the least, or why an open item is open.
    turned_by
        Of a gap: other readings of the law, each with the verdict that it would give.
    silent
        Of a gap: the paragraphs that decide without a number, and what they say instead. It is the same for every item.
    """

    jurisdiction: str
    verdict: str
    entries: list[str]
    needs: list[str]
    margin: float | None
    why: str = ""
    turned_by: dict[str, str] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)


@dataclass
class Gap:
    """An item that some control and others leave free. Open and not modelled are neither."""

    item: str
    id: str
    row: int
    controlled: list[Cell]
    free: list[Cell]
    undecided: list[Cell]


@dataclass
class Coverage:
    """The answer of `coverage`.

    Attributes
    ----------
    matrix
        One row an item: its name and the verdict of each jurisdiction.
    counts
        For each jurisdiction, how many items have which verdict.
    """

    as_of: str
    jurisdictions: list[str]
    rows: int
    hypothetical: list[str]
    matrix: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        cleaned = _clean(asdict(self))
        assert isinstance(cleaned, dict)
        for row in (*cleaned["matrix"], *cleaned["gaps"]) if self.hypothetical else ():
            row["hypothetical"] = True
        return cleaned

    def to_pandas(self) -> pd.DataFrame:
        """The matrix: one row an item, one column a jurisdiction, and whether it is a gap."""
        import pandas as pd

        gaps = {gap.row for gap in self.gaps}
        frame = pd.DataFrame(self.matrix, columns=["row", "item", *self.jurisdictions])
        frame["gap"] = frame["row"].isin(gaps)
        frame["hypothetical"] = bool(self.hypothetical)
        return frame.set_index("row")

    def __str__(self) -> str:
        from perfcalc.answers.comparisons import coverage_parts, plain

        return plain(coverage_parts(self))


def cover(table: pa.Table, plan: Plan) -> Coverage:
    """Judge every item by every jurisdiction of the plan, and list the gaps."""
    names = [book.jurisdiction for book in plan.books]
    answer = Coverage(plan.books[0].day.isoformat(), names, table.num_rows, list(plan.overlays))
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    first = 0
    for batch in batches_of(table, plan, BATCH_ROWS):
        measured = Measured(batch, plan)
        views = [measured.view(book) for book in plan.books]
        for view in views:
            counts[view.book.jurisdiction].update(view.verdict)
        answer.matrix.extend(
            {"row": first + row + 1, "item": name} | {view.book.jurisdiction: view.verdict[row] for view in views}
            for row, name in enumerate(measured.names)
        )
        answer.gaps.extend(_gaps(measured, views, first))
        first += batch.num_rows
    answer.counts = {name: dict(counted.most_common()) for name, counted in counts.items()}
    return answer


def _gaps(measured: Measured, views: list[View], first: int) -> list[Gap]:
    rows = [
        row
        for row in range(measured.batch.num_rows)
        if {"controlled", "not_controlled"} <= {view.verdict[row] for view in views}
    ]
    if not rows:
        return []
    items, at = measured.exact(rows)
    turned = {view.book.jurisdiction: measured.turned(view.book, view) for view in views}
    gaps = []
    for row in rows:
        gap = Gap(measured.names[row], measured.ids[row], first + row + 1, [], [], [])
        for view in views:
            cell = _cell(view, row, items, at[row], turned[view.book.jurisdiction])
            {"controlled": gap.controlled, "not_controlled": gap.free}.get(cell.verdict, gap.undecided).append(cell)
        gaps.append(gap)
    return gaps


def _cell(view: View, row: int, items: Items, at: int, turned: dict[str, list[str]]) -> Cell:
    cell = Cell(
        view.book.jurisdiction,
        view.verdict[row],
        view.entries[row].split(";") if view.entries[row] else [],
        view.needs[row].split(";") if view.needs[row] else [],
        view.margin[row],
        turned_by={change: verdicts[row] for change, verdicts in turned.items() if verdicts[row] != view.verdict[row]},
    )
    kind = int(items.kinds[at])
    asked = [(rule, view.state(rule, row, kind)) for rule in view.book.rules if view.counts(rule)]
    if cell.verdict == "not_controlled":
        traces = [_trace(rule, items, at, state) for rule, state in asked if state]
        line = nearest(traces)
        if not line:
            cell.silent = {rule.paragraph: rule.none for rule, _ in asked if rule.none}
        cell.why = line or "; ".join(cell.silent.values()) or "no line near it"
    elif cell.verdict == "cannot_tell":
        cell.silent = {rule.paragraph: rule.unread for rule, state in asked if state == "open" and rule.unread}
        unread = [f"{paragraph}: {reason}" for paragraph, reason in cell.silent.items()]
        cell.why = "; ".join(unread) or f"needs {', '.join(cell.needs)}"
    elif cell.verdict == "not_modelled":
        cell.why = "no rule for this kind of item is modelled on that day"
    return cell
