"""The current US chip rules written for other libraries: the same three-valued answers, by their best means.

Each takes items whose die area is an interval (unknown: from zero to infinity) and answers TPP, both bounds of the
performance density, and for each paragraph and the verdict 0 (failed, not controlled), 1 (open) or 2 (met, controlled).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl

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


def with_polars(frame: pl.DataFrame) -> pl.DataFrame:
    """Lazy Polars expressions, on all threads."""
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
    return lazy.select(*ANSWERS).collect()
