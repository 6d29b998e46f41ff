"""The documentation shows what the program does: every command and Python block is run again, and the site is built.

Connections are forbidden while the pages run: perfcalc makes none.
"""

import os
import re
import runpy
import socket
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest
import yaml

from perfcalc.cli import main

ROOT = Path(__file__).parents[1]
MAKE = runpy.run_path(str(ROOT / "docs" / "make.py"))
PAGES = MAKE["pages"]()
WRITTEN = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


@pytest.fixture(autouse=True)
def no_connections(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("perfcalc opened a connection")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_connections_are_forbidden_here():
    with pytest.raises(AssertionError, match="opened a connection"):
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    with socket.socket() as one, pytest.raises(AssertionError, match="opened a connection"):
        one.connect(("127.0.0.1", 9))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_page_is_current(path):
    assert path.read_text("utf-8") == PAGES[path](), f"{path.name}: run `python docs/make.py`"


def test_a_page_that_says_something_else_is_noticed():
    blocks = runpy.run_path(str(ROOT / "docs" / "blocks.py"))
    page = "```console\n$ perfcalc template --kind memory\nid,name\n```\n\n```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n"
    again = blocks["rerun"](page)
    assert "memory_area_mm2" in again
    assert "```text\n2\n```" in again
    for wrong, error in (
        ("```console\n$ perfcalc template --kind toaster\nid\n```", RuntimeError),
        ("```console\n$ rm x\n```", ValueError),
        ("```bash\nperfcalc score\n```", ValueError),
        ("```python\ndef test_it():\n    assert 1 == 2\n```", AssertionError),
    ):
        with pytest.raises(error):
            blocks["rerun"](f"{wrong}\n")


def test_elisions_keep_their_lines():
    shortened = runpy.run_path(str(ROOT / "docs" / "blocks.py"))["shortened"]
    printed = "\n".join("abcdef")
    assert shortened(printed, "x\nx\n...\nx\n") == "a\nb\n...\nf\n"
    assert shortened(printed, "x\n...\n") == "a\n...\n"
    assert shortened(printed, "x\n") == "a\nb\nc\nd\ne\nf\n"
    assert shortened(printed, "x\nx\nx\n...\nx\nx\nx\n") == "a\nb\nc\nd\ne\nf\n"


CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def anchors(path):
    """Headings as forges name them."""
    headings = re.findall(r"(?m)^#+ (.+)$", CODE.sub("", path.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.casefold()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: path.name)
def test_links_inside_the_repository_lead_somewhere(page):
    text = CODE.sub("", page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        found = (page.parent / name).resolve() if name else page
        assert found.is_file(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(found), f"{page.name}: {target}"


def test_every_guide_page_has_its_place():
    site = runpy.run_path(str(ROOT / "docs" / "site_pages.py"))
    pages = {path.stem for path in (ROOT / "docs" / "guide").glob("*.md")}
    assert pages <= set(site["GUIDE"])
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    assert {name for name in pages if f"(guide/{name}.md)" not in index} == set()


def test_the_site_is_whole_and_loads_nothing_from_elsewhere(tmp_path):
    """One test, because it is built once; a warning, such as a link that leads nowhere, fails the build."""
    command = [sys.executable, "docs/make.py", "site", str(tmp_path)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    loads_nothing_from_elsewhere(tmp_path)
    has_every_version_of_every_rule(tmp_path)
    has_every_command_and_option(tmp_path)
    has_the_whole_python_api(tmp_path)


class Loaded(HTMLParser):
    """What a page loads by itself, and what it links to."""

    def __init__(self):
        super().__init__()
        self.loads, self.links = [], []

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        if tag == "a":
            self.links.append(said.get("href") or "")
        elif tag == "link" and said.get("rel") not in ("index", "search", "next", "prev"):
            self.loads.append(said.get("href") or "")
        elif tag != "link":
            self.loads += [said[name] for name in ("src", "srcset", "data", "poster", "action") if said.get(name)]
        if "url(" in (said.get("style") or ""):
            self.loads.append(said["style"])
        assert not (tag == "meta" and said.get("http-equiv") == "refresh")


def loads_nothing_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 60
    for path in pages:
        page = Loaded()
        page.feed(path.read_text("utf-8"))
        assert page.loads
        for target in page.loads:
            assert not re.match(r"([a-z]+:)?//", target), f"{path.name} loads {target}"
    for path in site.rglob("*.css"):
        for target in re.findall(r"url\(\s*['\"]?([^)'\"]+)|@import\s+['\"]([^'\"]+)", path.read_text("utf-8")):
            assert not re.match(r"([a-z]+:)?//", "".join(target)), f"{path.name} loads {target}"
    for path in site.rglob("*.js"):
        calls = re.findall(
            r"(?:fetch|import|importScripts|open|sendBeacon)\(\s*['\"`](?:[a-z]+:)?//", path.read_text("utf-8")
        )
        assert not calls, f"{path.name} loads {calls}"


def has_every_version_of_every_rule(site):
    """Counted in the YAML, not in what the pages are made from."""
    folder = ROOT / "perfcalc" / "rulebook"
    places = {path.parent for name in ("jurisdiction", "instruments") for path in folder.glob(f"*/{name}.yaml")}
    assert len(places) == 41
    for place in places:
        text = (site / "rules" / f"{place.name}.html").read_text("utf-8")
        entries = [path for path in place.glob("*.yaml") if not path.name.endswith(".cases.yaml")]
        versions = [
            (code, version)
            for path in entries
            if isinstance(entry := yaml.safe_load(path.read_text("utf-8")), dict) and "paragraphs" in entry
            for code, paragraph in entry["paragraphs"].items()
            for version in paragraph["versions"]
        ]
        assert text.count("Text checked on") == len(versions), place.name
        acts = yaml.safe_load((place / "instruments.yaml").read_text("utf-8")) if versions else {}
        for code, version in versions:
            assert f"From {version['from']}" in text, (place.name, code)
            assert f"Text checked on {version['verified']}; confidence {version['confidence']}" in text
            for citation in version["citation"]:
                assert acts[citation]["url"].replace("&", "&amp;") in text, (place.name, code, citation)


def commands(group, name=""):
    for each in group.commands.values():
        yield f"{name} {each.name}".strip(), each
        if isinstance(each, click.Group):
            yield from commands(each, f"{name} {each.name}".strip())


def has_every_command_and_option(site):
    text = re.sub(r"<[^>]+>", "", (site / "commands.html").read_text("utf-8"))
    for name, command in commands(main):
        assert f"perfcalc {name}" in text, name
        for parameter in command.params:
            for option in parameter.opts if isinstance(parameter, click.Option) else ():
                assert option in text, (name, option)


def has_the_whole_python_api(site):
    import perfcalc

    text = (site / "api.html").read_text("utf-8")
    for name in perfcalc.__all__:
        assert f'id="perfcalc.{name}"' in text, name
