"""Fit the model's coefficients from the real cases and the simulated parts; scikit-learn is needed only here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from perfcalc.errors import InputError
from perfcalc.facts import Flags, Indices, Numbers
from perfcalc.origin.columns import recognise_origin
from perfcalc.origin.model import COLUMNS, FEATURES, LIMITS, Model, Prior, from_dict
from perfcalc.origin.signals import INDEX, Signals, of_rows
from perfcalc.origin.simulate import simulate
from perfcalc.origin.tables import HERE, designer_key

CASES: Final = HERE.parents[1] / "specs" / "origin_cases.csv"
LOGIC: Final = frozenset(
    (
        "mobile_soc",
        "pc_soc",
        "server_cpu",
        "ai_accelerator",
        "gpu",
        "camera_soc",
        "cpu",
        "pc_cpu",
        "hpc_cpu",
        "telecom_asic",
        "auto_soc",
        "miner_asic",
    )
)
#: The simulated parts together weigh as much as this many real die families of each label.
SIMULATED_FAMILIES: Final = 12.0
#: Inverse strength of the L2 penalty.
PENALTY: Final = 10.0
THRESHOLD: Final = 0.9
#: Labels and cells are wrong now and then: no probability is nearer to 0 or 1 than this.
DOUBT: Final = 0.02


@dataclass
class Cases:
    """The real cases.

    Attributes
    ----------
    table
        The sheet as text.
    signals
        What the model may see of them.
    label
        1 domestic, 0 stockpiled, -1 anything else.
    family
        The die family; a case without one is a family of its own.
    models
        Fits that were already made, by training rows and weight of the simulated parts.
    """

    table: pd.DataFrame
    signals: Signals
    label: Indices
    family: list[str]
    designer: list[str]
    models: dict[tuple[tuple[int, ...], float], Model] = field(default_factory=dict)

    @property
    def scored(self) -> Flags:
        """Logic found after the cut-off whose label is good enough to train on and to test with."""
        good = self.table["eval_use"].isin(["gold", "silver"]).to_numpy()
        logic = self.table["component_class"].isin(LOGIC).to_numpy()
        after = self.signals.low[:, INDEX["launch"]] >= 0
        return np.asarray(good & logic & after & (self.label >= 0), dtype=bool)


def read_cases(path: Path | None = None) -> Cases:
    """Read the cited cases.

    Raises
    ------
    InputError
        The sheet is not there: it ships with the source, not with the installed package.
    """
    path = path or CASES
    if not path.is_file():
        raise InputError(f"{path}: no such file", "run this in a copy of the source, or give --cases SHEET")
    return cases_from(pd.read_csv(path, dtype=str, keep_default_na=False))


def cases_from(table: pd.DataFrame) -> Cases:
    """Cases from a table of text."""
    columns = recognise_origin(list(table.columns))
    cells = [table[column].tolist() for column in columns.values()]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*cells, strict=True)]
    codes = {"domestic": 1, "stockpiled_foreign": 0}
    label: Indices = np.array([codes.get(word, -1) for word in table["label"]], dtype=np.int64)
    family = [name or f"case {case}" for name, case in zip(table["die_family"], table["case_id"], strict=True)]
    designer = [designer_key(name) for name in table["designer"]]
    return Cases(table, of_rows(rows), label, family, designer)


def raw_features(signals: Signals, rows: Sequence[int] | Indices) -> Numbers:
    """The features of some rows, clipped, NaN where unknown."""
    low, high = signals.low[rows][:, COLUMNS], signals.high[rows][:, COLUMNS]
    middle = 0.5 * (np.clip(low, *LIMITS.T) + np.clip(high, *LIMITS.T))
    return np.where(np.isfinite(low) & np.isfinite(high), middle, np.nan)


def family_weights(labels: Indices, families: Sequence[str]) -> Numbers:
    """Every die family weighs one, however many products carry it."""
    counts: dict[tuple[int, str], int] = {}
    for key in zip(labels, families, strict=True):
        counts[key] = counts.get(key, 0) + 1
    return np.array([1.0 / counts[key] for key in zip(labels, families, strict=True)])


def training_set(
    features: Numbers, labels: Indices, families: Sequence[str], simulated: float = SIMULATED_FAMILIES
) -> tuple[Numbers, Indices, Numbers]:
    """Real and simulated rows with their weights; both labels weigh the same, for the prior is added later."""
    weight = family_weights(labels, families)
    if simulated:
        more, more_labels = simulate()
        features = np.vstack([features, more])
        labels = np.concatenate([labels, more_labels])
        weight = np.concatenate([weight, np.full(len(more), 2 * simulated / len(more))])
    for label in (0, 1):
        total = weight[labels == label].sum()
        if total:
            weight[labels == label] *= 0.5 * (len(set(families)) + 2 * simulated) / total
    return features, labels, weight


def centre_of(features: Numbers, labels: Indices, weight: Numbers) -> Numbers:
    """Halfway between the means of the two labels: an unknown signal speaks for neither."""
    means = []
    for label in (0, 1):
        rows = labels == label
        known = ~np.isnan(features[rows])
        total = (known * weight[rows, None]).sum(axis=0)
        sums = (np.nan_to_num(features[rows]) * weight[rows, None]).sum(axis=0)
        means.append(sums / np.where(total, total, 1.0))
    return np.asarray(0.5 * (means[0] + means[1]))


def fit_coefficients(
    features: Numbers, labels: Indices, weight: Numbers, centre: Numbers, directed: bool = True
) -> Numbers:
    """Regularised logistic regression; if `directed`, a coefficient against physics is held at zero."""
    from sklearn.linear_model import LogisticRegression

    filled = np.where(np.isnan(features), 0.0, features - centre)
    kept = list(range(filled.shape[1]))
    directions = [limits[2] for limits in FEATURES.values()]
    while True:
        regression = LogisticRegression(C=PENALTY, solver="newton-cholesky", tol=1e-8, max_iter=1000)
        regression.fit(filled[:, kept], labels, sample_weight=weight)
        against = [j for j, value in zip(kept, regression.coef_[0], strict=True) if value * directions[j] < 0]
        if not against or not directed:
            break
        kept = [j for j in kept if j not in against]
    fitted = np.zeros(filled.shape[1] + 1)
    fitted[0] = regression.intercept_[0]
    for j, value in zip(kept, regression.coef_[0], strict=True):
        fitted[j + 1] = value
    return np.round(fitted, 4)


def fit(
    cases: Cases, rows: Iterable[int], simulated: float = SIMULATED_FAMILIES, labels: Indices | None = None
) -> dict[str, Any]:
    """The content of ``model.json`` from some of the cases: a fit on all, and one without each die family."""
    rows = list(rows)
    prior = Prior()
    features = raw_features(cases.signals, rows)
    label = (cases.label if labels is None else labels)[rows]
    families = [cases.family[row] for row in rows]
    whole = training_set(features, label, families, simulated)
    centre = np.round(centre_of(*whole), 4)
    fits, coefficients = ["all"], [fit_coefficients(*whole, centre)]
    for left_out in sorted(set(families)):
        kept = [position for position, family in enumerate(families) if family != left_out]
        part = training_set(features[kept], label[kept], [families[p] for p in kept], simulated)
        if len(set(part[1].tolist())) == 2:
            fits.append(f"without {left_out}")
            coefficients.append(fit_coefficients(*part, centre))
    return {
        "features": list(FEATURES),
        "centre": centre.tolist(),
        "fits": fits,
        "coefficients": [row.tolist() for row in coefficients],
        "prior": asdict(prior),
        "threshold": THRESHOLD,
        "doubt": DOUBT,
    }


def model_from(
    cases: Cases, rows: Iterable[int], simulated: float = SIMULATED_FAMILIES, labels: Indices | None = None
) -> Model:
    """A model fitted on some of the cases."""
    return from_dict(fit(cases, rows, simulated, labels))


def model_text(path: Path | None = None) -> str:
    """What ``model.json`` should hold, byte for byte."""
    cases = read_cases(path)
    return json.dumps(fit(cases, np.flatnonzero(cases.scored)), indent=1) + "\n"
