"""The report: everything in one file, nothing of the sheet read as markup, no network."""

import itertools
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import altair as alt
import pandas as pd
import pytest
from click.testing import CliRunner

import perfcalc
from perfcalc.answers.explain import explain_row
from perfcalc.answers.report.traces import traces_of
from perfcalc.cli import main
from perfcalc.frames import to_arrow
from perfcalc.plans import plan_for

ROOT = Path(__file__).parents[1]
CHIPS = ROOT / "specs" / "chips.csv"
DAY = "2026-11-23"
HOSTILE = [
    "<script>document.title='pwned'</script>",
    '"><img src=x onerror="document.title=\'pwned\'">',
    "</script><script>document.title='pwned'</script>",
    "<!--<script>",
    "{{ 7 * 7 }} ${7 * 7} %s {0}",
    "a & b < c > d ' \" \u2028",
    "</title></svg><b>",
]
OWN = {"script", "style", "meta", "link", "img", "iframe", "object", "embed", "base", "form", "svg", "source", "b"}


class Page(HTMLParser):
    """The elements of a page, its text, and what it would fetch."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.fetched, self.handlers, self.scripts, self.text = [], [], [], {}, []
        self.inside = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        self.inside = attributes.get("id", tag) if tag in ("script", "style") else self.inside
        for name, value in attrs:
            if name in ("src", "srcset", "href", "data", "action", "poster", "background"):
                self.fetched.append(value)
            if name.startswith("on"):
                self.handlers.append(value)

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self.inside = None

    def handle_data(self, data):
        if self.inside is None:
            self.text.append(data)
        else:
            self.scripts[self.inside] = self.scripts.get(self.inside, "") + data

    def count(self, tag):
        return sum(element == tag for element, _ in self.elements)


def report(folder, frame, *options):
    sheet, out = folder / "sheet.csv", folder / "report.html"
    frame.to_csv(sheet, index=False)
    said = CliRunner().invoke(main, ["score", str(sheet), "--as-of", DAY, "--report", str(out), *options])
    assert said.exit_code in (0, 1), said.output
    return out.read_text("utf-8")


@pytest.fixture(scope="module")
def hostile_frame():
    frame = pd.read_csv(CHIPS, dtype=str).head(12)
    frame.loc[: len(HOSTILE) - 1, "name"] = HOSTILE
    frame.loc[: len(HOSTILE) - 1, ["int8_tops", "die_area_mm2"]] = "400", "600"
    frame.loc[8, "die_area_mm2"] = "<i>some</i>"
    return frame


@pytest.fixture(scope="module")
def hostile(hostile_frame, tmp_path_factory):
    return report(tmp_path_factory.mktemp("report"), hostile_frame, "--rules", "safe-chips")


@pytest.fixture(scope="module")
def chart_page(hostile_frame):
    return perfcalc.chart(hostile_frame, kind="density", as_of=DAY).html()


def test_names_are_text_and_nothing_else(hostile):
    page, plain = Page(hostile), re.sub(r"\s+", " ", "".join(Page(hostile).text))
    assert {tag for tag, _ in page.elements} & OWN == {"script", "style", "meta", "img", "form", "source"}
    assert (page.count("script"), page.count("style"), page.handlers) == (2, 1, [])
    for name in HOSTILE:
        assert re.sub(r"\s+", " ", name) in plain
    rows = json.loads(page.scripts["data"])["rows"]
    assert [row[0] for row in rows][: len(HOSTILE)] == HOSTILE


def test_names_in_a_chart_are_text_and_nothing_else(chart_page):
    page = Page(chart_page)
    assert page.count("script") == 4
    assert page.count("img") == page.count("b") == 0
    assert page.handlers == []
    spec = json.loads(page.scripts["spec"])
    assert json.dumps(spec).count("pwned") >= 3, "the names are there, as data"
    assert spec["description"]


@pytest.mark.parametrize("name", ["hostile", "chart_page"])
def test_nothing_is_fetched(request, name):
    text = request.getfixturevalue(name)
    page = Page(text)
    assert all(value.startswith(("data:", "#")) for value in page.fetched)
    assert "@import" not in text
    assert not re.search(r"url\((?!['\"]?data:)", page.scripts["style"])
    (policy,) = [each["content"] for tag, each in page.elements if tag == "meta" and "http-equiv" in each]
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert "connect-src" not in policy
    own = [
        each
        for each in re.findall(r"https?://[^\s\"'<>\\)`]+", text)
        if not each.startswith(("http://www.w3.org/", "https://vega.github.io/schema/"))
    ]
    # Left are a comment and the editor that is switched off in the library, and links that a person may follow.
    assert {each.split("/")[2] for each in own} <= {"github.com", "vega.github.io"}


def test_the_structure_is_sound(hostile):
    page = Page(hostile)
    heads = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert heads.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(heads))
    ids = [each["id"] for _, each in page.elements if "id" in each]
    assert len(ids) == len(set(ids))
    for tag, attributes in page.elements:
        assert tag != "th" or attributes.get("scope") in ("col", "row", "rowgroup")
        assert tag != "img" or len(attributes["alt"]) > 100
        assert tag != "section" or attributes["aria-labelledby"] in ids
        assert tag != "a" or attributes["href"][1:] in ids
    assert page.count("table") == page.count("caption")
    assert ("html", {"lang": "en"}) in page.elements
    assert "@media print" in page.scripts["style"]
    assert "prefers-color-scheme: dark" in page.scripts["style"]


def test_the_report_says_what_was_scored(hostile_frame, hostile):
    text = re.sub(r"\s+", " ", "".join(Page(hostile).text))
    scored = perfcalc.score(hostile_frame, as_of=DAY, rules=["safe-chips"])
    rows = json.loads(Page(hostile).scripts["data"])["rows"]
    verdicts = [tuple(cell for cell in row if cell in ("controlled", "not_controlled", "cannot_tell")) for row in rows]
    assert verdicts == list(zip(scored.us_verdict, strict=True))
    assert "<i>some</i>" in text, "the cell that could not be read is listed"
    assert "88 FR 73458" in text
    assert "No row was rejected" in text
    assert Page(hostile).count("details") == len(hostile_frame)


def test_traces_are_those_of_explain():
    table = to_arrow(pd.read_csv(CHIPS, dtype=str).iloc[[0, 20, 150, 160, 245]])
    plan = plan_for(table.schema.names, "x", DAY, ("us",), "tf32_bits=32")
    batch = table.combine_chunks().to_batches()[0]
    for row, found in traces_of(table, plan, range(5), [""] * 5):
        whole = explain_row(batch, plan, row).to_dict()
        # Where it was made is no part of a report's trace, and readings are those of the whole sheet.
        assert found.to_dict() | {"origin": 0, "readings": 0, "problems": 0} == whole | {
            "origin": 0,
            "readings": 0,
            "problems": 0,
        }


def test_a_long_sheet_says_what_it_leaves_out(tmp_path):
    names = [f"stack {at}" for at in range(700)]
    frame = pd.DataFrame({"name": names, "kind": "memory", "memory_bandwidth_gb_s": "300", "memory_area_mm2": "120"})
    frame.loc[3, "memory_bandwidth_gb_s"] = "?"
    text = report(tmp_path, frame, "-o", str(tmp_path / "out.csv"), "--jurisdiction", "us,eu,de")
    page = Page(text)
    said = re.sub(r"\s+", " ", "".join(page.text))
    assert "The first 200 of 700 items" in said
    assert "The 300 of 700 items that are open or nearest to a line" in said
    data = json.loads(page.scripts["data"])
    assert (len(data["rows"]), data["groups"], page.count("details")) == (700, ["US", "EU +1"], 300)
    assert (tmp_path / "out.csv").exists()
    assert any(each.get("href") == "#t3" for tag, each in page.elements if tag == "a"), "an open item has its trace"


def test_hypothetical_law_is_marked(hostile):
    assert "<strong>HYPOTHETICAL</strong>" in hostile
    assert "<title>HYPOTHETICAL" in hostile


def test_a_report_needs_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    out = tmp_path / "report.html"
    said = CliRunner().invoke(main, ["score", str(CHIPS), "--report", str(out)])
    assert said.exit_code == 2
    assert 'pip install "perfcalc[charts]"' in said.output
    assert not out.exists()


def test_specifications_are_valid(chart_page):
    alt.VConcatChart.from_dict(json.loads(Page(chart_page).scripts["spec"]), validate=True)


CANARY = '<script>fetch("http://canary.invalid/a")</script><img src="http://canary.invalid/b.png">'


def browse(folder, text):
    """Open a page in a browser: what it asked of which host, and the page after its scripts have run."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium here to watch the network with")
    page, log = folder / "page.html", folder / "net.json"
    page.write_text(text, "utf-8")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    options += [
        f"--user-data-dir={folder / 'profile'}",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--log-net-log={log}",
    ]
    said = subprocess.run(
        [browser, *options, "--virtual-time-budget=4000", "--dump-dom", page.as_uri()],
        capture_output=True,
        timeout=120,
        check=False,
    )
    hosts = set(re.findall(r'"url":"https?://([^/"]+)', log.read_text("utf-8")))
    # What the browser asks for itself.
    return {
        host for host in hosts if not host.endswith((".google.com", ".gstatic.com", ".googleapis.com", ".gvt1.com"))
    }, said.stdout.decode()


def test_a_browser_would_be_caught_asking(tmp_path):
    assert browse(tmp_path, f"<!DOCTYPE html>{CANARY}")[0] == {"canary.invalid"}


@pytest.mark.parametrize("name", ["hostile", "chart_page"])
def test_a_browser_asks_nothing_even_when_a_page_tries(request, tmp_path, name):
    # The last end of a body: the library has another one in a string.
    before, after = request.getfixturevalue(name).rsplit("</body>", 1)
    hosts, page = browse(tmp_path, f"{before}{CANARY}</body>{after}")
    assert hosts == set()
    assert "<title>pwned" not in page
    if name == "hostile":
        assert "12 of 12 items." in page, "the script of the page has run"
    else:
        assert "mark-symbol" in page, "the chart is drawn"
