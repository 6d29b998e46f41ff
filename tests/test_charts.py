"""Charts show the law that decides and every item, or say what they leave out."""

import json
import random
import re
import runpy
import sys
from datetime import date
from itertools import combinations
from math import inf, log
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import perfcalc
from perfcalc.answers.changes import changes_between, days_between
from perfcalc.answers.charts.items import Scale
from perfcalc.answers.charts.labels import Place, Rect, box_of, place_labels
from perfcalc.answers.charts.regions import regions_of
from perfcalc.answers.charts.space import pieces_of, space_of
from perfcalc.answers.charts.timeline import timeline_chart, tracks_of
from perfcalc.answers.designs import Ceiling, Design
from perfcalc.cli import main
from perfcalc.errors import InputError
from perfcalc.frames import to_arrow
from perfcalc.plans import plan_for
from perfcalc.rulebook.book import load

ROOT = Path(__file__).parents[1]
DAY = "2026-11-23"
OVERLAY = """\
title: A test
jurisdiction: us
text: https://example.org/
instruments: {{"A test": {{title: A test, published: 2026-01-01, url: "https://example.org/"}}}}
entries:
  - entry: 3A090
    title: A test
    reasons: [RS, AT]
    paragraphs:
      3A090.a.1:
        title: A test
        kinds: [ic]
        core: true
        versions:
          - {{from: 2026-01-01, until: null, status: proposed, test: [{{tpp: {{">=": {limit}}}}}],
             citation: ["A test"], verified: 2026-01-01, confidence: high}}
"""


@pytest.fixture(scope="module")
def chips():
    return perfcalc.read(ROOT / "specs" / "chips.csv")


@pytest.fixture(scope="module")
def density(chips):
    return perfcalc.chart(chips, as_of=DAY)


@pytest.fixture(scope="module")
def quantum():
    return perfcalc.chart(perfcalc.read(ROOT / "specs" / "quantum.csv"), as_of=DAY)


def layers(spec):
    """Every layer of a specification with the rows that it draws."""
    for part in spec.get("vconcat", spec.get("concat", spec.get("layer", []))):
        # A layer without data of its own has that of the whole.
        yield from layers({"datasets": spec.get("datasets", {}), "data": spec.get("data"), **part})
    if "mark" in spec:
        data = spec["data"]
        yield spec["mark"], data["values"] if "values" in data else spec["datasets"][data["name"]], spec["encoding"]


# The law, written down a second time.
LAW = {
    ("us", DAY): {
        "3A090.a.1": ((4800, inf), (0, inf)),
        "3A090.a.2": ((1600, inf), (5.92, inf)),
        "3A090.b.1": ((2400, 4800), (1.6, 5.92)),
        "3A090.b.2": ((1600, inf), (3.2, 5.92)),
    },
    ("eu", DAY): {"3A501.a.16": ((6000, inf), (0, inf))},
    ("us", "2022-10-20"): {},
}
LADDER = {34: 1e-4, 100: 1e-3, 200: 2e-3, 350: 3e-3, 500: 4e-3, 700: 5e-3, 1100: 6e-3, 2000: inf}


@pytest.mark.parametrize(("place", "day"), LAW)
def test_regions_are_the_limits_of_the_law(place, day):
    rules = load().on(place, date.fromisoformat(day))
    found = regions_of(rules, "ic", "tpp", "performance_density")
    assert {region.paragraph: (region.x, region.y) for region in found} == LAW[place, day]


@pytest.mark.parametrize("place", ["us", "eu"])
def test_the_ladder_is_the_law_s(place):
    found = regions_of(load().on(place, date.fromisoformat(DAY)), "quantum", "counted_qubits", "cnot_error")
    ends = [*list(LADDER)[1:], inf]
    assert [(region.x, region.y) for region in found] == [
        ((start, end), (0, error)) for (start, error), end in zip(LADDER.items(), ends, strict=True)
    ]


def inside(region, x, y):
    return region.x[0] <= x < region.x[1] and region.y[0] <= y < region.y[1]


def test_a_point_lies_in_the_regions_of_the_entries_that_the_engine_gives():
    chance = random.Random(8)
    limits = [1600, 2400, 4800], [1.6, 3.2, 5.92]
    points = [
        (chance.choice(limits[0]) * 2 ** chance.gauss(0, 0.5), chance.choice(limits[1]) * 2 ** chance.gauss(0, 0.7))
        for _ in range(400)
    ]
    frame = pd.DataFrame(
        {
            "name": [str(at) for at in range(len(points))],
            "kind": "ic",
            "int8_tops": [f"{x / 8:.6f}" for x, _ in points],
            "die_area_mm2": [f"{x / y:.6f}" for x, y in points],
            "transistor_architecture": "non_planar",
            "datacenter": "yes",
        }
    )
    scored = perfcalc.score(frame, as_of=DAY)
    regions = regions_of(load().on("us", date.fromisoformat(DAY)), "ic", "tpp", "performance_density")
    for (x, y), entries in zip(points, scored.us_entries.fillna(""), strict=True):
        assert {region.paragraph for region in regions if inside(region, x, y)} == {
            entry for entry in entries.split(";") if entry.startswith("3A090")
        }


