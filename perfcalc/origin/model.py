"""The model: a log odds of four signals and measured geometry, a stated prior, and abstention.

``log odds(domestic) = prior(time, class) + geometry + intercept + sum of coefficient × (signal - centre)``

A signal that is not known adds nothing, except the first sight of the design: it may be anything up to the launch.
The interval covers the intervals of the signals and the refits that leave out each die family in turn. The
coefficients are data (``model.json``); scoring is a plain loop without scikit-learn.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp, inf, log
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perfcalc.facts import Indices, Numbers
from perfcalc.kernel import compiled, kernel
from perfcalc.origin.certain import ORIGINS, certain_rules, first_rule, program
from perfcalc.origin.signals import INDEX, Signals
from perfcalc.origin.tables import HERE

#: Below this many rows plain Python is done before Numba would have compiled.
ROWS_BEFORE_COMPILING: Final = 20_000

#: The signals of the model, with the limits beyond which more does not count, and the direction that physics gives
#: (+1: more of it speaks for domestic production).
FEATURES: Final[dict[str, tuple[float, float, int]]] = {
    "seen": (-1.0, 2.0, 1),
    "newest": (-1.0, 1.0, 1),
    "node_gap": (-0.5, 1.5, -1),
    "moved_home": (0.0, 1.0, 1),
}


@dataclass(frozen=True)
class Prior:
    """How likely stock from before the cut-off is, before any signal.

    ``P(stock) = fast × 2^(-quarters / fast_half_life) + (1 - fast) × 2^(-quarters / slow_half_life)``, kept within
    ``[floor, 1 - floor]``; `fast` differs between products sold in masses and others.
    """

    fast_mass: float = 0.9
    fast_low_volume: float = 0.6
    fast_half_life_quarters: float = 1.5
    slow_half_life_quarters: float = 12.0
    floor: float = 0.02


@dataclass(frozen=True)
class Model:
    """What ``model.json`` holds.

    Attributes
    ----------
    coefficients
        One row a fit: the fit on all cases first, then one without each die family. Intercept, then the features.
    centre
        Of each feature: the value that an unknown one stands for.
    threshold
        An answer is given when its probability reaches this everywhere in the interval.
    doubt
        No probability is nearer to 0 or 1 than this: labels and cells are wrong now and then.
    """

    coefficients: Numbers
    centre: Numbers
    prior: Prior
    threshold: float
    doubt: float
    fits: tuple[str, ...] = ()

    @property
    def settings(self) -> Numbers:
        """The numbers of prior and threshold, for the kernel."""
        prior = self.prior
        return np.array(
            [
                prior.fast_mass,
                prior.fast_low_volume,
                prior.fast_half_life_quarters,
                prior.slow_half_life_quarters,
                prior.floor,
                self.threshold,
                self.doubt,
                FINER,
                NEWER,
            ]
        )


def from_dict(data: Mapping[str, Any]) -> Model:
    """A model from the content of ``model.json``."""
    return Model(
        np.array(data["coefficients"], dtype=np.float64),
        np.array(data["centre"], dtype=np.float64),
        Prior(**data["prior"]),
        float(data["threshold"]),
        float(data["doubt"]),
        tuple(data["fits"]),
    )


@cache
def shipped() -> Model:
    """The model that ships."""
    return from_dict(json.loads((HERE / "model.json").read_text("utf-8")))


LIMITS: Final = np.array([limits[:2] for limits in FEATURES.values()], dtype=np.float64)
COLUMNS: Final = np.array([INDEX[name] for name in FEATURES], dtype=np.int64)
FIXED: Final = np.array(
    [
        INDEX[name]
        for name in ("launch", "low_volume", "geometry", "die_bank", "cut_off", "made_abroad", "node_gap", "newest")
    ]
)
#: A claimed node finer by more halvings than this than the domestic frontier is not domestic (or not true), and
#: technology announced more years than this after the cut-off is not in stock from before.
FINER, NEWER = 0.5, 0.25


@kernel
def prior_log_odds(time: float, mass: bool, settings: Numbers) -> float:
    """The log odds of domestic production at a time after the cut-off in years."""
    fast = settings[0] if mass else settings[1]
    quarters = 4.0 * max(time, 0.0)
    stock = fast * 2.0 ** (-quarters / settings[2]) + (1.0 - fast) * 2.0 ** (-quarters / settings[3])
    stock = min(max(stock, settings[4]), 1.0 - settings[4])
    return log((1.0 - stock) / stock)


@kernel
def base_log_odds(
    low: Numbers, high: Numbers, row: int, fixed: Indices, settings: Numbers
) -> tuple[float, float, float]:
    """What prior and geometry say of a row: the least, the middle and the greatest log odds."""
    low_volume, mass = low[row, fixed[1]] == 1.0, high[row, fixed[1]] == 0.0
    early, late = low[row, fixed[0]], high[row, fixed[0]]
    least = prior_log_odds(early, not low_volume, settings)
    if not low_volume and not mass:  # an unknown class may be either
        least = min(least, prior_log_odds(early, False, settings))
    middle, most = least, least
    if late > early or (not low_volume and not mass):
        most = prior_log_odds(late, not low_volume, settings)
        middle = prior_log_odds(0.5 * (early + late), not low_volume, settings)
    geometry = low[row, fixed[2]] if low[row, fixed[2]] == high[row, fixed[2]] else 0.0
    return least + geometry, middle + geometry, most + geometry


@kernel
def centred_signals(
    low: Numbers, high: Numbers, row: int, columns: Indices, limits: Numbers, centre: Numbers, ends: Numbers
) -> None:
    """Both ends of each signal of the model, clipped and centred; nothing for an unknown one, bar the first sight."""
    for j in range(columns.shape[0]):
        first, last = low[row, columns[j]], high[row, columns[j]]
        if first == -np.inf and j > 0:
            ends[j, 0], ends[j, 1] = 0.0, 0.0
        else:
            ends[j, 0] = min(max(first, limits[j, 0]), limits[j, 1]) - centre[j]
            ends[j, 1] = min(max(last, limits[j, 0]), limits[j, 1]) - centre[j]


@kernel
def decide(
    low: Numbers,
    high: Numbers,
    rule: Indices,
    signal: Indices,
    operator: Indices,
    limit: Numbers,
    answers: npt.NDArray[np.int8],
    columns: Indices,
    fixed: Indices,
    limits: Numbers,
    centre: Numbers,
    coefficients: Numbers,
    settings: Numbers,
    ends: Numbers,
    origin: npt.NDArray[np.int8],
    ruled: npt.NDArray[np.int16],
    probability: Numbers,
) -> None:
    """Rules, then the model, for every row: fills origin, the rule's number, and P(domestic) low, middle, high."""
    threshold, doubt = settings[5], settings[6]
    for row in range(low.shape[0]):
        number = first_rule(low, high, row, rule, signal, operator, limit)
        ruled[row] = number
        if number >= 0:
            origin[row] = answers[number]
            continue
        origin[row] = 4
        if low[row, fixed[4]] < 1.0 or low[row, fixed[0]] < 0.0 or high[row, fixed[0]] == np.inf:
            continue
        base_least, middle, base_most = base_log_odds(low, high, row, fixed, settings)
        centred_signals(low, high, row, columns, limits, centre, ends)
        least, most = np.inf, -np.inf
        for fit in range(coefficients.shape[0]):
            under = over = coefficients[fit, 0]
            for j in range(columns.shape[0]):
                one, other = coefficients[fit, j + 1] * ends[j, 0], coefficients[fit, j + 1] * ends[j, 1]
                under += min(one, other)
                over += max(one, other)
            least, most = min(least, base_least + under), max(most, base_most + over)
            if fit == 0:
                middle += 0.5 * (under + over)
        probability[row, 0] = doubt + (1.0 - 2.0 * doubt) / (1.0 + exp(-least))
        probability[row, 1] = doubt + (1.0 - 2.0 * doubt) / (1.0 + exp(-middle))
        probability[row, 2] = doubt + (1.0 - 2.0 * doubt) / (1.0 + exp(-most))
        # Not "domestic" where foreign dies are known, where the maker may be foreign, or on a node not had at home.
        at_home = high[row, fixed[3]] < 1.0 and high[row, fixed[5]] < 1.0
        at_home = at_home and (high[row, fixed[6]] == np.inf or low[row, fixed[6]] < settings[7])
        if probability[row, 0] >= threshold and at_home:
            origin[row] = 1
        elif probability[row, 2] <= 1.0 - threshold and low[row, fixed[7]] <= settings[8]:
            origin[row] = 0


