"""The allowed space of a design: how fast a chip of which area may be before it meets a paragraph.

On logarithmic axes of area and TPP a limit on TPP is a level line and a limit on density a slope, so the lines of the
law cut the plane into pieces with straight sides. What each piece is, the engine is asked, at a point inside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import floor, sqrt
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from perfcalc.answers.charts.frame import law_lines, notes_panel, place_name
from perfcalc.answers.charts.items import Scale, axis_title, number
from perfcalc.answers.charts.labels import text_width
from perfcalc.answers.charts.render import Chart, altair, finish, inline
from perfcalc.answers.charts.style import ORANGE, VERMILLION, inks, mixed, shades
from perfcalc.answers.views import Measured
from perfcalc.fields import FIELDS, RATES
from perfcalc.line import Plan
from perfcalc.rulebook.book import Rule

if TYPE_CHECKING:
    from perfcalc.answers.designs import Design

#: Of one panel alone, and of one of several, which stand side by side.
ALONE: Final = (600, 400)
BESIDE: Final = (440, 300)
#: The format in which the engine is asked; TPP is the rate times these bits.
ASKED: Final = next(rate for rate in RATES if rate.name == "int8_tops")


@dataclass
class Piece:
    """A piece of the plane between two areas and two lines: (area, from TPP, to TPP) at both ends."""

    left: tuple[float, float, float]
    right: tuple[float, float, float]
    verdict: str = ""
    entries: str = ""

    @property
    def inside(self) -> tuple[float, float]:
        """A point inside it."""
        area = sqrt(self.left[0] * self.right[0])
        return area, (self.left[1] * self.left[2] * self.right[1] * self.right[2]) ** 0.25


@dataclass
class Space:
    """The pieces of one jurisdiction under one law."""

    heading: str
    pieces: list[Piece]
    ceiling: float | None
    unread: list[str] = field(default_factory=list)


def limits_of(rules: Iterable[Rule]) -> tuple[list[float], list[float]]:
    """The limits that the paragraphs set to TPP and to density."""
    conditions = [each for rule in rules if rule.role == "control" for each in rule.conditions()]
    return tuple(  # type: ignore[return-value]  # two
        sorted({float(each.limit) for each in conditions if each.metric == name and each.limit > 0})
        for name in ("tpp", "performance_density")
    )


def pieces_of(levels: Sequence[float], slopes: Sequence[float], area: Scale, tpp: Scale) -> list[Piece]:
    """Cut the plane along the lines of the law."""
    lines = [(level, 0) for level in levels] + [(slope, 1) for slope in slopes]
    lines += [(tpp.low, 0), (tpp.high, 0)]
    crossings = {area.low, area.high}
    crossings |= {level / slope for level, flat in lines if not flat for slope, _ in lines[len(levels) : -2]}
    stops = sorted(stop for stop in crossings if area.low <= stop <= area.high)

    def height(line: tuple[float, int], at: float) -> float:
        return min(max(line[0] * (at if line[1] else 1.0), tpp.low), tpp.high)

    pieces = []
    for start, end in pairwise(stops):
        middle = sqrt(start * end)
        stack = sorted(lines, key=lambda line: line[0] * (middle if line[1] else 1.0))
        for under, over in pairwise(stack):
            if height(under, middle) < height(over, middle):
                pieces.append(
                    Piece(
                        (start, height(under, start), height(over, start)),
                        (end, height(under, end), height(over, end)),
                    )
                )
    return pieces


def space_of(
    design: dict[str, str], plan: Plan, number_of: int, area: Scale, tpp: Scale
) -> tuple[list[Piece], list[str]]:
    """Ask one book of a plan what each piece is."""
    book = plan.books[number_of]
    pieces = pieces_of(*limits_of(book.rules), area, tpp)
    # A rate of another format, which the design's own table has, would be asked beside the one that is set here.
    fixed = {name: value for name, value in design.items() if name in plan.columns}
    columns: dict[str, list[str | None]] = {name: [None] * len(pieces) for name in plan.columns}
    columns |= {name: [value] * len(pieces) for name, value in fixed.items()}
    columns["name"] = [str(at) for at in range(len(pieces))]
    columns["kind"] = ["ic"] * len(pieces)
    columns["die_area_mm2"] = [f"{piece.inside[0]:.12g}" for piece in pieces]
    columns[ASKED.name] = [f"{piece.inside[1] / ASKED.bits:.12g}" for piece in pieces]
    batch = pa.RecordBatch.from_pydict({name: pa.array(cells, pa.string()) for name, cells in columns.items()})
    view = Measured(batch, plan).view(book)
    for at, piece in enumerate(pieces):
        piece.verdict, piece.entries = view.verdict[at], view.entries[at]
    pieces = list(_merged(pieces))
    unread = [rule.paragraph for rule in book.rules if rule.unread and "ic" in rule.kinds and rule.core]
    return pieces, unread


def _merged(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Pieces that lie on one another and fall under the same paragraph as one."""
    last: Piece | None = None
    for piece in pieces:
        if last is not None and last.left[0] == piece.left[0] and _principal(last) == _principal(piece):
            last = Piece((*last.left[:2], piece.left[2]), (*last.right[:2], piece.right[2]), last.verdict, last.entries)
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last