@pytest.mark.parametrize("limit", [9000, 4799.99])
def test_a_changed_limit_moves_its_region_and_marks_the_chart(tmp_path, chips, limit):
    overlay = tmp_path / "test.yaml"
    overlay.write_text(OVERLAY.format(limit=limit))
    chart = perfcalc.chart(chips.head(12), as_of=DAY, rules=[overlay])
    (region,) = [each for each in chart.regions if each.paragraph == "3A090.a.1"]
    assert region.x == (limit, inf)
    drawn = [row for mark, rows, _ in layers(chart.spec) if mark["type"] == "rect" for row in rows]
    assert {row["x"] for row in drawn if row.get("paragraph") == "3A090.a.1"} == {limit}
    assert chart.title.startswith("HYPOTHETICAL")
    assert "Not law" in chart.description


def test_a_note_that_reaches_into_a_region_is_said(density):
    noted = {region.paragraph for region in density.regions if region.unless}
    assert noted == {"3A090.a.2", "3A090.b.1", "3A090.b.2"}, "Note 2 ends at the TPP where a.1 begins"
    assert any("Note 2" in note for note in density.notes)


def test_before_the_density_rule_its_own_measures_are_drawn(chips):
    chart = perfcalc.chart(chips, kind="density", as_of="2023-05-01")
    (region,) = chart.regions
    assert (region.paragraph, region.x, region.y) == ("3A090.a", (4800, inf), (600, inf))
    assert "transfer rate" in chart.items[0]


def test_law_without_numbers_is_named_and_not_drawn(chips):
    chart = perfcalc.chart(chips, kind="density", as_of=DAY, jurisdictions=["gb"])
    assert chart.regions == []
    assert any("not read" in note for note in chart.notes)


def drawn_points(chart):
    return [row for mark, rows, _ in layers(chart.spec) if mark["type"] == "point" for row in rows]


@pytest.mark.parametrize("name", ["density", "quantum"])
def test_every_item_is_drawn_or_counted(request, name):
    chart = request.getfixturevalue(name)
    assert chart.drawn + sum(chart.left_out.values()) == len(chart.items)
    assert sum(1 for item in chart.items if not item["not drawn"]) == chart.drawn
    for reason, count in chart.left_out.items():
        assert sum(item["not drawn"] == reason for item in chart.items) == count
        assert any(f"{count:,} ({reason})" in note for note in chart.notes)
    # And in the specification itself: every item that counts as drawn stands in some mark.
    said = " ".join(row["item"] for row in drawn_points(chart))
    few = {row["item"] for row in drawn_points(chart)}
    missing = [item["item"] for item in chart.items if not item["not drawn"] and item["item"] not in said]
    assert len(missing) <= sum(int(more) for row in few for more in re.findall(r" and (\d+) more$", row))


def test_kinds_of_the_sheet_are_all_asked(chips, density):
    assert [item["item"] for item in density.items] == list(chips.loc[chips.kind == "ic", "name"])


def label_boxes(chart):
    """What each name covers, from the specification: the pixels of its point, its text and how it is set."""
    plane = chart.spec["vconcat"][0]
    size = plane["width"], plane["height"]
    found = []
    for mark, rows, encoding in layers({"datasets": chart.spec.get("datasets", {}), **plane}):
        if mark["type"] == "text" and "dx" in mark:
            pixels = []
            for axis, length in (("x", size[0]), ("y", size[1])):
                scale = encoding[axis]["scale"]
                low, high = map(log, scale["domain"])
                backwards = (axis == "y") != scale.get("reverse", False)
                parts = [(log(row[axis]) - low) / (high - low) for row in rows]
                pixels.append([length * (1 - part if backwards else part) for part in parts])
            place = Place(mark["align"], mark["baseline"], mark["dx"], mark["dy"])
            found += [box_of(x, y, row["text"], place) for x, y, row in zip(*pixels, rows, strict=True)]
    return found, size


