"""Honest evaluation on the real cases: every number of ``CARD.md`` comes from here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import log, sqrt
from typing import Any, Final, TypeAlias

import numpy as np

from perfcalc.facts import Indices, Numbers
from perfcalc.origin.model import FEATURES, Model, answer
from perfcalc.origin.signals import INDEX
from perfcalc.origin.train import (
    SIMULATED_FAMILIES,
    Cases,
    centre_of,
    family_weights,
    fit_coefficients,
    model_from,
    raw_features,
    training_set,
)

#: P(domestic) and answer (1 domestic, 0 stockpiled, -1 cannot tell) of the test rows.
Predictions: TypeAlias = tuple[Numbers, Indices]
Method: TypeAlias = Callable[[Cases, list[int], list[int]], Predictions]
#: Given cases of the first collection; the others were found for perfcalc and are marked N.
GIVEN: Final = "C"


def wilson(hits: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % Wilson interval of a proportion."""
    if total == 0:
        return 0.0, 1.0
    share, spread = hits / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(share * (1 - share) / total + spread / (4 * total))
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass
class Score:
    """How one method did under one way of leaving out."""

    method: str
    hits: int
    answered: int
    total: int
    brier: float
    log_loss: float
    missed: list[str] = field(default_factory=list)

    def row(self) -> str:
        """A row of a Markdown table."""
        low, high = wilson(self.hits, self.answered)
        return (
            f"| {self.method} | {self.hits} of {self.answered} | {100 * low:.0f} to {100 * high:.0f} % | "
            f"{100 * self.answered / max(self.total, 1):.0f} % | {self.brier:.3f} | {self.log_loss:.3f} | {', '.join(self.missed) or '–'} |"
        )


def _launch(cases: Cases) -> Numbers:
    low, high = (bound[:, INDEX["launch"]] for bound in (cases.signals.low, cases.signals.high))
    known = np.isfinite(low) & np.isfinite(high)
    return np.where(known, 0.5 * (np.where(known, low, 0.0) + np.where(known, high, 0.0)), np.nan)


