"""The current US chip rules written for other libraries: the same three-valued verdict, by their best means.

0 not controlled, 1 cannot tell, 2 controlled, of 3A090.a.1, a.2, b.1, b.2 with Note 2, on items whose die area is an
interval (unknown: from zero to infinity). Upper limits of 3A090.b are left out: an item beyond them is in 3A090.a.
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
# TPP and density limits: any of these pairs.
BOXES = ((4800, None), (1600, 5.92), (2400, 1.6), (1600, 3.2))


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


def with_numpy(data: dict[str, np.ndarray]) -> np.ndarray:
    """Whole-array NumPy."""
    tpp = np.max([data[name] * bits for name, bits in RATES.items()], axis=0)
    with np.errstate(divide="ignore"):
        density_low, density_high = tpp / data["area_high"], tpp / data["area_low"]
    best = np.zeros(tpp.size, np.uint8)
    for limit, density in BOXES:
        possible = sure = tpp >= limit
        if density is not None:
            possible, sure = possible & (density_high >= density), sure & (density_low >= density)
        best = np.maximum(best, possible.astype(np.uint8) + sure)
    return np.where((data["datacenter"] == 0) & (tpp < 4800), 0, best)


def with_pandas(frame: pd.DataFrame) -> pd.Series:
    """Idiomatic pandas."""
    tpp = pd.concat([frame[name] * bits for name, bits in RATES.items()], axis=1).max(axis=1)
    density_low, density_high = tpp / frame["area_high"], tpp / frame["area_low"]
    possible = sure = pd.Series(False, index=frame.index)
    for limit, density in BOXES:
        enough = tpp >= limit
        possible |= enough & (density_high >= density) if density is not None else enough
        sure = sure | (enough & (density_low >= density) if density is not None else enough)
    best = possible.astype("uint8") + sure.astype("uint8")
    return best.where(~((frame["datacenter"] == 0) & (tpp < 4800)), 0)


def with_polars(frame: pl.DataFrame) -> pl.Series:
    """Lazy Polars expressions, on all threads."""
    lazy = frame.lazy().with_columns(tpp=pl.max_horizontal(*(pl.col(name) * bits for name, bits in RATES.items())))
    lazy = lazy.with_columns(low=pl.col("tpp") / pl.col("area_high"), high=pl.col("tpp") / pl.col("area_low"))

    def boxes(density_column: str) -> pl.Expr:
        return pl.any_horizontal(
            *(
                (pl.col("tpp") >= limit) & (pl.col(density_column) >= density if density is not None else pl.lit(True))
                for limit, density in BOXES
            )
        )

    best = boxes("high").cast(pl.UInt8) + boxes("low").cast(pl.UInt8)
    free = (pl.col("datacenter") == 0) & (pl.col("tpp") < 4800)
    return lazy.select(verdict=pl.when(free).then(pl.lit(0, pl.UInt8)).otherwise(best)).collect()["verdict"]
