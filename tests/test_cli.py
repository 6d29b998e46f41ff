"""The command line as a person meets it: files whole or not at all, exit codes, nothing lost."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import perfcalc
from perfcalc.cli import main

CHIPS = Path(__file__).parents[1] / "specs" / "chips.csv"


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def sheet(folder, text, name="sheet.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_score_writes_every_row_in_order(tmp_path, ending):
    out = tmp_path / f"out.{ending}"
    result = run("score", CHIPS, "-o", out, "--as-of", "2026-11-23")
    assert result.exit_code == 0, result.output
    sheet = perfcalc.read(CHIPS)
    scored = pd.read_csv(out, keep_default_na=False, dtype=str) if ending == "csv" else pd.read_parquet(out)
    assert list(scored.columns[: len(sheet.columns)]) == list(sheet.columns)
    for column in sheet.columns:  # untouched, to the letter
        assert scored[column].tolist() == sheet[column].tolist(), column
    assert {path.name for path in tmp_path.iterdir()} == {out.name}


def test_csv_parquet_and_pandas_agree(tmp_path):
    run("score", CHIPS, "-o", tmp_path / "a.csv", "--as-of", "2026-11-23")
    run("score", CHIPS, "-o", tmp_path / "b.parquet", "--as-of", "2026-11-23")
    frame = perfcalc.score(perfcalc.read(CHIPS), as_of="2026-11-23")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "b.parquet"), frame, check_dtype=False)
    from_csv = pd.read_csv(tmp_path / "a.csv", dtype=str, keep_default_na=False)
    assert from_csv["us_verdict"].tolist() == frame["us_verdict"].tolist()
    assert from_csv["us_entries"].tolist() == frame["us_entries"].fillna("").tolist()


def test_ragged_rows_are_rejected_and_the_rest_scores(tmp_path):
    path = sheet(tmp_path, "name,fp16_tflops,die_area_mm2\ngood,300,800\nshort,300\nlong,300,800,1\nalso good,1,100\n")
    out = tmp_path / "out.csv"
    result = run("score", path, "-o", out)
    assert result.exit_code == 1
    assert pd.read_csv(out)["name"].tolist() == ["good", "also good"]
    rejects = pd.read_csv(tmp_path / "out.rejects.csv")
    assert rejects["line"].tolist() == [3, 4]
    assert rejects["raw"].tolist() == ["short,300", "long,300,800,1"]
    assert rejects["remedy"].notna().all()
    good = sheet(tmp_path, "name,fp16_tflops\ngood,300\n")
    assert run("score", good, "-o", out).exit_code == 0
    assert not (tmp_path / "out.rejects.csv").exists(), "an old rejects file would speak of another run"


def test_cells_that_cannot_be_read_count_as_unknown(tmp_path):
    path = sheet(
        tmp_path,
        "name,fp16_tflops,die_area_mm2,datacenter,kind\n"
        "bad rate,fast,800,yes,ic\nbad area,200,-5,yes,ic\nbad choice,200,100,perhaps,ic\nbad kind,9999,800,yes,toaster\n",
    )
    out = tmp_path / "out.csv"
    result = run("score", path, "-o", out, "--as-of", "2026-11-23")
    assert result.exit_code == 0
    scored = pd.read_csv(out).set_index("name")
    assert scored["us_verdict"].tolist() == ["cannot_tell"] * 4
    assert scored["us_needs"].tolist() == ["fp16_tflops", "die_area_mm2", "datacenter", "kind"]
    for problem, word in zip(scored["problems"], ["fast", "-5", "perhaps", "toaster"], strict=True):
        assert word in problem
    assert "row 1 (bad rate)" in result.output


def test_result_columns_never_overwrite_the_sheet(tmp_path):
    path = sheet(tmp_path, "name,tpp,fp16_tflops\na,mine,300\n")
    out = tmp_path / "out.csv"
    assert run("score", path, "-o", out).exit_code == 0
    scored = pd.read_csv(out)
    assert scored.loc[0, "input_tpp"] == "mine"
    assert scored.loc[0, "tpp"] == 4800


def test_formulas_are_escaped_in_text_but_not_in_numbers(tmp_path):
    path = sheet(tmp_path, 'name,note,fp16_tflops\n=1+1,@x,300\n"+cmd|calc",-,1\n-7,-1.5,1\nplain,+2,1\n')
    out = tmp_path / "out.csv"
    run("score", path, "-o", out)
    scored = pd.read_csv(out, dtype=str)
    assert scored["name"].tolist() == ["'=1+1", "'+cmd|calc", "-7", "plain"]
    assert scored["note"].tolist() == ["'@x", "-", "-1.5", "+2"]
    run("score", path, "-o", tmp_path / "out.parquet")
    assert pd.read_parquet(tmp_path / "out.parquet")["name"].tolist() == ["=1+1", "+cmd|calc", "-7", "plain"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["score", "absent.csv"], ["no such file"]),
        (["score", CHIPS, "--as-of", "yesterday"], ["YYYY-MM-DD"]),
        (["score", CHIPS, "--jurisdiction", "atlantis"], ["atlantis", "us"]),
        (["score", CHIPS, "--readings", "tf32_bits=20"], ["tf32_bits", "19, 32"]),
        (["score", CHIPS, "--readings", "colour=red"], ["colour"]),
        (["score", CHIPS, "-o", "out.xls"], ["OUT.csv"]),
        (["score", CHIPS, "-o", "no/such/folder/out.csv"], ["no such folder"]),
        (["explain", CHIPS, "--item", "NVIDIA H2O"], ["NVIDIA H20"]),
        (["explain", CHIPS, "--item", "GeForce"], ["items are called like"]),
        (["rules", "show", "9Z999"], ["not in the rule book"]),
        (["template", "--kind", "toaster"], ["ic, memory, computer, quantum"]),
    ],
)
def test_what_cannot_be_used_is_said(arguments, words):
    result = run(*arguments)
    assert result.exit_code == 2
    for word in words:
        assert word in result.stderr
    assert "remedy" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("title,fp16_tflops\na,1\n", "'name'"),
    ],
)
def test_unreadable_sheets(tmp_path, text, word):
    result = run("score", sheet(tmp_path, text))
    assert result.exit_code == 2
    assert word in result.stderr


def test_not_text(tmp_path):
    for name, content in (
        ("fake.parquet", b"PAR0 no"),
        ("nul.csv", b"\0\0"),
    ):
        (tmp_path / name).write_bytes(content)
        result = run("score", tmp_path / name)
        assert result.exit_code == 2, name
        assert "remedy" in result.stderr


def test_heading_only(tmp_path):
    result = run("score", sheet(tmp_path, "name,fp16_tflops\n"), "-o", tmp_path / "out.parquet")
    assert result.exit_code == 0
    assert len(pd.read_parquet(tmp_path / "out.parquet")) == 0


def test_strict_exits_one_while_a_verdict_is_open(tmp_path):
    path = sheet(tmp_path, "name,fp16_tflops\na,200\n")
    assert run("score", path).exit_code == 0
    assert run("score", path, "--strict").exit_code == 1
    assert run("score", path, "--strict", "--as-of", "2001-01-01").exit_code == 1


def test_a_failed_run_leaves_the_old_file(tmp_path, monkeypatch):
    out = tmp_path / "out.csv"
    out.write_text("old")
    monkeypatch.setattr("perfcalc.line.score_batch", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    run("score", CHIPS, "-o", out)
    assert out.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_json(tmp_path):
    answer = json.loads(run("score", CHIPS, "--json", "--as-of", "2026-11-23").stdout)
    assert answer["rows"] == len(answer["items"]) == sum(answer["verdicts"]["us"].values())
    assert "4A994.l (needs part_of)" in answer["not_asked"]["us"]
    written = json.loads(run("score", CHIPS, "--json", "-o", tmp_path / "o.csv").stdout)
    assert "items" not in written
    for command in (["rules", "list"], ["rules", "show", "3A090"], ["rules", "lint"], ["readings"], ["template"]):
        assert json.loads(run(*command, "--json").stdout) is not None


def test_template_is_a_sheet(tmp_path):
    for kind in ("ic", "memory", "computer", "quantum"):
        path = tmp_path / f"{kind}.csv"
        assert run("template", "--kind", kind, "-o", path).exit_code == 0
        assert run("score", path).exit_code == 0
        assert list(perfcalc.template(kind).columns) == path.read_text().strip().split(",")


def test_every_command_has_help_and_answers_without_heavy_imports():
    heavy = (
        "import sys, perfcalc.cli; print(sorted({'numpy','numba','pandas','pyarrow','rich','yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    for command in main.commands.values():
        assert command.help
        for parameter in command.params:
            assert parameter.param_type_name == "argument" or parameter.help, (command.name, parameter.name)


def test_small_sheets_never_wait_for_the_compiler():
    code = f"import sys; from perfcalc.cli import main; main(['score', {str(CHIPS)!r}], standalone_mode=False)"
    check = f"import sys\ntry:\n    exec({code!r})\nexcept SystemExit:\n    pass\nassert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", check], check=True, capture_output=True)
