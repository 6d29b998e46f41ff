"""Items whose density or TPP equals a limit exactly in decimals, and one last digit below it."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import perfcalc

ROWS = 102_000


def items(limit, below, rows=ROWS // 6):
    """Densities of exactly `limit`: area in steps of 0.01 mm², FP16 rate = limit × area ÷ 16."""
    rng = np.random.default_rng(int(limit * 100))
    # TPP from 2400 up to 4800, so that every one of the three density limits decides.
    first, last = int(Decimal(2400) / limit * 100) + 1, int(Decimal(4800) / limit * 100)
    areas = [Decimal(int(n)) / 100 for n in rng.integers(first, last, rows)]
    rates = [limit * area / 16 for area in areas]
    step = Decimal(1).scaleb(min(rate.as_tuple().exponent for rate in rates))
    rates = [rate - step if below else rate for rate in rates]
    return pd.DataFrame(
        {
            "name": "item",
            "datacenter": "yes",
            "fp16_tflops": [str(rate) for rate in rates],
            "die_area_mm2": [str(area) for area in areas],
        }
    )


@pytest.mark.parametrize(
    ("limit", "at", "below"),
    [
        ("5.92", "3A090.a.2", "3A090.b.1;3A090.b.2"),
        ("3.2", "3A090.b.1;3A090.b.2", "3A090.b.1"),
        ("1.6", "3A090.b.1", "3A991.p.1"),
    ],
)
@pytest.mark.parametrize("typed", [False, True])
def test_density(limit, at, below, typed):
    for under, entries in ((False, at), (True, below)):
        frame = items(Decimal(limit), under, ROWS // 30 if typed else ROWS // 6)
        if typed:  # a float column means the shortest decimal that names each number
            frame = frame.astype({"fp16_tflops": "float64", "die_area_mm2": "float64"})
        scored = perfcalc.score(frame, as_of="2026-11-23")
        assert scored["us_entries"].eq(entries).all()
        assert scored["us_verdict"].eq("not_controlled" if entries == "3A991.p.1" else "controlled").all()


@pytest.mark.parametrize(
    ("limit", "area", "at", "below"),
    [
        (4800, "10000", "3A090.a.1", "3A991.p.1"),
        (2400, "1000", "3A090.b.1", "3A991.p.1"),
        (1600, "100", "3A090.a.2", "3A991.p.1"),
        (1600, "400", "3A090.b.2", "3A991.p.1"),
    ],
)
def test_tpp(limit, area, at, below):
    """The same TPP by many formats: 4800 = 300 × 16 = 600 × 8 = ..., and one last digit less."""
    formats = {
        "fp64_tflops": 64,
        "fp32_tflops": 32,
        "fp16_tflops": 16,
        "fp8_tflops": 8,
        "fp4_tflops": 4,
        "int1_tops": 1,
    }
    rows = []
    for name, bits in formats.items():
        rate = Decimal(limit) / bits
        rows += [
            {"name": f"{name} at", name: str(rate), "die_area_mm2": area, "datacenter": "yes"},
            {
                "name": f"{name} below",
                name: str(rate - Decimal("0.000000001")),
                "die_area_mm2": area,
                "datacenter": "yes",
            },
        ]
    scored = perfcalc.score(pd.DataFrame(rows), as_of="2026-11-23").set_index("name")["us_entries"]
    for name in formats:
        assert scored[f"{name} at"] == at, name
        assert scored[f"{name} below"] == below, name


def test_binary_floats_alone_would_be_wrong():
    """The rows above are hard: a plain float quotient gets many of them wrong, so the exact re-check is at work."""
    frame = items(Decimal("3.2"), below=False)
    quotient = frame["fp16_tflops"].astype(float) * 16 / frame["die_area_mm2"].astype(float)
    assert (quotient < 3.2).mean() > 0.2


def test_sums_of_decimals_at_the_line():
    """0.1 + 0.2 is 0.3: units that add up to 4800 exactly."""
    rows = [
        {"id": "x", "name": "x", "unit": f"u{n}", "fp16_tflops": rate}
        for n, rate in enumerate(["100.1", "99.8", "100.1"])
    ]
    assert perfcalc.score(pd.DataFrame(rows), as_of="2026-11-23")["us_entries"].eq("3A090.a.1").all()
    rows[0]["fp16_tflops"] = "100.09999999999999"
    assert not perfcalc.score(pd.DataFrame(rows), as_of="2026-11-23")["us_entries"].eq("3A090.a.1").any()
