"""A finished chart, as SVG, PNG or one HTML file that needs nothing from anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any, Final

from perfcalc.errors import InputError
from perfcalc.files import whole_files

ENDINGS: Final = (".svg", ".png", ".html", ".htm")
#: Rows of the table under an HTML chart.
TABLE_ROWS: Final = 2000
INSTALL: Final = 'pip install "perfcalc[charts]"'


@dataclass
class Chart:
    """A chart: ``svg()``, ``png()``, ``html()``, ``save(path)``.

    Attributes
    ----------
    spec
        Vega-Lite, with its data.
    description
        The alternative text.
    items
        One row an item, drawn or not: the table under the HTML.
    drawn, left_out
        How many items are in the picture, and how many are not, by reason. Together they are all that were asked.
    regions
        The rectangles of the law, where the chart has any.
    labels
        The names in the picture, with the pixels that they cover.
    """

    kind: str
    title: str
    description: str
    spec: dict[str, Any]
    drawn: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    items: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dark: bool = False
    regions: list[Any] = field(default_factory=list)
    labels: list[Any] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``: what the picture says, without the picture."""
        return {
            "kind": self.kind,
            "title": self.title,
            "description": self.description,
            "drawn": self.drawn,
            "left_out": self.left_out,
            "notes": self.notes,
            "items": self.items,
        }

    def svg(self) -> str:
        """The picture as SVG, the same bytes whenever the same chart is drawn by the same renderer."""
        text: str = converter().vegalite_to_svg(self.spec)
        # The renderer numbers its clipping paths on and on; they are numbered anew, so that the bytes are the same.
        numbers: dict[str, str] = {}
        text = re.sub(r"clip\d+", lambda found: numbers.setdefault(found[0], f"clip{len(numbers)}"), text)
        head, tail = text.split(">", 1)
        said = (
            f"<title>{escape(self.title)}</title><desc>{escape(self.description)}</desc>"
            f"<metadata>perfcalc chart, sha256 {self.digest}</metadata>"
        )
        return f'{head} role="img">{said}{tail}\n'

    @property
    def digest(self) -> str:
        """Of the specification with its data: what the picture shows, whichever version of the renderer drew it."""
        kept = {name: value for name, value in self.spec.items() if name != "$schema"}
        return sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()

    def png(self, scale: float = 2.0) -> bytes:
        """The picture as PNG, two pixels for one."""
        png: bytes = converter().vegalite_to_png(self.spec, scale=scale)
        return png

    def html(self) -> str:
        """One HTML file with every script in it: tool tips, search, a table of the items. It asks no network."""
        from perfcalc.answers.charts.page import chart_page

        return chart_page(self)

    def save(self, path: str | Path) -> None:
        """Write the picture as the format that the name asks for, whole or not at all.

        Raises
        ------
        InputError
            The ending is none of .svg, .png and .html.
        """
        out = Path(path)
        ending = check_ending(out)
        data = self.svg().encode() if ending == ".svg" else self.png() if ending == ".png" else self.html().encode()
        with whole_files(out) as (draft,):
            draft.write_bytes(data)

    def _repr_mimebundle_(self, **_kept: Any) -> dict[str, str]:
        return {"image/svg+xml": self.svg()}


def check_ending(path: Path) -> str:
    """The ending of a picture's name.

    Raises
    ------
    InputError
        It says no format of a picture.
    """
    ending = path.suffix.casefold()
    if ending not in ENDINGS:
        raise InputError(f"{path}: the ending says neither SVG, PNG nor HTML", "call it OUT.svg, OUT.png or OUT.html")
    return ".html" if ending == ".htm" else ending


def converter() -> Any:
    """The renderer.

    Raises
    ------
    InputError
        The extra is not installed.
    """
    try:
        import vl_convert
    except ImportError as error:
        raise missing() from error
    return vl_convert


def altair() -> Any:
    """Altair.

    Raises
    ------
    InputError
        The extra is not installed.
    """
    try:
        import altair as alt
    except ImportError as error:
        raise missing() from error
    return alt


def missing() -> InputError:
    """What to say when the extra is not installed."""
    return InputError("charts are drawn by Altair and vl-convert, which are not installed", INSTALL)


def script_json(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return (
        text.replace("&", "\\u0026")
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )


def inline(rows: Sequence[Any]) -> str:
    """Rows as one text: Altair copies what it is given many times over, and a text is not copied."""
    return json.dumps(rows, ensure_ascii=False)


def _with_rows(part: Any) -> Any:
    """A specification with its rows read back from their texts."""
    if isinstance(part, list):
        return [_with_rows(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        name: {"values": json.loads(value["values"])}
        if name == "data" and isinstance(value.get("values"), str)
        else _with_rows(value)
        for name, value in part.items()
    }


def finish(chart: Any, dark: bool, title: str, subtitle: list[str], description: str) -> dict[str, Any]:
    """The Vega-Lite of an Altair chart with title, description and configuration, named the same in every run."""
    from perfcalc.answers.charts.style import config

    # Validation takes half the time; a test validates what comes out.
    spec: dict[str, Any] = chart.to_dict(validate=False)
    # Altair counts its views through the life of the process.
    names: dict[str, str] = {}
    text = re.sub(r'"view_\d+"', lambda found: names.setdefault(found[0], f'"view_{len(names)}"'), json.dumps(spec))
    spec = _with_rows(json.loads(text))
    spec["title"] = {"text": title, "subtitle": subtitle}
    spec["description"] = description
    spec["config"] = config(dark)
    return spec
