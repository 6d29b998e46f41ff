"""The pages: from the first view to a verdict, a trace and a download, without a script."""

import re
from pathlib import Path

import pytest
import yaml

import perfcalc.web
from perfcalc.web.texts import Texts, choose, languages
from web.conftest import settled, upload

WEB = Path(perfcalc.web.__file__).parent
HOSTILE = '<script>alert("x")</script>'


@pytest.fixture(scope="module")
def sample(client):
    answer = client.post("/upload", data={"then": "sample"})
    assert answer.status_code == 303
    return answer.headers["location"]


def test_the_first_view_leads_to_verdicts_in_one_step(client, sample):
    assert "Try the sample" in client.get("/").text
    page = settled(client, f"{sample}?as_of=2023-11-17")
    assert page.count('<th scope="row">') == 17
    assert "NVIDIA H20" in page
    assert page.count('class="chip controlled"') > 3


def test_an_a800_changes_side_on_2023_11_17(client, sample):
    for day, word in (("2023-11-16", "not_controlled"), ("2023-11-17", "controlled")):
        part = settled(client, f"{sample}?as_of={day}&search=A800&fragment=true")
        row = part[part.index("<tbody>") :]
        assert f'class="chip {word}"' in row
        assert "<html" not in part


def test_trace_coverage_changes_problems_and_files(client, sample):
    item = client.get(f"{sample}/items/2?as_of=2023-11-17").text
    assert "3A090" in item
    assert "88 FR" in item or "federalregister" in item
    assert "NVIDIA H20" in client.get(f"{sample}/coverage?as_of=2023-11-17&jurisdiction=us,kr").text
    moved = client.get(f"{sample}/changes?from_day=2023-11-16&as_of=2023-11-17").text
    assert "NVIDIA A800" in moved
    assert client.get(f"{sample}/problems?as_of=2023-11-17").status_code == 200
    file = client.get(f"{sample}/files/csv?as_of=2023-11-17")
    assert file.headers["content-disposition"] == 'attachment; filename="sample.us.2023-11-17.csv"'
    assert file.text.startswith('"id","name","kind"')
    assert client.get(f"{sample}/files/exe?as_of=2023-11-17").status_code == 422


def test_columns_are_corrected_before_scoring(client):
    answer = client.post("/upload", data={"then": "check"}, files={"file": ("a.csv", b"Thing,Speed\nX,400\n")})
    where = answer.headers["location"]
    page = client.get(where).text
    assert "no column is called" in page
    said = {
        "heading.1": "Thing",
        "field.1": "name",
        "unit.1": "",
        "heading.2": "Speed",
        "field.2": "fp16_tflops",
        "unit.2": "TFLOPS",
    }
    done = client.post(where, data=said)
    assert done.status_code == 303
    assert "6,400" in settled(client, f"{done.headers['location']}?as_of=2026-11-23")
    assert 'value="fp16_tflops" selected' in client.get(where).text
    assert client.post(where, data=said | {"field.2": "no_such_field"}).status_code == 422


def test_a_sheet_s_text_is_never_markup(client):
    rows = f'name,fp16_tflops,{HOSTILE.replace(chr(34), "")}\n"{HOSTILE.replace(chr(34), chr(34) * 2)}","{HOSTILE.replace(chr(34), chr(34) * 2)}",1\nA,1\n'
    rows += f"too,many,cells,{HOSTILE}\n"
    job = upload(client, f"{HOSTILE}.csv", rows.encode())
    for path in ("", "/columns", "/items/1", "/problems", f"?search={HOSTILE}", f"?sort={HOSTILE}"):
        page = settled(client, f"/jobs/{job}{path}") if "sort" not in path else client.get(f"/jobs/{job}{path}").text
        assert "<script>alert" not in page, path
        assert "alert" in page, path


def test_pages_hold_no_script_or_style_of_their_own(client, sample):
    for path in ("/", "?as_of", "/items/2?as_of", "/coverage?jurisdiction=us,kr&as_of", "/columns?as_of"):
        page = client.get(path if path == "/" else f"{sample}{path}=2023-11-17").text
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|javascript:", page), path
        for address in re.findall(r'(?:src|href|action)="([^"]*)"', page):
            assert address.startswith(("/", "#", "https://")), address
        for tag in re.findall(r"<(?:script|link|img|iframe)[^>]*>", page):
            assert "//" not in tag


def test_every_text_of_a_template_exists():
    english = languages()["en"]
    used = set()
    for path in (WEB / "templates").glob("*.html"):
        used |= set(re.findall(r'\bt\("([\w.#]+)"(?! ~)', path.read_text("utf-8")))
    used -= {key for key in used if key.endswith(".")}
    assert used <= set(english), used - set(english)
    assert len(used) > 100


@pytest.mark.parametrize("code", [code for code in languages() if code != "en"])
def test_other_languages_translate_what_english_says(code):
    """Whatever is translated has an English text with the same values in it."""
    english = languages()["en"]
    for key, text in languages()[code].items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", english[key])), key


def test_texts_are_strings():
    for path in (WEB / "texts").glob("*.yaml"):
        assert all(isinstance(text, str) and text for text in yaml.safe_load(path.read_text("utf-8")).values())


def test_languages(client):
    assert choose("", "", "fr, ko-KR;q=0.8, en") == "ko"
    assert choose("", "ja", "ko") == "ja"
    assert choose("xx", "../..", "") == "en"
    assert Texts("ko")("title") == "perfcalc"
    assert '<html lang="ja">' in client.get("/", headers={"accept-language": "ja"}).text
    for back, to in (
        ("/jobs/x?a=b", "/jobs/x?a=b"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil", "/"),
    ):
        assert client.get("/language", params={"code": "ko", "back": back}).headers["location"] == to
    client.cookies.clear()


def test_openapi_describes_the_api_and_needs_nothing_from_elsewhere(client):
    described = client.get("/api/openapi.json").json()
    assert "/api/score" in described["paths"]
    assert not any(path.startswith("/jobs") for path in described["paths"])
    assert client.get("/docs").status_code == 404


def test_template_and_sample(client):
    assert client.get("/api/template?kind=quantum").text.startswith("id,name")
    assert client.get("/api/template?kind=../x").status_code == 422
    assert client.get("/api/sample").text.startswith("id,name")