def space_chart(answer: Design, plans: Sequence[Plan], dark: bool = False) -> Chart:
    """Draw the space of a design under each plan and in each of its jurisdictions.

    Parameters
    ----------
    answer
        What `perfcalc.answers.designs.designs` said of the design.

    Raises
    ------
    InputError
        The extra is not installed.
    """
    alt = altair()
    size = (
        float(Fraction(answer.design["die_area_mm2"])) if _is_number(answer.design.get("die_area_mm2", "")) else 600.0
    )
    levels = sorted({level for plan in plans for book in plan.books for level in limits_of(book.rules)[0]})
    width, height = ALONE if sum(len(plan.books) for plan in plans) == 1 else BESIDE
    area = Scale(size / 8, size * 4, 0, width)
    tpp = Scale(min(levels, default=1000.0) / 8, max(levels, default=10_000.0) * 4, height, 0)
    spaces = []
    for plan in plans:
        law = "overlay" if plan.overlays else "now"
        for at, book in enumerate(plan.books):
            pieces, unread = space_of(answer.design, plan, at, area, tpp)
            heading = f"{place_name(book.jurisdiction)}{', HYPOTHETICAL: under the overlay' if plan.overlays else ''}"
            spaces.append(
                Space(heading[:1].upper() + heading[1:], pieces, _ceiling(answer, book.jurisdiction, law), unread)
            )
    title = (
        f"{'HYPOTHETICAL: ' if answer.hypothetical else ''}What a chip of {number(size)} mm² may be on {answer.as_of}"
    )
    said = ", ".join(f"{name} {value}" for name, value in answer.design.items())
    lines = [*law_lines(plans[-1])[:-1], f"{said}. {law_lines(plans[0])[-1]}"]
    words = [
        f"{space.heading}: "
        + (
            f"the largest TPP that stays outside is {_rounded_down(space.ceiling)}"
            if space.ceiling
            else "no TPP is known to stay outside"
        )
        for space in spaces
    ]
    description = f"{title}. {' '.join(lines)}. Area against TPP on logarithmic axes; shaded where a paragraph is met. {'. '.join(words)}."
    notes = [
        "White: not controlled. Shaded: controlled, by the paragraph named. Orange: cannot tell.",
        *(f"{line}." for line in words),
        *(f"{space.heading}: numbers not read of {', '.join(space.unread)}." for space in spaces if space.unread),
    ]
    panels = [_panel(alt, space, area, tpp, size, dark) for space in spaces]
    last = notes_panel(alt, notes, 2 * width if panels[1:] else width, dark)
    whole = alt.vconcat(alt.concat(*panels, columns=2, spacing=26), last, spacing=12)
    rows = [
        {"item": space.heading, "entries": piece.entries.replace(";", ", "), "verdict": piece.verdict.replace("_", " "),
         "from area (mm²)": number(piece.left[0]), "to area (mm²)": number(piece.right[0])}
        for space in spaces for piece in space.pieces
    ]  # fmt: skip
    return Chart(
        "space", title, description, finish(whole, dark, title, lines, description), len(rows), {}, rows, notes, dark
    )


def _rounded_down(value: float) -> str:
    """A ceiling in words: rounded up it would not be one."""
    return f"{floor(value * 10) / 10:,.10g}"


def _is_number(text: str) -> bool:
    try:
        return float(text) > 0
    except ValueError:
        return False


def _ceiling(answer: Design, jurisdiction: str, law: str) -> float | None:
    """The largest TPP among the formats' ceilings."""
    found = [
        float(each.largest) * FIELDS[each.field].bits
        for each in answer.ceilings
        if each.jurisdiction == jurisdiction and each.law == law and each.largest
    ]
    return max(found, default=None)


