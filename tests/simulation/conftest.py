"""The option --seed, which runs one simulation again, and the import path of the parts of simulations."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SEEDS = range(20)

sys.path.insert(0, str(Path(__file__).parent))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--seed 17`: run that simulation alone; repeatable."""
    parser.addoption("--seed", type=int, action="append", help="run the simulation with this seed instead of the usual")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with a `seed` once for each seed."""
    if "seed" in metafunc.fixturenames:
        given = metafunc.config.getoption("--seed", default=None)
        metafunc.parametrize("seed", given or SEEDS)


class Objection(logging.Handler):
    """Fails a simulation on each logged error: every stream can be read and decided on."""

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


@pytest.fixture(autouse=True)
def _several_turns_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a turn act on few executions, so that workers die, and other ones go on, in the middle of a list."""
    monkeypatch.setattr("scheduler.batches.MOST", 6)


@pytest.fixture(autouse=True)
def _batches_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers have several batches on their way, though simulated ones have few answers and timers at a time."""
    monkeypatch.setattr("scheduler.recording.FEW_ANSWERS", 1)
    monkeypatch.setattr("scheduler.firing.BATCH", 2)
    monkeypatch.setattr("scheduler.firing.TOGETHER", 4)
