"""Items against jurisdictions, as a matrix of verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from perfcalc.answers.charts.frame import axis_label, law_lines, notes_panel, verdict_legend
from perfcalc.answers.charts.render import Chart, altair, finish, inline
from perfcalc.answers.charts.style import VERDICTS, inks
from perfcalc.answers.tables import SHORT, alike, label
from perfcalc.answers.views import Measured, batches_of
from perfcalc.errors import InputError
from perfcalc.line import Plan
from perfcalc.sheets.read import BATCH_ROWS

ROW: Final = 17
COLUMN: Final = 58
MOST_ROWS: Final = 40
#: How much a verdict stands out.
STRENGTH: Final = {"controlled": 0.85, "cannot_tell": 0.6, "not_controlled": 0.28, "not_modelled": 0.14}


def coverage_chart(table: pa.Table, plan: Plan, dark: bool = False) -> Chart:
    """Draw what each jurisdiction says of each item; items and jurisdictions that are alike share a row or a column.

    Raises
    ------
    InputError
        The sheet has no rows, or the extra is not installed.
    """
    alt = altair()
    items, verdicts = _verdicts(table, plan)
    if not items:
        raise InputError("the sheet has no rows", "give it one")
    groups = alike({name: tuple(said) for name, said in verdicts.items()})
    first = [names[0] for names in groups]
    rows: dict[tuple[Any, ...], tuple[tuple[str, ...], list[str]]] = {}
    for at, item in enumerate(items):
        row = tuple(verdicts[name][at] for name in first)
        # Items have rows of their own as long as those fit.
        rows.setdefault((row, at if len(items) <= MOST_ROWS else None), (row, []))[1].append(item)
    # Where jurisdictions disagree most comes first; what all call the same, last.
    ranked = sorted(
        rows.values(), key=lambda each: (-_disagreement(each[0]), -each[0].count("controlled"), -len(each[1]))
    )
    shown = ranked[:MOST_ROWS]
    drawn = sum(len(names) for _, names in shown)
    left = {"beyond the rows that fit": len(items) - drawn} if len(items) > drawn else {}
    title = f"{'HYPOTHETICAL: ' if plan.overlays else ''}Which jurisdictions control which items on {plan.books[0].day.isoformat()}"
    lines = law_lines(plan)
    said = " ".join(
        f"{label(names)}: {', '.join(f'{count:,} {VERDICTS[word][0]}' for word, count in Counter(verdicts[names[0]]).most_common())}."
        for names in groups
    )
    description = f"{title}. {' '.join(lines)}. Matrix of {drawn:,} items and {len(verdicts)} jurisdictions. {said}"
    notes = [
        f"{'; '.join(f'{label(names)} is {chr(32).join(name.upper() for name in names)}' for names in groups if names[1:])}."
        if any(names[1:] for names in groups)
        else "",
        "yes controlled, no not controlled, ? cannot tell, - not modelled (neither ? nor - is a no).",
        "Items with the same answers share a row." if len(items) > MOST_ROWS else "",
        f"{drawn:,} of {len(items):,} items in {len(shown)} rows"
        + "".join(f"; {count:,} left out, {reason}" for reason, count in left.items())
        + ".",
    ]
    notes = [note for note in notes if note]
    matrix = _matrix(alt, shown, groups, dark)
    whole = alt.vconcat(matrix, notes_panel(alt, notes, max(COLUMN * len(groups), 420), dark))
    listed = [
        {"item": item} | {name.upper(): VERDICTS[said[at]][0] for name, said in verdicts.items()}
        for at, item in enumerate(items)
    ]
    return Chart(
        "coverage", title, description, finish(whole, dark, title, lines, description), drawn, left, listed, notes, dark
    )


def _verdicts(table: pa.Table, plan: Plan) -> tuple[list[str], dict[str, list[str]]]:
    """The names of the items, and what each jurisdiction says of them."""
    items: list[str] = []
    verdicts: dict[str, list[str]] = {book.jurisdiction: [] for book in plan.books}
    for batch in batches_of(table, plan, BATCH_ROWS):
        measured = Measured(batch, plan)
        items += measured.names
        for book in plan.books:
            verdicts[book.jurisdiction] += measured.view(book).verdict
    return items, verdicts


def _disagreement(verdicts: Sequence[str]) -> int:
    """How far the clear answers are split."""
    counts = Counter(verdicts)
    return min(counts["controlled"], counts["not_controlled"])


def _matrix(
    alt: Any, rows: Sequence[tuple[tuple[str, ...], list[str]]], groups: Sequence[Sequence[str]], dark: bool
) -> Any:
    import json

    cells = []
    for at, (verdicts, names) in enumerate(rows):
        items = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        cells += [
            {
                "row": at,
                "place": column,
                "verdict": verdict,
                "words": VERDICTS[verdict][0],
                "sign": SHORT[verdict],
                "strength": STRENGTH[verdict],
                "items": items,
                "places": " ".join(name.upper() for name in groups[column]),
            }
            for column, verdict in enumerate(verdicts)
        ]
    said = {str(at): axis_label(names) for at, (_, names) in enumerate(rows)}
    heads = {str(at): label(names) for at, names in enumerate(groups)}
    base = alt.Chart(alt.Data(values=inline(cells))).encode(
        x=alt.X(
            "place:O", title=None,
            axis=alt.Axis(orient="top", labelExpr=f"{json.dumps(heads)}[datum.value]", labelAngle=0, ticks=False, domain=False),
        ),
        y=alt.Y(
            "row:O", title=None,
            axis=alt.Axis(labelExpr=f"{json.dumps(said, ensure_ascii=False)}[datum.value]", labelLimit=320, ticks=False, domain=False),
        ),
        tooltip=[alt.Tooltip(f"{key}:N", title=key) for key in ("items", "places", "words")],
    )  # fmt: skip
    rects = base.mark_rect(stroke=inks(dark)["page"], strokeWidth=2, aria=False).encode(
        color=verdict_legend(alt, None, show=True, dark=dark, used={str(cell["verdict"]) for cell in cells}, offset=8),
        opacity=alt.Opacity("strength:Q", scale=None),
    )
    text = base.mark_text(fontSize=10, aria=False).encode(
        text="sign:N",
        color=alt.condition("datum.verdict == 'controlled'", alt.value("#000000"), alt.value(inks(dark)["text"])),
    )
    return alt.layer(rects, text).properties(width=COLUMN * len(groups), height=ROW * len(rows))
