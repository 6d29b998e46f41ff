"""Files of every kind that people have."""

import bz2
import csv
import gzip
import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import perfcalc
from perfcalc.errors import InputError
from perfcalc.sheets import files
from perfcalc.sheets.read import open_sheet

ROWS = [["name", "fp16_tflops", "die_area_mm2"], ["H100", "989.5", "814"], ["H20", "148", "814"]]
TEXT = "\n".join(",".join(row) for row in ROWS) + "\n"


def read(path):
    sheet = open_sheet(path)
    table = pa.Table.from_batches(sheet.batches(), sheet.schema)
    return [
        table.schema.names,
        *[["" if cell is None else str(cell) for cell in row.values()] for row in table.to_pylist()],
    ], sheet


def write(tmp_path, data, name="sheet.csv"):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_delimiters_and_byte_order_marks(tmp_path, delimiter, encoding):
    assert read(write(tmp_path, TEXT.replace(",", delimiter).encode(encoding)))[0] == ROWS


@pytest.mark.parametrize(
    ("encoding", "heading", "cell"),
    [
        ("cp949", "이름,다이 면적,파운드리", "가속기,814,삼성전자"),
        ("cp932", "名前,ダイ面積,ファウンドリ", "アクセラレータ,814,ラピダス"),
        ("euc_jp", "名前,ダイ面積,ファウンドリ", "アクセラレータ,814,ラピダス"),
        ("gb18030", "名称,芯片面积,代工厂", "加速器,814,中芯国际"),
        ("big5", "產品名稱,晶粒面積,晶圓代工", "加速器,814,台積電"),
        ("cp1252", "Bezeichnung,Chipfläche,Auftragsfertiger", "Beschleuniger für Köln,814,Dresden"),
        ("cp1252", "name,Die size (mm²),foundry", "H100,814,TSMC"),
    ],
)
def test_encodings(tmp_path, encoding, heading, cell):
    rows, _ = read(write(tmp_path, f"{heading}\n{cell}\n".encode(encoding)))
    assert rows == [heading.split(","), cell.split(",")]


@pytest.mark.parametrize(
    ("ending", "fold"),
    [("gz", gzip.compress), ("bz2", bz2.compress), ("zst", lambda data: pa.compress(data, "zstd", asbytes=True))],
)
def test_compressed(tmp_path, ending, fold):
    assert read(write(tmp_path, fold(TEXT.encode()), f"sheet.csv.{ending}"))[0] == ROWS


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "HARMLESS_BYTES", 1 << 20)
    bomb = write(tmp_path, gzip.compress(TEXT.encode() + b"\n" * (4 << 20)), "bomb.csv.gz")
    with pytest.raises(InputError, match="unfolds"):
        open_sheet(bomb)


def test_half_a_gzip_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a whole"):
        read(write(tmp_path, gzip.compress(TEXT.encode() * 100)[:-20], "half.csv.gz"))


@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b"\xef\xbb\xbf", b"PK\x03\x04nothing", b"PAR1nothing", b"\x1f\x8bnothing"]
)
def test_what_is_no_sheet_is_refused(tmp_path, data):
    with pytest.raises(InputError):
        read(write(tmp_path, data))


def test_rejects_name_the_physical_line(tmp_path):
    text = 'name,fp16_tflops,note\nA,1,"one\ntwo\nthree"\nB,2\nC,3,x,y\nD,4,x,,\n\nname,fp16_tflops,note\nE,5,z\n'
    rows, sheet = read(write(tmp_path, text))
    assert [row[0] for row in rows] == ["name", "A", "D", "E"]
    assert [(reject.line, reject.raw) for reject in sheet.rejects] == [
        (5, "B,2"),
        (6, "C,3,x,y"),
        (9, "name,fp16_tflops,note"),
    ]
    assert all(reject.reason and reject.remedy for reject in sheet.rejects)


def test_an_irregular_row_late_in_a_long_sheet(tmp_path):
    lines = [f"chip {at},{at}.5,800" for at in range(300_000)]
    lines[290_000] = "chip,1"
    rows, sheet = read(write(tmp_path, "\n".join([",".join(ROWS[0]), *lines])))
    assert len(rows) == 300_000
    assert [reject.line for reject in sheet.rejects] == [290_002]
    assert rows[290_001][0] == "chip 290001"


def test_unnamed_and_repeated_columns_are_kept(tmp_path):
    rows, _ = read(write(tmp_path, "name,fp16_tflops,,note,note\nA,1,2,3,4\n"))
    assert rows == [["name", "fp16_tflops", "column 3", "note", "note (2)"], ["A", "1", "2", "3", "4"]]


