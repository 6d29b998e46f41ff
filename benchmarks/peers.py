"""The current US chip rules written for other libraries: the same three-valued answers, by their best means.

Each takes items whose die area is an interval (unknown: from zero to infinity) and answers TPP, both bounds of the
performance density, and for each paragraph and the verdict 0 (failed, not controlled), 1 (open) or 2 (met, controlled).

`calculator` and `vintages` are the logic of the two open calculators, chip by chip: made for a page, not for a catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

RATES = {
    "fp64_tflops": 64,
    "fp32_tflops": 32,
    "tf32_tflops": 19,
    "bf16_tflops": 16,
    "fp16_tflops": 16,
    "fp8_tflops": 8,
    "int8_tops": 8,
    "int4_tops": 4,
}
#: Paragraph: TPP from, TPP below, density from, density below.
PARAGRAPHS = {
    "a1": (4800, None, None, None),
    "a2": (1600, None, 5.92, None),
    "b1": (2400, 4800, 1.6, 5.92),
    "b2": (1600, None, 3.2, 5.92),
}
ANSWERS = ("tpp", "low", "high", *PARAGRAPHS, "p1", "p2", "review", "verdict")


def items(rows: int) -> dict[str, np.ndarray]:
    """Generated items, with a fifth of the die areas unknown."""
    rng = np.random.default_rng(0)
    fp16 = rng.lognormal(5, 1.2, rows)
    factors = dict(zip(RATES, (0.25, 0.25, 0.5, 1, 1, 2, 2, 4), strict=True))
    unknown = rng.random(rows) < 0.2
    area = rng.uniform(50, 900, rows)
    return {name: fp16 * factor for name, factor in factors.items()} | {
        "area_low": np.where(unknown, 0, area),
        "area_high": np.where(unknown, np.inf, area),
        "datacenter": np.where(rng.random(rows) < 0.5, 1.0, 0.0),
        "interconnect_gb_s": rng.uniform(16, 1800, rows),
        "memory_bandwidth_gb_s": rng.uniform(100, 8000, rows),
    }


def with_numpy(data: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Whole-array NumPy."""
    tpp = np.max([data[name] * bits for name, bits in RATES.items()], axis=0)
    tops = np.max([data[name] for name in RATES], axis=0)
    with np.errstate(divide="ignore"):
        low, high = tpp / data["area_high"], tpp / data["area_low"]
    free = (data["datacenter"] == 0) & (tpp < 4800)
    answer = {"tpp": tpp, "low": low, "high": high}
    best, caught = np.zeros(tpp.size, np.uint8), np.zeros(tpp.size, np.uint8)
    for name, (tpp_from, tpp_below, density_from, density_below) in PARAGRAPHS.items():
        sure = possible = relaxed_sure = relaxed = tpp >= tpp_from
        if density_from is not None:
            relaxed, relaxed_sure = relaxed & (high >= density_from), relaxed_sure & (low >= density_from)
            possible, sure = relaxed, relaxed_sure
        if tpp_below is not None:
            possible, sure = possible & (tpp < tpp_below), sure & (tpp < tpp_below)
        if density_below is not None:
            possible, sure = possible & (low < density_below), sure & (high < density_below)
        answer[name] = np.where(free, 0, possible.astype(np.uint8) + sure)
        best = np.maximum(best, np.where(free, 0, relaxed.astype(np.uint8) + relaxed_sure))
        caught = np.maximum(caught, answer[name])
    elsewhere = 2 - caught
    answer["p1"] = np.minimum(elsewhere, np.where(tops >= 8, 2, 0))
    answer["p2"] = np.minimum(elsewhere, np.where(data["interconnect_gb_s"] >= 150, 2, 0))
    answer["review"] = np.where((tpp < 21000) & (data["memory_bandwidth_gb_s"] < 6500), 2, 0)
    answer["verdict"] = best
    return answer


