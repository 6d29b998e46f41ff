"""A catalogue scored on any day, and why a result of it is what it is: what `check` asks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa

from perfcalc.answers.numbers import interval_text
from perfcalc.answers.views import Measured, View, deciding_clauses, decision_words
from perfcalc.fields import FIELDS, METRICS, RATES, fields_behind
from perfcalc.line import Items, Plan, run
from perfcalc.rulebook.book import Rule
from perfcalc.sheets.cells import texts
from perfcalc.sheets.headers import bindings_of
from perfcalc.sheets.read import BATCH_ROWS

#: Columns that a sheet may call its items by.
KEYS: Final = ("id", "name")

#: Enough of a digest to tell two states of a sheet or book apart.
DIGITS: Final = 8


class Catalogue:
    """A sheet, and the plan for a day and some jurisdictions."""

    def __init__(self, table: pa.Table, plan_of: Callable[[str | None, Sequence[str]], Plan]) -> None:
        self.table = table.combine_chunks()
        self.plan_of = plan_of

    def scored(self, day: str | None, places: Sequence[str]) -> pa.Table:
        """The results; with columns `id` and `name`, whatever the sheet calls them."""
        plan = self.plan_of(day, places)
        batches = self.table.to_batches(BATCH_ROWS) or [pa.RecordBatch.from_pylist([], schema=self.table.schema)]
        found = pa.Table.from_batches(run(batches, plan))
        for key in KEYS:
            heading = plan.columns.get(key, key)
            if key not in found.column_names and heading in found.column_names:
                found = found.append_column(key, found.column(heading))
        return found

    @cached_property
    def rulebook(self) -> str:
        """A short digest of the rule book."""
        return self.plan_of(None, ()).rulebook[:DIGITS]

    @cached_property
    def cells(self) -> list[str]:
        """For each row a short digest of the cells that are read, with their headings."""
        plan = self.plan_of(None, ())
        said: list[list[str]] = [[] for _ in range(self.table.num_rows)]
        for heading in sorted({each.column for name in plan.columns for each in bindings_of(plan.columns, name)}):
            for row, cell in enumerate(texts(self.table.column(heading).combine_chunks())):
                if cell is not None:
                    said[row].append(f"{heading}\0{cell}")
        return [hashlib.sha256("\n".join(each).encode()).hexdigest()[:DIGITS] for each in said]

    def why(self, day: str | None, places: Sequence[str], rows: Sequence[int]) -> Iterator[Why]:
        """What speaks for the results of some rows."""
        if not rows:
            return
        plan = self.plan_of(day, places)
        batch = self.table.to_batches()[0]
        # Rows that belong together are measured together.
        linked = {"unit", "part_of"} & set(plan.columns)
        measured = Measured(batch if linked else batch.take(pa.array(rows, pa.int64())), plan)
        own = list(rows) if linked else list(range(len(rows)))
        items, at = measured.exact(own)
        views = {book.jurisdiction: measured.view(book) for book in plan.books}
        for row in own:
            yield Why(views, row, items, at[row])


class Why:
    """What speaks for the results of one row."""

    def __init__(self, views: dict[str, View], row: int, items: Items, at: int) -> None:
        self.views, self.row, self.items, self.at = views, row, items, at

    def of(self, column: str, expected: Sequence[str]) -> str:
        """Why a result is what it is, if there is more to say than the result.

        Parameters
        ----------
        expected
            The paragraphs that were expected in the same jurisdiction.
        """
        metric = column.removesuffix("_low").removesuffix("_high")
        if metric in METRICS:
            return self._figure(metric)
        place, _, what = column.rpartition("_")
        if place not in self.views or what not in ("verdict", "entries"):
            return ""
        view = self.views[place]
        found = [code for code in view.entries[self.row].split(";") if code]
        # What was expected and is not met, and what is met and was not expected.
        codes = [code for code in (*expected, *found) if (code in expected) != (code in found)]
        words = [self._paragraph(view, code, what == "verdict") for code in codes]
        needs = view.needs[self.row].replace(";", ", ")
        return "; ".join([*filter(None, words), *([f"needs {needs}"] if needs and what == "verdict" else [])])

    def _paragraph(self, view: View, code: str, if_it_counts: bool) -> str:
        rule = next((rule for rule in view.book.rules if rule.paragraph == code), None)
        if rule is None:
            known = any(rule.entry == code for rule in view.book.rules)
            return "" if known else f"{code} is not law on {view.book.day}"
        if if_it_counts and not view.counts(rule):
            return ""
        state = view.state(rule, self.row, int(self.items.kinds[self.at]))
        if state is None:
            return f"{code} is not asked of it"
        return f"{self._decision(rule, state)} ({rule.citation})"

    def _decision(self, rule: Rule, state: str) -> str:
        return decision_words(rule, state, deciding_clauses(rule, state, self.items, self.at))

    def _figure(self, metric: str) -> str:
        """The cells that a figure comes from, and what is odd about them."""
        facts, names = self.items.facts, set(fields_behind(metric))
        rates = {rate.name for rate in RATES}
        if rates <= names:
            highest = int(facts.labels["tpp_format"][self.at]) if "tpp_format" in facts.labels else -1
            names = names - rates | ({RATES[highest].name} if highest >= 0 else set())
        said = []
        for name, field in FIELDS.items():
            if name in names and field.type == "number" and facts.is_given(name)[self.at]:
                low, high = (float(end[self.at]) for end in facts.interval(name))
                said.append(f"{name} {interval_text(low, high, field.unit)}" if not np.isnan(low) else name)
        problems = [each for each in self.items.problems.of(self.at) if any(name in each for name in names)]
        return "; ".join([*([f"from {', '.join(said)}"] if said else []), *problems])