@pytest.mark.parametrize(("name", "least"), [("density", 35), ("quantum", 30)])
def test_no_name_lies_on_another(request, name, least):
    boxes, (width, height) = label_boxes(request.getfixturevalue(name))
    assert len(boxes) >= least
    for one, other in combinations(boxes, 2):
        assert not one.touches(other)
    for box in boxes:
        assert box.within(Rect(-0.01, -0.01, width + 0.01, height + 0.01))


@settings(max_examples=25)
@given(st.lists(st.tuples(st.floats(0, 300), st.floats(0, 200)), max_size=60), st.randoms())
def test_names_find_places_that_are_free(points, chance):
    names = ["W" * chance.randint(0, 45) + "é" for _ in points]
    labels = place_labels(points, names, range(len(points)), Rect(0, 0, 300, 200), [Rect(0, 0, 50, 50)])
    for one, other in combinations(labels, 2):
        assert not one.box.touches(other.box)
    for label in labels:
        assert not label.box.touches(Rect(0, 0, 50, 50))
        assert not any(
            Rect(x - 4, y - 4, x + 4, y + 4).touches(label.box) for at, (x, y) in enumerate(points) if at != label.index
        )
    assert len({label.index for label in labels}) == len(labels)


def test_a_name_alone_is_always_placed():
    (label,) = place_labels([(150, 100)], ["NVIDIA H20"], [0], Rect(0, 0, 300, 200))
    assert label.text == "NVIDIA H20"


def test_intervals_are_bars_and_unknowns_a_strip():
    frame = pd.DataFrame(
        {
            "name": ["point", "wide", "no area", "planar", "no rate", "tiny", "open rate"],
            "kind": "ic",
            "int8_tops": ["400", "500", "400", "400", "?", "0.01", "400"],
            "fp16_tflops": [None, None, None, None, None, None, "?"],
            "die_area_mm2": ["600", "600-700", None, "600", "600", "600", None],
            "transistor_architecture": [*["non_planar"] * 3, "planar", *["non_planar"] * 3],
            "datacenter": "yes",
        },
        dtype=object,
    )
    chart = perfcalc.chart(frame, as_of=DAY)
    assert (chart.drawn, sum(chart.left_out.values())) == (5, 2)
    bars = [row for mark, rows, _ in layers(chart.spec) if mark["type"] == "rule" for row in rows]
    # A lower bound alone reaches to the edge of the picture.
    edge = chart.spec["vconcat"][0]["layer"][0]["encoding"]["x"]["scale"]["domain"][1]
    assert [(row["x"], row["x2"]) for row in bars if "x2" in row] == [(3200, edge)]
    ((low, high),) = [(row["y"], row["y2"]) for row in bars if "y2" in row]
    assert (round(low, 6), round(high, 6)) == (round(4000 / 700, 6), round(4000 / 600, 6))
    strips = chart.spec["vconcat"][1:3]
    said = [
        [
            row["item"]
            for mark, rows, _ in layers({"datasets": chart.spec.get("datasets", {}), **strip})
            if mark["type"] == "point"
            for row in rows
        ]
        for strip in strips
    ]
    assert said == [["planar"], ["no area", "open rate"]]


def test_svg_is_the_same_bytes_and_says_what_it_shows(density):
    svg = density.svg()
    assert svg == density.svg()
    assert f"<title>{density.title}</title>" in svg
    assert "3A090.a.1: TPP from 4,800" in svg
    assert 'role="img"' in svg.split(">")[0]
    assert load().digest[:12] in svg
    assert DAY in svg
    assert "<script" not in svg
    assert not re.search(r'(href|src)="(?!#)', svg)


def test_png(density):
    assert density.png(scale=0.5).startswith(b"\x89PNG\r\n")


def test_dark_and_light_draw_the_same_items(chips, density):
    dark = perfcalc.chart(chips, as_of=DAY, dark=True)
    assert dark.items == density.items
    assert dark.spec["config"]["background"] != density.spec["config"]["background"]


def test_verdicts_differ_in_shape_and_not_in_colour_alone(density):
    (shapes,) = {
        tuple(encoding["shape"]["scale"]["range"])
        for mark, _, encoding in layers(density.spec)
        if mark["type"] == "point"
    }
    assert len(set(shapes)) == 4


def history(chart, name):
    (found,) = [item["history"] for item in chart.items if item["item"] == name]
    return found


