"""Every metric that a rule may test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from perfcalc.fields.field import Kind
from perfcalc.fields.sheet import RATES


@dataclass(frozen=True)
class Metric:
    """One quantity that perfcalc computes and a rule may test.

    Attributes
    ----------
    name
        The result column; a value known only as an interval is in ``<name>_low`` and ``<name>_high``.
    function
        Where it is computed, as ``module:function`` under ``perfcalc.metrics``.
    formula
        The formula in words of this vocabulary.
    law
        Where the law defines it.
    inputs
        The fields and metrics that it is computed from, in this order.
    needs
        The fields to name when the metric must be known better.
    whole
        It takes whole numbers only, which binary64 holds exactly, so that no rounding can move it across a limit.
    """

    name: str
    unit: str
    kinds: tuple[Kind, ...]
    function: str
    formula: str
    law: str
    inputs: tuple[str, ...]
    needs: tuple[str, ...] = ()
    whole: bool = False


_RATE_NAMES: Final = tuple(rate.name for rate in RATES)

# In order of computation: a metric may use the ones above it.
METRICS: Final[dict[str, Metric]] = {
    metric.name: metric
    for metric in (
        Metric(
            "tpp",
            "TPP",
            ("ic",),
            "chips:total_processing_performance",
            "highest dense rate × bit length, added over the processing units",
            "3A090, technical notes 1 to 3 to 3A090.a and .b",
            _RATE_NAMES,
            _RATE_NAMES,
        ),
        Metric(
            "applicable_die_area_mm2",
            "mm²",
            ("ic",),
            "chips:applicable_die_area",
            "area of the logic dies made on a non-planar process node",
            "3A090, technical note 4 to 3A090.a and .b",
            ("die_area_mm2", "nonplanar_die_area_mm2", "transistor_architecture"),
            ("die_area_mm2", "nonplanar_die_area_mm2"),
        ),
        Metric(
            "performance_density",
            "TPP/mm²",
            ("ic",),
            "chips:performance_density",
            "tpp ÷ applicable_die_area_mm2",
            "3A090, technical note 4 to 3A090.a and .b",
            ("tpp", "applicable_die_area_mm2"),
            (*_RATE_NAMES, "die_area_mm2", "nonplanar_die_area_mm2"),
        ),
        Metric(
            "processing_performance_2022",
            "TOPS × bits",
            ("ic",),
            "chips:processing_performance_2022",
            "highest rate × bit length per operation, added over the processing units",
            "3A090.a as of 2022-10-21 (87 FR 62186)",
            _RATE_NAMES,
            _RATE_NAMES,
        ),
        Metric(
            "processing_tops",
            "TOPS",
            ("ic",),
            "chips:processing_tops",
            "highest dense rate whatever its bit length, added over the processing units",
            "3A991.p.1, technical notes",
            _RATE_NAMES,
            _RATE_NAMES,
        ),
        Metric(
            "aggregated_transistors_bn",
            "billion",
            ("ic",),
            "chips:aggregated_transistors",
            "transistors as counted, else applicable_die_area_mm2 × logic_density_mtr_mm2 ÷ 1000",
            "3A090, note 1 to 3A090.a, 'aggregated approximated transistor count'",
            ("transistors_bn", "applicable_die_area_mm2", "logic_density_mtr_mm2", "transistor_architecture"),
            ("transistors_bn",),
        ),
        Metric(
            "memory_and_interconnect_gb_s",
            "GB/s",
            ("ic",),
            "chips:memory_and_interconnect",
            "memory_bandwidth_gb_s + interconnect_gb_s",
            "S.3374 (119th Congress, a bill), 'covered integrated circuit'; tested by no law in force",
            ("memory_bandwidth_gb_s", "interconnect_gb_s"),
            ("memory_bandwidth_gb_s", "interconnect_gb_s"),
        ),
        Metric(
            "memory_bandwidth_density",
            "GB/s/mm²",
            ("memory",),
            "memory:memory_bandwidth_density",
            "memory_bandwidth_gb_s ÷ memory_area_mm2",
            "3A090.c, technical note",
            ("memory_bandwidth_gb_s", "memory_area_mm2"),
            ("memory_bandwidth_gb_s", "memory_area_mm2"),
        ),
        Metric(
            "app_wt",
            "WT",
            ("computer",),
            "computers:adjusted_peak_performance",
            "0.9 (vector) or 0.3 (non-vector) × 64-bit floating-point rate, added over the processors",
            "4A003, technical note on 'Adjusted Peak Performance'",
            ("fp64_tflops", "vector_processor"),
            ("fp64_tflops", "vector_processor"),
        ),
        Metric(
            "counted_qubits",
            "qubits",
            ("quantum",),
            "quantum:counted_qubits",
            "physical_qubits that are fully controlled, connected and working",
            "4A906, technical notes 1 to 5",
            ("physical_qubits", "qubit_count", "modality", "native_gate"),
            ("physical_qubits", "qubit_count", "modality"),
            whole=True,
        ),
        Metric(
            "cnot_error",
            "",
            ("quantum",),
            "quantum:cnot_error",
            "two_qubit_error, 1 - two_qubit_fidelity or 1 - layer_fidelity^(1/layer_gates); a process error × 4/5",
            "4A906, technical note 6",
            (
                "two_qubit_error",
                "two_qubit_fidelity",
                "two_qubit_uncertainty",
                "native_gate",
                "one_qubit_error",
                "error_statistic",
                "error_convention",
                "gate_operation",
                "post_selected",
                "layer_fidelity",
                "layer_gates",
            ),
            ("two_qubit_error",),
        ),
        Metric(
            "annealing",
            "",
            ("quantum",),
            "quantum:annealing",
            "1 for an adiabatic (annealing) machine, 0 for any other",
            "4A906, note 1",
            ("modality",),
            ("modality",),
            whole=True,
        ),
    )
}
