"""The HTML page of one chart: every script is in the file, and a policy in it forbids all else."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Final

from perfcalc.answers.charts.render import TABLE_ROWS, converter, script_json
from perfcalc.answers.charts.style import inks

if TYPE_CHECKING:
    from perfcalc.answers.charts.render import Chart

#: Nothing may be fetched from anywhere. Vega compiles its expressions, which a browser counts as eval.
POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)
#: No link to an editor on the web; pictures can be saved.
OPTIONS: Final = {"renderer": "svg", "actions": {"export": True, "source": False, "compiled": False, "editor": False}}


@cache
def scripts() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script."""
    bundle: str = converter().javascript_bundle("window.vegaEmbed=vegaEmbed;")
    # A script element ends at its end tag, wherever that stands: within strings and patterns alone, so this is the same.
    return re.sub("</(script)", r"<\\/\1", bundle, flags=re.IGNORECASE).replace("<!--", r"<\!--")


def chart_page(chart: Chart) -> str:
    """One chart with its table as a page."""
    template = Template((Path(__file__).parent / "page.html").read_text("utf-8"))
    ink = inks(chart.dark)
    return template.substitute(
        policy=escape(POLICY),
        scheme="dark" if chart.dark else "light",
        title=escape(chart.title),
        description=escape(chart.description),
        table=table(chart),
        spec=script_json(chart.spec),
        options=script_json(OPTIONS),
        scripts=scripts(),
        **{name: ink[name] for name in ("page", "text", "faint", "line", "weak")},
    )


def table(chart: Chart) -> str:
    """The items of a chart as an HTML table, for those who cannot see the picture or want the figures."""
    if not chart.items:
        return ""
    names = [name for name in chart.items[0] if any(item[name] not in ("", None) for item in chart.items)]
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    rows = []
    for item in chart.items[:TABLE_ROWS]:
        first, *rest = (escape(str(item[name])) for name in names)
        rows.append(f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>')
    what = "pieces" if chart.kind == "space" else "items"
    said = f"{len(chart.items):,} {what}"
    if len(chart.items) > TABLE_ROWS:
        said = f"the first {TABLE_ROWS:,} of {said}"
    return (
        f"<details><summary>Table of the {what} ({said})</summary>"
        f"<table><caption>{escape(chart.title)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></details>"
    )