def test_the_strip_through_time(chips):
    chart = perfcalc.chart(chips, kind="timeline", as_of=DAY, from_="2022-01-01")
    assert history(chart, "NVIDIA A800") == (
        "2022-01-01: not modelled; 2022-10-21: not controlled; 2023-11-17: 3A090.a.1, 3A090.a.2"
    )
    assert history(chart, "NVIDIA A100 SXM 80GB").startswith(
        "2022-01-01: not modelled; 2022-10-21: 3A090.a; 2023-11-17: 3A090.a.1"
    )
    moved = {item["item"] for item in chart.items}
    still = chart.left_out.get("no change in these days", 0)
    assert len(chart.items) + still == len(chips)
    assert chart.drawn + sum(chart.left_out.values()) == len(chips)
    assert moved <= set(chips.name)
    assert "88 FR 73458" in " ".join(chart.notes)


@pytest.mark.parametrize("day", ["2022-10-20", "2022-10-21", "2023-11-16", "2023-11-17"])
def test_the_strip_says_what_the_engine_says_of_a_day(chips, day):
    sheet = to_arrow(chips.iloc[::15])
    start, end = date(2022, 1, 1), date.fromisoformat(DAY)
    days = [start, *days_between(load().dates("us"), start, end)]
    tracks = tracks_of(
        changes_between(sheet, [plan_for(sheet.schema.names, "x", each, ("us",)) for each in days]), start, end
    )
    scored = perfcalc.score(sheet.to_pandas(), as_of=day)
    verdicts = dict(zip(scored.name, scored.us_verdict, strict=True))
    asked = date.fromisoformat(day)
    for track in tracks:
        assert track.spans[0].start == start
        assert track.spans[-1].end == end
        (span,) = [each for each in track.spans if each.start <= asked < each.end]
        assert {verdicts[name] for name in track.names} == {span.verdict}


def test_nothing_to_draw_is_said(chips):
    with pytest.raises(InputError, match="no item moves"):
        perfcalc.chart(chips.head(3), kind="timeline", from_="2024-01-01", as_of="2024-02-01")
    with pytest.raises(InputError, match="no items of kind"):
        perfcalc.chart(chips, kind="quantum", as_of=DAY)
    with pytest.raises(InputError, match=r"no item can be drawn: 1 \(TPP not known\)"):
        perfcalc.chart(pd.DataFrame({"name": ["x"], "kind": ["ic"], "int8_tops": ["?"]}), as_of=DAY)
    with pytest.raises(InputError, match="not a kind of chart"):
        perfcalc.chart(chips, kind="pie")
    with pytest.raises(InputError, match="one jurisdiction"):
        perfcalc.chart(chips, kind="density", jurisdictions=["us", "eu"])
    with pytest.raises(InputError, match="designer"):
        perfcalc.chart(chips[["name", "int8_tops"]], kind="origin")


@pytest.mark.parametrize("rows", [30, 90])
def test_coverage_has_every_item_in_a_row(chips, rows):
    some = chips.head(rows)
    chart = perfcalc.chart(some, kind="coverage", as_of=DAY, jurisdictions=["us", "eu", "de"])
    answer = perfcalc.coverage(some, as_of=DAY, jurisdictions=["us", "eu", "de"])
    cells = [row for mark, drawn, _ in layers(chart.spec) if mark["type"] == "rect" for row in drawn]
    counts = {"yes": 0, "no": 0, "?": 0, "-": 0}
    for cell in cells:
        more = re.search(r" and (\d+) more$", cell["items"])
        if cell["places"] == "US":
            counts[cell["sign"]] += len(cell["items"].split(", ")) + (int(more[1]) if more else 0)
    # Names may hold a comma; the chips' do not.
    assert counts["yes"] == answer.counts["us"].get("controlled", 0)
    assert sum(counts.values()) == rows
    assert {cell["places"] for cell in cells} == {"US", "EU DE"}


def test_coverage_says_what_does_not_fit():
    verdicts = pd.DataFrame(
        [{"name": f"chip {at}", "kind": "ic", "int8_tops": str(at), "die_area_mm2": "500"} for at in range(60)],
        dtype=object,
    )
    chart = perfcalc.chart(verdicts, kind="coverage", as_of=DAY, jurisdictions=["us"])
    assert chart.drawn + sum(chart.left_out.values()) == 60


def test_origin_draws_or_counts_every_case():
    cases = perfcalc.read(ROOT / "specs" / "origin_cases.csv")
    chart = perfcalc.chart(cases)
    assert chart.kind == "origin"
    assert chart.drawn + sum(chart.left_out.values()) == len(cases)
    assert len(drawn_points(chart)) == chart.drawn
    answers = perfcalc.origin(cases)
    likely = [item["origin"].replace(" ", "_") for item in chart.items]
    assert likely == list(answers.origin)


SCALES = Scale(75, 2400, 0, 600), Scale(200, 20_000, 400, 0)


