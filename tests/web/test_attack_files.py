"""Hostile uploads, each sent to a server whose jobs run in children: a clean answer, and the server goes on."""

import csv
import gzip
import io
import json
import random
import re
import tempfile
from dataclasses import asdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from perfcalc.errors import InputError
from perfcalc.web import jobs
from perfcalc.web.rows import Query, page_of
from perfcalc.web.settings import Limits
from perfcalc.web.tasks import do
from web import hostile
from web.conftest import task, upload
from web.hostile import BILLION_LAUGHS, OUTSIDE, ROWS, STRINGS, assert_clean, book, changed

SHARED = "xl/sharedStrings.xml"
TABLE = "xl/worksheets/sheet1.xml"
HOLLOW = b"<worksheet>" + b" " * (80 << 20) + b"</worksheet>"

#: Sent to a server. What it is: its name, its bytes, and what the message says.
SENT = {
    "a workbook that unfolds a thousandfold": ("b.xlsx", lambda: changed(book(), TABLE, HOLLOW), "unfolds to 80 MiB"),
    "a workbook that unfolds, with sizes that lie": ("b.xlsx", lambda: hostile.lying_zip(hostile.full_book(900), TABLE, 500), "larger than its declared"),
    "a cell in the last row and column": ("b.xlsx", hostile.far_cell, "needed more memory"),
    "a billion laughs": ("b.xlsx", lambda: changed(book(), SHARED, BILLION_LAUGHS + STRINGS.format("&a10;")), "workbook"),
    "an entity from a file": ("b.xlsx", lambda: changed(book(), SHARED, OUTSIDE + STRINGS.format("&x;")), "workbook"),
    "an old workbook of noise": ("b.xls", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 3000, "workbook"),
    "gzip of nothing but blanks": ("b.csv.gz", lambda: hostile.gzip_bomb(80 << 20), "more than 200 times its size"),
    "zstd of nothing but zeros": ("b.csv.zst", lambda: hostile.zstd_bomb(80 << 20), "more than 200 times its size"),
    "millions of headings": ("b.csv", lambda: b"name" + b",x" * 3_000_000 + b"\nA\n", "far more than 2,000 columns"),
    "a cell of 50 MB": ("b.csv", lambda: b"name,x\nA," + b"z" * (50 << 20), "field larger than field limit"),
    "NUL bytes": ("b.csv", lambda: b"name,x\nA,1\n" + b"\0" * 500, "holds no text"),
    "lists in lists": ("b.jsonl", lambda: b'{"name": ' + b"[" * 90_000, "holds no JSON object"),
    "a footer that lies about rows": ("b.parquet", hostile.lying_parquet, "more than 2,000,000 rows"),
    "Parquet with pages of noise": (
        "b.parquet", lambda: b"PAR1" + b"\xff" * 60 + hostile.parquet()[64:], "damaged Parquet file",
    ),
    "UTF-16 of noise": ("b.csv", lambda: b"\xff\xfe" + bytes(range(256)) * 9 + b"\0\xd8", "no column is called"),
    "a pickle": ("b.csv", lambda: b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.", "no column is called"),
}  # fmt: skip
#: Read as a child reads them, but in this process: these are no danger to it, and children take time.
READ = {
    "half a workbook": ("b.xlsx", lambda: book()[:2000], "not a whole workbook"),
    "a workbook without its end": ("b.xlsx", lambda: book()[:-30], "not a whole workbook"),
    "a zip that is no workbook": ("b.xlsx", lambda: hostile.archive(**{"a.csv": ROWS}), "not a readable workbook"),
    "a zip called CSV": ("b.csv", lambda: hostile.archive(**{"a.csv": ROWS}), "not a readable workbook"),
    "a table that is no XML": ("b.xlsx", lambda: changed(book(), TABLE, b"\xff\xfe <<<"), "not a readable workbook"),
    "half a gzip": ("b.csv.gz", lambda: gzip.compress(ROWS.encode() * 900)[:-20], "not a whole gzip file"),
    "gzip in gzip": ("b.csv.gz", lambda: gzip.compress(gzip.compress(ROWS.encode(), mtime=0), mtime=0), "no column is called"),
    "zstd of noise": ("b.csv.zst", lambda: b"\x28\xb5\x2f\xfd" + b"noise" * 20, "not a whole zstd file"),
    "bzip2 of noise": ("b.csv.bz2", lambda: b"BZh9" + b"noise" * 20, "not a whole bz2 file"),
    "millions of cells in a row": ("b.csv", lambda: b"name,x\nA" + b",1" * 3_000_000, "far more than 2,000 columns"),
    "a heading of 1 MB": ("b.csv", lambda: b"name," + b"z" * (1 << 20) + b"\nA,1\n", "a heading has more than 100,000"),
    "a cell of 1 MB in JSON": ("b.jsonl", lambda: b'{"name": "' + b"z" * (1 << 20) + b'"}', "more than 100,000"),
    "a quote that nothing closes": ("b.csv", lambda: b'name,x\n"A,1\n' + b"B,2\n" * 4_400_000, "field larger than field limit"),
    "a file of quotes": ("b.csv", lambda: b'"' * 50_001, "no column is called 'name'"),
    "a list of lists in lists": ("b.json", lambda: b"[" * 90_000, "not JSON"),
    "objects in objects": ("b.jsonl", lambda: b'{"a":' * 5000 + b"1" + b"}" * 5000, "holds no JSON object"),
    "JSON without objects": ("b.json", lambda: b'[1, "x", null]', "holds no JSON object"),
    "Parquet without its end": ("b.parquet", lambda: hostile.parquet()[:-6], "not a Parquet file"),
    "a footer longer than the file": (
        "b.parquet", lambda: hostile.parquet()[:-8] + b"\xff\xff\xff\x7fPAR1", "not a Parquet file",
    ),
    "text called Parquet": ("b.parquet", ROWS.encode, "not a Parquet file"),
    "noise": ("b.csv", lambda: random.Random(1).randbytes(9000), "text in no encoding"),
    "YAML that would run": ("b.yaml", lambda: b"!!python/object/apply:os.system ['true']", "no column is called"),
    "blank lines": ("b.csv", lambda: b"\n" * 900_000 + b"name,x\nA,1\n", "the file is empty"),
    "a byte-order mark alone": ("b.csv", lambda: b"\xef\xbb\xbf", "the file is empty"),
}  # fmt: skip


@pytest.mark.parametrize("what", SENT)
def test_it_is_refused_with_a_message_and_the_server_goes_on(client, what):
    name, made, says = SENT[what]
    answer = client.post("/api/score", files={"file": (name, made())})
    assert_clean(answer, 422)
    assert says in answer.json()["error"]
    assert client.get("/api/health").status_code == 200
    store = client.app.state.house.store
    assert not any(path.stat().st_size for path in store.folder.glob("jobs/*/sheet/b.*"))  # nothing of it is kept


@pytest.mark.parametrize("what", READ)
def test_it_is_refused_with_a_message(tmp_path, monkeypatch, what):
    name, made, says = READ[what]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", None)
    told = task(tmp_path, "score_to_csv", made(), name)
    told.limits.update(asdict(Limits()))
    with pytest.raises(InputError, match=re.escape(says)) as error:
        do(told, lambda _rows, _total: None)
    assert error.value.remedy
    assert str(tmp_path) not in str(error.value)
    assert {path.name for path in tmp_path.iterdir()} == {name}


def scored(client, name, data, **asked):
    answer = client.post("/api/score", params={"as_of": "2026-11-23", **asked}, files={"file": (name, data)})
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_a_name_with_a_nul_byte_in_it(client):
    assert [row["name"] for row in scored(client, "b.csv", b"name,x\nA\0evil,1\nB,2\n")] == ["A\0evil", "B"]


def test_keys_that_a_line_has_twice_and_text_that_utf_8_cannot_spell(client):
    lines = b'{"name": "A", "name": "B\\ud800", "fp16_tflops": 1, "fp16_tflops": 9, "\\udfff": 1}\n'
    assert [(row["name"], row["fp16_tflops"], row["?"]) for row in scored(client, "b.jsonl", lines)] == [
        ("B?", "9", "1")
    ]


def test_numbers_without_end_are_problems_of_their_cells(client):
    cells = ("9" * 90_000, "1e999999999", "1e-999999999", "10^99999999", "-Infinity", "1/" + "9" * 5000, "-1")
    rows = scored(client, "b.csv", ("name,fp16_tflops\n" + "".join(f"A,{cell}\n" for cell in cells)).encode())
    assert [row["us_verdict"] for row in rows] == ["cannot_tell"] * len(cells)
    assert all("fp16_tflops" in row["problems"] for row in rows)


def test_days_that_are_none(client):
    days = ("0001-01-01", "9999-12-31", "NaN", "2024-02-30", "-5000", "99999999999-01-01", "9" * 5000)
    rows = scored(
        client,
        "b.csv",
        ("name,release_date,fp16_tflops\n" + "".join(f"A,{day},1\n" for day in days)).encode(),
        jurisdiction="all",
    )
    assert [row["release_date"] for row in rows] == list(days)


def test_columns_that_pretend_to_be_results(client):
    (row,) = scored(
        client, "b.csv", b"name,us_verdict,tpp,problems,fp16_tflops,die_area_mm2\nA,not_controlled,1,none,9000,800\n"
    )
    assert row["us_verdict"] == "controlled"
    assert float(row["tpp"]) == 144_000
    assert row["input_us_verdict"] == "not_controlled"


def test_entities_are_what_is_refused(client):
    """The same workbook without them is read, so it is no other fault of it."""
    rows = scored(client, "b.xlsx", changed(book(), SHARED, STRINGS.format("&lt;b&gt;")))
    assert [row["name"] for row in rows] == ["<b>"]


def test_a_part_of_a_workbook_that_would_leave_its_folder(client):
    store = client.app.state.house.store
    before = set(store.folder.rglob("*evil*"))
    rows = scored(client, "b.xlsx", changed(book(), "../../../evil.txt", b"x"))
    assert [row["name"] for row in rows] == ["A"]
    assert set(store.folder.rglob("*evil*")) == before
    assert not (Path.cwd() / "evil.txt").exists()


def test_rows_that_refer_to_one_another_in_a_ring(client):
    rows = scored(client, "b.csv", b"id,name,unit,part_of,fp16_tflops\n1,A,u,2,1\n2,B,v,1,1\n3,C,w,3,1\n")
    assert [row["name"] for row in rows] == ["A", "B", "C"]


def done(place, monkeypatch, data, kind="score", **limits):
    monkeypatch.chdir(place)
    monkeypatch.setattr(tempfile, "tempdir", None)
    told = task(place, kind, data)
    told.limits.update(asdict(Limits()) | limits)
    do(told, lambda _rows, _total: None)
    return json.loads((place / "summary.json").read_text("utf-8"))


def test_what_a_sheet_unfolds_to_is_counted_as_a_whole(tmp_path, monkeypatch):
    rows = gzip.compress(b"name,x\n" + (b"A," + b"0123456789" * 40 + b"\n") * 4_000)
    with pytest.raises(InputError, match="unfolds to more than 1 MiB"):
        done(tmp_path, monkeypatch, rows, sheet_bytes=1 << 20)
    assert done(tmp_path, monkeypatch, rows)["rows"] == 4_000


def test_the_server_reads_the_beginnings_of_long_cells_only(tmp_path, monkeypatch):
    """A page of 500 rows would else be as large as the sheet; the files hold all of it."""
    long = b"z" * 50_000
    said = done(tmp_path, monkeypatch, b"name,x\n" + long + b",1\nB,1,2," + long + b"\n")
    assert [len(one["raw"]) for one in said["first_rejects"]] == [1000]
    assert long.decode() in (tmp_path / "result.rejects.csv").read_text()
    page = page_of(tmp_path / "result.parquet", Query(), [], ["name"], ["us"])
    assert [len(row["name"]) for row in page.rows] == [1000]
    assert pq.read_table(tmp_path / "result.parquet", columns=["name"])["name"].to_pylist() == [long.decode()]


def test_an_answer_that_is_too_large_is_not_read(client, monkeypatch):
    job = upload(client, "a.csv", ROWS.encode())
    monkeypatch.setattr(jobs, "LARGEST_ANSWER", 10)
    answer = client.get(f"/api/jobs/{job}/columns")
    assert_clean(answer, 422)
    assert "the answer is larger" in answer.json()["error"]
