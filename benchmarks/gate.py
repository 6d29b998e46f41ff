"""The gate: a ratio that is worse than its history allows fails the run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from history import Run, earlier

#: However quiet the history, a ratio may be worse than usual by this much.
LEAST = 0.25
#: However restless the history, no more than this: a benchmark that swings farther needs mending, not patience.
MOST = 0.5
#: Standard deviations that chance may take; a median absolute deviation of normal noise is 1 / 1.4826 of one.
DEVIATIONS = 3 * 1.4826
#: Runs that are looked back on, so that what was made faster is soon expected to stay so.
RECENT = 10


@dataclass(frozen=True)
class Finding:
    """One ratio of a run beside what it usually is.

    Attributes
    ----------
    usual
        The median of the recent runs that can be compared; none, if there is none.
    band
        By what part of it a ratio may be worse.
    """

    case: str
    peer: str
    ratio: float
    past: Sequence[float]

    @property
    def usual(self) -> float | None:
        return median(self.past) if self.past else None

    @property
    def band(self) -> float:
        if self.usual is None:
            return LEAST
        spread = median(abs(each - self.usual) for each in self.past) / self.usual
        return min(max(DEVIATIONS * spread, LEAST), MOST)

    @property
    def is_worse(self) -> bool:
        return self.usual is not None and self.ratio > self.usual * (1 + self.band)


def findings(run: Run, history: Iterable[Run]) -> list[Finding]:
    """Every ratio of a run beside its history."""
    runs = list(history)
    return [
        Finding(case, peer, ratio, earlier(runs, run, case, peer)[-RECENT:])
        for case, found in run.ratios.items()
        for peer, ratio in found.items()
    ]
