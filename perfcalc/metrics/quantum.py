"""Metrics of a quantum computer: qubits as the law counts them, and the C-NOT error as the law means it.

Makers publish another number than the law asks for. The default takes the published figure, in its stated convention;
every other defensible reading is a `perfcalc.metrics.readings.Question`, and what a sheet leaves open widens the
interval under those readings.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from numbers import Rational
from typing import Final

import numpy as np

from perfcalc.facts import Facts, Flags, Indices, Numbers
from perfcalc.fields import FIELDS
from perfcalc.kernel import kernel, run
from perfcalc.metrics.readings import Readings

Bounds = tuple[Numbers, Numbers]

#: For each native gate: how often a C-NOT uses it (least, most), and how many one-qubit gates stand around it
#: (least, most). A CZ takes a Hadamard gate on either side of the target; ECR and ZZ(pi/2) are locally equivalent to
#: C-NOT; Molmer-Sorensen (XX) takes four rotations (Maslov, arXiv:1603.07678); iSWAP and its like are used twice.
SYNTHESIS: Final = {
    "cnot": (1, 1, 0, 0),
    "cx": (1, 1, 0, 0),
    "cz": (1, 1, 2, 2),
    "ecr": (1, 1, 2, 2),
    "zz": (1, 1, 2, 2),
    "rzz": (1, 1, 2, 2),
    "ms": (1, 1, 4, 4),
    "xx": (1, 1, 4, 4),
    "iswap": (2, 2, 4, 4),
    "sqrt_iswap": (2, 2, 4, 4),
    "fsim": (2, 2, 4, 4),
}
UNKNOWN_GATE: Final = (1, 2, 0, 4)

#: Digits of a root in exact arithmetic; its bounds are rounded outwards.
ROOT_DIGITS: Final = 60

UNSTATED: Final = -1


def codes_of(facts: Facts, name: str) -> Indices:
    """The code of a choice in each row; -1 where the sheet does not say."""
    if name not in facts.given:
        return np.full(facts.size, UNSTATED, dtype=np.int64)
    low, high = facts.interval(name)
    stated = facts.is_given(name) & np.asarray(low == high, dtype=bool)
    return np.where(stated, np.where(stated, low, 0).astype(np.int64), UNSTATED)


def code(name: str, option: str) -> int:
    """The code of one option of a choice."""
    return FIELDS[name].choices.index(option)


def _absent(facts: Facts, *names: str) -> bool:
    """No row says anything in these columns."""
    return not any(name in facts.given for name in names)


def _widen_unsettled(facts: Facts, name: str, rows: Flags) -> None:
    facts.unsettled[name] = facts.unsettled.get(name, np.zeros(facts.size, dtype=bool)) | rows


def annealing(facts: Facts, readings: Readings) -> Bounds:
    """1 for an adiabatic (annealing) machine, 0 for any other, between the two where it is not known.

    A sheet that leaves `modality` blank is read by `readings.unstated_modality`; a modality of `?` is unknown.

    Source: 15 CFR 774 Supp. 1, 4A906, note 1 (annealing machines are outside the entry).
    """
    if _absent(facts, "modality") and readings.unstated_modality == "gate":
        zero = facts.full(0)
        return zero, zero
    codes = codes_of(facts, "modality")
    annealer = code("modality", "annealer")
    unknown = (codes == UNSTATED) & (facts.is_given("modality") | (readings.unstated_modality == "unknown"))
    low, high = facts.full(0), facts.full(0)
    one = facts.full(1)
    low[codes == annealer] = one[codes == annealer]
    high[(codes == annealer) | unknown] = one[(codes == annealer) | unknown]
    _widen_unsettled(facts, "modality", unknown)
    return low, high


@kernel
def qubits_between(
    low: Numbers,
    high: Numbers,
    at_most: Flags,
    at_least: Flags,
    unconnected: Flags,
    doubtful: Flags,
    doubtful_count: bool,
    doubtful_free: bool,
    low_out: Numbers,
    high_out: Numbers,
) -> None:
    """Bounds of the qubits that count, see `counted_qubits`."""
    for i in range(low.shape[0]):
        fewest = low[i]
        most = high[i]
        if at_most[i] or (doubtful[i] and not doubtful_count):
            fewest = min(fewest, 0)
        if at_least[i]:
            most = np.inf
        if unconnected[i]:
            fewest = min(fewest, 1)
            most = min(most, 1)
        if doubtful[i] and doubtful_free:
            fewest = min(fewest, 0)
            most = min(most, 0)
        low_out[i] = fewest
        high_out[i] = most


def counted_qubits(facts: Facts, readings: Readings) -> Bounds:
    """Physical qubits that are fully controlled, connected and working.

    What a published number tells depends on what it counts (`qubit_count`):

    ==================  ==========================  ===========================================================
    counts              qubits that count           why
    ==================  ==========================  ===========================================================
    working, physical   the number                  under ``qubit_count=at_most`` a physical count is an upper
                                                    bound, because 'working' is judged by the maker's own
                                                    specification (technical note 4)
    trapped,            from 0 up to the number     traps, coolant ions and couplers are not qubits that can be
    with_couplers                                   gated and read out (technical notes 1 and 2)
    logical,            the number or more          a logical qubit consists of many physical ones (technical
    algorithmic                                     note 1); #AQ is a width of circuits that the machine runs
    modes               unknown                     a mode is not a two-level system
    ==================  ==========================  ===========================================================

    Without a two-qubit gate no qubit is 'connected' (technical note 3). Analog simulators and boson samplers are
    neither named by note 1 nor excluded by it, and 'working' asks for universal computation (technical note 4): from 0
    up to the number, unless the reading `analog` says otherwise.

    Source: 15 CFR 774 Supp. 1, 4A906, note 1 and technical notes 1 to 5; Regulation (EU) 2021/821, Annex I, 4A506.
    """
    low, high = facts.interval("physical_qubits")
    if _absent(facts, "physical_qubits", "native_gate", "modality"):
        return low, high
    counts, modality = codes_of(facts, "qubit_count"), codes_of(facts, "modality")
    bounded = np.isin(counts, [code("qubit_count", word) for word in ("trapped", "with_couplers", "modes")])
    if readings.qubit_count == "at_most":
        bounded |= np.isin(counts, [UNSTATED, code("qubit_count", "physical")])
    open_above = np.isin(counts, [code("qubit_count", word) for word in ("logical", "algorithmic", "modes")])
    doubtful = np.isin(modality, [code("modality", word) for word in ("analog", "boson_sampler")])
    fewest, most = facts.full(0), facts.full(0)
    run(
        qubits_between,
        facts.exact,
        low,
        high,
        bounded,
        open_above,
        codes_of(facts, "native_gate") == code("native_gate", "not_shown"),
        doubtful,
        readings.analog == "covered",
        readings.analog == "not_covered",
        fewest,
        most,
    )
    wide = np.asarray(fewest != most, dtype=bool)
    _widen_unsettled(facts, "modality", wide & doubtful)
    _widen_unsettled(facts, "qubit_count", wide & ~doubtful & (bounded | open_above))
    _widen_unsettled(facts, "physical_qubits", wide & ~doubtful)
    return fewest, most


@kernel
def cnot_error_between(
    error_low: Numbers,
    error_high: Numbers,
    fidelity_low: Numbers,
    fidelity_high: Numbers,
    error_given: Flags,
    fidelity_given: Flags,
    uncertainty: Numbers,
    process: Flags,
    mean: Flags,
    best: Flags,
    layered: Flags,
    simultaneous: Flags,
    raw: Flags,
    one_qubit_low: Numbers,
    one_qubit_high: Numbers,
    synthesis: Indices,
    with_uncertainty: bool,
    bound_mean: bool,
    to_isolated: bool,
    to_simultaneous: bool,
    to_raw: bool,
    dressed: bool,
    low_out: Numbers,
    high_out: Numbers,
) -> None:
    """Bounds of the C-NOT error, see `cnot_error`."""
    for i in range(error_low.shape[0]):
        low = error_low[i]
        high = error_high[i]
        if fidelity_given[i]:
            least = 1 - min(fidelity_high[i], 1)
            most = 1 - fidelity_low[i]
            # Two figures that disagree are an interval.
            low = min(low, least) if error_given[i] else least
            high = max(high, most) if error_given[i] else most
        if high <= 1:
            if with_uncertainty:
                low = max(low - uncertainty[i], 0)
                high = min(high + uncertainty[i], 1)
            if process[i]:
                low = low * 4 / 5
                high = high * 4 / 5
            if bound_mean and not mean[i]:
                if layered[i]:
                    low = low * 0
                elif not best[i]:
                    low = low / 2
                high = high * 0 + 1
            if to_isolated and simultaneous[i]:
                low = low * 0
            if to_simultaneous and not simultaneous[i]:
                high = high * 0 + 1
            if to_raw and not raw[i]:
                high = high * 0 + 1
            if dressed and not layered[i]:
                low = min(low * synthesis[i, 0] + one_qubit_low[i] * synthesis[i, 2] * 6 / 5, 1)
                # One of the same kind of number: a whole one, divided, would be a float, and fractions would end there.
                single = one_qubit_high[i] if one_qubit_high[i] < 1 else high * 0 + 1
                high = min(high * synthesis[i, 1] + single * synthesis[i, 3] * 6 / 5, 1)
        low_out[i] = low
        high_out[i] = high


def cnot_error(facts: Facts, readings: Readings) -> Bounds:
    """The average physical gate error of nearest-neighbour two-qubit C-NOT gates.

    The figure is `two_qubit_error`, or 1 - `two_qubit_fidelity` in exact decimals, or the error per layered gate
    EPLG = 1 - LF^(1/n) of a layer of n gates (McKay et al., arXiv:2311.05933). Then, in this order:

    - *convention*: r_avg = d/(d+1) × r_process, 4/5 for two qubits (Horodecki et al., Nielsen). EPLG is a process error.
    - *statistic*, under ``statistic=mean_bounds``: a mean of errors is at least half of their median (half of them are
      no smaller than it) and at least the best of them; nothing bounds it from above but 1. EPLG bounds neither side,
      since the chain is chosen and crosstalk is included.
    - *operation*: crosstalk only adds, so an isolated figure bounds the simultaneous one from below, and a simultaneous
      figure bounds the isolated one from above.
    - *post-selection*: throwing runs away only lowers the figure.
    - *native gate*, under ``native_gate=cnot``: r_C-NOT = uses × r_2q + gates × 6/5 × r_1q. Process errors add to first
      order; r_process = 5/4 r_avg for two qubits and 3/2 r_avg for one.

    Source: 15 CFR 774 Supp. 1, 4A906, technical note 6; Regulation (EU) 2021/821, Annex I, 4A506, technical note 6.
    """
    if _absent(facts, "two_qubit_error", "two_qubit_fidelity", "layer_fidelity"):
        return facts.interval("two_qubit_error")
    low, high, from_layer = _figure(facts)
    statistic, convention = codes_of(facts, "error_statistic"), codes_of(facts, "error_convention")
    layered = from_layer | (statistic == code("error_statistic", "eplg"))
    unstated = convention == UNSTATED
    process = (convention == code("error_convention", "process")) | (unstated & layered)
    if readings.unstated_convention == "process":
        process |= unstated
    gates = np.array([SYNTHESIS.get(gate, UNKNOWN_GATE) for gate in FIELDS["native_gate"].choices] + [UNKNOWN_GATE])
    uncertainty = facts.interval("two_qubit_uncertainty")
    known = np.asarray(uncertainty[1] < np.inf, dtype=bool)
    one_qubit = facts.interval("one_qubit_error")
    fewest, most = facts.full(0), facts.full(0)
    run(
        cnot_error_between,
        facts.exact,
        low,
        high,
        *facts.interval("two_qubit_fidelity"),
        facts.is_given("two_qubit_error") | from_layer,
        facts.is_given("two_qubit_fidelity"),
        np.where(known, uncertainty[1], facts.full(0)),
        process,
        statistic == code("error_statistic", "mean"),
        statistic == code("error_statistic", "best"),
        layered,
        layered | (codes_of(facts, "gate_operation") == code("gate_operation", "simultaneous")),
        codes_of(facts, "post_selected") == code("post_selected", "no"),
        *one_qubit,
        gates[codes_of(facts, "native_gate")],
        readings.uncertainty == "interval",
        readings.statistic == "mean_bounds",
        readings.operation == "isolated",
        readings.operation == "simultaneous",
        readings.post_selection == "none",
        readings.native_gate == "cnot",
        fewest,
        most,
    )
    _widen_unsettled(facts, "two_qubit_error", np.asarray(fewest != most, dtype=bool))
    return fewest, most


def _figure(facts: Facts) -> tuple[Numbers, Numbers, Flags]:
    """The published error, with the error per layered gate where only a layer fidelity is given."""
    low, high = facts.interval("two_qubit_error")
    fidelity, gates = facts.interval("layer_fidelity"), facts.interval("layer_gates")
    both = facts.is_given("layer_fidelity") & facts.is_given("layer_gates")
    points = np.asarray((fidelity[0] == fidelity[1]) & (gates[0] == gates[1]), dtype=bool)
    from_layer = both & points & ~facts.is_given("two_qubit_error") & ~facts.is_given("two_qubit_fidelity")
    if from_layer.any():
        low, high = low.copy(), high.copy()
        for row in np.flatnonzero(from_layer):
            low[row], high[row] = error_per_layered_gate(fidelity[0][row], gates[0][row])
    return low, high, from_layer


def error_per_layered_gate(
    fidelity: float | Fraction, gates: float | Fraction
) -> tuple[float | Fraction, float | Fraction]:
    """EPLG = 1 - LF^(1/n): as a float, or, of fractions, bounds that hold the root between them.

    Source: McKay et al., arXiv:2311.05933.
    """
    if not isinstance(fidelity, Rational) or not isinstance(gates, Rational):
        error = 1 - float(fidelity) ** (1 / float(gates))
        return error, error
    if fidelity <= 0:
        return Fraction(1), Fraction(1)
    bounds = []
    for rounding, step in ((ROUND_FLOOR, -1), (ROUND_CEILING, 1)):
        context = Context(prec=ROOT_DIGITS, rounding=rounding)
        number = context.divide(Decimal(fidelity.numerator), Decimal(fidelity.denominator))
        root = context.power(number, context.divide(Decimal(gates.denominator), Decimal(gates.numerator)))
        # `power` is right within one unit in its last place; a few more leave room for the rounded exponent.
        bounds.append(Fraction(root) + step * Fraction(1, 10 ** (ROOT_DIGITS - 5)))
    return max(1 - bounds[1], Fraction(0)), 1 - bounds[0]


def relevant(facts: Facts) -> dict[str, bool]:
    """Which open readings can change a metric of this batch."""
    quantum = not _absent(facts, "modality", "physical_qubits", "two_qubit_error", "two_qubit_fidelity")
    figure = not _absent(facts, "two_qubit_error", "two_qubit_fidelity", "layer_fidelity")
    modality = codes_of(facts, "modality")
    statistic = codes_of(facts, "error_statistic")
    return {
        "unstated_modality": quantum and not facts.is_given("modality").all(),
        "analog": bool((modality > code("modality", "annealer")).any()),
        "qubit_count": bool(facts.is_given("physical_qubits").any())
        and bool((codes_of(facts, "qubit_count") != code("qubit_count", "working")).any()),
        "unstated_convention": figure and bool((codes_of(facts, "error_convention") == UNSTATED).any()),
        "statistic": figure and bool((statistic != code("error_statistic", "mean")).any()),
        "native_gate": figure,
        "operation": figure,
        "post_selection": figure and bool((codes_of(facts, "post_selected") != code("post_selected", "no")).any()),
        "uncertainty": bool(facts.is_given("two_qubit_uncertainty").any()),
    }
