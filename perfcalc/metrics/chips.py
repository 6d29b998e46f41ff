"""Metrics of an integrated circuit: TPP, performance density and their relatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from perfcalc.facts import UNROUNDED, Facts, Flags, Labels, Numbers
from perfcalc.fields import RATES, USUAL_RATES
from perfcalc.kernel import alike, kernel, run
from perfcalc.metrics.packages import join_boards, join_units
from perfcalc.metrics.ratios import divide
from perfcalc.metrics.readings import Readings

Bounds = tuple[Numbers, Numbers]

#: What most matrix units add up in, for the reading of 2022 that counts outputs.
ACCUMULATOR_BITS = 32

#: Rates that one pass takes.
EIGHT: Final = 8

#: What the metrics of an IC share besides the highest rates.
CLAIMED: Final = "claimed"


@kernel
def highest_of_eight(
    rates: Sequence[Numbers],
    weights: Sequence[float],
    places: Sequence[int],
    zero: float | Fraction,
    best: Numbers,
    winner: Labels,
    plain: Numbers,
) -> None:
    """The highest of eight rates × weights (`best`), of the first that gave it the place (`winner`), and the highest rate.

    All eight at once, weighted and plain: passes over memory cost more than the arithmetic does.
    """
    one, two, three, four, five, six, seven, eight = rates
    for i in range(best.shape[0]):
        highest, which, most = zero, -1, zero
        rate = one[i]
        value = rate * weights[0]
        which = places[0] if value > highest else which
        highest = max(highest, value)
        most = max(most, rate)
        rate = two[i]
        value = rate * weights[1]
        which = places[1] if value > highest else which
        highest = max(highest, value)
        most = max(most, rate)
        rate = three[i]
        value = rate * weights[2]
        which = places[2] if value > highest else which
        highest = max(highest, value)
        most = max(most, rate)
        rate = four[i]
        value = rate * weights[3]
        which = places[3] if value > highest else which
        highest = max(highest, value)
        most = max(most, rate)
        rate = five[i]
        value = rate * weights[4]
        which = places[4] if value > highest else which
        highest = max(highest, value)
        most = max(most, rate)
        rate = six[i]
        value = rate * weights[5]
        which = places[5] if value > highest else which
        highest = max(highest, value)
        most = max(most, rate)
        rate = seven[i]
        value = rate * weights[6]
        which = places[6] if value > highest else which
        highest = max(highest, value)
        most = max(most, rate)
        rate = eight[i]
        value = rate * weights[7]
        which = places[7] if value > highest else which
        highest = max(highest, value)
        most = max(most, rate)
        best[i] = highest
        winner[i] = which
        plain[i] = most


def claims_a_rate(facts: Facts) -> Flags:
    """Rows that claim at least one rate."""
    if CLAIMED not in facts.shared:
        # Columns without a blank share their flags.
        given = {id(flags): flags for rate in RATES if (flags := facts.given.get(rate.name)) is not None}
        facts.shared[CLAIMED] = np.logical_or.reduce([np.zeros(facts.size, dtype=bool), *given.values()])
    claimed: Flags = facts.shared[CLAIMED]
    return claimed


@dataclass(frozen=True)
class _Highest:
    """The highest rate × bits of each item, both bounds; the highest rate whatever its bits; and which rate gave the first."""

    weighted: Bounds
    plain: Bounds
    winner: Labels


def _highest(facts: Facts, names: Sequence[str], bits: Sequence[int]) -> _Highest:
    """Several metrics ask for the highest of the same rates: one pass over them answers all."""
    key = (tuple(names), tuple(bits))
    if key not in facts.shared:
        low = _highest_of(facts, facts.low, names, bits)
        is_point = all(facts.low[name] is facts.high[name] for name in names)
        high = low if is_point else _highest_of(facts, facts.high, names, bits)
        facts.shared[key] = _Highest((low[0], high[0]), (low[2], high[2]), low[1])
    found: _Highest = facts.shared[key]
    return found


def _highest_of(
    facts: Facts, side: Mapping[str, Numbers], names: Sequence[str], bits: Sequence[int]
) -> tuple[Numbers, Labels, Numbers]:
    """One bound: the highest rate × bits, the place of the rate that gave it (-1: none above zero), the highest rate."""
    order = [rate.name for rate in RATES]
    found: list[tuple[Numbers, Labels, Numbers]] = []
    for start in range(0, len(names), EIGHT):
        # The last rate stands in for those that are not there: it cannot win twice.
        eight = [min(start + offset, len(names) - 1) for offset in range(EIGHT)]
        best, plain, winner = facts.empty(), facts.empty(), np.empty(facts.size, dtype=np.int8)
        run(
            highest_of_eight,
            facts.exact,
            alike(side[names[each]] for each in eight),
            tuple(bits[each] for each in eight),
            tuple(order.index(names[each]) for each in eight),
            facts.zero,
            best,
            winner,
            plain,
        )
        found.append((best, winner, plain))
    if not found:
        return facts.full(0), np.full(facts.size, -1, dtype=np.int8), facts.full(0)
    best, winner, plain = found[0]
    for others, place, rates in found[1:]:
        higher = np.asarray(others > best, dtype=bool)
        best, winner = np.where(higher, others, best), np.where(higher, place, winner)
        plain = np.where(np.asarray(rates > plain, dtype=bool), rates, plain)
    return best, winner, plain


def _over_units(
    metric: str,
    facts: Facts,
    readings: Readings,
    bits_of: Callable[[str, int], int],
    label: str | None = None,
    plain: bool = False,
) -> Bounds:
    """The highest weighted rate of each processing unit, joined over the units of each IC; or the highest `plain` rate.

    An item that claims no rate at all is unknown, not zero.
    """
    present = [rate for rate in RATES if rate.name in facts.low]
    names = [rate.name for rate in present]
    bits = [bits_of(rate.name, rate.bits) for rate in present]
    weights = [1] * len(bits) if plain else bits
    vector = names.index("fp32_tflops") if readings.vector == "added" and "fp32_tflops" in names else None
    apart = [place for place in range(len(names)) if place != vector]
    found = _highest(facts, [names[place] for place in apart], [bits[place] for place in apart])
    if label is not None:
        facts.labels[label] = found.winner
    low, high = found.plain if plain else found.weighted
    if vector is not None:
        low = low + facts.low["fp32_tflops"] * weights[vector]
        high = high + facts.high["fp32_tflops"] * weights[vector]
    elif facts.links is None and facts.certain.issuperset(names) and UNROUNDED.issuperset(weights):
        facts.certain.add(metric)
    claimed = claims_a_rate(facts)
    if not claimed.all():
        unclaimed = ~claimed
        high = np.where(unclaimed, np.inf, high)
        for name in USUAL_RATES:
            known = np.asarray(facts.low[name] == facts.high[name], dtype=bool) if name in facts.low else True
            facts.unsettled[name] = unclaimed | ~np.broadcast_to(known, facts.size)
    low, high = join_units(facts, readings.units, low, high, names, weights)
    return join_boards(facts, readings.board, low, high)


def _input_bits(readings: Readings) -> Callable[[str, int], int]:
    return lambda name, bits: int(readings.tf32_bits) if name == "tf32_tflops" else bits


def total_processing_performance(facts: Facts, readings: Readings) -> Bounds:
    """TPP = 2 × MacTOPS × bit length, added over all processing units.

    A datasheet counts one multiply-accumulate as two operations, so 2 × MacTOPS is the datasheet's dense TOPS or
    TFLOPS; it is never doubled again. Of several bit lengths the highest TPP counts.

    Source: 15 CFR 774 Supp. 1, 3A090, technical notes 1 to 3.
    """
    return _over_units("tpp", facts, readings, _input_bits(readings), "tpp_format")


def processing_performance_2022(facts: Facts, readings: Readings) -> Bounds:
    """TOPS × bit length per operation, aggregated: the number of the October 2022 rule (87 FR 62186), 3A090.a."""
    inputs, least = _input_bits(readings), ACCUMULATOR_BITS if readings.bit_length_2022 == "outputs" else 0
    return _over_units(
        "processing_performance_2022", facts, readings, lambda name, bits: max(inputs(name, bits), least)
    )


def processing_tops(facts: Facts, readings: Readings) -> Bounds:
    """TOPS = 2 × MacTOPS added over all processing units, whatever the bit length.

    Source: 15 CFR 774 Supp. 1, 3A991.p, technical notes.
    """
    return _over_units("processing_tops", facts, readings, _input_bits(readings), plain=True)


@kernel
def applicable_area(
    die: Numbers,
    nonplanar: Numbers,
    nonplanar_given: Flags,
    architecture: Numbers,
    architecture_given: Flags,
    all_may_apply: bool,
    zero: float | Fraction,
    bound: Numbers,
) -> None:
    """One bound of the applicable die area, see `applicable_die_area`."""
    for i in range(die.shape[0]):
        if nonplanar_given[i]:
            bound[i] = nonplanar[i]
        elif architecture_given[i]:
            # The code of this bound: 0 planar, 1 non-planar.
            bound[i] = die[i] if architecture[i] > 0 else zero
        else:
            bound[i] = die[i] if all_may_apply else zero


def applicable_die_area(facts: Facts, readings: Readings) -> Bounds:
    """Area in mm² of all logic dies made on a process node with non-planar transistors.

    Zero for a planar chip. A chip whose nodes are partly planar lies between zero and its die area unless the sheet
    gives `nonplanar_die_area_mm2`.

    Source: 15 CFR 774 Supp. 1, 3A090, technical note 4 ('applicable die area').
    """
    die = facts.interval("die_area_mm2")
    stated = facts.is_given("transistor_architecture")
    nonplanar_given = facts.is_given("nonplanar_die_area_mm2")
    assume = readings.unstated_architecture == "non_planar"
    if assume and not stated.any() and not nonplanar_given.any():
        facts.unsettled.pop("die_area_mm2", None)  # where its interval is wide
        facts.unsettled["nonplanar_die_area_mm2"] = nonplanar_given
        return join_boards(facts, readings.board, *die)
    nonplanar, architecture = facts.interval("nonplanar_die_area_mm2"), facts.interval("transistor_architecture")
    bounds = []
    for side in (0, 1):
        bound = facts.empty()
        run(
            applicable_area,
            facts.exact,
            die[side],
            nonplanar[side],
            nonplanar_given,
            architecture[side],
            stated,
            assume or side == 1,
            facts.zero,
            bound,
        )
        bounds.append(bound)
    low, high = bounds
    may_be_nonplanar = ~nonplanar_given & ~(stated & np.asarray(architecture[1] == 0, dtype=bool))
    die_known = np.asarray(die[0] == die[1], dtype=bool)
    undecided = stated & np.asarray(architecture[0] != architecture[1], dtype=bool)
    facts.unsettled["die_area_mm2"] = may_be_nonplanar & ~die_known
    facts.unsettled["nonplanar_die_area_mm2"] = (~nonplanar_given & undecided & die_known) | (
        nonplanar_given & np.asarray(nonplanar[0] != nonplanar[1], dtype=bool)
    )
    return join_boards(facts, readings.board, low, high)


def performance_density(facts: Facts, readings: Readings) -> Bounds:
    """TPP ÷ applicable die area, in TPP per mm².

    A planar chip has an applicable area of zero and so no performance density: the interval is empty and no
    condition on it can be met. The law gives no substitute.

    Source: 15 CFR 774 Supp. 1, 3A090, technical note 4.
    """
    return divide(facts, facts.interval("tpp"), facts.interval("applicable_die_area_mm2"))


def aggregated_transistors(facts: Facts, readings: Readings) -> Bounds:
    """'Aggregated approximated transistor count' in billions: as counted, else node density × applicable area.

    Source: 15 CFR 774 Supp. 1, 3A090, note 1 to 3A090.a (two ways of counting).
    """
    area, density = facts.interval("applicable_die_area_mm2"), facts.interval("logic_density_mtr_mm2")
    counted, stated = facts.interval("transistors_bn"), facts.is_given("transistors_bn")
    low, high = facts.full(0), facts.full(0)
    planar = facts.is_given("transistor_architecture") & np.asarray(
        facts.interval("transistor_architecture")[1] == 0, dtype=bool
    )
    for side, bound in enumerate((low, high)):
        # Unknown area or density is an infinity, whose product with a zero would be no number at all.
        known = np.asarray((area[side] < np.inf) & (density[side] < np.inf), dtype=bool)
        bound[:] = facts.full(0 if side == 0 else np.inf)
        bound[known] = area[side][known] * density[side][known] / 1000
        bound[stated] = counted[side][stated]
        bound[planar] = facts.full(0)[planar]
    return low, high


def memory_and_interconnect(facts: Facts, readings: Readings) -> Bounds:
    """Total DRAM bandwidth and interconnect bandwidth, added, in GB/s.

    Source: S.3374 (119th Congress), a bill: no law in force tests it.
    """
    memory, links = facts.interval("memory_bandwidth_gb_s"), facts.interval("interconnect_gb_s")
    low = memory[0] + links[0]
    return low, low if memory[0] is memory[1] and links[0] is links[1] else memory[1] + links[1]
