"""Markup, scripts and formulas in a sheet's own words: text on every page and in every file that is taken away."""

import csv
import io
import json
import re
import zipfile
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from python_calamine import CalamineWorkbook

import perfcalc
from web.conftest import scored, upload

MARKUP = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "<svg onload=alert(1)>", "' onmouseover='alert(1)", "</title><script>alert(1)",
    "]]><script>alert(1)</script>", "javascript:alert(1)", "{{ 7 * 7 }}{% for x in alert %}", "${alert(1)}", "\u202ealert\u2066(1)", "&lt;alert&gt;",
)  # fmt: skip
FORMULAS = (
    "=cmd|' /C calc'!A0", "+1+cmd|x", "-2+3+cmd|x", "@SUM(1+9)*cmd", "\t=1+1", "\r=1+1", '=HYPERLINK("http://evil.example")', "=1+1",
)  # fmt: skip


def sheet():
    kept = io.StringIO()
    writer = csv.writer(kept)
    writer.writerow(["name", "fp16_tflops", "die_area_mm2", MARKUP[0], FORMULAS[0], MARKUP[1], "process_node"])
    writer.writerows([text, 300 + at, 800, text, text, text, text] for at, text in enumerate(MARKUP + FORMULAS))
    writer.writerow([*MARKUP[:8], "too many cells"])
    return kept.getvalue().encode()


@pytest.fixture(scope="module")
def job(client):
    return upload(client, "<script>alert(1)</script>.csv", sheet())


@pytest.fixture(scope="module")
def run(client, job):
    done = scored(client, job)
    assert done["state"] == "done"
    assert done["summary"]["rejects"] == 1
    return done["id"]


class Reader(HTMLParser):
    """What a browser would make of a page: its tags, and whatever of them could run."""

    def __init__(self):
        super().__init__()
        self.tags, self.runs, self.words = set(), [], []

    def handle_starttag(self, tag, attributes):
        # The map of the law is a drawing of the page's own.
        if (tag, dict(attributes).get("role")) != ("svg", "group"):
            self.tags.add(tag)
        for name, value in attributes:
            if (
                name.startswith("on")
                or (name in {"href", "src", "action"} and "script:" in (value or "").split("?")[0])
                or name in {"style", "srcdoc"}
            ):
                self.runs.append((tag, name, value))
            if tag == "script" and (name, value) != ("defer", None) and (name, value) != ("src", "/static/page.js"):
                self.runs.append((tag, name, value))

    def handle_data(self, data):
        self.words.append(data)


PAGES = (
    "",
    "/columns",
    "/items/1",
    "/items/2",
    "/problems",
    "/coverage",
    "/changes?from_day=2023-11-16",
    "?sort=" + MARKUP[0].replace("/", "%2F"),
    "?search=%22%3E%3Cscript%3Ealert(1)",
)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.usefixtures("run")
def test_a_page_shows_markup_as_words(client, job, path):
    answer = client.get(f"/jobs/{job}{path}{'&' if '?' in path else '?'}as_of=2026-11-23")
    assert answer.status_code in {200, 422}
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Reader()
    page.feed(answer.text)
    assert page.runs == []
    assert not page.tags & {"svg", "img", "iframe", "object", "style", "base", "embed", "math"}
    assert "alert(1)" in "".join(page.words) or "search=" in path
    assert "49" not in re.findall(r"7 \* 7|49 ", answer.text)


def test_an_error_page_shows_an_address_as_words(client):
    page = Reader()
    page.feed(client.get("/jobs/<script>alert(1)</script>").text + client.get("/?x=%22%3E%3Cscript%3Ealert(1)").text)
    assert page.runs == []


def test_csv_holds_no_formula(client, job, run):
    got = client.get(f"/api/jobs/{job}/runs/{run}/files/csv")
    assert got.headers["content-disposition"].startswith("attachment; ")
    rows = list(csv.reader(io.StringIO(got.content.decode(), newline="")))
    assert len(rows) == len(MARKUP + FORMULAS) + 1
    assert [row[0] for row in rows[1:]] == [*MARKUP, *(f"'{text}" for text in FORMULAS)]
    for row in rows:
        for cell in row:
            assert cell[:1] not in tuple("=+@\t\r") or re.fullmatch(r"[+-]?[\d.]+(e[+-]?\d+)?", cell), cell


def test_rejects_hold_no_formula(client):
    other = upload(client, "a.csv", b"name,x\nA,1\n=cmd|x!A0,1,2\n")
    done = scored(client, other)
    got = client.get(f"/api/jobs/{other}/runs/{done['id']}/files/rejects.csv").text
    (row,) = csv.DictReader(io.StringIO(got))
    assert row["raw"] == "'=cmd|x!A0,1,2"


def test_a_workbook_holds_no_formula_and_no_link(client, job, run):
    got = client.get(f"/api/jobs/{job}/runs/{run}/files/xlsx").content
    with zipfile.ZipFile(io.BytesIO(got)) as parts:
        table = parts.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in table
        assert "hyperlink" not in table
        assert not any("external" in name.casefold() or "vba" in name.casefold() for name in parts.namelist())
    rows = CalamineWorkbook.from_filelike(io.BytesIO(got)).get_sheet_by_index(0).to_python()
    assert rows[0][4] == f"'{FORMULAS[0]}"
    assert [str(row[0])[0] for row in rows[1 + len(MARKUP) :]] == ["'"] * len(FORMULAS)


def test_json_is_never_taken_for_a_page(client, job, run):
    for path in (
        f"/api/jobs/{job}/runs/{run}/rows",
        f"/api/jobs/{job}/columns",
        f"/api/jobs/{job}/items/1",
    ):
        answer = client.get(path)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "alert" in json.dumps(answer.json())


def test_a_drawing_shows_markup_as_words(tmp_path):
    """What a browser makes of an SVG; pages with charts, and reports, are in tests/test_report.py."""
    names = ("<script>alert(1)</script>", "<b onload=alert(1)>")
    rows = "".join(f'"{name}",{200 * 9**at},800\n' for at, name in enumerate(names))
    (tmp_path / "a.csv").write_text(f"name,fp16_tflops,die_area_mm2\n{rows}", "utf-8")
    chart = perfcalc.chart(perfcalc.read(tmp_path / "a.csv"), kind="density", as_of="2026-11-23").svg()
    page = ET.fromstring(chart)
    assert set(names) <= set(page.itertext())
    for element in page.iter():
        assert element.tag.rpartition("}")[2] not in {
            "script",
            "foreignObject",
            "image",
            "b",
            "a",
            "use",
            "set",
            "animate",
        }
        assert not [name for name in element.keys() if name.startswith("on")]  # noqa: SIM118 - these are its attributes
