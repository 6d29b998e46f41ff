"""Answers that follow from dates and facts, as rules of data: see ``certain.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import yaml

from perfcalc.facts import Indices, Numbers
from perfcalc.kernel import kernel
from perfcalc.origin.signals import INDEX
from perfcalc.origin.tables import HERE

ORIGINS: Final = ("stockpiled", "domestic", "diverted", "lawful_foreign", "cannot_tell", "not_applicable")
OPERATORS: Final = (">=", ">", "<=", "<", "=")


@dataclass(frozen=True)
class Certain:
    """One rule: when all its conditions hold, its origin is the answer.

    Attributes
    ----------
    when
        ``(signal, operator, limit)`` each.
    """

    name: str
    when: tuple[tuple[str, str, float], ...]
    origin: str
    because: str
    needs: str


@cache
def certain_rules() -> tuple[Certain, ...]:
    """The rules in their order."""
    rules = []
    for rule in yaml.safe_load((HERE / "certain.yaml").read_text("utf-8"))["rules"]:
        when = []
        for condition in rule["when"]:
            signal, operator, limit = condition.split()
            if signal not in INDEX or operator not in OPERATORS or rule["origin"] not in ORIGINS:
                raise ValueError(f"certain.yaml: {rule['name']}: {condition!r} cannot be used")
            when.append((signal, operator, float(limit)))
        rules.append(Certain(rule["name"], tuple(when), rule["origin"], rule["because"], rule["needs"]))
    return tuple(rules)


@cache
def program() -> tuple[Indices, Indices, Indices, Numbers]:
    """The rules as arrays: of each condition its rule, signal, operator and limit."""
    conditions = [
        (number, INDEX[signal], OPERATORS.index(operator), limit)
        for number, rule in enumerate(certain_rules())
        for signal, operator, limit in rule.when
    ]
    columns = list(zip(*conditions, strict=True))
    return (
        np.array(columns[0], dtype=np.int64),
        np.array(columns[1], dtype=np.int64),
        np.array(columns[2], dtype=np.int64),
        np.array(columns[3], dtype=np.float64),
    )


@kernel
def first_rule(
    low: Numbers,
    high: Numbers,
    row: int,
    rule: Indices,
    signal: Indices,
    operator: Indices,
    limit: Numbers,
) -> int:
    """The number of the first rule whose conditions all hold for a row, or -1."""
    holds = True
    for c in range(rule.shape[0]):
        if c > 0 and rule[c] != rule[c - 1]:
            if holds:
                return int(rule[c - 1])
            holds = True
        if holds:
            least, most = low[row, signal[c]], high[row, signal[c]]
            code = operator[c]
            if code == 0:
                holds = least >= limit[c]
            elif code == 1:
                holds = least > limit[c]
            elif code == 2:
                holds = most <= limit[c]
            elif code == 3:
                holds = most < limit[c]
            else:
                holds = least == limit[c] and most == limit[c]
    return int(rule[rule.shape[0] - 1]) if holds else -1
