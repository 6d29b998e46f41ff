"""Colours, shapes and type of every chart. One palette for light and dark, and never a colour without a shape or a word."""

from __future__ import annotations

from typing import Any, Final

#: Of M. Okabe and K. Ito, "Color Universal Design" (2008): told apart under every common colour blindness.
ORANGE: Final = "#E69F00"
GREEN: Final = "#009E73"
BLUE: Final = "#0072B2"
VERMILLION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
GREY: Final = "#8A8A8A"

#: Verdict -> (words, colour, shape, sign), in the order of the legend.
VERDICTS: Final[dict[str, tuple[str, str, str, str]]] = {
    "controlled": ("controlled", VERMILLION, "triangle-up", "▲"),
    "cannot_tell": ("cannot tell", ORANGE, "diamond", "?"),
    "not_controlled": ("not controlled", GREEN, "circle", "○"),
    "not_modelled": ("not modelled", GREY, "cross", "–"),
}

#: Origin -> (words, colour, shape).
ORIGINS: Final[dict[str, tuple[str, str, str]]] = {
    "stockpiled": ("stockpiled", VERMILLION, "triangle-up"),
    "domestic": ("domestic", BLUE, "square"),
    "diverted": ("diverted", PURPLE, "triangle-down"),
    "lawful_foreign": ("lawful foreign", GREEN, "circle"),
    "cannot_tell": ("cannot tell", ORANGE, "diamond"),
}

FONT: Final = "Liberation Sans, Arial, Helvetica, sans-serif"
LABEL_SIZE: Final = 10
#: More shades than these are not told apart.
MOST_SHADES: Final = 4


def inks(dark: bool) -> dict[str, str]:
    """The neutral colours of a page."""
    if dark:
        return {
            "page": "#14171c",
            "text": "#e8eaed",
            "faint": "#a9b0ba",
            "line": "#4a525e",
            "grid": "#262c35",
            "strong": "#2c374b",
            "weak": "#1e242e",
            "edge": "#8fa3c4",
        }
    return {
        "page": "#ffffff",
        "text": "#1b1f24",
        "faint": "#59616b",
        "line": "#9aa3ad",
        "grid": "#e9ecef",
        "strong": "#d5deed",
        "weak": "#f1f4f9",
        "edge": "#51688f",
    }


def ink_of(colour: str, dark: bool) -> str:
    """A colour of the palette, somewhat lighter on a dark page."""
    return mixed(colour, "#ffffff", 0.22) if dark else colour


def shades(count: int, dark: bool) -> list[str]:
    """As many fills, from strong to weak: the principal paragraph has the strongest. The steps of a ladder are equals."""
    ink = inks(dark)
    parts = [index / max(count - 1, 1) if count <= MOST_SHADES else 0.4 for index in range(count)]
    return [mixed(ink["strong"], ink["weak"], part) for part in parts]


def mixed(one: str, other: str, part: float) -> str:
    """A colour between two, nearer to the other the larger the part is."""
    pairs = [(int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)


def config(dark: bool) -> dict[str, Any]:
    """The Vega-Lite configuration."""
    ink = inks(dark)
    axis = {
        "labelColor": ink["text"],
        "titleColor": ink["text"],
        "gridColor": ink["grid"],
        "domainColor": ink["line"],
        "tickColor": ink["line"],
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
    }
    return {
        "background": ink["page"],
        "font": FONT,
        "padding": 14,
        "axis": axis,
        "view": {"stroke": ink["line"], "strokeWidth": 0.6},
        "legend": {
            "labelColor": ink["text"],
            "titleColor": ink["text"],
            "labelFontSize": 11,
            "symbolSize": 70,
            "labelLimit": 320,
            "columnPadding": 18,
        },
        "title": {
            "color": ink["text"],
            "subtitleColor": ink["faint"],
            "fontSize": 16,
            "subtitleFontSize": 11.5,
            "subtitlePadding": 5,
            "subtitleLineHeight": 15,
            "anchor": "start",
            "frame": "bounds",
            "offset": 12,
        },
        "concat": {"spacing": 4},
    }
