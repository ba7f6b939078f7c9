"""Time is a port: no module reads a clock, but the system's clock and a short list."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("app", "api", "commands", "domain", "embedded", "gateway", "projections", "queries", "scheduler", "store")
READS_A_CLOCK = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "monotonic"),
    ("time", "monotonic_ns"),
}
# Each may read a clock, for a reason.
ALLOWED = {
    "app/clock.py",  # the system's clock
    "domain/identity.py",  # new ids begin with the time; no decision rests on that
    # Patience with processes of the operating system, below everything that is wired.
    "embedded/launcher.py",
    "embedded/locks.py",
    "embedded/processes.py",
    "embedded/server.py",
    # Patience of a command line, and its progress on a terminal.
    "app/cli/progress.py",
    "app/demo/running.py",
    "app/signals.py",
    "app/waiting.py",
    # Patience with the database: how long to wait for a position, until the next look at a shape, the next
    # trial of an idle connection, or the next warning.
    "projections/arriving.py",
    "projections/running.py",
    "store/append_limit.py",
    "store/connections.py",
    "store/failed_connections.py",
    "store/trouble.py",
    "queries/caught_up.py",
    "queries/progress.py",
    # The lag of an answer behind the newest event; no decision rests on that.
    "queries/ahead.py",
}
MODULES = sorted(path.relative_to(ROOT).as_posix() for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def readings(path: str) -> list[int]:
    """The lines in which a module reads a clock, or imports a function that does."""
    found = []
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        named = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if named and (node.value.id, node.attr) in READS_A_CLOCK:  # type: ignore[attr-defined]
            found.append(node.lineno)  # type: ignore[attr-defined]
        if (
            isinstance(node, ast.ImportFrom)
            and node.module == "time"
            and {"time", "monotonic"} & {name.name for name in node.names}
        ):
            found.append(node.lineno)
    return found


def test_only_modules_that_may_read_a_clock_do() -> None:
    reading = {path: lines for path in MODULES if (lines := readings(path))}
    assert {path: lines for path, lines in reading.items() if path not in ALLOWED} == {}
    assert ALLOWED - reading.keys() == set(), "a module that reads no clock any more is no exception"
