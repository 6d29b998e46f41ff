"""Simulated parts for training, never for testing: dates, nodes and cores drawn from the cited tables.

They say what physics says: stock was designed before the cut-off on the nodes that foreign foundries had; domestic
parts take a node that a domestic foundry has by then, and a new design needs time after the cut-off.
"""

from __future__ import annotations

from functools import cache
from math import log2
from typing import Final

import numpy as np

from perfcalc.facts import Numbers
from perfcalc.origin.model import FEATURES, LIMITS
from perfcalc.origin.tables import frontier, nodes, technologies

ROWS: Final = 600
SEED: Final = 20200915
#: Share of domestic parts whose claimed node is a generation finer than the one that they are made on.
BOAST: Final = 0.1
#: Cut-offs fall where the real ones do: from 2020-09 to 2024-11.
FIRST_CUT, LAST_CUT = 2020.7, 2024.87


@cache
def simulate(rows: int = ROWS, seed: int = SEED) -> tuple[Numbers, Numbers]:
    """Features (clipped, NaN where unknown) and labels (1 domestic); half of each label."""
    random = np.random.default_rng(seed)
    features = np.full((rows, len(FEATURES)), np.nan)
    labels = np.arange(rows) % 2
    for row, domestic in enumerate(labels):
        cut = random.uniform(FIRST_CUT, LAST_CUT) * 365.2425 / 365.25
        features[row] = _domestic(random, cut) if domestic else _stock(random, cut)
    features = np.clip(features, *LIMITS.T)
    features.flags.writeable = False  # one copy serves every fit
    return features, labels


def _sometimes(random: np.random.Generator, share: float, value: float) -> float:
    return value if random.random() < share else float("nan")


def _cores(random: np.random.Generator, cut: float, seen: float) -> float:
    """The newest public core when the design was begun, half a year to three years before it was seen."""
    begun = cut + seen - random.uniform(0.5, 3.0)
    public = [each.first_public for each in technologies() if each.first_public <= begun]
    return max(public) - cut if public else float("nan")


def _stock(random: np.random.Generator, cut: float) -> list[float]:
    # Announced up to three years before the cut-off, and up to a year after it: wafers come first, news later.
    seen = random.triangular(-3.0, 0.0, 1.0)
    abroad = [node.marketed_nm for node in nodes() if not node.home and node.since <= cut + min(seen, 0.0) - 0.25]
    leading = sorted(set(abroad))[:4] or [28.0]
    claim = float(random.choice(leading))
    return [
        seen,
        _sometimes(random, 0.6, _cores(random, cut, seen)),
        _sometimes(random, 0.7, log2(frontier(cut + seen) / claim)),
        _sometimes(random, 0.5, 0.0),
    ]


def _domestic(random: np.random.Generator, cut: float) -> list[float]:
    moved = random.random() < 0.2
    # A re-issue needs no new design and may come early; a new design takes a year or more on a new foundry's node.
    seen = random.uniform(-0.75, 2.5) if moved else random.uniform(0.75, 6.0)
    steps = sorted(
        {nm for since, nm in ((node.since, node.marketed_nm) for node in nodes() if node.home) if since <= cut + seen}
    )
    claim = float(random.choice(steps[:2] or [28.0]))
    if random.random() < BOAST:
        claim *= 0.7
    cores = _cores(random, cut, seen - (2.0 if moved else 0.0))
    return [
        seen,
        _sometimes(random, 0.6, cores),
        _sometimes(random, 0.9 if moved else 0.3, log2(frontier(cut + seen) / claim)),
        _sometimes(random, 0.5, float(moved)),
    ]
