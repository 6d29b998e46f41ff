"""Metrics of an integrated circuit: TPP, performance density and their relatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from perfcalc.facts import UNROUNDED, Facts, Flags, Labels, Numbers
from perfcalc.fields import RATES, USUAL_RATES
from perfcalc.kernel import kernel, run
from perfcalc.metrics.packages import join_boards, join_units
from perfcalc.metrics.ratios import divide
from perfcalc.metrics.readings import Readings

Bounds = tuple[Numbers, Numbers]

#: What most matrix units add up in, for the reading of 2022 that counts outputs.
ACCUMULATOR_BITS = 32


@kernel
def highest_of_four(
    one: Numbers,
    two: Numbers,
    three: Numbers,
    four: Numbers,
    weights: Sequence[int],
    places: Sequence[int],
    best: Numbers,
    winner: Labels,
) -> None:
    """Raise `best` to the highest of itself and four rates × weights; `winner` is the place of the first that gave it.

    Four at a time: the passes over `best` cost more than the rates do.
    """
    for i in range(best.shape[0]):
        highest, which = best[i], winner[i]
        value = one[i] * weights[0]
        which = places[0] if value > highest else which
        highest = max(highest, value)
        value = two[i] * weights[1]
        which = places[1] if value > highest else which
        highest = max(highest, value)
        value = three[i] * weights[2]
        which = places[2] if value > highest else which
        highest = max(highest, value)
        value = four[i] * weights[3]
        which = places[3] if value > highest else which
        best[i] = max(highest, value)
        winner[i] = which


def claims_a_rate(facts: Facts) -> Flags:
    """Rows that claim at least one rate."""
    claimed = np.zeros(facts.size, dtype=bool)
    for rate in RATES:
        if rate.name in facts.given:
            claimed |= facts.given[rate.name]
    return claimed


def _best(facts: Facts, names: Sequence[str], bits: Sequence[int], label: str | None = None) -> Bounds:
    """Both bounds of the highest rate × bits over the rates called `names`, and which one it is."""
    order = [rate.name for rate in RATES]
    bounds: list[Numbers] = []
    for side in (facts.low, facts.high):
        if bounds and all(facts.low[name] is facts.high[name] for name in names):
            bounds.append(bounds[0])
            continue
        best, winner = facts.full(0), np.full(facts.size, -1, dtype=np.int8)
        for start in range(0, len(names), 4):
            # The last rate stands in for those that are not there: it cannot win twice.
            four = [min(start + offset, len(names) - 1) for offset in range(4)]
            one, two, three, last = (side[names[each]] for each in four)
            weights = tuple(int(bits[each]) for each in four)
            places = tuple(order.index(names[each]) for each in four)
            run(highest_of_four, facts.exact, one, two, three, last, weights, places, best, winner)
        if label is not None and not bounds:
            facts.labels[label] = winner
        bounds.append(best)
    return bounds[0], bounds[1]


def _over_units(
    metric: str, facts: Facts, readings: Readings, bits_of: Callable[[str, int], int], label: str | None = None
) -> Bounds:
    """The highest weighted rate of each processing unit, joined over the units of each IC.

    An item that claims no rate at all is unknown, not zero.
    """
    present = [rate for rate in RATES if rate.name in facts.low]
    names = [rate.name for rate in present]
    bits = [bits_of(rate.name, rate.bits) for rate in present]
    if readings.vector == "added" and "fp32_tflops" in names:
        vector = names.index("fp32_tflops")
        others = names[:vector] + names[vector + 1 :]
        low, high = _best(facts, others, bits[:vector] + bits[vector + 1 :], label)
        low = low + facts.low["fp32_tflops"] * bits[vector]
        high = high + facts.high["fp32_tflops"] * bits[vector]
    else:
        low, high = _best(facts, names, bits, label)
        if facts.links is None and facts.certain.issuperset(names) and UNROUNDED.issuperset(bits):
            facts.certain.add(metric)
    unclaimed = ~claims_a_rate(facts)
    if unclaimed.any():
        high = high.copy() if high is low else high
        high[unclaimed] = np.inf
        for name in USUAL_RATES:
            known = np.asarray(facts.low[name] == facts.high[name], dtype=bool) if name in facts.low else True
            facts.unsettled[name] = unclaimed | ~np.broadcast_to(known, facts.size)
    low, high = join_units(facts, readings.units, low, high, names, bits)
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
    return _over_units("processing_tops", facts, readings, lambda _name, _bits: 1)


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
    die, nonplanar = facts.interval("die_area_mm2"), facts.interval("nonplanar_die_area_mm2")
    architecture = facts.interval("transistor_architecture")
    stated = facts.is_given("transistor_architecture")
    nonplanar_given = facts.is_given("nonplanar_die_area_mm2")
    assume = readings.unstated_architecture == "non_planar"
    if assume and not stated.any() and not nonplanar_given.any():
        facts.unsettled["die_area_mm2"] = np.asarray(die[0] != die[1], dtype=bool)
        facts.unsettled["nonplanar_die_area_mm2"] = nonplanar_given
        return join_boards(facts, readings.board, *die)
    zero = Fraction(0) if facts.exact else 0.0
    bounds = []
    for side in (0, 1):
        bound = facts.full(0)
        run(
            applicable_area,
            facts.exact,
            die[side],
            nonplanar[side],
            nonplanar_given,
            architecture[side],
            stated,
            assume or side == 1,
            zero,
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
