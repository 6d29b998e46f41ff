"""How answers look: templates, languages, addresses, and numbers as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from perfcalc import __version__
from perfcalc.answers.numbers import number_text
from perfcalc.fields import FIELDS, KINDS, SHEET_FIELDS, unit_of
from perfcalc.web.jobs import book_facts
from perfcalc.web.options import Options
from perfcalc.web.rows import Query
from perfcalc.web.texts import ENGLISH, Texts, choose, languages

FIELD_NAMES: Final = tuple(field.name for field in SHEET_FIELDS)
METRICS_SHOWN: Final = ("tpp", "performance_density")
#: Quantities of a map that have words of their own in every language.
AXES: Final = frozenset(key.removeprefix("axis.") for key in languages()[ENGLISH] if key.startswith("axis."))
#: On what the rule book and the reader of sheets say, in a page of another language: a voice reads it as English.
ENGLISH_INSIDE: Final = Markup(' lang="en"')
#: A shape for each verdict, beside its word: colour is never all that tells them apart. What matters most is first.
SHAPES: Final = {"controlled": "■", "cannot_tell": "◆", "not_controlled": "○", "not_modelled": "–"}


@dataclass(frozen=True)
class Address:
    """Addresses of one job that keep the options."""

    base: str
    options: Options
    query: Query | None = None

    def __call__(self, path: str = "", **other: Any) -> str:
        """The address of a page of the job, with some things changed."""
        said = changed(self.options)
        if self.query is not None and not path:
            usual = Query()
            said |= {key: value for key, value in vars(self.query).items() if value != getattr(usual, key)}
        said |= other
        kept = {
            key: "true" if value is True else value for key, value in said.items() if value not in ("", None, False)
        }
        return f"{self.base}{quote(path)}{'?' if kept else ''}{urlencode(kept)}"


def changed(options: Options) -> dict[str, Any]:
    """The options that are not the usual ones, and the day."""
    usual = Options()
    said = {key: value for key, value in options.model_dump().items() if value != getattr(usual, key)}
    return {key: "true" if value is True else value for key, value in said.items()}


def number(value: Any) -> str:
    """A number as people read it."""
    if value is None or value == "":
        return ""
    return f"{value:,.5g}" if abs(value) < 10_000 else f"{value:,.0f}"


def metric(row: dict[str, Any], name: str, t: Texts) -> str:
    """A metric of a row: a number, or the interval that the sheet leaves."""
    if row.get(name) is not None:
        return number(row[name])
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    return "" if low is None else span((low, high), t)


def span(ends: Sequence[float | None], t: Texts, unit: str = "") -> str:
    """An interval in the words of a language. JSON knows no infinity: null is the open end."""
    low, high = ends
    tail = f" {unit}" if unit else ""
    if low is not None and low == high:
        return f"{number_text(low)}{tail}"
    if low is None or (low <= 0 and high is None):
        return t("number.unknown") if high is None else t("number.most", high=f"{number_text(high)}{tail}")
    if high is None:
        return t("number.least", low=f"{number_text(low)}{tail}")
    return t("number.between", low=number_text(low), high=f"{number_text(high)}{tail}")


def plain(value: float) -> str:
    """A number on an axis."""
    return f"{value:,.6g}"


def percent(value: float | None) -> str:
    """A margin."""
    return "" if value is None else f"{100 * value:+.1f} %"


def clause_value(clause: dict[str, Any], t: Texts) -> str:
    """What an item has for one condition. JSON knows no infinity: null is the open end."""
    field = FIELDS.get(clause["metric"])
    low, high = clause["low"], clause["high"]
    if field is not None and field.type == "choice":
        return field.choices[int(low)] if low is not None and low == high else "?"
    if low is None and high is None:
        return t("item.missing")
    return span((low, high), t, clause.get("unit") or "")


def wanted_columns(summary: dict[str, Any]) -> list[str]:
    """The columns that the table of results shows."""
    own = [summary["columns"][field] for field in ("name", "id") if field in summary["columns"]]
    ours = [f"{name}{end}" for name in METRICS_SHOWN for end in ("", "_low", "_high")]
    parts = ("verdict", "entries", "needs", "margin", "licence", "exceptions")
    return [
        *own,
        *ours,
        *(f"{place}_{part}" for place in summary["jurisdictions"] for part in parts),
        "problems",
        "origin",
    ]


def places_of(options: Options) -> list[str]:
    """The jurisdictions that the options name."""
    if options.jurisdiction == "all":
        return [one["code"] for one in book_facts()["jurisdictions"]]
    return options.jurisdiction.split(",")


def pairs(mapping: Sequence[str]) -> dict[str, tuple[str, str]]:
    """``Heading=field (unit)`` as heading: (field, unit)."""
    found = {}
    for pair in mapping:
        heading, _, said = pair.rpartition("=")
        field, _, unit = said.partition(" (")
        found[heading] = (field, unit.rstrip(")"))
    return found


def size_text(size: int) -> str:
    """A size as people read it."""
    return f"{size / (1 << 20):,.4g} MB"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("perfcalc.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "version": __version__,
        "verdicts": tuple(SHAPES),
        "shapes": SHAPES,
        "kinds": KINDS,
        "languages": languages,
        "book": book_facts,
        "number": number,
        "metric": metric,
        "percent": percent,
        "axes": AXES,
        "plain": plain,
        "span": span,
        "unit_of": unit_of,
        "clause_value": clause_value,
        "places_of": places_of,
        "size_text": size_text,
        "quote": quote,
    }
    return environment


ENVIRONMENT: Final = _environment()


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """One page in the language of its reader."""
    code = choose("", request.cookies.get("language", ""), request.headers.get("accept-language", ""))
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    house = getattr(request.app.state, "house", None)
    text = ENVIRONMENT.get_template(template).render(
        t=Texts(code),
        en=ENGLISH_INSIDE if code != ENGLISH else "",
        here=here if request.method == "GET" else "/",
        signed_in=bool(house is not None and house.settings.token),
        **values,
    )
    return HTMLResponse(text, status, headers={"content-language": Texts(code).code, "vary": "cookie, accept-language"})
