"""Signals: what a data sheet or software shows about where and when a chip was made.

Every signal is an interval, and missing is normal. None is the label in disguise: the foundry, the node found in
a teardown, part marks, date codes (``2035`` is printed on parts of every year), packaging brands and the evidence
are never read. The designer selects the cut-off date and the earlier parts to compare with; it is no signal.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from math import exp, inf, log, log2, pi, sqrt
from typing import Final

import numpy as np

from perfcalc.facts import Numbers
from perfcalc.fields import ORIGIN_FIELDS
from perfcalc.origin.tables import (
    HOME,
    Part,
    controls,
    designer_key,
    fits,
    frontier,
    nodes,
    parts,
    technologies,
    years,
)

#: name -> what it is. The order is the order of the kernel's columns.
SIGNALS: Final[dict[str, str]] = {
    "modelled": "1 if it is an integrated circuit or memory",
    "cut_off": "1 if a cut-off date is known for the designer, or for this maker's products",
    "launch": "years from the cut-off to the product's launch",
    "seen": "years from the cut-off to the first sight of the design: announced, or an earlier part of the same specification",
    "newest": "years from the cut-off to the first announcement of the newest technology in it",
    "node_gap": "how much finer the claimed node is than the domestic frontier when the design was first seen, in halvings",
    "geometry": "natural logarithm of P(measured geometry | domestic nodes) over P(... | foreign nodes)",
    "geometry_home": "1 if two or more measurements fit a domestic node in volume by then",
    "geometry_abroad": "1 if two or more measurements fit a foreign node",
    "low_volume": "1 for laptops, servers, base stations and the like, whose stock lasts longer",
    "made_abroad": "1 if designer and maker are foreign, or the maker's own fabs are",
    "own_fab_home": "1 if the maker has fabs of its own, all at home",
    "domestic_process_name": "1 if the claimed process is one that only a domestic foundry offers",
    "moved_home": "1 for a slower re-issue of an earlier part on a larger node that a domestic foundry had",
    "die_bank": "1 if foreign dies got after the cut-off are known in this designer's parts of the class and time",
}
INDEX: Final = {name: position for position, name in enumerate(SIGNALS)}

MASS: Final = re.compile(r"phone|tablet|camera|wear|watch|tv", re.IGNORECASE)
NOT_A_CLAIM: Final = re.compile(r"rumou?r|reported|inferred|speculat|leak|\?", re.IGNORECASE)
OWN_NAMES: Final = re.compile(r"\bN\+[123]\b", re.IGNORECASE)
SAME_CLOCK: Final = 0.01
#: Of each measurement: standard deviation (absolute, or relative where that is 0) and the plausible span.
SPREADS: Final = {
    "gate_pitch_nm": (1.0, 0.0, 80.0),
    "cell_height_nm": (4.0, 0.0, 470.0),
    "measured_density_mtr_mm2": (0.0, 0.08, 225.0),
}
GEOMETRY_LIMIT: Final = 6.0


@dataclass
class Signals:
    """Signals of a batch: two matrices of one row an item, one column a signal.

    Attributes
    ----------
    low, high
        Ends of the interval of each signal; minus and plus infinity when nothing is known.
    notes
        For each row, the words that go with a signal: ``{signal: text}``.
    """

    low: Numbers
    high: Numbers
    notes: list[dict[str, str]] = field(default_factory=list)

    def take(self, rows: Sequence[int]) -> Signals:
        """Some of the rows."""
        return Signals(self.low[rows], self.high[rows], [self.notes[row] for row in rows])

    def without(self, name: str) -> Signals:
        """The same signals with one of them unknown."""
        low, high = self.low.copy(), self.high.copy()
        low[:, INDEX[name]], high[:, INDEX[name]] = -inf, inf
        return Signals(low, high, self.notes)


@cache
def read_day(text: str) -> tuple[float | None, float | None]:
    """The first and last day, in years, that ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD`` can mean."""
    found = re.fullmatch(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?(?:[T ].*)?", text.strip())
    if not found:
        return None, None
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        assert year is not None
        first = date(year, month or 1, day or 1)
        last = date(year, month or 12, day or monthrange(year, month or 12)[1])
    except ValueError:
        return None, None
    return years(first), years(last)


@cache
def claimed_nm(text: str) -> float | None:
    """The node that the maker claims, in marketed nm; a rumour is not a claim."""
    if NOT_A_CLAIM.search(text):
        return None
    found = re.search(r"(\d+(?:\.\d+)?)\s*-?nm", text, re.IGNORECASE) or re.fullmatch(r"(\d+)", text.strip())
    return float(found[1]) if found and float(found[1]) > 0 else None


@cache
def core_names(text: str) -> frozenset[str]:
    """The licensed and own cores that a cell names."""
    known = {technology.name for technology in technologies() if technology.pattern.search(text)}
    own = {word.casefold() for word in re.findall(r"TaiShan|LoongArch|Oryon|Zen|0x[0-9a-f]{3}\b", text, re.IGNORECASE)}
    return frozenset(known | own)


def _float(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < inf else None


Days = tuple[float | None, float | None]


class _Reading:
    """The signals of one item while they are being read."""

    def __init__(self, cell: Mapping[str, str], earlier: Sequence[Part]) -> None:
        self.cell = cell
        self.low, self.high = [-inf] * len(SIGNALS), [inf] * len(SIGNALS)
        self.notes: dict[str, str] = {}
        self.launch = read_day(cell["product_launch"] or cell["release_date"])
        self.claim = claimed_nm(cell["process_node"])
        self.cores, self.clock = core_names(cell["cpu_ip"]), _float(cell["peak_clock_ghz"])
        before = self.launch[1] if self.launch[1] is not None else inf
        self.known = _known_parts(cell, before, earlier)
        self.control = next((each for each in controls()["controls"] if fits(each, cell)), None)

    def put(self, name: str, first: float, last: float | None = None, note: str = "") -> None:
        """Set a signal, with the words that go with it."""
        self.low[INDEX[name]], self.high[INDEX[name]] = first, first if last is None else last
        if note:
            self.notes[name] = note

    def cut_off(self) -> Days:
        """When the designer was cut off: as the sheet says, else as the table of cut-offs does."""
        days = read_day(self.cell["control_date"])
        if days[0] is not None:
            self.notes["cut_off"] = f"cut off on {self.cell['control_date']}"
        elif self.control is not None:
            days = (years(self.control["date"]),) * 2
            self.notes["cut_off"] = f"cut off on {self.control['date']}: {self.control['basis']}"
        self.put("cut_off", float(days[0] is not None))
        return days

    def maker(self) -> None:
        """Whether designer and fabs are abroad or at home, and what kind of product it is."""
        fab = next(
            (bool(each["home"]) for each in controls()["own_fabs"] if fits({"designer": each["maker"]}, self.cell)),
            None,
        )
        country = self.cell["designer_country"].upper() or (self.control or {}).get("country", "")
        self.put("own_fab_home", float(fab is True))
        abroad = fab is False or (fab is None and country not in ("", HOME))
        self.put("made_abroad", float(abroad), 1.0 if abroad or (fab is None and not country) else 0.0)
        if self.cell["product_class"]:
            self.put("low_volume", float(not MASS.search(self.cell["product_class"])))
        self.put("die_bank", 0.0)
        for bank in controls()["die_banks"]:
            over = self.launch[0] is not None and self.launch[0] >= years(bank["until"])
            early = self.launch[1] is not None and self.launch[1] < years(bank["from"])
            if fits(bank, self.cell) and not over and not early:
                self.put("die_bank", 1.0, note=bank["basis"])

    def first_seen(self) -> Days:
        """When the design was first seen: as announced, or in an earlier part with the same cores and clock.

        A release date alone counts only where cores and clock are known: else an old die under a new name would pass
        for a new design.
        """
        released = self.cell["product_launch"] or (self.cores and self.clock is not None)
        seen = read_day(self.cell["chip_announced"] or (self.cell["release_date"] if released else ""))
        name = self.cell["name"]
        twin = next((part for part in self.known if _same_design(part, name, self.cores, self.clock)), None)
        if twin is not None and (seen[1] is None or twin.announced <= seen[1]):
            seen = (twin.announced, twin.announced)
            if twin.name.casefold() != name.casefold():
                self.notes["seen"] = f"same cores and clock as {twin.name}, announced {twin.announced_text}"
        if seen[1] is not None and self.launch[1] is not None and self.launch[1] < seen[1]:
            return self.launch  # a design cannot be newer than the product it is in
        return seen

    def node(self, when: float | None) -> None:
        """The claimed node against what domestic foundries had on a day."""
        named = OWN_NAMES.search(self.cell["process_node"])
        self.put("domestic_process_name", float(named is not None), note=f"claims {named[0]}" if named else "")
        if self.claim is None or when is None:
            return
        finest = frontier(when)
        note = f"claims {self.claim:g} nm, where domestic foundries had {finest:g} nm"
        self.put("node_gap", log2(finest / self.claim), note=note)
        if self.clock is None or not self.cores:
            return
        self.put("moved_home", 0.0)
        for part in self.known:
            if _moved_home(part, self.cores, self.clock, self.claim, finest):
                change = f"{100 * (self.clock / (part.clock_ghz or self.clock) - 1):+.0f} % clock"
                self.put(
                    "moved_home", 1.0, note=f"{part.name} again, {change}, {part.claimed_nm:g} to {self.claim:g} nm"
                )
                break

    def times(self, cut: Days, seen: Days) -> None:
        """Launch, first sight and newest technology, in years from the cut-off."""
        if cut[0] is None or cut[1] is None:
            return
        if self.launch[0] is not None and self.launch[1] is not None:
            self.put("launch", self.launch[0] - cut[1], self.launch[1] - cut[0])
        if seen[0] is not None and seen[1] is not None:
            self.put("seen", seen[0] - cut[1], seen[1] - cut[0])
        elif self.launch[1] is not None:
            self.put("seen", -inf, self.launch[1] - cut[0])
        named = [each for each in technologies() if each.name in self.cores]
        if named:
            newest = max(named, key=lambda each: each.first_public)
            after = newest.first_public - cut[0]
            self.put("newest", after, note=f"{newest.name} was announced {span(after)} the cut-off")
        if self.low[INDEX["made_abroad"]] == 1.0 and seen[0] is not None:
            # A foreign maker's part is its own technology: when it first shipped is what counts.
            after = seen[0] - cut[1]
            self.put("newest", after, note=f"the part first shipped {span(after)} the cut-off")


def of_item(
    facts: Mapping[str, str], earlier: Sequence[Part] | None = None
) -> tuple[list[float], list[float], dict[str, str]]:
    """The signals of one item, from its cells: low ends, high ends, and words.

    Parameters
    ----------
    facts
        ``{field: text}`` with the fields of ``perfcalc.fields.ORIGIN_FIELDS``.
    earlier
        Parts to compare with; those that ship by default.
    """
    cell = {name: (facts.get(name) or "").strip() for name in ORIGIN_FIELDS}
    reading = _Reading(cell, parts() if earlier is None else earlier)
    reading.put("modelled", float(cell["kind"].casefold() in ("", "ic", "memory")))
    cut = reading.cut_off()
    reading.maker()
    seen = reading.first_seen()
    reading.node(seen[1] if seen[1] is not None else reading.launch[1])
    _put_geometry(cell, reading.launch[1], reading.put)
    reading.times(cut, seen)
    return reading.low, reading.high, reading.notes


def span(time: float) -> str:
    """Years from the cut-off in words."""
    size = abs(time)
    words = (
        f"{size:.1f} years"
        if size >= 1
        else f"{round(size * 12)} months"
        if size >= 0.125
        else f"{round(size * 365.25)} days"
    )
    return f"{words} {'after' if time >= 0 else 'before'}"


def _known_parts(cell: Mapping[str, str], before: float, earlier: Sequence[Part]) -> list[Part]:
    """Parts of the same designer that were announced before this product came out."""
    key = designer_key(cell["designer"])
    return [part for part in earlier if key and part.designer == key and part.announced <= before]


def _same_design(part: Part, name: str, cores: frozenset[str], clock: float | None) -> bool:
    if part.name.casefold() == name.casefold():
        return True
    if not cores or part.cores != cores or clock is None or part.clock_ghz is None:
        return False
    return abs(log(clock / part.clock_ghz)) <= SAME_CLOCK


def _moved_home(part: Part, cores: frozenset[str], clock: float, claim: float, frontier_nm: float) -> bool:
    """Same cores as an earlier part, at least 3 % slower, on a larger node that a domestic foundry had in volume."""
    return (
        part.cores == cores
        and part.clock_ghz is not None
        and part.claimed_nm is not None
        and part.claimed_nm < claim
        and clock <= 0.97 * part.clock_ghz
        and frontier_nm <= claim
    )


def _put_geometry(cell: Mapping[str, str], until: float | None, put: Callable[..., None]) -> None:
    """How well measured geometry fits the nodes of either side that were in volume by then."""
    measured = {name: value for name in SPREADS if (value := _float(cell[name])) is not None}
    if not measured:
        return
    likelihood: dict[bool, list[float]] = {True: [], False: []}
    fit = {True: False, False: False}
    for node in nodes():
        if until is not None and node.since > until and node.since != inf:
            continue
        table = {
            "gate_pitch_nm": node.gate_pitch_nm,
            "cell_height_nm": node.cell_height_nm,
            "measured_density_mtr_mm2": node.density_mtr_mm2,
        }
        product, close = 1.0, len(measured) >= 2
        for name, value in measured.items():
            absolute, relative, plausible = SPREADS[name]
            known = table[name]
            if known is None:
                product, close = product / plausible, False
                continue
            spread = absolute or relative * known
            away = (value - known) / spread
            product *= exp(-0.5 * away * away) / (spread * sqrt(2 * pi))
            close = close and abs(away) <= 2
        likelihood[node.home].append(product)
        fit[node.home] = fit[node.home] or close
    home, abroad = (max(sum(likelihood[side]) / max(len(likelihood[side]), 1), 1e-12) for side in (True, False))
    ratio = max(-GEOMETRY_LIMIT, min(GEOMETRY_LIMIT, log(home / abroad)))
    put("geometry", ratio, note=", ".join(f"{name} {value:g}" for name, value in measured.items()))
    if len(measured) >= 2:
        put("geometry_home", float(fit[True]))
        put("geometry_abroad", float(fit[False]))


def of_rows(rows: Sequence[Mapping[str, str]], earlier: Sequence[Part] | None = None) -> Signals:
    """The signals of many items; equal rows are read once."""
    known: dict[tuple[str, ...], tuple[list[float], list[float], dict[str, str]]] = {}
    low, high = (np.empty((len(rows), len(SIGNALS))) for _ in range(2))
    notes: list[dict[str, str]] = []
    for position, row in enumerate(rows):
        key = tuple(row.get(name) or "" for name in ORIGIN_FIELDS)
        if key not in known:
            known[key] = of_item(row, earlier)
        low[position], high[position], words = known[key]
        notes.append(words)
    return Signals(low, high, notes)
