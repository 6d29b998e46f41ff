import pytest

from perfcalc.origin.train import read_cases


@pytest.fixture(scope="session")
def cases():
    """The real cases that ship."""
    return read_cases()
