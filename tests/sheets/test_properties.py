"""However a sheet is written, its verdicts are the same; and whatever is thrown at the reader, nothing is lost."""

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import perfcalc
from tests.fuzz import targets

CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus"
HEADINGS = {
    "en": ("name", "FP16 (TFLOPS)", "Die size (mm²)", "Memory bandwidth (GB/s)"),
    "ko": ("이름", "FP16 성능 (TFLOPS)", "다이 면적 (mm²)", "메모리 대역폭 (GB/s)"),
    "ja": ("名前", "FP16 演算性能 (TFLOPS)", "ダイ面積 (mm²)", "メモリ帯域幅 (GB/s)"),
    "zh": ("名称", "FP16 算力 (TFLOPS)", "芯片面积 (mm²)", "内存带宽 (GB/s)"),
    "de": ("Bezeichnung", "FP16 Leistung (TFLOPS)", "Chipfläche (mm²)", "Speicherbandbreite (GB/s)"),
}
#: At, just below and just above what decides: 4,800 and 2,400 TPP, 5.92 and 1.6 TPP/mm².
ITEMS = [
    ("300", "810.81", "3350.5"),
    ("299.9", "810.8", "2039"),
    ("150", "400.25", "900"),
    ("81.08", "219.13", "1008"),
    ("12.5", "25.5", "0.75"),
]
ENCODINGS = {"en": "cp1252", "de": "cp1252", "ko": "cp949", "ja": "cp932", "zh": "gb18030"}


def verdicts(path):
    scored = perfcalc.score(perfcalc.read(path), as_of="2026-11-23")
    return [(str(tpp), str(density), verdict, str(entries)) for tpp, density, verdict, entries in zip(
        scored["tpp"], scored["performance_density"], scored["us_verdict"], scored["us_entries"], strict=True)]  # fmt: skip


def written(text, style):
    number = float(text)
    if style == "comma":
        return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))
    return f"{number:,.2f}" if style == "grouped" else text


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "plain.csv"
    lines = [
        "name,fp16_tflops,die_area_mm2,memory_bandwidth_gb_s",
        *(f"chip {at},{','.join(row)}" for at, row in enumerate(ITEMS)),
    ]
    path.write_text("\n".join(lines), "utf-8")
    return verdicts(path)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    language=st.sampled_from(sorted(HEADINGS)),
    delimiter=st.sampled_from(",;\t|"),
    style=st.sampled_from(["plain", "comma", "grouped"]),
    unit=st.sampled_from(["", " GFLOPS", " PFLOPS", " TFLOPS"]),
    area=st.sampled_from(["", " mm²", " cm2"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "own"]),
    order=st.permutations(range(4)),
    kind=st.sampled_from(["csv", "csv", "csv.gz", "xlsx", "parquet", "jsonl"]),
)
def test_reformatting_never_changes_a_verdict(
    expected, tmp_path, language, delimiter, style, unit, area, encoding, order, kind
):
    factor = {" GFLOPS": 1000, " PFLOPS": 0.001}.get(unit, 1)
    rows = []
    for at, (rate, size, bandwidth) in enumerate(ITEMS):
        scaled = rate if factor == 1 else format(round(float(rate) * factor, 8), "f")
        rate_cell = (
            written(scaled, style) if factor != 0.001 else scaled.replace(".", "," if style == "comma" else ".")
        ) + unit
        size_cell = (
            written(size, style)
            if area != " cm2"
            else format(round(float(size) / 100, 6), "f").replace(".", "," if style == "comma" else ".")
        )
        rows.append([f"chip {at}", rate_cell, size_cell + area, written(bandwidth, style)])
    table = [[row[column] for column in order] for row in [list(HEADINGS[language]), *rows]]
    path = tmp_path / f"sheet.{kind}"
    frame = pd.DataFrame(table[1:], columns=table[0])
    if kind == "xlsx":
        frame.to_excel(path, index=False, engine="xlsxwriter")
    elif kind == "parquet":
        frame.to_parquet(path)
    elif kind == "jsonl":
        frame.to_json(path, orient="records", lines=True, force_ascii=False)
    else:
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter).writerows(table)
        own = ENCODINGS[language] if encoding == "own" else encoding
        said = text.getvalue().replace("²", "2") if encoding == "own" else text.getvalue()  # cp932 has no ²
        data = said.encode(own)
        frame = None
        import gzip

        path.write_bytes(gzip.compress(data) if kind.endswith("gz") else data)
    assert verdicts(path) == expected


@pytest.mark.parametrize("path", sorted(CORPUS.iterdir()), ids=lambda path: path.name)
def test_the_corpus_of_the_fuzzer(path):
    kind, rest = path.read_bytes()[0] % 4, path.read_bytes()[1:]
    if kind == 0:
        targets.cell(rest[:200].decode("utf-8", "replace"))
    elif kind == 1:
        targets.heading(rest[:200].decode("utf-8", "replace"))
    elif kind == 2:
        targets.sheet(b"name,FP16 (TFLOPS),Die size (mm2),Process\n" + rest, ".csv")
    else:
        targets.sheet(rest[1:], targets.ENDINGS[rest[0] % len(targets.ENDINGS)])


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(max_size=40), st.text("0123456789.,-~±x×()/ %*?TGFLOPSmB²", max_size=24)))
def test_any_cell(text):
    targets.cell(text)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_any_heading(text):
    targets.heading(text)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(targets.ENDINGS))
def test_any_bytes(data, ending):
    targets.sheet(data, ending)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.text('ab1,;\n" ', max_size=5), min_size=1, max_size=5), max_size=12))
def test_rows_in_are_rows_out_and_rejects(rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([["name", "fp16_tflops", "die_area_mm2"], *rows])
    result = targets.sheet(text.getvalue().encode(), ".csv")
    items = [
        row for row in csv.reader(io.StringIO(text.getvalue(), newline="")) if row and (len(row) > 1 or row[0].strip())
    ]
    assert result is not None
    assert sum(result) == len(items) - 1