def with_pandas(frame: pd.DataFrame) -> pd.DataFrame:
    """Idiomatic pandas."""
    tpp = pd.concat([frame[name] * bits for name, bits in RATES.items()], axis=1).max(axis=1)
    tops = frame[list(RATES)].max(axis=1)
    low, high = tpp / frame["area_high"], tpp / frame["area_low"]
    free = (frame["datacenter"] == 0) & (tpp < 4800)
    answer = {"tpp": tpp, "low": low, "high": high}
    best = caught = pd.Series(0, index=frame.index, dtype="uint8")
    for name, (tpp_from, tpp_below, density_from, density_below) in PARAGRAPHS.items():
        relaxed = relaxed_sure = tpp.ge(tpp_from)
        if density_from is not None:
            relaxed, relaxed_sure = relaxed & high.ge(density_from), relaxed_sure & low.ge(density_from)
        possible, sure = relaxed, relaxed_sure
        if tpp_below is not None:
            possible, sure = possible & tpp.lt(tpp_below), sure & tpp.lt(tpp_below)
        if density_below is not None:
            possible, sure = possible & low.lt(density_below), sure & high.lt(density_below)
        answer[name] = (possible.astype("uint8") + sure.astype("uint8")).mask(free, 0)
        relaxed_state = (relaxed.astype("uint8") + relaxed_sure.astype("uint8")).mask(free, 0)
        best = best.where(best >= relaxed_state, relaxed_state)
        caught = caught.where(caught >= answer[name], answer[name])
    for name, met in (("p1", tops.ge(8)), ("p2", frame["interconnect_gb_s"].ge(150))):
        answer[name] = (2 - caught).where(met, 0)
    review = tpp.lt(21000) & frame["memory_bandwidth_gb_s"].lt(6500)
    return pd.DataFrame({**answer, "review": review.astype("uint8") * 2, "verdict": best})


def with_polars(frame: pl.DataFrame, engine: Literal["auto", "streaming"] = "auto") -> pl.DataFrame:
    """Lazy Polars expressions, on all threads; the streaming engine takes them batch by batch."""
    tpp, low, high = pl.col("tpp"), pl.col("low"), pl.col("high")
    lazy = frame.lazy().with_columns(
        tpp=pl.max_horizontal(*(pl.col(name) * bits for name, bits in RATES.items())), tops=pl.max_horizontal(*RATES)
    )
    lazy = lazy.with_columns(low=tpp / pl.col("area_high"), high=tpp / pl.col("area_low"))
    free = (pl.col("datacenter") == 0) & (tpp < 4800)

    def state(possible: pl.Expr, sure: pl.Expr) -> pl.Expr:
        return pl.when(free).then(pl.lit(0, pl.UInt8)).otherwise(possible.cast(pl.UInt8) + sure.cast(pl.UInt8))

    states, relaxed_states = {}, []
    for name, (tpp_from, tpp_below, density_from, density_below) in PARAGRAPHS.items():
        relaxed = relaxed_sure = tpp >= tpp_from
        if density_from is not None:
            relaxed, relaxed_sure = relaxed & (high >= density_from), relaxed_sure & (low >= density_from)
        possible, sure = relaxed, relaxed_sure
        if tpp_below is not None:
            possible, sure = possible & (tpp < tpp_below), sure & (tpp < tpp_below)
        if density_below is not None:
            possible, sure = possible & (low < density_below), sure & (high < density_below)
        states[name] = state(possible, sure)
        relaxed_states.append(state(relaxed, relaxed_sure))
    lazy = lazy.with_columns(**states, verdict=pl.max_horizontal(*relaxed_states))
    elsewhere = 2 - pl.max_horizontal(*PARAGRAPHS)
    zero = pl.lit(0, pl.UInt8)
    lazy = lazy.with_columns(
        p1=pl.when(pl.col("tops") >= 8).then(elsewhere).otherwise(zero),
        p2=pl.when(pl.col("interconnect_gb_s") >= 150).then(elsewhere).otherwise(zero),
        review=((tpp < 21000) & (pl.col("memory_bandwidth_gb_s") < 6500)).cast(pl.UInt8) * 2,
    )
    return lazy.select(*ANSWERS).collect(engine=engine)


