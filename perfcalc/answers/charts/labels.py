"""Names beside points, none over another.

Vega-Lite, and so Altair, has no placement of labels (Vega has one, which Vega-Lite cannot reach), so it is done here:
greedily, the most telling items first, each at the first of eight places around its point where nothing lies yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from perfcalc.answers.charts.style import LABEL_SIZE

#: Widths of the characters from space to tilde in thousandths of the size (Liberation Sans, as wide as Arial and Helvetica).
WIDTHS: Final = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556,
    556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
OTHERS: Final = {"†": 556, "–": 556, "…": 1000, "·": 333, "×": 584, "²": 333, "≥": 549, "→": 1000}
WIDEST: Final = 1000
LONGEST: Final = 30
#: More items are not tried for a name: in a crowd none finds a place.
MOST_TRIED: Final = 500


class Rect(NamedTuple):
    """A rectangle in pixels, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def touches(self, other: Rect) -> bool:
        """Whether two rectangles have an inner point in common."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def within(self, frame: Rect) -> bool:
        """Whether it lies inside a frame."""
        return (
            self.left >= frame.left
            and self.right <= frame.right
            and self.top >= frame.top
            and self.bottom <= frame.bottom
        )


class Place(NamedTuple):
    """Where a label stands from its point."""

    align: str
    baseline: str
    dx: float
    dy: float


PLACES: Final = (
    Place("left", "middle", 7, 0),
    Place("right", "middle", -7, 0),
    Place("center", "bottom", 0, -6),
    Place("center", "top", 0, 6),
    Place("left", "bottom", 5, -4),
    Place("left", "top", 5, 4),
    Place("right", "bottom", -5, -4),
    Place("right", "top", -5, 4),
)


def text_width(text: str, size: float = LABEL_SIZE) -> float:
    """How wide a text is, in pixels; of a character beyond ASCII the widest is assumed."""
    return (
        sum(WIDTHS[ord(each) - 32] if " " <= each <= "~" else OTHERS.get(each, WIDEST) for each in text) * size / 1000
    )


def shortened(name: str, most: int = LONGEST) -> str:
    """A name that is not longer than a label may be."""
    return name if len(name) <= most else f"{name[: most - 1].rstrip()}…"


def wrapped(text: str, width: float, size: float) -> list[str]:
    """A text in lines of a width."""
    lines: list[str] = []
    for word in text.split():
        if lines and text_width(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def box_of(x: float, y: float, text: str, place: Place, size: float = LABEL_SIZE) -> Rect:
    """What a label covers."""
    width, height = text_width(text, size), size * 1.15
    left = x + place.dx - {"left": 0.0, "center": width / 2, "right": width}[place.align]
    top = y + place.dy - {"top": 0.0, "middle": height / 2, "bottom": height}[place.baseline]
    return Rect(left, top, left + width, top + height)


@dataclass(frozen=True)
class Label:
    """A name that found a place; `index` is its point's."""

    index: int
    text: str
    place: Place
    box: Rect


def place_labels(
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    order: Iterable[int],
    frame: Rect,
    taken: Iterable[Rect] = (),
    most: int = 60,
    radius: float = 4.5,
) -> list[Label]:
    """Names for as many points as find a place, at most `most`, in this order of preference.

    Parameters
    ----------
    points
        In pixels. No label covers any of them.
    taken
        What else no label may cover.
    """
    centres = np.array(points, dtype=np.float64).reshape(-1, 2)
    marks = np.hstack((centres - radius, centres + radius))
    full = np.array([tuple(each) for each in taken], dtype=np.float64).reshape(-1, 4)
    placed: list[Label] = []
    for index in islice(order, MOST_TRIED):
        if len(placed) == most:
            break
        text = shortened(names[index])
        if not text.strip():
            continue
        others = np.delete(marks, index, axis=0)
        for place in PLACES:
            box = box_of(*points[index], text, place)
            roomy = Rect(box.left - 1, box.top, box.right + 1, box.bottom)
            if box.within(frame) and not (_touched(full, roomy) or _touched(others, roomy)):
                placed.append(Label(index, text, place, box))
                full = np.vstack((full, roomy))
                break
    return placed


def _touched(rects: npt.NDArray[np.float64], box: Rect) -> bool:
    """Whether any of many rectangles touches one."""
    left, top, right, bottom = rects.T
    return bool(((left < box.right) & (box.left < right) & (top < box.bottom) & (box.top < bottom)).any())


def largest_part(whole: Rect, covered: Sequence[Rect]) -> Rect:
    """The largest rectangle of a region that no earlier one covers; the whole, if they cover all of it."""
    xs = sorted(
        {whole.left, whole.right, *(min(max(e, whole.left), whole.right) for r in covered for e in (r.left, r.right))}
    )
    ys = sorted(
        {whole.top, whole.bottom, *(min(max(e, whole.top), whole.bottom) for r in covered for e in (r.top, r.bottom))}
    )
    best, size = whole, 0.0
    for a, left in enumerate(xs):
        for right in xs[a + 1 :]:
            for b, top in enumerate(ys):
                for bottom in ys[b + 1 :]:
                    part = Rect(left, top, right, bottom)
                    area = (right - left) * (bottom - top)
                    if area > size and not any(part.touches(each) for each in covered):
                        best, size = part, area
    return best
