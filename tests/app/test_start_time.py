"""A command imports what it needs and no more, and so costs little CPU before it begins."""

import json
import os
import subprocess
import sys
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median

import pytest

SERVING = {"fastapi", "starlette", "uvicorn", "sse_starlette"}
CALLING = {"httpx2", "apscheduler", "aiosmtplib"}
LANGUAGE = {"pydantic", "pydantic_core", "pydantic_settings", "yaml", "croniter", "jsonschema_rs", "domain.language"}
WRITING = {"eventsourcing", "commands", "projections", "embedded", "gateway", "domain.executions.state"}
DATABASE = {"psycopg", "psycopg_pool"}
ALL = SERVING | CALLING | LANGUAGE | WRITING | DATABASE | {"rich"}

RUNS = 5
# What every command that queries cannot do without.
FLOOR = "import typer, rich.console, rich.table, msgspec, psycopg, psycopg_pool"
PROGRAM = "from app.cli import main; main()"
MODULES = """
import json, sys
from app.cli import cli
try:
    cli(sys.argv[1:], prog_name="procession")
finally:
    sys.stderr.write("\\n" + json.dumps(sorted(sys.modules)))
"""


def imported(*arguments: str) -> set[str]:
    """Return the modules, and the packages they are in, that a process has imported at the end of a command."""
    program = [sys.executable, "-c", MODULES, *arguments]
    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=60)
    names = json.loads(done.stderr.splitlines()[-1])
    assert "app.cli.root" in names
    return set(names) | {name.partition(".")[0] for name in names}


def test_help_imports_no_library_but_typer() -> None:
    assert imported("--help") & ALL == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ("executions",),
        ("projections", "list"),
        ("projections", "dead-letters"),
        ("timers",),
        ("approvals",),
        ("agents", "list"),
    ],
    ids=" ".join,
)
def test_a_command_that_queries_imports_what_queries_need(database: str, arguments: tuple[str, ...]) -> None:
    found = imported(*arguments)
    assert found & ALL <= DATABASE | {"rich"}
    assert found >= DATABASE
    assert "rich" not in imported(*arguments, "--json")


def test_validation_imports_the_language_and_no_database(tmp_path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("name: p\nsteps:\n  - {id: a, agent: echo, message: hi}\n")
    assert imported("validate", str(file)) & (SERVING | CALLING | WRITING | DATABASE) == set()


@pytest.mark.parametrize("module", ["app.running", "scheduler.worker"])
def test_a_worker_imports_nothing_that_serves(module: str) -> None:
    program = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    found = set(done.stdout.split())
    assert module.partition(".")[0] in found
    assert found & SERVING == set()


def test_a_command_costs_little_more_cpu_than_the_libraries_it_needs(database: str) -> None:
    empty, floor, help_, query = [], [], [], []
    # In turns: another program may take the machine for a while.
    for _ in range(RUNS):
        empty.append(cpu("-c", "pass"))
        floor.append(cpu("-c", FLOOR))
        help_.append(cpu("-c", PROGRAM, "--help"))
        query.append(cpu("-c", PROGRAM, "executions"))
    libraries = median(floor) - median(empty)
    assert median(help_) - median(empty) < libraries
    assert median(query) - median(empty) < 2.5 * libraries


def cpu(*arguments: str) -> float:
    """Return the seconds of CPU, user and system, that Python takes for the arguments."""
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True, timeout=60, env=os.environ)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