def timing_only(cases: Cases, train: list[int], test: list[int]) -> Predictions:
    """One threshold on the days from the cut-off to the launch, the best on the training cases."""
    days = _launch(cases)
    known, label = np.sort(days[train]), cases.label[train]
    cuts = (
        np.concatenate([[known[0] - 0.1], 0.5 * (known[1:] + known[:-1]), [known[-1] + 0.1]]) if train else np.zeros(1)
    )
    right = [int(((days[train] > cut) == (label == 1)).sum()) for cut in cuts]
    best = [cut for cut, hits in zip(cuts, right, strict=True) if hits == max(right)]
    cut = best[len(best) // 2]
    domestic = (days[test] > cut).astype(np.int64)
    # Its probability is its record on the training cases, one success and one failure added.
    trust = (max(right) + 1) / (len(train) + 2)
    return np.where(domestic == 1, trust, 1 - trust), domestic


def node_rule(cases: Cases, train: list[int], test: list[int]) -> Predictions:
    """Stockpiled if the claimed node is finer than the domestic frontier when the design was seen; domestic if not."""
    del train
    gap = cases.signals.low[test, INDEX["node_gap"]]
    finer, known = gap >= 0.5, np.isfinite(gap)
    domestic = np.where(known & finer, 0, np.where(known, 1, -1)).astype(np.int64)
    return np.where(domestic == 1, 0.9, np.where(domestic == 0, 0.1, 0.5)), domestic


def _with_time(cases: Cases, rows: Sequence[int]) -> Numbers:
    """The model's features and the time since the cut-off, unknown as the mean."""
    return np.column_stack([raw_features(cases.signals, rows), np.minimum(_launch(cases)[rows], 6.0)])


def _from_sklearn(make: Callable[[], Any], fill: bool = True) -> Method:
    def method(cases: Cases, train: list[int], test: list[int]) -> Predictions:
        label = cases.label[train]
        features, asked = _with_time(cases, train), _with_time(cases, test)
        if len(set(label.tolist())) < 2:
            return np.full(len(test), 0.5), np.full(len(test), -1)
        if fill:
            known = ~np.isnan(features)
            mean = np.where(known, features, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
            features, asked = np.where(known, features, mean), np.where(np.isnan(asked), mean, asked)
        fitted = make().fit(features, label, sample_weight=family_weights(label, [cases.family[row] for row in train]))
        domestic = np.clip(fitted.predict_proba(asked)[:, 1], 0.02, 0.98)
        return domestic, (domestic >= 0.5).astype(np.int64)

    return method


def _logistic() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=10.0, max_iter=10_000)


def _bayes() -> Any:
    from sklearn.naive_bayes import GaussianNB

    return GaussianNB(var_smoothing=1e-2)


def _boosting() -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    directions = [limits[2] for limits in FEATURES.values()]
    return HistGradientBoostingClassifier(
        max_iter=50,
        max_depth=2,
        min_samples_leaf=2,
        monotonic_cst=[*directions, 1],
        random_state=0,
        early_stopping=False,
    )


def _model(cases: Cases, train: tuple[int, ...], simulated: float) -> Model:
    """One fit serves every method that asks for it."""
    key = (train, simulated)
    if key not in cases.models:
        cases.models[key] = model_from(cases, train, simulated)
    return cases.models[key]


def chosen(
    cases: Cases, train: list[int], test: list[int], simulated: float | None = None, rules: bool = True
) -> Predictions:
    """Rules and model as they ship, refitted on the training cases."""
    model = _model(cases, tuple(train), SIMULATED_FAMILIES if simulated is None else simulated)
    signals = cases.signals.take(test)
    if not rules:
        for flag in ("made_abroad", "moved_home"):
            column = INDEX[flag]
            if flag == "made_abroad":
                signals.low[:, column] = signals.high[:, column] = 0.0
            else:  # the rule asks for a certain 1; a shade less keeps the signal and stops the rule
                ones = signals.low[:, column] == 1.0
                signals.low[ones, column] = signals.high[ones, column] = 0.999
    answers = answer(signals, model)
    domestic = answers.domestic[:, 1].copy()
    ruled = np.isnan(domestic)
    domestic[ruled & (answers.origin == 1)] = 1 - model.doubt
    domestic[ruled & (answers.origin == 0)] = model.doubt
    domestic[np.isnan(domestic)] = 0.5
    decided = np.where(answers.origin == 1, 1, np.where(answers.origin == 0, 0, -1))
    return domestic, decided.astype(np.int64)


def model_alone(cases: Cases, train: list[int], test: list[int]) -> Predictions:
    """The model without the rules that settle cases after the cut-off."""
    return chosen(cases, train, test, rules=False)


def without_simulated(cases: Cases, train: list[int], test: list[int]) -> Predictions:
    """Rules and model, trained on real cases only."""
    if len(set(cases.label[train].tolist())) < 2:
        return np.full(len(test), 0.5), np.full(len(test), -1)
    return chosen(cases, train, test, simulated=0.0)


METHODS: Final[dict[str, Method]] = {
    "rules and model (ships)": chosen,
    "model alone": model_alone,
    "rules and model, real cases only": without_simulated,
    "timing only": timing_only,
    "node rule": node_rule,
    "logistic regression": _from_sklearn(_logistic),
    "naive Bayes": _from_sklearn(_bayes),
    "gradient boosting, monotone": _from_sklearn(_boosting, fill=False),
}


def scored(cases: Cases) -> list[int]:
    """The rows that are trained on and tested with."""
    return [int(row) for row in np.flatnonzero(cases.scored)]


def by_family(cases: Cases) -> Iterator[tuple[list[int], list[int]]]:
    """Leave one die family out."""
    yield from _leave_out(cases, cases.family)


def by_designer(cases: Cases) -> Iterator[tuple[list[int], list[int]]]:
    """Leave one designer out."""
    yield from _leave_out(cases, cases.designer)


def _leave_out(cases: Cases, keys: Sequence[str]) -> Iterator[tuple[list[int], list[int]]]:
    rows = scored(cases)
    for key in sorted({keys[row] for row in rows}):
        yield [row for row in rows if keys[row] != key], [row for row in rows if keys[row] == key]


def by_time(cases: Cases) -> Iterator[tuple[list[int], list[int]]]:
    """Train on products of up to 2022, test on those from 2023; no die family on both sides."""
    rows = scored(cases)
    late = [row for row in rows if cases.table["product_launch"].iloc[row] >= "2023"]
    tested = {cases.family[row] for row in late}
    yield [row for row in rows if row not in late and cases.family[row] not in tested], late


def predict(
    cases: Cases, method: Method, splits: Iterator[tuple[list[int], list[int]]]
) -> dict[int, tuple[float, int]]:
    """Out-of-sample predictions: ``{row: (P(domestic), answer)}``."""
    found: dict[int, tuple[float, int]] = {}
    for train, test in splits:
        domestic, decided = method(cases, train, test)
        found |= {row: (float(p), int(d)) for row, p, d in zip(test, domestic, decided, strict=True)}
    return found


def score_method(cases: Cases, name: str, found: dict[int, tuple[float, int]], only: str = "") -> Score:
    """Count hits among answers; Brier score and log loss over all rows."""
    rows = [row for row in found if cases.table["case_id"].iloc[row].startswith(only)]
    label = {row: int(cases.label[row]) for row in rows}
    answered = [row for row in rows if found[row][1] >= 0]
    wrong = [row for row in answered if found[row][1] != label[row]]
    chance = [found[row][0] if label[row] else 1 - found[row][0] for row in rows]
    return Score(
        name,
        len(answered) - len(wrong),
        len(answered),
        len(rows),
        float(np.mean([(1 - p) ** 2 for p in chance])) if rows else float("nan"),
        float(np.mean([-log(max(p, 1e-9)) for p in chance])) if rows else float("nan"),
        [cases.table["case_id"].iloc[row] for row in wrong],
    )


def risk_coverage(cases: Cases, found: dict[int, tuple[float, int]]) -> list[tuple[float, int, int]]:
    """Most confident first: (coverage, wrong, answered) where the confidence drops."""
    ranked = sorted(found.items(), key=lambda pair: -abs(pair[1][0] - 0.5))
    points, wrong = [], 0
    for count, (row, (p, _)) in enumerate(ranked, 1):
        wrong += int((p >= 0.5) != (cases.label[row] == 1)) if p != 0.5 else 1
        points.append((count / len(ranked), wrong, count))
    return points


def reliability(cases: Cases, found: dict[int, tuple[float, int]]) -> list[tuple[str, int, int, float]]:
    """Few bins of P(domestic): (bin, cases, domestic, mean probability)."""
    bins = ((0.0, 0.1), (0.1, 0.5), (0.5, 0.9), (0.9, 1.01))
    rows = []
    for low, high in bins:
        inside = [row for row, (p, _) in found.items() if low <= p < high]
        mean = float(np.mean([found[row][0] for row in inside])) if inside else float("nan")
        rows.append((f"{low:g} to {min(high, 1):g}", len(inside), int(sum(cases.label[row] for row in inside)), mean))
    return rows


def shuffled(cases: Cases, rounds: int = 100, seed: int = 7) -> tuple[float, float, float]:
    """Balanced accuracy of the evidence (no prior, no simulated parts) when labels are shuffled among die families.

    Returns the mean and the 5 and 95 % points.
    """
    random = np.random.default_rng(seed)
    rows = scored(cases)
    families = sorted({cases.family[row] for row in rows})
    of_family = {family: int(cases.label[next(r for r in rows if cases.family[r] == family)]) for family in families}
    results = []
    for _ in range(rounds):
        mixed = dict(zip(families, random.permutation(list(of_family.values())), strict=True))
        fake = {row: int(mixed[cases.family[row]]) for row in rows}
        right: dict[int, list[float]] = {0: [], 1: []}
        for family in families:
            train = [row for row in rows if cases.family[row] != family]
            labels = np.array([fake[row] for row in train])
            part = training_set(raw_features(cases.signals, train), labels, [cases.family[row] for row in train], 0.0)
            centre = centre_of(*part)
            fitted = fit_coefficients(*part, centre, directed=False)
            test = [row for row in rows if cases.family[row] == family]
            features = raw_features(cases.signals, test)
            odds = fitted[0] + np.where(np.isnan(features), 0.0, features - centre) @ fitted[1:]
            # A family counts once.
            right[mixed[family]].append(float(np.mean((odds >= 0) == (mixed[family] == 1))))
        results.append(0.5 * (np.mean(right[0]) + np.mean(right[1])))
    low, high = np.quantile(results, [0.05, 0.95])
    return float(np.mean(results)), float(low), float(high)


def dropped(cases: Cases) -> list[tuple[str, int, int, int]]:
    """Each signal made unknown in all cases: (signal, answers turned round, answers lost, answers before)."""
    before = answer(cases.signals).origin
    answered = np.flatnonzero(before <= 3)
    rows = []
    for name in INDEX:
        if name == "modelled":
            continue
        after = answer(cases.signals.without(name)).origin
        turned = sum(1 for row in answered if after[row] <= 3 and after[row] != before[row])
        lost = sum(1 for row in answered if after[row] > 3)
        rows.append((name, turned, lost, len(answered)))
    return rows
