"""The site: what is made for it alone, the made parts of written pages, and the call of Sphinx."""

from __future__ import annotations

import csv
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from blocks import ROOT
from rule_pages import escaped, rule_pages
from speed_pages import speed

import perfcalc
from perfcalc.metrics.readings import QUESTIONS
from perfcalc.rulebook import modelled
from perfcalc.rulebook.book import load

#: The guide in the order in which people come to it. A page that is not written yet is passed over.
GUIDE = (
    "score",
    "explain",
    "changes",
    "coverage",
    "headroom",
    "check",
    "sheets",
    "quantum",
    "origin",
    "overlays",
    "charts",
    "evidence",
    "serve",
    "pandas",
    "machines",
    "scale",
)
REFERENCE = ("fields", "commands", "api", "ambiguities", "coverage", "origin-card")
PROJECT = ("limits", "promises", "changelog", "contributing", "fuzzing")

MADE = re.compile(r"(<!-- made: (?P<name>\w+) -->\n).*?(<!-- made: end -->)", re.DOTALL)


def filled(page: str) -> str:
    """A written page with its made parts, which stand between comments, made again."""
    return MADE.sub(lambda part: f"{part[1]}\n" + "\n".join(PARTS[part["name"]]()) + f"\n\n{part[3]}", page)


def _not_modelled() -> Iterator[str]:
    missing = modelled.load().missing
    yield "| list | what | why |"
    yield "|---|---|---|"
    for each in missing:
        yield f"| {each.jurisdiction.upper()} | {escaped(each.what)} | {escaped(each.why)} |"


def _unread() -> Iterator[str]:
    rules = [rule for rule in load().rules if rule.unread and rule.end is None]
    yield "| list | paragraph | since | why |"
    yield "|---|---|---|---|"
    for rule in rules:
        yield f"| {rule.jurisdiction.upper()} | {escaped(rule.paragraph)} | {rule.start} | {escaped(rule.unread)} |"


def _confidence() -> Iterator[str]:
    counts = Counter(rule.confidence for rule in load().rules)
    words = ", ".join(f"{counts[word]} {word}" for word in ("high", "medium", "low"))
    yield f"Of {counts.total()} versions of paragraphs, by confidence in the encoding: {words}."


def _readings() -> Iterator[str]:
    for question in QUESTIONS:
        options = ", ".join(f"`{each}`" for each in question.options[1:])
        yield f"- `{question.name}={question.options[0]}` (or {options}). {question.text} Why: {question.why}"


def _labels() -> Iterator[str]:
    yield "| sheet | numbers | reported | calculated | estimated | of these, source page not opened |"
    yield "|---|---|---|---|---|---|"
    for name in ("chips", "quantum"):
        with (ROOT / "specs" / f"{name}.sources.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        numbers = {
            label: sum(len(row["fields"].split()) for row in rows if row["label"] == label)
            for label in ("reported", "calculated", "estimated")
        }
        unopened = sum(len(row["fields"].split()) for row in rows if "source page not opened" in row["note"])
        cells = " | ".join(f"{count:,}" for count in (sum(numbers.values()), *numbers.values(), unopened))
        yield f"| `specs/{name}.csv` | {cells} |"


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "not_modelled": _not_modelled,
    "unread": _unread,
    "confidence": _confidence,
    "readings": _readings,
    "labels": _labels,
    "speed": speed,
}

COMMANDS = """# Commands

Made from the program: every command and every option. `perfcalc COMMAND --help` says the same.

```{eval-rst}
.. click:: perfcalc.cli:main
   :prog: perfcalc
   :nested: full
```
"""

API = """# Python

Made from the docstrings. [pandas, polars, DuckDB](guide/pandas.md) has examples.

- `Frame`: a pandas frame, or any frame that offers the Arrow C stream, which comes back as a pyarrow table.
- `Overlays`: files or names of [overlays](guide/overlays.md), one or several, or a rule book that is ready.
- `Law`: `"enforced"` or `"codified"`.

```{eval-rst}
.. py:module:: perfcalc

"""

#: What the functions give back, beside frames.
ANSWERS = (
    "perfcalc.answers.explain.Explanation",
    "perfcalc.answers.changes.Changes",
    "perfcalc.answers.coverage.Coverage",
    "perfcalc.answers.headroom.Headroom",
    "perfcalc.answers.designs.Design",
    "perfcalc.answers.check.Check",
)


def api_page() -> str:
    """Every public name and every answer, for autodoc to fill in."""
    functions = [name for name in perfcalc.__all__ if callable(getattr(perfcalc, name)) and name != "InputError"]
    lines = [f".. autofunction:: perfcalc.{name}" for name in functions]
    lines += ["", "Answers", "-------", ""]
    lines += [f".. autoclass:: {name}\n   :members:\n   :exclude-members: __init__, __new__" for name in ANSWERS]
    lines += ["", "Errors", "------", "", ".. autoexception:: perfcalc.InputError"]
    return API + "\n".join(lines) + "\n```\n"


def site_pages() -> dict[str, str]:
    """Pages that only the site has: they are long, and made from what is in the repository."""
    return {
        **{f"rules/{name}.md": text for name, text in rule_pages().items()},
        "commands.md": COMMANDS,
        "api.md": api_page(),
        "origin-card.md": (ROOT / "perfcalc" / "origin" / "CARD.md").read_text("utf-8"),
        "changelog.md": (ROOT / "CHANGELOG.md").read_text("utf-8"),
        "contributing.md": (ROOT / "CONTRIBUTING.md").read_text("utf-8"),
    }


def contents(source: Path) -> str:
    """The tables of contents of the site's menu; Markdown readers elsewhere have the links of the page itself."""
    rules = sorted(path.stem for path in (source / "rules").glob("*.md") if path.stem != "index")
    (source / "rules" / "index.md").open("a", encoding="utf-8").write(_toctree("", rules))
    guide = [f"guide/{name}" for name in GUIDE if (source / "guide" / f"{name}.md").exists()]
    return (
        _toctree("Guide", guide)
        + _toctree("Reference", [*REFERENCE, "rules/index"])
        + _toctree("The project", list(PROJECT))
    )


def _toctree(caption: str, names: list[str]) -> str:
    options = f":caption: {caption}\n" if caption else ""
    return f"\n```{{toctree}}\n:hidden:\n{options}\n" + "\n".join(names) + "\n```\n"


def lay_out(source: Path) -> None:
    """Everything that Sphinx reads, in a new folder: the written pages and those made for the site."""
    shutil.copytree(ROOT / "docs", source, ignore=shutil.ignore_patterns("make.py", "*_pages.py", "blocks.py", "__*"))
    for name, text in site_pages().items():
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text(text, "utf-8")
    with (source / "index.md").open("a", encoding="utf-8") as file:
        file.write(contents(source))


def build(output: Path) -> None:
    """Build the site. A warning, such as a link that leads nowhere, is an error."""
    from sphinx.cmd.build import build_main  # noqa: PLC0415 - only the site needs the extra [docs]

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        lay_out(source)
        options = ["-q", "--fail-on-warning", "--keep-going", "--doctree-dir", f"{folder}/doctrees"]
        if build_main([*options, str(source), str(output)]):
            raise SystemExit("the site was not built: see above")
