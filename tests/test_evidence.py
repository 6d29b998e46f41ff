"""Evidence packs: whole or not at all, replayed to the byte, and no change goes unseen."""

import gzip
import json
import random
import shutil
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import perfcalc
from perfcalc.answers import replay as replays
from perfcalc.answers.manifest import DIGEST, MANIFEST, verify, write_manifest
from perfcalc.answers.replay import replay
from perfcalc.answers.traces import chosen_rows
from perfcalc.cli import main
from perfcalc.rulebook.folders import FOLDER, digest_of, law_from, rule_files

DAY = "2026-11-23"
SHEET = (
    "name,fp16_tflops,die_area_mm2,datacenter\n"
    "over,400,800,yes\nunder,1,100,yes\nopen,200,?,yes\nragged,1\nat the line,300,800,no\n"
)


def run(*arguments, **options):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], **options)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A pack of a small sheet with a reject."""
    place = tmp_path_factory.mktemp("made")
    (place / "sheet.csv").write_text(SHEET, "utf-8")
    answer = perfcalc.evidence(place / "sheet.csv", place / "pack", as_of=DAY)
    return place / "pack", answer.digest


@pytest.fixture
def pack(made, tmp_path):
    """A copy of it to spoil."""
    return Path(shutil.copytree(made[0], tmp_path / "pack"))


def files_of(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def flip(path, at, bit=0):
    raw = bytearray(path.read_bytes())
    raw[at % len(raw)] ^= 1 << bit
    path.write_bytes(raw)


def edit(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8", newline="\n")


def options_of(root, **changed):
    path = root / "options.json"
    options = json.loads(path.read_text("utf-8")) | changed
    path.write_text(json.dumps(options), "utf-8")
    return options


def test_a_pack_replays_wherever_it_is(made, tmp_path):
    root, digest = made
    assert replay(root, digest=digest).same
    archive = shutil.make_archive(str(tmp_path / "zipped"), "zip", root)
    shutil.unpack_archive(archive, tmp_path / "elsewhere")
    done = run("replay", tmp_path / "elsewhere", "--digest", digest.upper())
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == f"SAME: 4 rows scored again; digest {digest}"
    assert replay(archive, digest=digest).same
    whole = shutil.make_archive(str(tmp_path / "whole"), "zip", root.parent, root.name)
    assert replay(whole, digest=digest).same
    with ZipFile(whole) as zipped:
        member = zipped.getinfo(f"{root.name}/traces.jsonl")
    flip(Path(whole), member.header_offset + 30 + len(member.filename) + member.compress_size // 2)
    assert run("replay", whole).exit_code == 2
    said = json.loads(run("replay", tmp_path / "elsewhere", "--json").output)
    assert said["same"]
    assert set(said["outcomes"].values()) == {"same"}
    assert set(said["outcomes"]) == set(replays.produced("result.csv"))


def test_every_file_changed_in_one_bit_is_found_and_named(pack):
    where = random.Random(8)
    for name in files_of(pack):
        kept = (pack / name).read_bytes()
        flip(pack / name, where.randrange(len(kept)), where.randrange(8))
        named = {finding.file for finding in verify(pack)[2]}
        # Whoever changes a file and no manifest is named; nothing else is.
        assert named == {name}, name
        (pack / name).write_bytes(kept)
    assert verify(pack)[2] == []


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_bit_of_any_file(made, data):
    root, _ = made
    name = data.draw(st.sampled_from([MANIFEST, DIGEST, "options.json", "result.csv", "traces.jsonl", *files_of(root)]))
    kept = (root / name).read_bytes()
    at, bit = data.draw(st.integers(0, len(kept) - 1)), data.draw(st.integers(0, 7))
    try:
        flip(root / name, at, bit)
        assert {finding.file for finding in verify(root)[2]} == {name}
    finally:
        (root / name).write_bytes(kept)


@pytest.mark.parametrize(
    "name",
    ["input/01/sheet.csv", "rulebook/us/3A090.yaml", "result.csv", "traces.jsonl", "options.json", MANIFEST, DIGEST],
)
def test_replay_fails_on_a_changed_byte(pack, name):
    flip(pack / name, 40)
    done = run("replay", pack)
    assert done.exit_code == 1
    assert f"CHANGED  {name}" in done.output
    assert run("replay", pack, "--json").exit_code == 1


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("result.csv", "not_controlled", "controlled", "us_verdict is 'controlled' in the pack, 'not_controlled' when"),
        ("result.rejects.csv", "ragged", "raged", "result.rejects.csv: DIFFERS"),
        ("traces.jsonl", '"TPP"', '"tpp"', "row 1 (over) is explained otherwise"),
        ("summary.json", '"rows": 4', '"rows": 5', "summary.json: DIFFERS"),
        ("law.json", "88 FR 73458", "88 FR 73459", "law.json: DIFFERS"),
        ("columns.yaml", "mm2", "cm2", "columns.yaml: DIFFERS"),
        ("options.json", '"2026-11-23"', '"2022-01-01"', "us_verdict is 'controlled' in the pack, 'not_modelled' when"),
    ],
)
def test_whoever_rewrites_the_manifest_too_is_met_by_the_score(pack, name, old, new, says):
    edit(pack / name, old, new)
    write_manifest(pack)
    done = run("replay", pack)
    assert done.exit_code == 1
    assert "every file is as the manifest says" in done.output
    assert says in done.output


def test_a_pack_made_anew_of_other_input_is_found_by_its_recorded_digest(made, pack, tmp_path):
    (tmp_path / "sheet.csv").write_text(SHEET.replace("400", "40"), "utf-8")
    forged = perfcalc.evidence(tmp_path / "sheet.csv", tmp_path / "forged", as_of=DAY)
    assert replay(forged.folder).same
    done = run("replay", forged.folder, "--digest", made[1])
    assert done.exit_code == 1
    assert f"not {made[1]}: another pack" in done.output
    # Input exchanged inside the pack: its SHA-256 stands in the options too.
    edit(pack / "input" / "01" / "sheet.csv", "400", "40")
    write_manifest(pack)
    answer = replay(pack)
    assert [finding.file for finding in answer.findings] == ["input/01/sheet.csv"]
    assert answer.outcomes == {}


def test_files_that_are_missing_too_many_or_links(pack, tmp_path):
    (pack / "result.csv").unlink()
    (pack / "more.txt").write_text("x", "utf-8")
    (pack / ".DS_Store").write_text("x", "utf-8")
    law = pack / "law.json"
    shutil.move(law, tmp_path / "law.json")
    law.symlink_to(tmp_path / "law.json")
    found = {finding.file: finding.what for finding in replay(pack).findings}
    assert found["result.csv"] == "missing"
    assert found["more.txt"] == "not in the manifest"
    assert set(found) == {"result.csv", "more.txt", "law.json", MANIFEST} - {MANIFEST}
    (pack / "result.rejects.csv").unlink()
    write_manifest(pack)
    assert replay(pack).outcomes["result.rejects.csv"] == "missing"


def test_what_is_not_a_pack(pack, tmp_path):
    for place in (tmp_path / "absent", FOLDER):
        done = run("replay", place)
        assert done.exit_code == 2
        assert "not an evidence pack" in done.output
    options_of(pack, result="../../result.csv")
    write_manifest(pack)
    assert run("replay", pack).exit_code == 2
    (pack / "options.json").unlink()
    write_manifest(pack)
    assert run("replay", pack).exit_code == 2


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "sheet.csv"])
def test_options_name_no_file_outside_the_pack(pack, name):
    options = json.loads((pack / "options.json").read_text("utf-8"))
    options_of(pack, inputs=[options["inputs"][0] | {"file": name}])
    write_manifest(pack)
    answer = replay(pack)
    assert not answer.same
    assert answer.outcomes == {}


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path):
    (tmp_path / "sheet.csv").write_text(SHEET, "utf-8")
    taken = tmp_path / "pack"
    taken.mkdir()
    (taken / "diary.txt").write_text("mine", "utf-8")
    done = run("score", tmp_path / "sheet.csv", "--evidence", taken)
    assert done.exit_code == 2
    assert files_of(tmp_path) == ["pack/diary.txt", "sheet.csv"]
    (taken / "diary.txt").unlink()
    assert run("score", tmp_path / "sheet.csv", "--evidence", taken).exit_code == 1, "the ragged row"
    assert run("replay", taken).exit_code == 0


def test_whole_or_not_at_all(tmp_path, monkeypatch):
    (tmp_path / "sheet.csv").write_text("heading\nx\n", "utf-8")
    done = run("score", tmp_path / "sheet.csv", "--evidence", tmp_path / "pack")
    assert done.exit_code == 2
    assert ".perfcalc-" not in done.output, "the user knows nothing of a temporary folder"
    (tmp_path / "sheet.csv").write_text(SHEET, "utf-8")
    monkeypatch.setattr("perfcalc.answers.evidence.write_manifest", lambda root: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        perfcalc.evidence(tmp_path / "sheet.csv", tmp_path / "pack", output=tmp_path / "out.csv")
    assert files_of(tmp_path) == ["sheet.csv"]
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.csv"]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_result_is_what_score_writes(tmp_path, monkeypatch, ending):
    monkeypatch.chdir(tmp_path)
    Path("sheet.csv").write_text(SHEET, "utf-8")
    options = ["sheet.csv", "--as-of", DAY, "--origin", "--destination", "CN"]
    assert run("score", *options, "-o", f"plain.{ending}").exit_code == 1
    assert run("score", *options, "-o", f"out.{ending}", "--evidence", "pack").exit_code == 1
    for name in (f"plain.{ending}", "plain.rejects.csv"):
        raw = Path(name).read_bytes()
        assert Path(name.replace("plain", "out")).read_bytes() == raw
        assert (Path("pack") / name.replace("plain", "result")).read_bytes() == raw
    assert run("replay", "pack").exit_code == 0
    command = json.loads(Path("pack/run.json").read_text("utf-8"))["command"]
    assert command == ["perfcalc", "score", *options, "-o", f"out.{ending}", "--evidence", "pack"]
    for name in files_of(Path("pack")):
        assert str(tmp_path).encode() not in (Path("pack") / name).read_bytes(), name


def test_two_packs_of_one_run_differ_in_the_day_they_were_made_only(made, tmp_path):
    again = perfcalc.evidence(made[0].parent / "sheet.csv", tmp_path / "pack", as_of=DAY)
    first, second = (verify(root)[1] for root in (made[0], Path(again.folder)))
    assert {name for name in first | second if first.get(name) != second.get(name)} <= {"made.json"}


def test_every_option_comes_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for place in ("a", "b"):
        Path(place).mkdir()
    with gzip.open("a/sheet.csv.gz", "wt") as file:
        file.write("Chip;Tempo\nüber;400,5\nunter;1,5\n")
    Path("b/sheet.csv").write_text("Chip,Tempo\nthird,500\n", "utf-8")
    pd.DataFrame({"Chip": ["fourth"], "Tempo": ["2"]}).to_parquet("b/more.parquet")
    Path("map.yaml").write_text("columns:\n  Chip: name\n", "utf-8")
    options = ["a/sheet.csv.gz", "b", "--mapping", "map.yaml", "--map", "Tempo=fp16_tflops", "--as-of", DAY]
    options += ["--rules", "safe-chips", "--readings", "all", "--jurisdiction", "us,eu", "--law", "codified"]
    done = run("score", *options, "--evidence", "pack", "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.output)
    assert said["rows"] == 4
    assert said["hypothetical"]
    assert replay("pack", digest=said["evidence"]["digest"]).same
    kept = json.loads(Path("pack/options.json").read_text("utf-8"))
    assert [each["given"] for each in kept["inputs"]] == ["a/sheet.csv.gz", "b/more.parquet", "b/sheet.csv"]
    assert (kept["readings"], kept["jurisdictions"], kept["law"]) == ("all", ["us", "eu"], "codified")
    # What was not said is written out too, so that another default changes nothing.
    plain = perfcalc.evidence("b/sheet.csv", "plain", jurisdictions=["all"], mapping={"Chip": "name"}, traces=0)
    kept_plain = json.loads(Path("plain/options.json").read_text("utf-8"))
    assert kept_plain["readings"]["tf32_bits"] == "19"
    assert {"us", "eu", "kr"} < set(kept_plain["jurisdictions"])
    assert kept_plain["as_of"] == plain.summary.as_of.isoformat()
    assert replay("plain").same
    law = json.loads(Path("pack/law.json").read_text("utf-8"))
    assert law["hypothetical"][0]["file"] == "overlays/01/safe-chips.yaml"
    assert {rule["jurisdiction"] for rule in law["rules"]} == {"us", "eu"}
    assert all(rule["citation"] and rule["from"] <= DAY < (rule["until"] or "9") for rule in law["rules"])
    flip(Path("pack/overlays/01/safe-chips.yaml"), 5)
    assert "CHANGED  overlays/01/safe-chips.yaml" in run("replay", "pack").output


def test_standard_input_and_rows_that_refer_to_one_another(tmp_path):
    text = "id,name,kind,fp16_tflops,part_of\nb,box,computer,,\ni,chip,ic,400,b\n"
    done = run("score", "-", "--as-of", DAY, "--evidence", tmp_path / "pack", input=BytesIO(text.encode()))
    assert done.exit_code == 0, done.output
    assert (tmp_path / "pack" / "input" / "01" / "standard-input").read_text("utf-8") == text
    assert replay(tmp_path / "pack").same
    box = json.loads((tmp_path / "pack" / "traces.jsonl").read_text("utf-8").splitlines()[0])
    assert box["jurisdictions"][0]["entries"] == ["4A090.a"]


def test_a_trace_is_what_explain_says(made):
    frame = perfcalc.read(made[0].parent / "sheet.csv")
    lines = (made[0] / "traces.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == len(frame) == 4
    for row, line in enumerate(lines, start=1):
        trace = json.loads(line)
        said = perfcalc.explain(frame, item=frame["name"][row - 1], as_of=DAY).to_dict()
        assert trace == {"row": row, **json.loads(json.dumps(said))}


def test_of_a_large_sheet_every_distinct_outcome_is_traced(tmp_path):
    names = [f"chip {row}" for row in range(50)]
    rates = ["1"] * 30 + ["400"] + ["1"] * 18 + ["?"]
    pd.DataFrame({"name": names, "fp16_tflops": rates}).to_csv(tmp_path / "sheet.csv", index=False)
    for output in ("a.csv", "b.parquet"):
        pack = tmp_path / f"pack {output}"
        made = perfcalc.evidence(tmp_path / "sheet.csv", pack, as_of=DAY, output=tmp_path / output, traces=4)
        rows = [json.loads(line)["row"] for line in (pack / "traces.jsonl").read_text("utf-8").splitlines()]
        assert rows == [1, 2, 31, 50]
        assert json.loads((pack / "summary.json").read_text("utf-8"))["traces"]["traced"] == 4
        assert replay(pack).same
        assert chosen_rows(pack / made.result, 50, ("us",), 2) == [0, 30]
        assert chosen_rows(pack / made.result, 50, ("us",), 0) == []
    assert run("score", tmp_path / "sheet.csv", "--traces", 4).exit_code == 2


@pytest.fixture(scope="module")
def other_law(tmp_path_factory):
    """A copy of the rule book in which the line of 3A090.a.1 is another, and no licence is needed for anything."""
    folder = tmp_path_factory.mktemp("law") / "rulebook"
    for path in rule_files(FOLDER):
        copy = folder / path.relative_to(FOLDER)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    edit(folder / "us" / "3A090.yaml", "4800", "9800")
    (folder / "us" / "licences" / "requirements.yaml").write_text("requirements: []\n", "utf-8")
    return folder


def test_a_pack_of_another_rule_book(other_law, tmp_path):
    (tmp_path / "sheet.csv").write_text(SHEET, "utf-8")
    with law_from(other_law):
        perfcalc.evidence(tmp_path / "sheet.csv", tmp_path / "pack", as_of=DAY, destination="CN", threads=1)
    assert "controlled" in (tmp_path / "pack" / "result.csv").read_text("utf-8")
    answer = replay(tmp_path / "pack")
    assert answer.rules == ["us/3A090.yaml", "us/licences/requirements.yaml"]
    assert answer.findings == []
    assert answer.outcomes["result.csv"] == "differs"
    assert any("us_entries" in text for text in answer.differences)
    assert any("us_licence" in text for text in answer.differences)
    done = run("replay", tmp_path / "pack", "--rulebook", "pack")
    assert done.exit_code == 0, done.output
    assert "the rule book installed here is not the pack's: 2 files differ (us/3A090.yaml, us/lic" in done.output
    # That law holds in the replay only.
    assert perfcalc.score(perfcalc.read(tmp_path / "sheet.csv"), as_of=DAY)["us_entries"][0].startswith("3A090.a.1")
    (tmp_path / "pack" / "rulebook" / "us" / "licences" / "requirements.yaml").write_text("[]\n", "utf-8")
    options_of(tmp_path / "pack", rulebook=digest_of(tmp_path / "pack" / "rulebook"))
    write_manifest(tmp_path / "pack")
    done = run("replay", tmp_path / "pack", "--rulebook", "pack")
    assert done.exit_code == 1
    assert "cannot be scored again" in done.output


def test_a_rule_book_that_differs_elsewhere_says_the_same(pack):
    with (pack / "rulebook" / "kr" / "jurisdiction.yaml").open("a", encoding="utf-8") as file:
        file.write("# a remark\n")
    options_of(pack, rulebook=digest_of(pack / "rulebook"))
    write_manifest(pack)
    done = run("replay", pack)
    assert done.exit_code == 0, done.output
    assert "is not the pack's: 1 files differ (kr/jurisdiction.yaml)" in done.output
    # A rule book that is not the one that the options name is no rule book of this pack.
    options_of(pack, rulebook="0" * 64)
    write_manifest(pack)
    assert [finding.file for finding in replay(pack).findings] == ["rulebook"]


def test_other_software_is_named_and_parquet_cells_are_compared(tmp_path):
    (tmp_path / "sheet.csv").write_text(SHEET, "utf-8")
    pack = tmp_path / "pack"
    perfcalc.evidence(tmp_path / "sheet.csv", pack, as_of=DAY, output=tmp_path / "out.parquet")
    table = pq.read_table(pack / "result.parquet")
    pq.write_table(table, pack / "result.parquet", compression="gzip")
    write_manifest(pack)
    answer = replay(pack)
    assert answer.outcomes["result.parquet"] == "same_cells"
    assert not answer.same, "this pyarrow would have written the same bytes"
    edit(pack / "run.json", '"pyarrow": "', '"pyarrow": "0.')
    write_manifest(pack)
    done = run("replay", pack)
    assert done.exit_code == 0
    assert "pyarrow was 0." in done.output
    verdicts = table.column("us_verdict").to_pylist()
    at = table.schema.get_field_index("us_verdict")
    forged = table.set_column(at, "us_verdict", [["not_controlled", *verdicts[1:]]])
    pq.write_table(forged, pack / "result.parquet")
    write_manifest(pack)
    done = run("replay", pack)
    assert done.exit_code == 1
    assert "row 1 (over): us_verdict is 'not_controlled' in the pack, 'controlled' when scored again" in done.output
    (pack / "result.parquet").write_bytes(b"PAR1")
    write_manifest(pack)
    assert "cannot be read" in run("replay", pack).output


def test_the_manifest_is_one_of_sha256sum(made):
    sha256sum = shutil.which("sha256sum")
    if sha256sum is None:
        pytest.skip("no sha256sum here")
    import subprocess

    done = subprocess.run(
        [sha256sum, "--check", "--strict", DIGEST, MANIFEST], cwd=made[0], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(files_of(made[0])) - 1
