"""Results as ratios: perfcalc's median time divided by that of everything that stood beside it in the same run.

A second says as much of the machine as of the program; the ratio of two medians of one run says less of the machine.
Below one perfcalc is faster. A benchmark called ``test_perfcalc`` (or ``test_score``) is perfcalc's; every other of its
group with the same parameters, or without any, stands beside it, and one called ``test_bare_...`` is the machine's limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

OURS = ("test_perfcalc", "test_score")
#: The median of fewer rounds is none.
ROUNDS = 5


@dataclass(frozen=True)
class Measured:
    """One benchmark of a run."""

    case: str
    peer: str
    group: str
    parameters: Mapping[str, str]
    seconds: float
    rows: int | None
    suite: str

    @property
    def is_ours(self) -> bool:
        return not self.peer

    def stands_beside(self, ours: Measured) -> bool:
        return self.group == ours.group and not self.is_ours and self.parameters.items() <= ours.parameters.items()


def measured(report: Mapping[str, Any]) -> Iterator[Measured]:
    """The benchmarks of a report of pytest-benchmark that ran often enough."""
    for each in report["benchmarks"]:
        if each["stats"]["rounds"] < ROUNDS:
            continue
        name, group = each["name"].split("[")[0], each["group"] or each["name"]
        yield Measured(
            case=f"{group} {each['param']}" if each.get("param") else group,
            peer="" if name in OURS else name.removeprefix("test_"),
            group=group,
            parameters={key: str(value) for key, value in (each.get("params") or {}).items()},
            seconds=each["stats"]["median"],
            rows=each["extra_info"].get("rows"),
            suite=each["fullname"].split("::")[0].rsplit("/", 1)[-1].removeprefix("test_").removesuffix(".py"),
        )


def left_out(report: Mapping[str, Any]) -> list[str]:
    """The names of benchmarks that ran too few rounds to count."""
    return [each["name"] for each in report["benchmarks"] if each["stats"]["rounds"] < ROUNDS]


def ratios(report: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """For each case, perfcalc's time divided by that of each peer and of the machine's limit."""
    everything = list(measured(report))
    return {
        ours.case: {
            each.peer: float(f"{ours.seconds / each.seconds:.4g}") for each in everything if each.stands_beside(ours)
        }
        for ours in everything
        if ours.is_ours
    }


def is_limit(peer: str) -> bool:
    """Whether this is what the machine takes to touch the bytes, and no library."""
    return peer.startswith("bare")
