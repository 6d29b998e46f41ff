"""Changes and coverage as terminal tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from perfcalc.answers.tables import LEGEND, SHORT, SHOWN_ROWS, STYLES, alike, hypothetical_lines, label, who_is_alike

if TYPE_CHECKING:
    from perfcalc.answers.changes import Changes, Move, ParagraphChange, Side, Step
    from perfcalc.answers.coverage import Cell, Coverage, Gap

#: A move between these two says only that the book begins or ends there: counted, not listed.
QUIET: Final = frozenset(("not_modelled", "not_controlled"))
#: Whoever becomes controlled is listed first.
ORDER: Final = ("controlled", "not_controlled", "cannot_tell", "not_modelled")


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
            words = f"{name.upper()}: {act['citation']} (published {act['published']}): {act['title']}"
            yield Padding(escape(words), (0, 0, 0, 2))
        for move, number in counts.items():
            before, after = move.split(" -> ")
            words = f"{_styled(before)} → {_styled(after)}"
            yield f"  {name.upper()}: {number:,} {words if before != after else f'{_styled(after)} as before, by other paragraphs'}"
    listed = [move for move in step.moves if _is_listed(move)]
    listed.sort(key=lambda move: (not move.turns, ORDER.index(move.after.verdict)))
    quiet = len(step.moves) - len(listed)
    if listed:
        yield from _moves_tables(listed[:SHOWN_ROWS], several=len(step.counts) > 1)
    if len(listed) > SHOWN_ROWS:
        yield f"[dim]the first {SHOWN_ROWS} of {len(listed):,} are shown; --json has all of them[/]"
    if quiet:
        yield f"[dim]not listed: {quiet:,} that only enter or leave the book, or move among anti-terrorism entries[/]"


def _is_listed(move: Move) -> bool:
    if move.turns:
        return not {move.before.verdict, move.after.verdict} <= QUIET
    return any(not each.at_only for each in move.paragraphs)


def _moves_tables(moves: list[Move], several: bool) -> Iterator[Any]:
    """A table for each pair of verdicts, so that no column is spent on them."""
    groups: dict[tuple[str, str], list[Move]] = {}
    for move in moves:
        groups.setdefault((move.before.verdict, move.after.verdict), []).append(move)
    for (before, after), group in groups.items():
        reasons = {_why(move) for move in group}
        heading = f"{_styled(before)} → {_styled(after)}" if before != after else f"{_styled(after)} as before"
        yield ""
        yield f"  {heading}{f', by {escape(min(reasons))}' if len(reasons) == 1 and any(reasons) else ''}"
        yield Padding(_moves_table(group, several, with_why=len(reasons) > 1), (0, 0, 0, 2))


def _moves_table(moves: list[Move], several: bool, with_why: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("item", ratio=4, overflow="fold")
    if several:
        table.add_column("")
    table.add_column("entries, or what is needed", ratio=4, overflow="fold")
    table.add_column("margin", justify="right", no_wrap=True)
    table.add_column("by which clause", ratio=7, overflow="fold")
    if with_why:
        table.add_column("why", ratio=2, overflow="fold")
    for move in moves:
        margin = move.after.margin
        table.add_row(
            escape(move.item),
            *([move.jurisdiction.upper()] if several else []),
            escape(" → ".join(filter(None, (_side(move.before), _side(move.after))))),
            "" if margin is None else f"{100 * margin:+.1f} %",
            escape("\n".join(_clauses(_counting(move)))),
            *([escape(_why(move))] if with_why else []),
        )
    return table


def _counting(move: Move) -> list[ParagraphChange]:
    return [each for each in move.paragraphs if not each.at_only] or move.paragraphs


def _why(move: Move) -> str:
    return "; ".join(dict.fromkeys(each.citation for each in _counting(move) if each.citation))


def _clauses(paragraphs: list[ParagraphChange]) -> Iterator[str]:
    """The first paragraph of each sort in words, the others by name; --json has every clause of all."""
    for ends in (False, True):
        of_sort = [each for each in paragraphs if (each.change == "ends") == ends]
        if of_sort:
            yield of_sort[0].words
        if of_sort[1:]:
            yield f"also {', '.join(each.paragraph for each in of_sort[1:])}"


def _side(side: Side) -> str:
    return ", ".join(side.entries) or (f"needs {', '.join(side.needs)}" if side.needs else "")


def _styled(verdict: str) -> str:
    return f"[{STYLES[verdict]}]{verdict}[/]"


def coverage_parts(coverage: Coverage) -> Iterator[Any]:
    """The matrix, the counts and the gaps."""
    yield from hypothetical_lines(coverage.hypothetical)
    groups = alike({name: tuple(row[name] for row in coverage.matrix) for name in coverage.jurisdictions})
    matrix = Table(box=None, pad_edge=False, header_style="bold")
    matrix.add_column("item", overflow="ellipsis", no_wrap=True)
    for names in groups:
        matrix.add_column(label(names), justify="center", no_wrap=True)
    for row in coverage.matrix[:SHOWN_ROWS]:
        cells = (f"[{STYLES[row[names[0]]]}]{SHORT[row[names[0]]]}[/]" for names in groups)
        matrix.add_row(escape(row["item"]), *cells)
    yield matrix
    yield from who_is_alike(groups)
    yield LEGEND
    if coverage.rows > SHOWN_ROWS:
        yield f"[dim]the first {SHOWN_ROWS} of {coverage.rows:,} items are shown; --json has all of them[/]"
    yield ""
    for names in groups:
        counts = coverage.counts[names[0]]
        words = ", ".join(f"{number:,} {_styled(verdict)}" for verdict, number in counts.items())
        yield f"{label(names)} on {coverage.as_of}: {words}"
    yield ""
    yield f"[bold]Gaps[/]: {len(coverage.gaps):,} items that some control and others leave free"
    if coverage.gaps:
        yield _gaps_table(coverage.gaps[:SHOWN_ROWS], groups)
    if len(coverage.gaps) > SHOWN_ROWS:
        yield f"[dim]the first {SHOWN_ROWS} gaps are shown; --json has all of them[/]"
    yield from _silence(coverage.gaps[:SHOWN_ROWS])
    if coverage.gaps:
        yield "[dim]A gap is not a free path: one country's rules may follow an item abroad.[/]"


def _gaps_table(gaps: list[Gap], groups: list[list[str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, ratio in (("item", 5), ("controlled by", 5), ("free in", 9), ("undecided", 5)):
        table.add_column(heading, ratio=ratio, overflow="fold")
    for gap in gaps:
        table.add_row(
            escape(gap.item),
            *(
                escape(_grouped(((cell.jurisdiction, words(cell)) for cell in cells), groups))
                for cells, words in ((gap.controlled, _entries), (gap.free, _free), (gap.undecided, _undecided))
            ),
        )
    return table


def _grouped(cells: Iterable[tuple[str, str]], groups: list[list[str]]) -> str:
    """Jurisdictions that say the same, on one line."""
    said: dict[str, list[str]] = {}
    for name, words in cells:
        said.setdefault(words, []).append(name)
    return "\n".join(f"{' '.join(_short(names, groups))}: {words}" for words, names in said.items())


def _short(names: list[str], groups: list[list[str]]) -> Iterator[str]:
    """Names of jurisdictions; a group that is there whole by its label."""
    left = set(names)
    for group in groups:
        if left.issuperset(group):
            yield label(group)
            left.difference_update(group)
    yield from (name.upper() for name in names if name in left)


def _entries(cell: Cell) -> str:
    return ", ".join(cell.entries)


def _free(cell: Cell) -> str:
    why = "no such control" if cell.silent else cell.why
    return why + "".join(f"; {verdict} under {change}" for change, verdict in cell.turned_by.items())


def _undecided(cell: Cell) -> str:
    if cell.verdict == "not_modelled":
        return "not modelled"
    return "number not read" if cell.silent else cell.why


def _silence(gaps: list[Gap]) -> Iterator[Any]:
    """What stands in the place of numbers, said once for all items: why they were not read, or that there are none."""
    said: dict[str, list[str]] = {}
    for cell in (cell for gap in gaps for cell in (*gap.free, *gap.undecided)):
        for paragraph, words in cell.silent.items():
            names = said.setdefault(words, [])
            if (name := f"{cell.jurisdiction.upper()} {paragraph}") not in names:
                names.append(name)
    if said:
        yield ""
        yield "[bold]No number[/]: not read, or no such control"
        for words, names in said.items():
            yield Padding(f"{escape(', '.join(names))}: [dim]{escape(words)}[/]", (0, 0, 0, 2))
        yield ""