def sql() -> str:
    """The same rules as one query on a table called items."""
    tpp = ", ".join(f"{name} * {bits}" for name, bits in RATES.items())
    states, relaxed_states = [], []
    for name, (tpp_from, tpp_below, density_from, density_below) in PARAGRAPHS.items():
        relaxed, relaxed_sure = [f"tpp >= {tpp_from}"], [f"tpp >= {tpp_from}"]
        if density_from is not None:
            relaxed.append(f"high >= {density_from}::DOUBLE")
            relaxed_sure.append(f"low >= {density_from}::DOUBLE")
        possible, sure = [*relaxed], [*relaxed_sure]
        if tpp_below is not None:
            possible.append(f"tpp < {tpp_below}")
            sure.append(f"tpp < {tpp_below}")
        if density_below is not None:
            possible.append(f"low < {density_below}::DOUBLE")
            sure.append(f"high < {density_below}::DOUBLE")
        states.append(f"{_state(possible, sure)} AS {name}")
        relaxed_states.append(_state(relaxed, relaxed_sure))
    elsewhere = f"2 - greatest({', '.join(PARAGRAPHS)})"
    return f"""
        WITH measured AS (SELECT *, greatest({tpp}) AS tpp, greatest({", ".join(RATES)}) AS tops FROM items),
        bounded AS (
            SELECT *, tpp / area_high AS low, tpp / area_low AS high, datacenter = 0 AND tpp < 4800 AS free
            FROM measured
        ),
        judged AS (SELECT *, {", ".join(states)}, greatest({", ".join(relaxed_states)}) AS verdict FROM bounded),
        listed AS (
            SELECT * EXCLUDE (verdict), verdict,
                CASE WHEN tops >= 8 THEN {elsewhere} ELSE 0 END::UTINYINT AS p1,
                CASE WHEN interconnect_gb_s >= 150 THEN {elsewhere} ELSE 0 END::UTINYINT AS p2,
                CASE WHEN tpp < 21000 AND memory_bandwidth_gb_s < 6500 THEN 2 ELSE 0 END::UTINYINT AS review
            FROM judged
        )
        SELECT {", ".join(ANSWERS)} FROM listed"""


def _state(possible: Iterable[str], sure: Iterable[str]) -> str:
    both = f"({' AND '.join(possible)})::UTINYINT + ({' AND '.join(sure)})::UTINYINT"
    return f"CASE WHEN free THEN 0 ELSE {both} END::UTINYINT"


def with_duckdb(items: pa.Table) -> pa.Table:
    """One SQL query in DuckDB, on all threads, from Arrow to Arrow without a copy."""
    with duckdb.connect() as connection:
        connection.register("items", items)
        return connection.sql(sql()).to_arrow_table()


def calculator(item: Mapping[str, str]) -> str:
    """What a calculator on a web page does with one chip: TPP and density, and the tiers of the current US rule.

    The logic that public descriptions of such a page give: the highest rate × bits, divided by the die area; a chip
    that is not for data centres is free below 4800. A missing number is taken as zero, and so a missing die area
    clears the chip.
    """
    tpp = _highest(item)
    area = _figure(item["die_area_mm2"])
    density = tpp / area if area else 0.0
    if item["datacenter"] == "no" and tpp < 4800:
        return "not_controlled"
    if tpp >= 4800 or (tpp >= 1600 and density >= 5.92):
        return "controlled"
    if (2400 <= tpp < 4800 and 1.6 <= density < 5.92) or (tpp >= 1600 and 3.2 <= density < 5.92):
        return "controlled"
    return "not_controlled"


def vintages(item: Mapping[str, str]) -> tuple[str, str, str]:
    """What a script for threshold studies does with one chip: what the rules of 2022, 2023 and 2026 say of it.

    One function a vintage, the highest rate × bits over all formats, no lower tier, a blank die area is free.
    """
    tpp = _highest(item)
    area = _figure(item["die_area_mm2"])
    density = tpp / area if area else None
    first = "controlled" if tpp >= 4800 and _figure(item["interconnect_gb_s"]) >= 600 else "free"
    second = "controlled" if tpp >= 4800 or (density is not None and tpp >= 1600 and density >= 5.92) else "free"
    reviewed = tpp < 21000 and _figure(item["memory_bandwidth_gb_s"]) < 6500
    return first, second, "case by case" if second == "controlled" and reviewed else second


def _figure(cell: str) -> float:
    return float(cell) if cell else 0.0


def _highest(item: Mapping[str, str]) -> float:
    return max(_figure(item[name]) * bits for name, bits in RATES.items())
