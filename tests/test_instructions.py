"""The hot kernels take no more instructions a row than were recorded: a guard that no busy machine disturbs.

It guards what a timed benchmark sees late or not at all: a loop that the compiler no longer turns into vector
instructions (a check for zero, a branch, a call, a change of type in its body) takes two to four times as many, and
work added to a row shows as what it is. It compiles for one fixed processor, so the numbers hold on any x86-64 machine.
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: Instructions a row, found with Numba 0.68 (LLVM 22): two columns of four limits, sixteen distinct words, eight rates
#: weighted and plain, one condition, what a day of the US book asks of every IC.
RECORDED = {"add_ranks": 29.4, "number": 20.5, "highest_of_eight": 14.7, "distances": 6.4, "measure": 132.0}
#: Another version of LLVM may choose a little differently; far fewer instructions ask for a new record.
MOST, LEAST = 1.25, 0.6


def _flags():
    try:
        return Path("/proc/cpuinfo").read_text("utf-8").split()
    except OSError:
        return []


@pytest.mark.skipif(platform.machine() != "x86_64" or "avx2" not in _flags(), reason="counts x86-64 (AVX2) on Linux")
def test_instructions_a_row():
    environment = {
        **os.environ,
        "NUMBA_CPU_NAME": "x86-64-v3",
        "NUMBA_CPU_FEATURES": "",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(ROOT),
    }
    counting = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "steps.py"], env=environment, capture_output=True, text=True, check=False
    )
    if "lets no process be traced" in counting.stderr:
        pytest.skip("this system lets no process be traced step by step")
    assert counting.returncode == 0, counting.stderr
    found = json.loads(counting.stdout)
    assert found.keys() == RECORDED.keys()
    astray = {
        name: f"{count} instructions a row, recorded {RECORDED[name]}"
        for name, count in found.items()
        if not LEAST <= count / RECORDED[name] <= MOST
    }
    assert not astray