def _panel(alt: Any, space: Space, area: Scale, tpp: Scale, size: float, dark: bool) -> Any:
    ink = inks(dark)
    x_scale = alt.Scale(type="log", domain=[area.low, area.high], nice=False)
    y_scale = alt.Scale(type="log", domain=[tpp.low, tpp.high], nice=False)
    x = alt.X("x:Q", scale=x_scale, axis=alt.Axis(title="Logic area (mm²)", values=area.ticks(), format=",~g"))
    y = alt.Y("y:Q", scale=y_scale, axis=alt.Axis(title=axis_title("tpp"), values=tpp.ticks(), format=",~g"))
    shown = [piece for piece in space.pieces if piece.verdict != "not_controlled"]
    met = list(dict.fromkeys(_principal(piece) for piece in reversed(shown) if piece.verdict == "controlled"))
    fills = dict(zip(met, shades(len(met), dark), strict=True))
    layers, named = [], []
    for piece in shown:
        open_fill = mixed(ORANGE, ink["page"], 0.65) if piece.verdict == "cannot_tell" else ink["grid"]
        fill = fills.get(_principal(piece), open_fill)
        rows = [
            {
                "x": at,
                "y": low,
                "y2": high,
                "entries": piece.entries.replace(";", ", ") or piece.verdict.replace("_", " "),
            }
            for at, low, high in (piece.left, piece.right)
        ]
        mark = alt.Chart(alt.Data(values=inline(rows))).mark_area(
            color=fill,
            stroke=fill,
            strokeWidth=0.7,
            line=False,
            aria=False,
        )
        layers.append(mark.encode(x=x, y=y, y2="y2:Q", tooltip=[alt.Tooltip("entries:N", title="controlled by")]))
    for code in dict.fromkeys(map(_principal, shown)):
        best = max((piece for piece in shown if _principal(piece) == code), key=lambda piece: _room(piece, area, tpp))
        at_x, at_y = best.inside
        for text in (code, code.split(".", 1)[-1]):
            if _width(best, area) > text_width(text, 11) * 1.06:
                named.append({"x": at_x, "y": at_y, "text": text})
                break
    ends = [line for piece in shown for line in (_edge(piece, 1), _edge(piece, 2))]
    layers += [
        alt.Chart(alt.Data(values=inline(rows)))
        .mark_line(color=ink["edge"], strokeWidth=0.7, clip=True, aria=False)
        .encode(x=x, y=y)
        for rows in ends
        if any(tpp.low < row["y"] < tpp.high for row in rows)
    ]
    text = alt.Chart(alt.Data(values=inline(named))).mark_text(
        fontSize=11, fontWeight="bold", color=ink["edge"], aria=False
    )
    layers.append(text.encode(x=x, y=y, text="text:N"))
    here = alt.Chart(alt.Data(values=inline([{"x": size, "text": f"{number(size)} mm²"}])))
    layers.append(here.mark_rule(color=ink["text"], strokeDash=[4, 3], aria=False).encode(x=x))
    if space.ceiling and tpp.low < space.ceiling < tpp.high:
        point = alt.Chart(
            alt.Data(values=inline([{"x": size, "y": space.ceiling, "text": f"TPP {_rounded_down(space.ceiling)}"}]))
        )
        layers.append(
            point.mark_point(
                shape="triangle-down", filled=True, size=90, color=VERMILLION, yOffset=-4, aria=False
            ).encode(x=x, y=y)
        )
        layers.append(
            point.mark_text(
                align="left", baseline="top", dx=7, dy=7, fontSize=11, color=ink["text"], aria=False
            ).encode(x=x, y=y, text="text:N")
        )
    chart = alt.layer(*layers).properties(width=area.end, height=tpp.start)
    return chart.properties(title=alt.TitleParams(space.heading, fontSize=12, anchor="start", frame="group", offset=6))


def _principal(piece: Piece) -> str:
    return (
        piece.entries.split(";")[0]
        if piece.verdict == "controlled" and piece.entries
        else piece.verdict.replace("_", " ")
    )


def _edge(piece: Piece, end: int) -> list[dict[str, float]]:
    return [{"x": side[0], "y": side[end]} for side in (piece.left, piece.right)]


def _width(piece: Piece, area: Scale) -> float:
    return area.at(piece.right[0]) - area.at(piece.left[0])


def _room(piece: Piece, area: Scale, tpp: Scale) -> float:
    height = sum(tpp.at(side[1]) - tpp.at(side[2]) for side in (piece.left, piece.right)) / 2
    return _width(piece, area) * min(height, 40)
