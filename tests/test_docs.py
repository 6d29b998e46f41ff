"""The documentation shows what the program does: every command in README is run again and compared."""

import runpy
from pathlib import Path

import pytest

MAKE = runpy.run_path(str(Path(__file__).parents[1] / "docs" / "make.py"))


@pytest.fixture(scope="module", autouse=True)
def in_the_repository(request):
    patch = pytest.MonkeyPatch()
    patch.chdir(MAKE["ROOT"])
    yield
    patch.undo()


def test_generated_pages_are_current():
    for path, text in MAKE["pages"]().items():
        assert path.read_text("utf-8") == text, f"{path.name}: run `python docs/make.py`"


def test_the_python_example_runs(capsys):
    readme = (MAKE["ROOT"] / "README.md").read_text("utf-8")
    example = readme.split("```python\n")[1].split("```")[0]
    exec(compile(example, "README.md", "exec"), {})
    assert "NVIDIA H20 (ic) as of 2024-06-01" in capsys.readouterr().out
