"""Scores and summaries as terminal tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.markup import escape
from rich.table import Table

from perfcalc.answers.numbers import interval_text
from perfcalc.rulebook.book import load
from perfcalc.verdicts.declared import CHECKS

if TYPE_CHECKING:
    import pyarrow as pa

    from perfcalc.summary import Summary

#: A longer sheet is cut in the terminal; ``-o`` has it whole.
SHOWN_ROWS: Final = 60
STYLES: Final = {
    "controlled": "bold red",
    "not_controlled": "green",
    "cannot_tell": "bold yellow",
    "not_modelled": "dim",
}
SHORT: Final = {"controlled": "yes", "not_controlled": "no", "cannot_tell": "?", "not_modelled": "-"}
LEGEND: Final = "[dim]yes controlled   no not controlled   ? cannot tell   - not modelled (neither ? nor - is a no)[/]"


def alike(answers: Mapping[str, Any]) -> list[list[str]]:
    """Jurisdictions with the same answers; the one whose list binds the others first, as the EU's does its members."""
    groups: dict[Any, list[str]] = {}
    for name, answer in answers.items():
        groups.setdefault(answer, []).append(name)
    included = {other for name in answers for other in load().place(name).includes}
    return [sorted(names, key=lambda name: name not in included) for names in groups.values()]


def label(names: Sequence[str]) -> str:
    """Jurisdictions that are alike, by the first of them."""
    return f"{names[0].upper()}{f' +{len(names) - 1}' if names[1:] else ''}"


def who_is_alike(groups: Sequence[Sequence[str]]) -> Iterator[str]:
    """What the labels of a table stand for."""
    for names in groups:
        if names[1:]:
            yield f"[dim]{label(names)} is {' '.join(name.upper() for name in names)}: alike in every item[/]"