def test_a_title_above_and_two_lines_of_heading(tmp_path):
    text = "Our chips,,\nas of today,,\nname,FP16,Die size\n,TFLOPS,cm2\nA,989.5,8.14\n"
    rows, sheet = read(write(tmp_path, text))
    assert rows == [["name", "FP16 TFLOPS", "Die size cm2"], ["A", "989.5", "8.14"]]
    assert sheet.notes


def test_namibia_stays_text(tmp_path):
    frame = perfcalc.read(write(tmp_path, "name,designer_country,note\nNULL,NA,None\n"))
    assert frame.iloc[0].tolist() == ["NULL", "NA", "None"]
    assert perfcalc.score(frame).iloc[0, :3].tolist() == ["NULL", "NA", "None"]


def test_json_lines(tmp_path):
    lines = [
        {"name": "A", "fp16_tflops": 989.50, "more": {"die_area_mm2": 814}},
        {"name": "B", "list": [1, 2], "datacenter": True},
    ]
    text = "\n".join([*map(json.dumps, lines), "[1]", "{"])
    rows, sheet = read(write(tmp_path, text, "sheet.jsonl"))
    assert rows[0] == ["name", "fp16_tflops", "more.die_area_mm2", "list", "datacenter"]
    assert rows[1:] == [["A", "989.5", "814", "", ""], ["B", "", "", '["1", "2"]', "yes"]]
    assert [reject.line for reject in sheet.rejects] == [3, 4]


def test_nested_parquet(tmp_path):
    path = tmp_path / "sheet.parquet"
    table = pa.table(
        {"name": ["A"], "fp16_tflops": [989.5], "die_area_mm2": [[814.0]], "more": [{"x": 1}], "raw": [b"\xff"]}
    )
    pq.write_table(table, path)
    out = tmp_path / "out.csv"
    command = [sys.executable, "-m", "perfcalc.cli", "score", path, "-o", out, "--as-of", "2026-11-23"]
    subprocess.run(command, check=True, capture_output=True)
    with out.open(newline="", encoding="utf-8") as file:
        row = next(csv.DictReader(file))
    assert (row["die_area_mm2"], row["more"]) == ("[814.0]", '{"x": 1}')
    assert float(row["tpp"]) == 989.5 * 16


def test_a_folder_a_pattern_and_several(tmp_path):
    write(tmp_path, TEXT, "a.csv")
    write(tmp_path, "Chip;FP16 (GFLOPS);Die size (mm2)\nX;1.500,5;12,5\n", "b.csv")
    write(tmp_path, "no sheet", "c.doc")
    for given in (tmp_path, tmp_path / "*.csv", [tmp_path / "a.csv", tmp_path / "b.csv"]):
        sheet = open_sheet(given)
        frame = pa.Table.from_batches(sheet.batches(), sheet.schema)
        assert frame.num_rows == 3
        scored = perfcalc.score(frame, as_of="2026-11-23").to_pylist()
        assert [row["tpp"] for row in scored] == [989.5 * 16, 148 * 16, pytest.approx(1.5005 * 16)]


def test_standard_input(tmp_path):
    command = [sys.executable, "-m", "perfcalc.cli", "score", "-", "--json", "--as-of", "2026-11-23"]
    done = subprocess.run(command, input=TEXT.encode("utf-16"), check=True, capture_output=True)
    assert [item["tpp"] for item in json.loads(done.stdout)["items"]] == [15832, 2368]


def test_read_says_what_was_understood(tmp_path):
    path = write(tmp_path, 'Chip,FP16 (sparse),Die size (cm2),Tpp\nA,"1,979",8.14 cm²,1\n')
    saved = tmp_path / "mine.yaml"
    command = [sys.executable, "-m", "perfcalc.cli", "read", path, "--map", "Tpp=", "--save-mapping", saved]
    text = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout
    assert "with sparsity" in text
    assert "'8.14 cm²'  →  814" in text
    answer = json.loads(
        subprocess.run([*command, "--json", "--mapping", saved], check=True, capture_output=True).stdout
    )
    assert [column["fields"] for column in answer["columns"]] == [["name"], ["fp16_tflops"], ["die_area_mm2"], []]


def test_a_mapping_is_obeyed_and_a_wrong_one_refused(tmp_path):
    path = write(tmp_path, "Ding,Wert\nA,989500\n")
    run = [sys.executable, "-m", "perfcalc.cli", "score", path, "--json", "--map", "Ding=name"]
    done = subprocess.run([*run, "--map", "Wert=fp16_tflops (GFLOPS)"], check=True, capture_output=True)
    assert json.loads(done.stdout)["items"][0]["tpp"] == 15832
    for wrong in ("Wert=fp17", "Nichts=fp16_tflops", "Wert", "Wert=fp16_tflops (bananas)"):
        assert subprocess.run([*run, "--map", wrong], capture_output=True, check=False).returncode == 2
