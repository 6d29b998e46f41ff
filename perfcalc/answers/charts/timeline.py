"""A strip through time: which items each rule caught."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import pyarrow as pa

from perfcalc.answers.changes import Changes, Side, changes_between
from perfcalc.answers.charts.frame import axis_label, law_lines, notes_panel, place_name, verdict_legend
from perfcalc.answers.charts.labels import text_width
from perfcalc.answers.charts.render import Chart, altair, finish, inline
from perfcalc.answers.charts.style import VERDICTS, inks
from perfcalc.errors import InputError
from perfcalc.line import Plan
from perfcalc.rulebook.book import Rule

WIDTH: Final = 700
ROW: Final = 17
#: More rows do not fit a page; what moves least is left out.
MOST_ROWS: Final = 40
#: How much a verdict stands out.
STRENGTH: Final = {"controlled": 0.85, "cannot_tell": 0.6, "not_controlled": 0.28, "not_modelled": 0.14}


@dataclass
class Span:
    """One verdict, from a day until the next change."""

    start: date
    end: date
    verdict: str
    entries: tuple[str, ...]


@dataclass
class Track:
    """The items that share a history."""

    spans: list[Span]
    names: list[str]


def timeline_chart(table: pa.Table, plans: Sequence[Plan], dark: bool = False) -> Chart:
    """Draw the histories of the items that move between the days of some plans.

    Parameters
    ----------
    plans
        One for each day on which the book changes, in order, and one for the last day.

    Raises
    ------
    InputError
        No item moves, or the extra is not installed.
    """
    alt = altair()
    book = plans[-1].books[0]
    changes = changes_between(table, plans)
    first, last = plans[0].books[0].day, book.day
    tracks = tracks_of(changes, first, last)
    if not tracks:
        raise InputError(f"no item moves between {first} and {last}", "choose other days with --from and --as-of")
    moved = sum(len(track.names) for track in tracks)
    shown = sorted(tracks, key=lambda track: (-_turns(track), -len(track.names)))[:MOST_ROWS]
    shown.sort(key=lambda track: (_caught(track, last), track.spans[-1].entries, track.names[0].casefold()))
    drawn = sum(len(track.names) for track in shown)
    left = {"a history shared by fewer items": moved - drawn} if moved > drawn else {}
    if table.num_rows > moved:
        left["no change in these days"] = table.num_rows - moved
    place = place_name(book.jurisdiction)
    title = f"{'HYPOTHETICAL: ' if plans[-1].overlays else ''}What each rule of {place} caught, {first} to {last}"
    lines = law_lines(plans[-1], f"from {first} to {last}")
    days = sorted({span.start for track in shown for span in track.spans[1:]})
    description = f"{title}. {' '.join(lines)}. Strips through time. " + " ".join(
        f"{_name(track)}: {', '.join(f'{_words(span)} from {span.start}' for span in track.spans)}." for track in shown
    )
    notes = [
        "; ".join(f"{step.to_day}: {', '.join(act['citation'] for act in step.acts.get(book.jurisdiction, []))}"
                  for step in changes.steps if date.fromisoformat(step.to_day) in days) + ".",
        "Items with the same history share a row.",
        f"{drawn:,} items in {len(shown)} rows"
        + "".join(f"; {count:,} left out: {reason}" for reason, count in left.items()) + ".",
    ]  # fmt: skip
    panel = _strip(alt, shown, days, first, last, dark)
    last_panel = notes_panel(alt, notes, WIDTH, dark)
    whole = alt.vconcat(panel, last_panel, spacing=6)
    rows = [
        {"item": name, "history": "; ".join(f"{span.start}: {_words(span)}" for span in track.spans)}
        for track in tracks
        for name in track.names
    ]
    return Chart(
        "timeline", title, description, finish(whole, dark, title, lines, description), drawn, left, rows, notes, dark
    )


def tracks_of(changes: Changes, first: date, last: date) -> list[Track]:
    """Histories, from the moves between the days; items with the same one are together."""
    sides: dict[int, list[tuple[date, Side]]] = {}
    names: dict[int, str] = {}
    for step in changes.steps:
        day = date.fromisoformat(step.to_day)
        for move in step.moves:
            sides.setdefault(move.row, [(first, move.before)]).append((day, move.after))
            names[move.row] = move.item
    tracks: dict[tuple[Any, ...], Track] = {}
    for row, history in sides.items():
        said: list[tuple[date, str, tuple[str, ...]]] = []
        for day, side in history:
            state = side.verdict, tuple(side.entries)
            if not said or said[-1][1:] != state:
                said.append((day, *state))
        ends = [*(day for day, _, _ in said[1:]), last]
        spans = [Span(day, end, verdict, entries) for (day, verdict, entries), end in zip(said, ends, strict=True)]
        tracks.setdefault(tuple(said), Track(spans, [])).names.append(names[row])
    return list(tracks.values())


def _turns(track: Track) -> int:
    """How often the verdict changes, beyond entering the book."""
    pairs = zip(track.spans, track.spans[1:], strict=False)
    return sum(one.verdict not in (two.verdict, "not_modelled") for one, two in pairs)


def _caught(track: Track, never: date) -> date:
    return next((span.start for span in track.spans if span.verdict == "controlled"), never)


def _words(span: Span) -> str:
    if span.verdict == "controlled" and span.entries:
        return ", ".join(span.entries)
    return VERDICTS[span.verdict][0]


def _name(track: Track) -> str:
    more = len(track.names) - 1
    return f"{track.names[0]}{f' and {more} more' if more else ''}"


def _strip(alt: Any, tracks: Sequence[Track], days: Sequence[date], first: date, last: date, dark: bool) -> Any:
    ink = inks(dark)
    total = (last - first).days or 1
    rows = []
    for at, track in enumerate(tracks):
        for span in track.spans:
            width = (span.end - span.start).days / total * WIDTH
            fits = [words for words in (_words(span), span.entries[0] if span.entries else "")
                    if words and text_width(words, 10) + 8 <= width]  # fmt: skip
            rows.append(
                {
                    "row": at,
                    "item": _name(track),
                    "from": span.start.isoformat(),
                    "until": span.end.isoformat(),
                    "verdict": span.verdict,
                    "words": VERDICTS[span.verdict][0],
                    "entries": ", ".join(span.entries) or "none",
                    "strength": STRENGTH[span.verdict],
                    "text": fits[0] if fits and span.verdict != "not_modelled" else "",
                    "items": ", ".join(track.names[:12])
                    + (f" and {len(track.names) - 12} more" if len(track.names) > 12 else ""),
                }
            )
    x = alt.X("from:T", title=None, scale=alt.Scale(domain=[first.isoformat(), last.isoformat()], nice=False))
    names = {str(at): axis_label(track.names) for at, track in enumerate(tracks)}
    order = list(range(len(tracks)))
    y = alt.Y(
        "row:O", title=None, sort=order,
        axis=alt.Axis(labelExpr=f"{_json(names)}[datum.value]", labelLimit=320, ticks=False, domain=False, grid=False),
    )  # fmt: skip
    base = alt.Chart(alt.Data(values=inline(rows)))
    tips = [alt.Tooltip(f"{key}:N", title=said) for key, said in
            (("items", "items"), ("words", "verdict"), ("entries", "entries"), ("from", "from"), ("until", "until"))]  # fmt: skip
    bars = base.mark_bar(height=ROW - 4, aria=False).encode(
        x=x, x2="until:T", y=y, color=verdict_legend(alt, None, show=True, dark=dark, used={str(row["verdict"]) for row in rows}),
        opacity=alt.Opacity("strength:Q", scale=None), tooltip=tips,
    )  # fmt: skip
    text = base.mark_text(align="left", baseline="middle", dx=5, fontSize=10, aria=False).encode(
        x=x, y=y, text="text:N",
        color=alt.condition("datum.verdict == 'controlled'", alt.value("#000000"), alt.value(ink["text"])),
    )  # fmt: skip
    lines = alt.Chart(alt.Data(values=inline([{"from": day.isoformat()} for day in days])))
    rules = lines.mark_rule(color=ink["faint"], strokeDash=[3, 3], strokeWidth=0.8, aria=False).encode(x=x)
    tops = alt.Chart(alt.Data(values=inline(_staggered(days, first, total))))
    said = tops.mark_text(baseline="bottom", fontSize=10, color=ink["edge"], aria=False).encode(
        x=x, y=alt.Y("lift:Q", scale=None), text="text:N"
    )
    return alt.layer(bars, text, rules, said).properties(width=WIDTH, height=ROW * len(tracks))


def _json(names: dict[str, str]) -> str:
    import json

    return json.dumps(names, ensure_ascii=False)


def _staggered(days: Sequence[date], first: date, total: int) -> list[dict[str, Any]]:
    """The days above the strips, in as many lines as they need."""
    ends: list[float] = []
    rows = []
    for day in days:
        at = (day - first).days / total * WIDTH
        half = text_width(day.isoformat(), 10) / 2 + 3
        line = next((number for number, end in enumerate(ends) if at - half >= end), len(ends))
        ends[line : line + 1] = [at + half]
        rows.append({"from": day.isoformat(), "text": day.isoformat(), "lift": -4 - 12 * line})
    return rows


def first_day(rules: Sequence[Rule], day: date, kinds: Collection[str]) -> date:
    """Somewhat before the first core paragraph for these kinds of item."""
    begun = [rule.start for rule in rules if rule.core and rule.role == "control" and set(rule.kinds) & set(kinds)]
    first = min((start for start in begun if start < day), default=day - timedelta(days=365))
    return first - timedelta(days=max((day - first).days // 12, 1))
