"""Every field that a sheet may carry."""

from __future__ import annotations

from typing import Final

from perfcalc.fields.field import KINDS, Field, choice, number, rate, told

#: Parties that dated rules name; whoever is not named so is "other", affiliates too.
PARTIES: Final = ("other", "huawei", "smic")

RATES: Final[tuple[Field, ...]] = (
    rate("fp64_tflops", 64, "64-bit floating-point"),
    rate("fp32_tflops", 32, "32-bit floating-point"),
    # TF32 is stored in 32 bits, but 19 bits enter the multiply: an open reading, see perfcalc.metrics.readings.
    rate("tf32_tflops", 19, "TF32"),
    rate("bf16_tflops", 16, "bfloat16"),
    rate("fp16_tflops", 16, "16-bit floating-point"),
    rate("fp8_tflops", 8, "8-bit floating-point"),
    rate("fp6_tflops", 6, "6-bit floating-point"),
    rate("fp4_tflops", 4, "4-bit floating-point"),
    rate("int32_tops", 32, "32-bit integer"),
    rate("int16_tops", 16, "16-bit integer"),
    rate("int8_tops", 8, "8-bit integer"),
    rate("int4_tops", 4, "4-bit integer"),
    rate("int2_tops", 2, "2-bit integer"),
    rate("int1_tops", 1, "1-bit integer"),
)

#: The rates named as needed when an item claims none at all.
USUAL_RATES: Final = ("fp16_tflops", "fp8_tflops", "int8_tops")

