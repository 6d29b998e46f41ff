"""Answers in words: why, with which weight, what would settle it; and the time line."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Final

import numpy as np

from perfcalc.origin.certain import ORIGINS, certain_rules
from perfcalc.origin.model import FINER, NEWER, Answers, Model, weights
from perfcalc.origin.signals import INDEX, SIGNALS, Signals, span
from perfcalc.origin.tables import Part, designer_key, parts

RESULTS: Final = (
    "origin",
    "origin_probability",
    "origin_low",
    "origin_high",
    "origin_basis",
    "origin_leaning",
    "origin_because",
    "origin_needs",
)
#: What would settle an open question, strongest first: signal -> what to supply.
SETTLES: Final = {
    "geometry": "gate_pitch_nm and cell_height_nm (a cross-section)",
    "seen": "chip_announced (when this design was first seen)",
    "newest": "cpu_ip",
    "node_gap": "process_node as the maker claims it",
    "low_volume": "product_class",
}


@dataclass(frozen=True)
class OriginAnswer:
    """The answer for one item, ready to print or to write.

    Attributes
    ----------
    probability, low, high
        Of the origin that is answered; of the leaning where the answer is ``cannot_tell``. A rule counts as 1: it is
        as sure as the cells that it rests on. None where nothing can be said.
    basis
        ``rule``, ``model`` or, where neither could answer, ``none``.
    leaning
        The likelier of stockpiled and domestic, where the model was asked.
    """

    origin: str
    probability: float | None
    low: float | None
    high: float | None
    basis: str
    leaning: str | None
    because: str
    needs: str | None


def describe(signals: Signals, answers: Answers, row: int, model: Model) -> OriginAnswer:
    """One row of answers in words."""
    word = ORIGINS[answers.origin[row]]
    number = int(answers.rule[row])
    if number >= 0:
        rule = certain_rules()[number]
        certain = None if word == "cannot_tell" else 1.0
        seen = [signals.notes[row][name] for name, _, _ in rule.when if name in signals.notes[row]]
        because = "; ".join(dict.fromkeys([rule.because, *seen]))
        return OriginAnswer(word, certain, certain, certain, "rule", None, because, rule.needs or None)
    low, middle, high = (float(value) for value in answers.domestic[row])
    if np.isnan(middle):
        return OriginAnswer(word, None, None, None, "none", None, _unanswerable(signals, row), _needs(signals, row))
    leaning = "domestic" if middle >= 0.5 else "stockpiled"
    if leaning == "stockpiled":
        low, middle, high = 1 - high, 1 - middle, 1 - low
    because = strongest(signals, row, model)
    needs = None
    if word == "cannot_tell":
        needs = _needs(signals, row)
        if leaning == "domestic" and FINER <= signals.low[row, INDEX["node_gap"]] < np.inf:
            because = f"no domestic foundry had the claimed node: claim or domestic production is wrong; {because}"
        if leaning == "stockpiled" and signals.low[row, INDEX["newest"]] > NEWER:
            because = f"it has technology that is newer than the cut-off: it is no stock from before; {because}"
        if signals.high[row, INDEX["die_bank"]] == 1.0 and leaning == "domestic":
            because = f"{signals.notes[row].get('die_bank', 'foreign dies are known in this class')}; {because}"
    return OriginAnswer(word, round(middle, 4), round(low, 4), round(high, 4), "model", leaning, because, needs)


def strongest(signals: Signals, row: int, model: Model, count: int = 3) -> str:
    """The signals that weigh most, each with the factor by which it moves the odds."""
    ranked = sorted(weights(signals, row, model).items(), key=lambda pair: -abs(pair[1]))[:count]
    return "; ".join(f"{signal_words(signals, row, name)} ({odds_words(weight)})" for name, weight in ranked)


def odds_words(weight: float) -> str:
    """A weight as a factor on the odds."""
    side = "domestic" if weight >= 0 else "stockpiled"
    factor = exp(abs(weight))
    number = f"{factor:.2g}" if factor < 100 else f"{factor:.0f}"
    return f"×{number} for {side}" if factor >= 1.005 else "no weight"


def signal_words(signals: Signals, row: int, name: str) -> str:
    """A signal as a reader would put it."""
    note = signals.notes[row].get(name)
    low, high = signals.low[row, INDEX[name]], signals.high[row, INDEX[name]]
    middle = 0.5 * (low + high)
    if name == "launch":
        return f"the product came out {span(middle)} the cut-off"
    if name == "seen":
        when = f"design first seen {span(middle)} the cut-off"
        return f"{when} ({note})" if note else when
    if name == "moved_home":
        return note or "not a slower re-issue on a larger node"
    return note or SIGNALS[name]


def _unanswerable(signals: Signals, row: int) -> str:
    launch = signals.low[row, INDEX["launch"]], signals.high[row, INDEX["launch"]]
    if not np.isfinite(launch).all():
        return "the product's launch date is not known"
    if signals.high[row, INDEX["cut_off"]] < 1:
        return "no cut-off of the designer is known"
    return "the launch date is too coarse to say whether it was before or after the cut-off"


def _needs(signals: Signals, row: int) -> str:
    launch = signals.low[row, INDEX["launch"]], signals.high[row, INDEX["launch"]]
    if not np.isfinite(launch).all() or launch[0] < 0:
        return "product_launch to the day"
    if signals.high[row, INDEX["made_abroad"]] != signals.low[row, INDEX["made_abroad"]]:
        return "designer_country"
    missing = [what for name, what in SETTLES.items() if not np.isfinite(signals.low[row, INDEX[name]])]
    return "; ".join(missing[:3]) or SETTLES["geometry"]


def timeline(designer: str, name: str, launch: str, cut_off: float | None, until: float, width: int = 48) -> str:
    """A text picture: the designer's known parts (o), the cut-off (|) and this item (*) on one axis of time."""
    key = designer_key(designer)
    known: list[Part] = [part for part in parts() if key and part.designer == key]
    from perfcalc.origin.signals import read_day

    when = read_day(launch)[1]
    moments = [part.announced for part in known] + [moment for moment in (when, cut_off) if moment is not None]
    if not moments:
        return ""
    first, last = min(moments), max([*moments, until])
    scale = (width - 1) / max(last - first, 0.5)

    def place(moment: float) -> int:
        return min(width - 1, max(0, round((moment - first) * scale)))

    marks = [(part.announced, "o", f"{part.name}, {part.announced_text}") for part in known]
    if cut_off is not None:
        marks.append((cut_off, "|", "cut-off"))
    if when is not None:
        marks.append((when, "*", f"{name}, {launch}"))
    rows: list[tuple[int, str, str]] = []
    for moment, mark, words in sorted(marks, key=lambda each: (each[0], each[1])):
        column = place(moment)
        if rows and mark == "o" and rows[-1][:2] == (column, "o"):
            rows[-1] = (column, mark, f"{rows[-1][2]}; {words}")
        else:
            rows.append((column, mark, words))
    lines = []
    for column, mark, words in rows:
        line = [" "] * width
        if cut_off is not None:
            line[place(cut_off)] = "|"
        line[column] = mark
        lines.append(f"{''.join(line)}  {words}".rstrip())
    return "\n".join(lines)
