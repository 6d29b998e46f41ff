"""A pytest plugin: every ``NAME.golden.csv`` is a test file, checked against the sheet ``NAME.*`` beside it.

Loaded only by whoever asks for it: ``pytest_plugins = ["perfcalc.testing"]`` in the top ``conftest.py``, or
``-p perfcalc.testing``. One test for each item and day; ``pytest -k "H20"`` picks some. See `perfcalc.check`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from perfcalc.errors import InputError

if TYPE_CHECKING:
    from perfcalc.answers.check import Checked

ENDING: Final = ".golden.csv"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> GoldenFile | None:
    """Take golden files for test files."""
    return GoldenFile.from_parent(parent, path=file_path) if file_path.name.endswith(ENDING) else None


class GoldenFile(pytest.File):
    """A golden file and the sheet beside it."""

    def collect(self) -> Iterator[GoldenItem]:
        """One test for each item and day, and for each item of the sheet that nothing is expected of."""
        import perfcalc

        try:
            found = perfcalc.check(perfcalc.read(self.sheet()), self.path)
        except InputError as error:
            raise self.CollectError(f"{self.path.name}: {error}") from error
        for checked in found.items:
            yield GoldenItem.from_parent(self, name=f"{checked.item} on {checked.as_of}", checked=checked)

    def sheet(self) -> Path:
        """The one file beside it that has the same name up to the ending."""
        name = self.path.name.removesuffix(ENDING)
        beside = [path for path in sorted(self.path.parent.glob(f"{name}.*")) if not path.name.endswith(ENDING)]
        if len(beside) != 1:
            found = f"{len(beside)} files" if beside else "no file"
            raise InputError(
                f"{found} called {name}.*", "keep a golden file beside its sheet: NAME.csv, NAME.golden.csv"
            )
        return beside[0]


class GoldenItem(pytest.Item):
    """One item on one day."""

    def __init__(self, *, checked: Checked, **others: Any) -> None:
        super().__init__(**others)
        self.checked = checked

    def runtest(self) -> None:
        """Fail if anything is not as expected."""
        if self.checked.outcome != "same":
            pytest.fail(self.checked.words, pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        """What stands above a failure."""
        return self.path, None, self.name
