"""Jobs: limits, restarts, retention, and that none sees another."""

import gzip
import json
import re
import sqlite3
import tempfile
import time
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from perfcalc.errors import InputError
from perfcalc.web.settings import Limits
from perfcalc.web.store import Store, safe_name
from perfcalc.web.tasks import do
from web.conftest import ended, running, scored, task, upload

SHEET = b"name,fp16_tflops,die_area_mm2\nFirst,300,800\nSecond,?,700\n"


def test_the_same_question_is_one_run_and_another_day_another(client):
    job = upload(client, "a.csv", SHEET)
    first = scored(client, job)
    assert first["state"] == "done"
    assert first["summary"]["rows"] == 2
    assert scored(client, job)["id"] == first["id"]
    assert scored(client, job, as_of="2022-01-01")["id"] != first["id"]
    assert [run["asked"]["as_of"] for run in client.get(f"/api/jobs/{job}").json()["runs"]] == [
        "2022-01-01",
        "2026-11-23",
    ]


def test_jobs_do_not_see_each_other(client):
    # A child works in the folder of its sheet; a sheet called like a module is never imported.
    mine, other = upload(client, "xlsxwriter.py", SHEET), upload(client, "a.csv", SHEET.replace(b"First", b"Secret"))
    run = scored(client, other)["id"]
    assert scored(client, mine)["id"] == run  # the name of a question is no secret, the id of a job is
    assert "Secret" not in client.get(f"/api/jobs/{mine}/runs/{run}/rows").text
    late = client.post(f"/api/jobs/{other}/runs", json={"as_of": "2024-02-01"}).json()["id"]
    assert [one["id"] for one in client.get(f"/api/jobs/{mine}").json()["runs"]] == [run]
    for path in ("", "/rows", "/files/csv", "/events", "/rejects"):
        assert client.get(f"/api/jobs/{mine}/runs/{late}{path}").status_code == 404
    assert len(mine) == 22
    assert mine != other


@pytest.mark.parametrize("key", ["nothing", "%2e%2e", "..%2f..%2findex.sqlite3", "a' or '1'='1", "%00", "x" * 300])
def test_a_guessed_id_is_no_job(client, key):
    for path in ("", "/columns", "/coverage", "/items/1", "/runs/x", "/runs/x/files/csv"):
        assert client.get(f"/api/jobs/{key}{path}").status_code in {404, 405}
        assert client.get(f"/jobs/{key}{path}").status_code in {404, 405}


def test_a_deleted_job_leaves_nothing(client):
    job = upload(client, "a.csv", SHEET)
    folder = client.app.state.house.store.place(job)
    assert folder.is_dir()
    assert client.delete(f"/api/jobs/{job}").status_code == 200
    assert not folder.exists()
    assert client.get(f"/api/jobs/{job}").status_code == 404


def test_a_single_request_leaves_nothing(client):
    store = client.app.state.house.store
    before = store.used()[0]
    assert client.post("/api/score", files={"file": ("a.csv", SHEET)}).status_code == 200
    assert client.post("/api/score", files={"file": ("a.csv", b"x,y\n1,2\n")}).status_code == 422
    assert store.used()[0] == before


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"name,x\n" + b"a,1\n" * 301, "more than 300 rows"),
        (b"name," + b",".join(b"c%d" % n for n in range(60)) + b"\na\n", "61 columns"),
        (b"name" + b"," * 3_000_000 + b"\n", "far more than 60 columns"),
        (gzip.compress(("name" + ";" * 900_000).encode("utf-16")), "far more than 60 columns"),
        (b"name,x\na," + b"z" * 5_001 + b"\n", "more than 5,000 characters"),
        (b"PK\x03\x04 not a workbook", "not a whole workbook"),
        (b"PAR1 not parquet", "not a Parquet file"),
        (b"\x1f\x8b\x08 not gzip", "not a whole gzip file"),
        (b"a,b\n1,2\n", "no column is called 'name'"),
        (b"\x00" * 1000, "holds no text"),
    ],
)
def test_limits_and_broken_files_each_have_their_message(tmp_path, monkeypatch, data, says):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", None)
    with pytest.raises(InputError, match=re.escape(says)) as error:
        do(task(tmp_path, "score", data), lambda _rows, _total: None)
    assert error.value.remedy
    assert str(tmp_path) not in str(error.value)  # no path of the server
    assert not (tmp_path / "result.parquet").exists()


