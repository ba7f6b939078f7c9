"""The option that runs one simulation again, and where its parts are found."""

import logging
import sys
from collections.abc import Iterator
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


class Objection(logging.Handler):
    """Nothing in a simulation is so broken that it cannot be read or decided on."""

    def emit(self, record: logging.LogRecord) -> None:
        raise AssertionError(record.getMessage())


@pytest.fixture(autouse=True)
def _nothing_is_broken() -> Iterator[None]:
    loggers, objection = [logging.getLogger(name) for name in ("scheduler", "commands")], Objection(logging.ERROR)
    for logger in loggers:
        logger.addHandler(objection)
    yield
    for logger in loggers:
        logger.removeHandler(objection)
