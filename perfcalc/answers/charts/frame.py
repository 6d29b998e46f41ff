"""What stands around every chart: which law, whose, on which day; the legend; the notes below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from perfcalc.answers.charts.labels import shortened, wrapped
from perfcalc.answers.charts.render import inline
from perfcalc.answers.charts.style import VERDICTS, ink_of, inks
from perfcalc.line import Plan
from perfcalc.rulebook.book import load


def place_name(jurisdiction: str) -> str:
    """A jurisdiction as people call it."""
    name = load().place(jurisdiction).name.partition(" (")[0]
    return f"the {name}" if name.startswith(("US", "United", "Netherlands", "European", "Czech", "Wassenaar")) else name


def law_lines(plan: Plan, days: str = "") -> list[str]:
    """Which law: the lines under a title."""
    places = ", ".join(load().place(book.jurisdiction).name for book in plan.books[:1])
    if len(plan.books) > 1:
        places = f"{len(plan.books)} jurisdictions"
    day = days or f"on {plan.books[0].day.isoformat()}"
    law = f"{places}: law as {plan.law} {day}. Rule book {plan.rulebook[:12]}"
    if not plan.overlays:
        return [law]
    return [f"HYPOTHETICAL: with {'; '.join(plan.overlays)} laid over the rule book. Not law.", law]


def verdict_legend(
    alt: Any, counts: Counter[str] | None, show: bool, dark: bool, used: Collection[str] | None = None, offset: int = 20
) -> Any:
    """The colours of the verdicts, with the words of those that are used in the legend."""
    words = " : ".join(f"datum.value == '{word}' ? '{each[0]}'" for word, each in VERDICTS.items())
    scale = alt.Scale(domain=list(VERDICTS), range=[ink_of(each[1], dark) for each in VERDICTS.values()])
    shown = VERDICTS if used is None and counts is None else used or counts or ()
    legend = alt.Legend(
        title=None, orient="top", direction="horizontal", offset=offset, symbolOpacity=1, labelExpr=f"{words} : ''",
        values=[word for word in VERDICTS if word in shown],
    )  # fmt: skip
    channel = alt.Color if counts is None else alt.Fill
    return channel("verdict:N", scale=scale, legend=legend if show else None)


def axis_label(names: Sequence[str], most: int = 46) -> str:
    """As many names as there is room for beside a picture, and how many more."""
    shown = 1
    while shown < len(names) and len(", ".join(names[: shown + 1])) + 6 <= most:
        shown += 1
    more = f" +{len(names) - shown}" if names[shown:] else ""
    return shortened(", ".join(names[:shown]), most - len(more)) + more


def notes_panel(alt: Any, notes: Sequence[str], width: float, dark: bool) -> Any | None:
    """The notes, as lines of text in the picture."""
    lines = [line for note in notes for line in wrapped(note, width, 10.5)]
    if not lines:
        return None
    rows = [{"y": 14 * at + 12, "text": line} for at, line in enumerate(lines)]
    return (
        alt.Chart(alt.Data(values=inline(rows)))
        .mark_text(align="left", baseline="middle", fontSize=10.5, color=inks(dark)["faint"], aria=False)
        .encode(x=alt.value(0), y=alt.Y("y:Q", scale=None, axis=None), text="text:N")
        .properties(width=width, height=14 * len(lines) + 6, view=alt.ViewConfig(stroke=None))
    )
