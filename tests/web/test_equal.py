"""What the server gives is what the command line writes, byte for byte."""

import csv
import io
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

import perfcalc
from perfcalc.cli import main
from perfcalc.web.tasks import RESULT, do
from web.conftest import scored, task, upload

ROOT = Path(__file__).parents[2]


def shift_jis():
    rows = list(csv.reader(io.StringIO((ROOT / "perfcalc/web/sample.csv").read_text("utf-8"))))
    rows[0][1] = "製品名"
    rows[0][rows[0].index("die_area_mm2")] = "ダイサイズ (mm2)"
    rows[1][1] = "試作チップ①"
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("cp932")


def workbook():
    """A messy one: a title above the heading, a second sheet that holds no items, dates, a formula-like name."""
    out = io.BytesIO()
    with Workbook(out, {"strings_to_formulas": False}) as book:
        book.add_worksheet("Read me").write(0, 0, "Internal")
        sheet = book.add_worksheet("Chips")
        sheet.write(0, 0, "Our accelerators, spring")
        for at, cell in enumerate(("Chip", "FP16 (TFLOPS)", "Die size", "Node", "Remark")):
            sheet.write(2, at, cell)
        for line, row in enumerate(
            (
                ("=HYPERLINK(1)", "~312", "826 mm²", "7 nm", "@SUM(A1)"),
                ("X 2", 989.4, "8.14 cm2", "4N", "<b>new</b>"),
                ("", "", "", "", ""),
                ("X 3", "0.9 PFLOPS", "?", "N5", "-1+1"),
            )
        ):
            for at, cell in enumerate(row):
                sheet.write(3 + line, at, cell)
    return out.getvalue()


SHEETS = {
    "chips.csv": (ROOT / "specs/chips.csv").read_bytes,
    "epoch.csv": (ROOT / "tests/data/epoch_ml_hardware_2025-12.csv").read_bytes,
    "gpu table.csv": lambda: (ROOT / "tests/data/techapi_gpu.csv").read_bytes()[:60_000] + b"\nhalf,a,row\n",
    "shift.csv": shift_jis,
    "messy.xlsx": workbook,
    "lines.jsonl": lambda: (
        b'{"name": "A", "fp16_tflops": 400}\nnothing\n{"name": "=B", "fp16_tflops": "~1.2 PFLOPS"}\n'
    ),
}


def command_line(folder, name, data, *options):
    (folder / name).write_bytes(data)
    out = folder / "out.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = CliRunner().invoke(main, ["score", name, "-o", str(out), "--as-of", "2026-11-23", *options])
    assert done.exit_code in {0, 1}, done.output
    rejects = folder / "out.rejects.csv"
    return out.read_bytes(), rejects.read_bytes() if rejects.exists() else None


@pytest.mark.parametrize("name", ["chips.csv", "shift.csv", "messy.xlsx"])
def test_score_gives_the_bytes_of_the_command_line(client, tmp_path, name):
    data = SHEETS[name]()
    wanted, rejects = command_line(tmp_path, name, data, "--jurisdiction", "us,kr")
    answer = client.post("/api/score?as_of=2026-11-23&jurisdiction=us,kr", files={"file": (name, data)})
    assert answer.status_code == 200, answer.text
    assert answer.content == wanted
    assert (answer.headers["x-perfcalc-rejects"] == "0") == (rejects is None)


@pytest.mark.parametrize("name", SHEETS)
def test_what_a_child_writes_is_what_the_command_line_writes(tmp_path, monkeypatch, name):
    """At once, and by way of the Parquet file of a job."""
    data = SHEETS[name]()
    wanted, rejects = command_line(tmp_path, name, data, "--jurisdiction", "us,kr")
    place = tmp_path / "job"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setattr(tempfile, "tempdir", None)
    said = {"jurisdiction": "us,kr"}
    do(task(place, "score_to_csv", data, name, **said), lambda _rows, _total: None)
    assert (place / "result.csv").read_bytes() == wanted
    (place / "result.csv").unlink()
    do(task(place, "score", data, name, **said), lambda _rows, _total: None)
    do(task(place, "file", data, name, result=str(place / RESULT), format="csv"), lambda _rows, _total: None)
    assert (place / "result.csv").read_bytes() == wanted
    lost = place / "result.rejects.csv"
    assert (lost.read_bytes() if lost.exists() else None) == rejects


def test_a_job_s_downloads_are_the_files_of_the_command_line(client, tmp_path):
    name, data = "gpu table.csv", SHEETS["gpu table.csv"]()
    wanted, rejects = command_line(tmp_path, name, data, "--readings", "all", "--origin", "--destination", "CN")
    job = upload(client, name, data)
    run = scored(client, job, readings="all", origin=True, destination="cn")
    files = f"/api/jobs/{job}/runs/{run['id']}/files"
    assert client.get(f"{files}/csv").content == wanted
    assert rejects is not None
    assert client.get(f"{files}/rejects.csv").content == rejects
    assert run["summary"]["rejects"] == len(client.get(f"/api/jobs/{job}/runs/{run['id']}/rejects").json()) == 2
    table = pq.read_table(io.BytesIO(client.get(f"{files}/parquet").content))
    assert table.num_rows == run["summary"]["rows"] > 50


def test_a_workbook_holds_the_rows_and_no_formula(client):
    job = upload(client, "messy.xlsx", workbook())
    run = scored(client, job)
    files = f"/api/jobs/{job}/runs/{run['id']}/files"
    rows = (
        CalamineWorkbook.from_filelike(io.BytesIO(client.get(f"{files}/xlsx").content))
        .get_sheet_by_index(0)
        .to_python()
    )
    plain = list(csv.reader(io.StringIO(client.get(f"{files}/csv").text)))
    assert [[str(cell) for cell in row[:5]] for row in rows] == [row[:5] for row in plain]
    assert rows[1][0] == "'=HYPERLINK(1)"
    assert rows[1][4] == "'@SUM(A1)"


def test_an_evidence_pack_can_be_replayed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", None)
    asked = {"format": "evidence.zip", "jurisdiction": "us,kr"}
    do(task(tmp_path, "file", shift_jis(), "shift.csv", **asked), lambda _rows, _total: None)
    assert perfcalc.replay(tmp_path / "result.evidence.zip").same


def test_the_sample_is_part_of_the_sheet_that_ships():
    chips = set((ROOT / "specs/chips.csv").read_text("utf-8").splitlines())
    sample = (ROOT / "perfcalc/web/sample.csv").read_text("utf-8").splitlines()
    assert set(sample) <= chips
    assert len(sample) == 18
