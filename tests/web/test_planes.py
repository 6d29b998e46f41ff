"""The map: every item is on it or counted, a point lies in an area exactly when the law's numbers say so."""

import json
import re
from dataclasses import asdict, replace
from datetime import date
from math import log10

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfcalc.plans import plan_for
from perfcalc.web import tasks
from perfcalc.web.planes import HEIGHT, WIDTH, planes_of
from perfcalc.web.saved import finite
from perfcalc.web.settings import Limits
from perfcalc.web.tasks import MAPS
from web.conftest import task, upload

HOSTILE = '</title></svg><script>alert("x")</script>'


def planes(rows, day="2023-11-17", places=("us",), **options):
    table = pa.Table.from_pylist([{key: str(value) for key, value in row.items()} for row in rows])
    return planes_of(table, plan_for(table.schema.names, "sheet", date.fromisoformat(day), places, **options))


def chip(name, tpp, area, datacenter="yes"):
    return {
        "name": name,
        "kind": "ic",
        "int8_tops": tpp / 8,
        "die_area_mm2": area,
        "transistor_architecture": "non_planar",
        "datacenter": datacenter,
    }


def areas(plane, mark):
    """The paragraphs whose areas a point lies in, by pixels."""
    return {
        each["paragraph"]
        for each in plane["regions"]
        if each["left"] - 1e-6 <= mark["x"] <= each["left"] + each["width"] + 1e-6
        and each["top"] - 1e-6 <= mark["y"] <= each["top"] + each["height"] + 1e-6
    }


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from((799, 800, 1599, 1600, 1601, 2399, 2400, 4799, 4800, 9000)), st.integers(50, 1500)),
        min_size=1,
        max_size=6,
    )
)
def test_a_point_is_in_an_area_when_the_law_s_numbers_say_so(chips):
    plane = planes([chip(f"c{at}", *each) for at, each in enumerate(chips)])[0]
    assert (plane["x"], plane["y"], plane["place"]) == ("tpp", "performance_density", "us")
    assert plane["drawn"] + sum(plane["left"].values()) == len(chips)
    for mark in plane["marks"]:
        tpp, area = chips[mark["row"] - 1]
        assert mark["x_value"] == (tpp, tpp)
        density = tpp / area
        # 3A090 as of 2023-11-17: a.1 and a.2, b.1 and b.2 (88 FR 73458)
        law = {
            "3A090.a.1": tpp >= 4800,
            "3A090.a.2": tpp >= 1600 and density >= 5.92,
            "3A090.b.1": 2400 <= tpp < 4800 and 1.6 <= density < 5.92,
            "3A090.b.2": tpp >= 1600 and 3.2 <= density < 5.92,
        }
        edges = [abs(log10(tpp / limit)) for limit in (1600, 2400, 4800)]
        edges += [abs(log10(density / limit)) for limit in (5.92, 1.6, 3.2)]
        if min(edges) > 1e-9:  # on a line, pixels say nothing
            met = {code for code, is_met in law.items() if is_met}
            assert areas(plane, mark) == met
            assert mark["verdict"] == ("controlled" if met else "not_controlled")


def test_before_2023_11_17_the_map_shows_what_the_rule_of_that_day_tests():
    a800 = chip("A800", 4992, 826) | {"interconnect_gb_s": 400}
    before = planes([a800], "2023-11-16")[0]
    after = planes([a800], "2023-11-17")[0]
    assert {before["x"], before["y"]} == {"processing_performance_2022", "interconnect_gb_s"}
    assert (before["marks"][0]["verdict"], areas(before, before["marks"][0])) == ("not_controlled", set())
    assert (after["marks"][0]["verdict"], areas(after, after["marks"][0])) == (
        "controlled",
        {"3A090.a.1", "3A090.a.2"},
    )
    assert planes([a800], "2010-01-01")[0]["regions"] == []


def test_what_is_not_exact_has_bars_and_what_is_not_known_its_own_strip():
    rows = [chip("wide", 4000, "600-800"), chip("no area", 4000, ""), chip("planar", 4000, 700)]
    rows[2]["transistor_architecture"] = "planar"
    plane = planes(rows)[0]
    wide, *others = sorted(plane["marks"], key=lambda mark: mark["row"])
    assert len(wide["bars"]) == 1
    assert [strip["why"] for strip in plane["strips"]] == ["none", "unknown"]
    assert all(mark["y"] > HEIGHT for mark in others)
    assert all(0 <= mark["x"] <= WIDTH for mark in plane["marks"])
    assert json.loads(json.dumps(finite(plane)))["drawn"] == 3


def test_quantum_computers_and_overlays_have_their_map():
    machine = {"name": "Q", "kind": "quantum", "modality": "gate", "physical_qubits": 400, "two_qubit_error": 0.003}
    found = planes([machine | {"int8_tops": ""}, chip("c", 4800, 800)], "2026-11-23")
    assert [each["kind"] for each in found] == ["density", "quantum"]
    assert found[1]["y"] == "cnot_error"
    bill = planes([chip("c", 4800, 800)], "2026-11-23", rules=("safe-chips",))[0]
    assert any(region["hypothetical"] for region in bill["regions"])
    assert planes([{"name": "m", "kind": "memory", "memory_bandwidth_gb_s": 300}]) == []


@pytest.mark.parametrize("rows", [tasks.MAPPED_ROWS, tasks.MAPPED_ROWS + 1])
def test_a_long_sheet_has_none(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(tasks, "planes_of", lambda table, plan: [table.num_rows])
    text = "name,fp16_tflops\n" + "A,10\n" * rows
    monkeypatch.chdir(tmp_path)
    tasks.score(replace(task(tmp_path, "score", text.encode()), limits=asdict(Limits())), lambda *_: None)
    assert (tmp_path / MAPS).exists() == (rows == tasks.MAPPED_ROWS)


def test_a_hostile_name_is_text_in_the_map_and_its_point_leads_to_its_row(client):
    quoted = HOSTILE.replace('"', '""')
    job = upload(client, "x.csv", f'name,int8_tops,die_area_mm2\n"{quoted}",600,800\n'.encode())
    page = client.get(f"/jobs/{job}?as_of=2023-11-17").text
    for _ in range(20):
        if 'data-state="done"' in page:
            break
        page = client.get(f"/jobs/{job}?as_of=2023-11-17").text
    assert "<script>alert" not in page
    svg = page[page.index("<svg") : page.index("</svg>")]
    assert "alert" in svg
    assert re.search(rf'<a class="mark controlled" href="/jobs/{job}/items/1\?as_of=2023-11-17"', svg)
    assert not re.search(r"\sstyle=|\son\w+=", svg)
    runs = client.get(f"/api/jobs/{job}").json()["runs"]
    drawn = client.get(f"/api/jobs/{job}/runs/{runs[0]['id']}/map").json()
    assert drawn[0]["marks"][0]["name"] == HOSTILE


def test_the_report_is_that_of_the_command_line(tmp_path, monkeypatch):
    pytest.importorskip("vl_convert")
    from click.testing import CliRunner

    from perfcalc.cli import main

    data = b"name,int8_tops,die_area_mm2\nA,600,800\nB,100,\n"
    monkeypatch.chdir(tmp_path)
    tasks.file(task(tmp_path, "file", data, format="report.html"), lambda *_: None)
    said = CliRunner().invoke(main, ["score", "sheet.csv", "--as-of", "2026-11-23", "--report", "wanted.html"])
    assert said.exit_code == 0, said.output
    assert (tmp_path / "result.report.html").read_text("utf-8") == (tmp_path / "wanted.html").read_text("utf-8")
