"""Changes and coverage as terminal tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from perfcalc.answers.tables import SHOWN_ROWS, STYLES, hypothetical_lines

if TYPE_CHECKING:
    from perfcalc.answers.changes import Changes, Move, ParagraphChange, Side, Step
    from perfcalc.answers.coverage import Cell, Coverage, Gap

#: A move between these two says only that the book begins or ends there: counted, not listed.
QUIET: Final = frozenset(("not_modelled", "not_controlled"))
#: Whoever becomes controlled is listed first.
ORDER: Final = ("controlled", "not_controlled", "cannot_tell", "not_modelled")
SHORT: Final = {"controlled": "yes", "not_controlled": "no", "cannot_tell": "?", "not_modelled": "-"}


def plain(parts: Iterable[Any], width: int = 160) -> str:
    """Lines and tables as text without colour."""
    out = StringIO()
    console = Console(file=out, width=width, highlight=False, color_system=None)
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def changes_parts(changes: Changes) -> Iterator[Any]:
    """Every step: the acts, the counts, and a table of whoever moves."""
    yield from hypothetical_lines(changes.hypothetical)
    names = ", ".join(name.upper() for name in changes.jurisdictions)
    days = f"from {changes.from_day} to {changes.to_day}"
    if changes.from_day == changes.to_day:
        days = f"the rule book against the overlay on {changes.to_day}"
    yield f"{changes.rows:,} items, {names}, {days}"
    for step in changes.steps:
        if step.moves or len(changes.steps) == 1:
            yield from _step_parts(step)
    still = [step.to_day for step in changes.steps if not step.moves and any(step.acts.values())]
    if still and len(changes.steps) > 1:
        yield ""
        yield f"[dim]the book changes, but no item moves, on: {', '.join(still)}[/]"


def _step_parts(step: Step) -> Iterator[Any]:
    yield ""
    mark = "[bold magenta]HYPOTHETICAL[/] " if step.hypothetical else ""
    yield f"{mark}[bold]{step.from_day} → {step.to_day if step.from_day != step.to_day else 'the overlay'}[/]"
    for name, counts in step.counts.items():
        for act in step.acts.get(name, []):
            yield f"  {name.upper()}: {escape(act['citation'])} (published {act['published']}): {escape(act['title'])}"
        for move, number in counts.items():
            before, after = move.split(" -> ")
            words = f"{_styled(before)} → {_styled(after)}"
            yield f"  {name.upper()}: {number:,} {words if before != after else f'{_styled(after)} as before, by other paragraphs'}"
    listed = [move for move in step.moves if _is_listed(move)]
    listed.sort(key=lambda move: (not move.turns, ORDER.index(move.after.verdict)))
    quiet = len(step.moves) - len(listed)
    if listed:
        yield _moves_table(listed[:SHOWN_ROWS], several=len(step.counts) > 1)
    if len(listed) > SHOWN_ROWS:
        yield f"[dim]the first {SHOWN_ROWS} of {len(listed):,} are shown; --json has all of them[/]"
    if quiet:
        yield f"[dim]not listed: {quiet:,} that only enter or leave the book, or move among anti-terrorism entries[/]"


def _is_listed(move: Move) -> bool:
    if move.turns:
        return not {move.before.verdict, move.after.verdict} <= QUIET
    return any(not each.at_only for each in move.paragraphs)


def _moves_table(moves: list[Move], several: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("item", ratio=3, overflow="fold")
    if several:
        table.add_column("")
    table.add_column("from", ratio=2, overflow="fold")
    table.add_column("to", ratio=2, overflow="fold")
    table.add_column("margin", justify="right", no_wrap=True)
    table.add_column("by which clause", ratio=6, overflow="fold")
    table.add_column("why", ratio=2, overflow="fold")
    for move in moves:
        counting = [each for each in move.paragraphs if not each.at_only] or move.paragraphs
        margin = move.after.margin
        table.add_row(
            escape(move.item),
            *([move.jurisdiction.upper()] if several else []),
            _side(move.before),
            _side(move.after),
            "" if margin is None else f"{100 * margin:+.1f} %",
            escape("\n".join(_clauses(counting))),
            escape("; ".join(dict.fromkeys(each.citation for each in counting if each.citation))),
        )
    return table


def _clauses(paragraphs: list[ParagraphChange]) -> Iterator[str]:
    """The first paragraph of each sort in words, the others by name; --json has every clause of all."""
    for ends in (False, True):
        of_sort = [each for each in paragraphs if (each.change == "ends") == ends]
        if of_sort:
            yield of_sort[0].words
        if of_sort[1:]:
            yield f"also {', '.join(each.paragraph for each in of_sort[1:])}"


def _side(side: Side) -> str:
    detail = ", ".join(side.entries) or (f"needs {', '.join(side.needs)}" if side.needs else "")
    return f"{_styled(side.verdict)}{f' {escape(detail)}' if detail else ''}"


def _styled(verdict: str) -> str:
    return f"[{STYLES[verdict]}]{verdict}[/]"


def coverage_parts(coverage: Coverage) -> Iterator[Any]:
    """The matrix, the counts and the gaps."""
    yield from hypothetical_lines(coverage.hypothetical)
    groups = _alike(coverage)
    matrix = Table(box=None, pad_edge=False, header_style="bold")
    matrix.add_column("item", overflow="ellipsis", no_wrap=True)
    for names in groups:
        matrix.add_column(
            f"{names[0].upper()}{f' +{len(names) - 1}' if names[1:] else ''}", justify="center", no_wrap=True
        )
    for row in coverage.matrix[:SHOWN_ROWS]:
        cells = (f"[{STYLES[row[names[0]]]}]{SHORT[row[names[0]]]}[/]" for names in groups)
        matrix.add_row(escape(row["item"]), *cells)
    yield matrix
    for names in groups:
        if names[1:]:
            yield f"[dim]{names[0].upper()} stands for {', '.join(name.upper() for name in names)}: alike in every item[/]"
    yield "[dim]yes controlled   no not controlled   ? cannot tell   - not modelled (neither ? nor - is a no)[/]"
    if coverage.rows > SHOWN_ROWS:
        yield f"[dim]the first {SHOWN_ROWS} of {coverage.rows:,} items are shown; --json has all of them[/]"
    yield ""
    for names in groups:
        name, counts = names[0], coverage.counts[names[0]]
        words = ", ".join(f"{number:,} {_styled(verdict)}" for verdict, number in counts.items())
        yield f"{name.upper()} on {coverage.as_of}: {words}"
    yield ""
    yield f"[bold]Gaps[/]: {len(coverage.gaps):,} items that some control and others leave free"
    if coverage.gaps:
        yield _gaps_table(coverage.gaps[:SHOWN_ROWS])
    if len(coverage.gaps) > SHOWN_ROWS:
        yield f"[dim]the first {SHOWN_ROWS} gaps are shown; --json has all of them[/]"
    if coverage.gaps:
        yield "[dim]A gap is not a free path: one country's rules may follow an item abroad.[/]"


def _alike(coverage: Coverage) -> list[list[str]]:
    """Jurisdictions whose verdicts are the same in every item, such as the member states of the EU."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in coverage.jurisdictions:
        groups.setdefault(tuple(row[name] for row in coverage.matrix), []).append(name)
    return list(groups.values())


def _gaps_table(gaps: list[Gap]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, ratio in (("item", 3), ("controlled by", 3), ("free in", 6), ("undecided", 3)):
        table.add_column(heading, ratio=ratio, overflow="fold")
    for gap in gaps:
        undecided = ((cell.jurisdiction, f"{cell.verdict}: {cell.why}") for cell in gap.undecided)
        table.add_row(
            escape(gap.item),
            escape(_grouped((cell.jurisdiction, ", ".join(cell.entries)) for cell in gap.controlled)),
            escape(_grouped((cell.jurisdiction, _free(cell)) for cell in gap.free)),
            escape(_grouped(undecided)),
        )
    return table


def _grouped(cells: Iterable[tuple[str, str]]) -> str:
    """Jurisdictions that say the same, on one line."""
    groups: dict[str, list[str]] = {}
    for name, words in cells:
        groups.setdefault(words, []).append(name.upper())
    return "\n".join(f"{' '.join(names)}: {words}" for words, names in groups.items())


def _free(cell: Cell) -> str:
    return cell.why + "".join(f"; {verdict} under {change}" for change, verdict in cell.turned_by.items())
