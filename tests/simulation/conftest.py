"""The option that runs one simulation again, and where its parts are found."""

import sys
from pathlib import Path

import pytest

SEEDS = range(20)

sys.path.insert(0, str(Path(__file__).parent))


def pytest_addoption(parser: pytest.Parser) -> None:
    """pytest tests/simulation --seed 17: that simulation alone; may be given several times."""
    parser.addoption("--seed", type=int, action="append", help="run the simulation with this seed instead of the usual")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with a `seed` runs once for each."""
    if "seed" in metafunc.fixturenames:
        given = metafunc.config.getoption("--seed", default=None)
        metafunc.parametrize("seed", given or SEEDS)