def scores_parts(scored: Sequence[pa.RecordBatch], jurisdictions: Sequence[str]) -> Iterator[Any]:
    """The items of a sheet: in full for one jurisdiction, verdicts and margins alone for several."""
    if len(jurisdictions) == 1 or any(f"{jurisdictions[0]}_licence" in batch.schema.names for batch in scored):
        yield scores_table(scored, jurisdictions)
        return
    columns = [f"{name}_{part}" for name in jurisdictions for part in ("verdict", "margin")]
    rows = [row for batch in scored for row in batch.select(columns).to_pylist()]
    groups = alike(
        {name: tuple((row[f"{name}_verdict"], row[f"{name}_margin"]) for row in rows) for name in jurisdictions}
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("item", overflow="ellipsis", no_wrap=True)
    for heading in ("TPP", "density"):
        table.add_column(heading, justify="right", no_wrap=True)
    for names in groups:
        table.add_column(label(names), justify="right", no_wrap=True)
    shown = [row for batch in scored for row in batch.slice(0, SHOWN_ROWS).to_pylist()][:SHOWN_ROWS]
    for row in shown:
        cells = [escape(_name(row)), _metric(row, "tpp"), _metric(row, "performance_density")]
        for name in (names[0] for names in groups):
            verdict, margin = row[f"{name}_verdict"], row[f"{name}_margin"]
            percent = "" if margin is None else f" {100 * margin:+.1f} %"
            cells.append(f"[{STYLES[verdict]}]{SHORT[verdict]}[/]{percent}")
        table.add_row(*cells)
    yield table
    yield from who_is_alike(groups)
    yield LEGEND
    yield "[dim]Entries, and what an open item needs: ask one jurisdiction, or use --json or -o.[/]"


def scores_table(scored: Sequence[pa.RecordBatch], jurisdictions: Sequence[str]) -> Table:
    """One row an item: the main metrics, and the verdict of each jurisdiction."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(
        "item", ratio=2, overflow="ellipsis", no_wrap=True, max_width=40
    )  # one long name squeezes the rest
    table.add_column("TPP", justify="right", no_wrap=True)
    table.add_column("density", justify="right", no_wrap=True)
    for name in jurisdictions:
        table.add_column(name.upper(), no_wrap=True)
        table.add_column("entries, or what is needed", ratio=2, overflow="fold")
        table.add_column("margin", justify="right", no_wrap=True)
    shown = 0
    for batch in scored:
        for row in batch.slice(0, SHOWN_ROWS - shown).to_pylist():
            shown += 1
            cells = [escape(_name(row)), _metric(row, "tpp"), _metric(row, "performance_density")]
            for name in jurisdictions:
                verdict = row[f"{name}_verdict"]
                needs = row[f"{name}_needs"]
                detail = f"needs {needs}" if needs else row[f"{name}_entries"] or ""
                if f"{name}_licence" in row:
                    detail = "; ".join(filter(None, (detail, _licence_words(row, name))))
                margin = row[f"{name}_margin"]
                cells += [
                    f"[{STYLES[verdict]}]{verdict}[/]",
                    escape(detail.replace(";", ", ")),
                    "" if margin is None else f"{100 * margin:+.1f} %",
                ]
            table.add_row(*cells)
    return table


def _name(row: dict[str, Any]) -> str:
    """The name of an item; a sheet with headings of its own has it first more often than not."""
    return str(row["name"] if "name" in row else next(iter(row.values())))


def _licence_words(row: dict[str, Any], name: str) -> str:
    exceptions = row[f"{name}_exceptions"]
    review = row[f"{name}_review"]
    return ", ".join(
        filter(
            None,
            (
                f"licence {row[f'{name}_licence']}",
                f"exceptions {exceptions.replace(';', ' ')}" if exceptions else "",
                "" if review in (None, "not_applicable") else review,
            ),
        )
    )


def _metric(row: dict[str, Any], name: str) -> str:
    if row[name] is not None:
        return f"{row[name]:,.5g}" if row[name] < 10_000 else f"{row[name]:,.0f}"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return "" if low is None else interval_text(low, high).replace("unknown", "?").replace(" or more", "+")


def summary_lines(summary: Summary, output: Path | None) -> Iterator[str]:
    """The last lines of a run."""
    total = summary.rows
    yield ""
    yield from hypothetical_lines(summary.hypothetical)
    said = {
        name: ", ".join(f"[{STYLES[word]}]{counts[word]:,} {word}[/]" for word in STYLES if counts[word])
        for name, counts in summary.verdicts.items()
    }
    for names in alike(said):
        yield f"{' '.join(name.upper() for name in names)} on {summary.as_of}: {said[names[0]] or 'no items'}"
    if summary.is_stale:
        yield f"[yellow]the rule book was last checked on {summary.checked}: law made since is not in it[/]"
    if summary.declared:
        counted = ", ".join(f"{summary.declared[word]:,} {word}" for word in CHECKS if summary.declared[word])
        yield f"declared ECCN against the computed entries: {counted}"
    if output is None and total > SHOWN_ROWS:
        yield f"The first {SHOWN_ROWS} of {total:,} items are shown; -o OUT.csv has all of them."
    if output is not None:
        yield f"{total:,} rows written to {escape(str(output))}"
    for names in alike({name: tuple(rows) for name, rows in summary.not_asked.items()}):
        if rows := summary.not_asked[names[0]]:
            where = f" ({label(names)})" if len(summary.not_asked) > 1 else ""
            yield f"[dim]not asked{where}: {escape('; '.join(rows))}[/]"
    for column, close in summary.suggestions.items():
        yield f"[yellow]column {escape(column)} was not recognised; did you mean {close}?[/]"
    if summary.problems:
        yield f"[yellow]{summary.problems:,} rows have cells that are unreadable (unknown), ambiguous or implausible (intervals):[/]"
        yield from (f"  {escape(text)}" for text in summary.first_problems)
    for reject in summary.rejects[:5]:
        where = f"line {reject.line}" if reject.line else "a line"
        yield f"[red]rejected[/] {escape(reject.file)}, {where}: {reject.reason}; {reject.remedy}"
    if summary.rejects:
        yield f"[red]{len(summary.rejects):,} rows rejected[/]"


def hypothetical_lines(overlays: Sequence[str]) -> Iterator[str]:
    """What stands above every answer that is given with an overlay."""
    if overlays:
        yield f"[bold magenta]HYPOTHETICAL[/]: with {escape('; '.join(overlays))} laid over the rule book. Not law."