def test_a_failed_run_says_why_and_can_be_looked_at(strict):
    job = upload(strict, "sheet.csv", b"name,x\n" + b"a,1\n" * 301)
    run = scored(strict, job)
    assert run["state"] == "failed"
    assert run["error"] == "sheet.csv: more than 300 rows"
    page = strict.get(f"/jobs/{job}?as_of=2026-11-23")
    assert page.status_code == 200
    assert "This sheet could not be scored" in page.text
    assert strict.get(f"/api/jobs/{job}/runs/{run['id']}/rows").status_code == 409


def test_a_sheet_without_rows_has_a_result(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", None)
    do(task(tmp_path, "score", b"name,x\n\n"), lambda _rows, _total: None)
    assert pq.read_table(tmp_path / "result.parquet").num_rows == 0


def test_an_empty_file_is_no_job(strict):
    answer = strict.post("/api/jobs", files={"file": ("a.csv", b"")})
    assert answer.status_code == 422
    assert "empty" in answer.json()["error"]


@pytest.mark.parametrize("kind", ["coverage", "changes"])
def test_what_names_every_item_has_a_limit(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", None)
    asked = {"from_day": "2022-01-01", "step": False}
    with pytest.raises(InputError, match="more than 5 rows"):
        do(task(tmp_path, kind, b"name\n" + b"x\n" * 6, **asked), lambda _rows, _total: None)


def test_time_memory_and_output_are_limited(tmp_path):
    rows = b"name,fp16_tflops\n" + b"".join(b"chip %d,%d\n" % (n, n % 900) for n in range(30_000))
    for limit, says in (
        ({"seconds": 0.3}, "longer than 0.3 seconds"),
        ({"file_bytes": 4_096}, "larger than a job may write"),
        ({"memory_bytes": 300 << 20}, "memory"),
    ):
        with running(tmp_path / next(iter(limit)), replace(Limits(), **limit)) as client:
            run = scored(client, upload(client, "a.csv", rows))
            assert run["state"] == "failed", limit
            assert says in run["error"]


def test_a_full_queue_says_so(tmp_path):
    with running(tmp_path, replace(Limits(), waiting=1)) as client:
        job = upload(client, "a.csv", SHEET)
        first = client.post(f"/api/jobs/{job}/runs", json={"as_of": "2025-01-01"}).json()
        answer = client.post(f"/api/jobs/{job}/runs", json={"as_of": "2025-01-02"})
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert "wait" in answer.json()["error"]
        assert ended(client, job, first["id"])["state"] == "done"
        assert scored(client, job, as_of="2025-01-02")["state"] == "done"


def test_a_full_folder_says_so(tmp_path):
    with running(tmp_path, replace(Limits(), stored_jobs=1)) as client:
        upload(client, "a.csv", SHEET)
        assert client.post("/api/jobs", files={"file": ("a.csv", SHEET)}).status_code == 507


def test_a_restart_keeps_results_and_marks_what_was_cut_off(tmp_path):
    with running(tmp_path) as client:
        job = upload(client, "a.csv", SHEET)
        done = scored(client, job)
        rows = client.get(f"/api/jobs/{job}/runs/{done['id']}/rows").content
        lost = client.post(f"/api/jobs/{job}/runs", json={"as_of": "2024-05-05"}).json()["id"]
        alone = client.app.state.house.store.add("single.csv", kept=False)
    with sqlite3.connect(tmp_path / "index.sqlite3") as index:  # as a killed server leaves it
        index.execute("update runs set state = 'running', what = '' where id = ?", (lost,))
    index.close()
    with running(tmp_path) as client:
        assert client.get(f"/api/jobs/{job}/runs/{done['id']}/rows").content == rows
        run = client.get(f"/api/jobs/{job}/runs/{lost}").json()
        assert run["state"] == "interrupted"
        assert run["remedy"] == "start it again"
        page = client.get(f"/jobs/{job}?as_of=2024-05-05").text
        assert "The server stopped before this was finished" in page
        assert client.post(f"/api/jobs/{job}/runs", json={"as_of": "2024-05-05"}).json()["state"] == "interrupted"
        assert client.post(f"/api/jobs/{job}/runs/{lost}/restart").status_code == 202
        assert ended(client, job, lost)["state"] == "done"
        assert client.get(f"/api/jobs/{alone.id}").status_code == 404


def test_stopping_a_run(client):
    job = upload(client, "a.csv", SHEET)
    run = client.post(f"/api/jobs/{job}/runs", json={"as_of": "2020-02-02"}).json()["id"]
    assert client.post(f"/api/jobs/{job}/runs/{run}/stop").json()["state"] == "stopped"
    assert client.get(f"/api/jobs/{job}/runs/{run}/files/csv").status_code == 409
    client.post(f"/api/jobs/{job}/runs/{run}/restart")
    assert ended(client, job, run)["state"] == "done"


def test_old_jobs_are_deleted(tmp_path):
    store = Store(tmp_path)
    job, young = store.add("a.csv").id, store.add("a.csv").id
    store.close()
    with sqlite3.connect(tmp_path / "index.sqlite3") as index:
        index.execute("update jobs set created = ? where id = ?", (time.time() - 90_000, job))
    index.close()
    with running(tmp_path, keep_days=1) as client:
        assert client.get(f"/api/jobs/{young}").status_code == 200
        assert client.get(f"/api/jobs/{job}").status_code == 404
        assert not (tmp_path / "jobs" / job).exists()


def test_only_the_latest_answers_of_a_job_are_kept(tmp_path):
    store = Store(tmp_path)
    try:
        job = store.add("a.csv")
        runs = [store.queue(job.id, f"run{n}", "score", {}) for n in range(4)]
        for run in runs[:3]:
            store.set_state(run, "done")
        store.forget(job.id, 1)
        assert [run.id for run in store.runs(job.id)] == ["run3", "run2"]
        assert sorted(path.name for path in (store.place(job.id) / "runs").iterdir()) == ["run2", "run3"]
    finally:
        store.close()


def test_two_servers_do_not_share_a_folder(tmp_path):
    first = Store(tmp_path)
    try:
        with pytest.raises(InputError, match="another server"):
            Store(tmp_path)
    finally:
        first.close()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("....", "sheet.csv"),
        ("-", "sheet.csv"),
        (".hidden.csv", "hidden.csv"),
        ("a*[b]?.csv", "a__b__.csv"),
        ("칩 목록.xlsx", "칩 목록.xlsx"),
        ("<script>.csv", "_script_.csv"),
        ("a\x00b\n\u202e.csv", "a_b__.csv"),
        ("x" * 400 + ".parquet", "x" * 50 + ".parquet"),
        ("漢" * 400, "漢" * 50),
    ],
)
def test_file_names_mean_nothing(name, kept):
    assert safe_name(name) == kept
    assert len(kept.encode()) <= 255


@pytest.mark.parametrize(
    ("name", "data", "lines"),
    [
        ("a.csv", b"name,fp16_tflops\nA,1\nB,bad\n\nC,worse,x,y\nD,odd\n", [3, 6]),
        ("b.csv", b'Our chips\n\nname;fp16_tflops\n"A\nA";1\nB;bad\n', [6]),
        ("c.jsonl", b'{"name": "A"}\nnothing\n{"name": "B", "fp16_tflops": "bad"}\n', [3]),
    ],
)
def test_problems_name_the_line_of_the_file(tmp_path, monkeypatch, name, data, lines):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", None)
    do(task(tmp_path, "score", data, name), lambda _rows, _total: None)
    said = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    assert [one["line"] for one in said["first_problems"]] == lines
    for one in said["first_problems"]:
        assert data.splitlines()[one["line"] - 1].startswith((b"B", b"D", b'{"name": "B"'))
