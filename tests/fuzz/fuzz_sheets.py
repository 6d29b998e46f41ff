"""A coverage-guided fuzzer of the sheet reader: ``python tests/fuzz/fuzz_sheets.py CORPUS -max_total_time=600``."""

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[2]))
with atheris.instrument_imports(include=["perfcalc.sheets"]):
    from tests.fuzz import targets


def one_input(data):
    """The first byte chooses what the rest is."""
    if not data:
        return
    kind, rest = data[0] % 4, data[1:]
    if kind == 0:
        targets.cell(rest[:200].decode("utf-8", "replace"))
    elif kind == 1:
        targets.heading(rest[:200].decode("utf-8", "replace"))
    elif kind == 2:
        targets.sheet(b"name,FP16 (TFLOPS),Die size (mm2),Process\n" + rest, ".csv")
    else:
        targets.sheet(rest[1:], targets.ENDINGS[rest[0] % len(targets.ENDINGS)] if rest else ".csv")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