@dataclass
class Answers:
    """What is answered for a batch.

    Attributes
    ----------
    origin
        Position in ``ORIGINS``.
    rule
        Position in the rules of ``certain.yaml``, or -1 where the model was asked.
    domestic
        P(domestic): low, middle and high; NaN where the model was not asked or could not answer.
    """

    origin: npt.NDArray[np.int8]
    rule: npt.NDArray[np.int16]
    domestic: Numbers

    def words(self) -> list[str]:
        """The origin of each row."""
        return [ORIGINS[code] for code in self.origin]


def answer(signals: Signals, model: Model | None = None) -> Answers:
    """Rules first, then the model, then "cannot tell"."""
    model = model or shipped()
    rows = signals.low.shape[0]
    origin, ruled = np.empty(rows, dtype=np.int8), np.empty(rows, dtype=np.int16)
    probability = np.full((rows, 3), np.nan)
    answers = np.array([ORIGINS.index(rule.origin) for rule in certain_rules()], dtype=np.int8)
    # A batch of signals is large or small by itself, whatever else the run has scored.
    score = compiled(decide) if rows >= ROWS_BEFORE_COMPILING else decide
    score(
        signals.low,
        signals.high,
        *program(),
        answers,
        COLUMNS,
        FIXED,
        LIMITS,
        model.centre,
        model.coefficients,
        model.settings,
        np.empty((len(FEATURES), 2)),
        origin,
        ruled,
        probability,
    )
    return Answers(origin, ruled, probability)


def weights(signals: Signals, row: int, model: Model) -> dict[str, float]:
    """What each part adds to the log odds of domestic production, in the middle of its interval."""
    settings, fixed = model.settings, FIXED
    low, high = signals.low[row], signals.high[row]
    middle = 0.5 * (low[fixed[0]] + high[fixed[0]])
    parts = {"launch": float(prior_log_odds(middle, low[fixed[1]] != 1.0, settings))}
    if low[fixed[2]] == high[fixed[2]]:
        parts["geometry"] = float(low[fixed[2]])
    for j, name in enumerate(FEATURES):
        first, last = low[COLUMNS[j]], high[COLUMNS[j]]
        if first == -inf:
            continue
        ends = np.clip([first, last], *LIMITS[j])
        parts[name] = float(model.coefficients[0, j + 1] * (ends.mean() - model.centre[j]))
    return parts


def matrix(signals: Signals, rows: Sequence[int] | Indices, centre: Numbers) -> Numbers:
    """The features of some rows as scikit-learn takes them: clipped, centred, unknown as zero."""
    low, high = signals.low[rows][:, COLUMNS], signals.high[rows][:, COLUMNS]
    known = np.isfinite(low) & np.isfinite(high)
    middle = 0.5 * (np.clip(low, *LIMITS.T) + np.clip(high, *LIMITS.T))
    return np.where(known, middle - centre, 0.0)