FIELDS: Final[dict[str, Field]] = {
    field.name: field
    for field in (
        Field("id", "Your key of the item. Rows that share an id and carry a `unit` are units of one IC."),
        Field("name", "The item's name. The only column that a sheet must have."),
        choice("kind", "What the item is. Blank: told from the fields that the row carries.", KINDS, KINDS),
        Field("part_of", "The id (or name) of the computer or board that contains this IC.", kinds=("ic", "memory")),
        Field(
            "quantity",
            "How many of this part the computer or board contains (blank: one).",
            type="number",
            kinds=("ic", "memory"),
            low=1,
            high=1e6,
        ),
        Field("unit", "Name of one processing unit, when an IC takes several rows: their TPPs add up.", kinds=("ic",)),
        Field("designer", "Who designed it."),
        Field("designer_country", "Where the designer has its headquarters (ISO 3166 two-letter code)."),
        Field("foundry", "Who made the die.", kinds=("ic", "memory")),
        Field("process_node", "As people write it: `TSMC 4N`, `SMIC N+2`, `16 nm`.", kinds=("ic", "memory")),
        choice(
            "transistor_architecture",
            "Planar, or non-planar (FinFET, gate-all-around). Blank: told from `process_node`.",
            ("planar", "non_planar"),
            ("ic",),
        ),
        Field("release_date", "YYYY-MM-DD, YYYY-MM or YYYY."),
        choice("datacenter", "Designed or marketed for use in data centres?", ("no", "yes"), ("ic", "computer")),
        *RATES,
        choice(
            "vector_processor",
            "Does the computer's processor have vector instructions? Decides the weight (0.9 or 0.3) in APP.",
            ("no", "yes"),
            ("ic", "computer"),
        ),
        Field(
            "die_area_mm2",
            "Area of all logic dies in the package; separate memory stacks do not count.",
            type="number",
            unit="mm²",
            kinds=("ic",),
            low=0.01,
            high=100_000,
        ),
        Field(
            "nonplanar_die_area_mm2",
            "The part of the logic area made on a non-planar node (the 'applicable die area'), when it differs.",
            type="number",
            unit="mm²",
            kinds=("ic",),
            high=100_000,
        ),
        Field("transistors_bn", "Transistors in the package.", type="number", unit="billion", kinds=("ic",), high=1e6),
        Field("memory_type", "Such as HBM3, GDDR6.", kinds=("ic", "memory")),
        Field(
            "memory_bandwidth_gb_s",
            "Bandwidth between the IC and all of its DRAM; for a memory, of the package or stack.",
            type="number",
            unit="GB/s",
            kinds=("ic", "memory"),
            high=1e7,
        ),
        Field(
            "memory_area_mm2",
            "Area of the memory package (or of the stack, when it stands alone).",
            type="number",
            unit="mm²",
            kinds=("memory",),
            low=0.01,
            high=100_000,
        ),
        Field(
            "interconnect_gb_s",
            "Rate over all inputs and outputs, both directions added, without links to volatile memory.",
            type="number",
            unit="GB/s",
            kinds=("ic",),
            high=1e7,
        ),
        number("fpld_single_ended_io", "Field programmable logic: most single-ended inputs and outputs.", "", ("ic",)),
        number(
            "fpld_transceiver_gbit_s",
            "Field programmable logic: peak one-way rate of a serial transceiver × number of transceivers.",
            "Gbit/s",
            ("ic",),
        ),
        number("adc_bits", "Analogue-to-digital converter: bits of the output (not effective bits).", "bit", ("ic",)),
        number(
            "adc_sample_rate_msps",
            "Analogue-to-digital converter: sample rate of a channel; channels are not added, interleaved ones are.",
            "MSPS",
            ("ic",),
        ),
        number(
            "aggregate_lut_inputs",
            "Board with user-configurable logic: inputs of every look-up table, added (FPGAs × LUTs × inputs).",
            "",
            ("computer",),
        ),
        number("ctp_mtops", "Composite theoretical performance, as the maker states it.", "Mtops", ("computer",)),
        number("pdr_mbit_s", "Processing data rate, as the maker states it (1980s).", "Mbit/s", ("computer",)),
        choice(
            "modality",
            "How the quantum machine computes: gate by gate, by measurement (one-way, fusion), by annealing, as an analog "
            "simulator or as a boson sampler.",
            ("gate", "measurement", "annealer", "analog", "boson_sampler"),
            ("quantum",),
        ),
        Field(
            "physical_qubits",
            "Fully controlled, connected and working physical qubits; `qubit_count` says if it is another count.",
            type="number",
            unit="qubits",
            kinds=("quantum",),
            high=1e9,
        ),
        choice(
            "qubit_count",
            "What `physical_qubits` counts: working (fully controlled, connected and working), physical (all on the "
            "chip), trapped atoms, qubits with_couplers, logical qubits, algorithmic qubits (#AQ), optical modes.",
            ("working", "physical", "trapped", "with_couplers", "logical", "algorithmic", "modes"),
            ("quantum",),
        ),
        number("two_qubit_error", "Average two-qubit gate error.", "", ("quantum",), 1),
        number("two_qubit_fidelity", "Instead of the error: 0.994.", "", ("quantum",), 1),
        number("two_qubit_uncertainty", "Published uncertainty of the error or fidelity: 0.0003.", "", ("quantum",), 1),
        choice(
            "native_gate",
            "The native two-qubit gate; `not_shown` where none was.",
            ("not_shown", "cnot", "cx", "cz", "ecr", "zz", "rzz", "ms", "xx", "iswap", "sqrt_iswap", "fsim", "other"),
            ("quantum",),
        ),
        number("one_qubit_error", "Average one-qubit gate error.", "", ("quantum",), 1),
        choice(
            "error_statistic",
            "What the error is over the pairs of qubits: mean, median, best, or eplg (error per layered gate).",
            ("mean", "median", "best", "eplg"),
            ("quantum",),
        ),
        choice(
            "error_convention",
            "Average gate infidelity, or process infidelity (also called Pauli or entanglement error).",
            ("average", "process"),
            ("quantum",),
        ),
        choice(
            "gate_operation",
            "Measured one gate at a time, or many at once.",
            ("isolated", "simultaneous"),
            ("quantum",),
        ),
        choice("post_selected", "Were runs thrown away before the error was taken?", ("no", "yes"), ("quantum",)),
        number("layer_fidelity", "Fidelity of a layer of two-qubit gates over a chain (LF).", "", ("quantum",), 1),
        Field(
            "layer_gates",
            "Two-qubit gates in that layer: 99 for a chain of 100 qubits.",
            type="number",
            kinds=("quantum",),
            low=1,
            high=1e6,
        ),
        choice(
            "for_controlled_quantum_computer",
            "Specially designed for a quantum computer of 4A906.a, 4A506.a or their like?",
            ("no", "yes"),
            ("qubit_device", "quantum_control"),
        ),
        number(
            "design_temperature_k",
            "Lowest ambient temperature that it is designed to work at.",
            "K",
            ("ic", "parametric_amplifier"),
            2000,
        ),
        choice(
            "specified_by_3a001_a2",
            "Is this cryogenic CMOS IC specified by 3A001.a.2 (listed functions rated for extreme temperatures)?",
            ("no", "yes"),
            ("ic",),
        ),
        number("frequency_low_ghz", "Lowest frequency it is designed for.", "GHz", ("parametric_amplifier",), 1e6),
        number("frequency_high_ghz", "Highest frequency it is designed for.", "GHz", ("parametric_amplifier",), 1e6),
        number(
            "noise_figure_db",
            "Lowest noise figure at any frequency from 2 to 15 GHz, at 1 K.",
            "dB",
            ("parametric_amplifier",),
            1000,
        ),
        choice(
            "cooler_type",
            "A two-stage pulse-tube cryocooler, or another system (dilution refrigerator, ...).",
            ("two_stage_pulse_tube", "other"),
            ("cooling_system",),
        ),
        number("cooling_power_uw", "Rated cooling power at or below 0.1 K.", "µW", ("cooling_system",), 1e12),
        number("cooling_duration_h", "How long it keeps that power up.", "h", ("cooling_system",), 1e6),
        number("base_temperature_k", "Lowest temperature it is rated to maintain.", "K", ("cooling_system",), 2000),
        number("cooling_power_w", "Rated cooling power at or below 4.2 K.", "W", ("cooling_system",), 1e6),
        number("test_temperature_k", "Lowest temperature that it tests devices at.", "K", ("wafer_prober",), 2000),
        number("wafer_diameter_mm", "Largest wafer that it takes.", "mm", ("wafer_prober",), 1000),
        choice(
            "material_form",
            "Epitaxial layer on a substrate; fluoride, hydride or chloride; or element or oxide (ingots, wafers, ...).",
            ("epitaxial", "fluoride_hydride_chloride", "element_or_oxide"),
            ("material",),
        ),
        choice(
            "material_element",
            "The element that it is or contains.",
            ("silicon", "silicon_germanium", "germanium"),
            ("material",),
        ),
        number("si_other_isotopes_percent", "Silicon isotopes other than 28 and 30.", "%", ("material",), 100),
        number("ge_other_isotopes_percent", "Germanium isotopes other than 70, 72, 74, 76.", "%", ("material",), 100),
        Field(
            "logic_density_mtr_mm2",
            "Transistors that fit on a mm² of the process node, from the node table.",
            type="number",
            unit="million/mm²",
            kinds=("ic",),
            derived=True,
            sources=("process_node",),
        ),
        Field("end_user", "Who will use the item, by name."),
        Field(
            "declared_eccn",
            "The US entry (ECCN) that the maker or seller declares: `5A992.c`, `3A090.a`, `EAR99`. Compared with the "
            "computed ones in `declared_eccn_check`; an entry with .z paragraphs is asked for these.",
        ),
        number("nand_layers", "Memory cell layers of a NAND die.", "", ("memory",)),
        number("dram_half_pitch_nm", "Production half-pitch of a DRAM.", "nm", ("memory",)),
        number("dram_cell_area_um2", "DRAM memory cell area: wordline × bitline.", "µm²", ("memory",)),
        number(
            "dram_density_gb_mm2",
            "DRAM memory density: capacity ÷ area of the die; of the footprint of a stack; of a package around it.",
            "Gb/mm²",
            ("memory",),
        ),
        number("tsv_per_die", "Through-silicon vias of a DRAM die.", "", ("memory",)),
        number("volume_ft3", "Volume that the whole computer takes up.", "ft³", ("computer",)),
        number("wavelength_nm", "Wavelength of the light source of a lithography tool.", "nm", ("tool",)),
        number(
            "mrf_nm",
            "Minimum resolvable feature size, as the law's formula gives it (perfcalc does not compute it).",
            "nm",
            ("tool",),
        ),
        number("overlay_nm", "Largest dedicated chuck overlay (single machine overlay).", "nm", ("tool",)),
        number("training_operations", "Operations that trained the model.", "operations", ("model",), high=1e30),
        choice("weights_published", "Are the model's weights published?", ("no", "yes"), ("model",)),
        Field(
            "marketed_nm",
            "The number in the name of the process node, from the node table; not a length.",
            type="number",
            unit="nm",
            kinds=("ic",),
            derived=True,
            sources=("process_node",),
        ),
        told("has_hbm", "Whether `memory_type` names high bandwidth memory.", ("no", "yes"), "memory_type", ("ic",)),
        told("designer_party", "Whether `designer` names a party with rules of its own.", PARTIES, "designer", KINDS),
        told("end_user_party", "Whether `end_user` names a party with rules of its own.", PARTIES, "end_user", KINDS),
        told(
            "base_eccn",
            "The entry in `declared_eccn`, where it has .z paragraphs.",
            ("other", "3A001", "4A003", "4A004", "4A005", "5A002", "5A004", "5A992"),
            "declared_eccn",
            ("ic", "computer"),
        ),
    )
}