def test_the_pieces_of_the_space_cover_it_once():
    pieces = pieces_of([1600, 2400, 4800], [1.6, 3.2, 5.92], *SCALES)
    total = 0.0
    for piece in pieces:
        heights = [log(side[2] / side[1]) for side in (piece.left, piece.right)]
        assert min(heights) > -1e-12, "lines do not cross inside a piece"
        total += log(piece.right[0] / piece.left[0]) * sum(heights) / 2
    assert total == pytest.approx(log(2400 / 75) * log(100), rel=1e-12)


@pytest.mark.parametrize("design", [{"datacenter": "yes"}, {"datacenter": "no"}, {}])
def test_the_space_of_a_design_is_what_the_engine_says(design):
    design = {"die_area_mm2": "600", "process_node": "N5", **design}
    names = ["name", "kind", *design, "int8_tops"]
    plan = plan_for(names, "x", DAY, ("us",))
    pieces, _ = space_of(design, plan, 0, *SCALES)
    chance = random.Random(3)
    points = [(75 * 32 ** chance.random(), 200 * 100 ** chance.random()) for _ in range(250)]
    frame = pd.DataFrame(
        [
            {"name": str(at), "kind": "ic", **design, "die_area_mm2": f"{x:.9g}", "int8_tops": f"{y / 8:.9g}"}
            for at, (x, y) in enumerate(points)
        ]
    )
    scored = perfcalc.score(frame, as_of=DAY)
    entries = scored.us_entries.fillna("")
    for (x, y), verdict, met in zip(points, scored.us_verdict, entries, strict=True):
        (found,) = [
            piece
            for piece in pieces
            if piece.left[0] <= x < piece.right[0] and between(piece, 1, x) <= y < between(piece, 2, x)
        ]
        assert (found.verdict, found.entries.split(";")[0]) == (verdict, met.split(";")[0])


def between(piece, end, x):
    part = log(x / piece.left[0]) / log(piece.right[0] / piece.left[0])
    return piece.left[end] ** (1 - part) * piece.right[end] ** part


def test_the_ceiling_of_a_design_is_not_rounded_up():
    design = {"die_area_mm2": "600", "process_node": "N5", "datacenter": "yes"}
    ceiling = Ceiling("int8_tops", "TOPS", "us", "now", "239.99", "controlled", ["3A090.b.2"], "")
    chart = perfcalc.design_chart(Design(DAY, design, [], [ceiling]))
    assert "the largest TPP that stays outside is 1,919.9" in chart.description, (
        "1,920 is 3.2 times 600, and controlled"
    )
    assert "1,920" not in json.dumps(chart.spec)
    wrong = CliRunner().invoke(main, ["headroom", str(ROOT / "specs" / "chips.csv"), "--chart", "space.svg"])
    assert wrong.exit_code == 2
    assert "--design" in wrong.output


@pytest.mark.parametrize("module", ["altair", "vl_convert"])
def test_a_missing_extra_says_how_to_get_it(monkeypatch, tmp_path, module):
    monkeypatch.setitem(sys.modules, module, None)
    out = tmp_path / "out.svg"
    said = CliRunner().invoke(main, ["chart", str(ROOT / "specs" / "quantum.csv"), "-o", str(out)])
    assert said.exit_code == 2
    assert 'pip install "perfcalc[charts]"' in said.output
    assert not out.exists()


def test_the_command_writes_and_tells(tmp_path):
    out = tmp_path / "out.svg"
    said = CliRunner().invoke(
        main, ["chart", str(ROOT / "specs" / "quantum.csv"), "-o", str(out), "--as-of", DAY, "--json"]
    )
    assert said.exit_code == 0, said.output
    answer = json.loads(said.stdout)
    assert answer["kind"] == "quantum"
    assert answer["drawn"] + sum(answer["left_out"].values()) == 102
    assert out.read_text("utf-8").startswith("<svg")
    wrong = CliRunner().invoke(main, ["chart", str(ROOT / "specs" / "quantum.csv"), "-o", "out.pdf"])
    assert wrong.exit_code == 2
    assert "SVG" in wrong.output


def test_pictures_of_the_documentation_are_current():
    make = runpy.run_path(str(ROOT / "docs" / "pictures.py"))
    for path, chart in make["charts"]().items():
        assert f"sha256 {chart.digest}" in path.read_text("utf-8"), f"{path.name}: run `python docs/make.py`"


def test_an_empty_plan_of_days_is_refused(chips):
    table = to_arrow(chips.head(2))
    plan = plan_for(table.schema.names, "x", DAY, ("us",))
    with pytest.raises(InputError, match="no item moves"):
        timeline_chart(table, [plan, plan])
