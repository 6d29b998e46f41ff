"""What a run found, for people: a table for the terminal and a plot."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from pathlib import Path

from gate import Finding
from ratios import is_limit
from rich.table import Table

LEVELS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float]) -> str:
    """Ratios as bars on a logarithmic scale that spans at least a factor of two."""
    logs = [log(value) for value in values]
    middle = (max(logs) + min(logs)) / 2
    reach = max(max(logs) - min(logs), log(2))
    return "".join(LEVELS[round((value - middle + reach / 2) / reach * (len(LEVELS) - 1))] for value in logs)


def table(found: Sequence[Finding]) -> Table:
    """Each ratio, what it usually is, and how far it may stray."""
    result = Table("case", "beside", box=None, pad_edge=False)
    for heading in ("ratio", "usually", "change", "allowed"):
        result.add_column(heading, justify="right")
    result.add_column("history")
    result.add_column("")
    case = ""
    for each in found:
        usual = "" if each.usual is None else f"{each.usual:.3g}"
        change = "" if each.usual is None else f"{each.ratio / each.usual - 1:+.0%}"
        allowed = "" if each.usual is None else f"{each.band:+.0%}"
        result.add_row(
            "" if each.case == case else each.case,
            each.peer.replace("_", " "),
            f"{each.ratio:.3g}",
            usual,
            change,
            allowed,
            sparkline([*each.past, each.ratio]),
            "worse" if each.is_worse else "" if each.past else "new",
            style="red" if each.is_worse else None,
        )
        case = each.case
    return result


def plot(found: Sequence[Finding], path: Path) -> None:
    """Draw every ratio as a dot, earlier runs as faint ones; left of the line at one perfcalc is faster."""
    import altair as alt  # only a plot needs it

    rows = [
        {"case": each.case, "beside": each.peer.replace("_", " "), "ratio": ratio, "what": what}
        for each in found
        for ratio, what in [*((past, "earlier runs") for past in each.past), (each.ratio, _what(each))]
    ]
    kinds = {"earlier runs": "#bbbbbb", "a peer": "#1f6f9f", "the machine's limit": "#555555", "worse": "#c0392b"}
    axis = alt.Axis(format="~g", labelOverlap="greedy")
    base = alt.Chart().encode(
        x=alt.X("ratio:Q", title="perfcalc's time ÷ the other's", scale=alt.Scale(type="log"), axis=axis),
        y=alt.Y("beside:N", title=None, sort=None, axis=alt.Axis(grid=True, domain=False, ticks=False, minExtent=115)),
    )
    colour = alt.Color("what:N", title=None, scale=alt.Scale(domain=list(kinds), range=list(kinds.values())))
    size = alt.condition("datum.what == 'earlier runs'", alt.value(30), alt.value(70))
    dots = base.mark_point(filled=True, opacity=0.9).encode(color=colour, size=size)
    one = alt.Chart().mark_rule(strokeDash=[4, 3], color="#999999").encode(x=alt.datum(1))
    chart = (
        alt.layer(one, dots, data=alt.Data(values=rows))
        .properties(width=460, height={"step": 17})
        .facet(
            row=alt.Row(
                "case:N",
                title=None,
                sort=list(dict.fromkeys(each.case for each in found)),
                header=alt.Header(labelAngle=0, labelAlign="left", labelFontWeight="bold"),
            ),
            spacing=6,
        )
        .resolve_scale(y="independent")
        .configure_view(stroke="#eeeeee")
        .configure_legend(orient="top", labelLimit=300, columnPadding=24)
    )
    chart.save(path)


def _what(finding: Finding) -> str:
    if finding.is_worse:
        return "worse"
    return "the machine's limit" if is_limit(finding.peer) else "a peer"