SHEET_FIELDS: Final[tuple[Field, ...]] = tuple(field for field in FIELDS.values() if not field.derived)

#: What the origin model reads, besides the sheet's own name, kind, designer and so on. Kept apart from `FIELDS`: no rule
#: of law tests them. Other headings that mean the same are in ``perfcalc.origin.columns``.
ORIGIN_FIELDS: Final[dict[str, Field]] = {
    field.name: field
    for field in (
        Field("name", "The chip."),
        Field("kind", "ic or memory; anything else has no origin question."),
        Field("designer", "Who designed it: selects the cut-off and the earlier parts to compare with."),
        Field("designer_country", "Where the designer has its headquarters (ISO 3166 two-letter code)."),
        Field("process_node", "The node that the maker claims. Never what a teardown found."),
        Field("release_date", "When the chip was announced or released."),
        Field("chip_announced", "When this design was first announced; before `release_date` where both are given."),
        Field("product_launch", "When the product that contains it came out. Blank: `release_date`."),
        Field("product_maker", "Who sells the product that contains it."),
        Field("product_class", "smartphone, tablet, laptop, server, accelerator: decides how long stock lasts."),
        Field("component_class", "mobile_soc, server_cpu, ai_accelerator, gpu, dram, nand, hbm."),
        Field("cpu_ip", "The cores, as the data sheet or the software names them."),
        Field("peak_clock_ghz", "Highest clock.", type="number", unit="GHz"),
        Field("control_date", "When the designer (or this supply) was cut off. Blank: looked up."),
        Field("gate_pitch_nm", "Contacted gate pitch, when a teardown measured it.", type="number", unit="nm"),
        Field("cell_height_nm", "Standard cell height, when a teardown measured it.", type="number", unit="nm"),
        Field(
            "measured_density_mtr_mm2",
            "Logic density, when a teardown measured it.",
            type="number",
            unit="million/mm²",
        ),
    )
}
