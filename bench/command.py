"""The command `procession bench`: every figure beside the floor of the same server in the same run."""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from psycopg import connect, conninfo
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from app.database import Database
from app.settings import read_settings
from bench.alerts import alerts
from bench.analytics import analytics
from bench.engine import alone, saturated
from bench.fairness import fair
from bench.http_load import list_while_busy, starts
from bench.informed import informed
from bench.items import items
from bench.pages import pages
from bench.rebuilds import rebuilds
from bench.report import table
from bench.rig import Rig, rig
from bench.schedules import due_at_once
from bench.timers import timers

PARTS = (
    "floor",
    "w1",
    "w2",
    "lone",
    "w4",
    "starts",
    "list",
    "rebuild",
    "timers",
    "fair",
    "w6",
    "pages",
    "alerts",
    "w7",
    "w8",
    "w9",
)
ON_DBOS = ("timers", "lone", "w1", "w2", "w4")


def main(argv: Sequence[str]) -> int:
    """Run the requested parts and print a table, or JSON with --json. Returns an exit code."""
    options = _parser().parse_args(argv)
    with Database(read_settings()) as database:
        figures = measure(database.dsn, options)
    if options.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        Console(soft_wrap=True).print(table(figures))
    return 0


def measure(server: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure every figure, by part."""
    floor_events = 10_000 if options.quick else 200_000
    size = 100 if options.quick else 500
    rounds = 1 if options.quick else 5
    events = 20_000 if options.quick else 200_000
    peered = [part for part in ON_DBOS if options.dbos and part in options.only]
    work: dict[str, Callable[[], Any]] = {
        "floor": lambda: floor(server, floor_events),
        "w1": lambda: _on_rig(server, lambda r: saturated(r, "w1", size, rounds)),
        "w2": lambda: _on_rig(server, lambda r: saturated(r, "w2", size, rounds)),
        "lone": lambda: _on_rig(server, lambda r: alone(r, "w1", 10 if options.quick else 50)),
        "w4": lambda: parents(server, size, rounds, 10 if options.quick else 50),
        "starts": lambda: _on_rig(server, lambda r: starts(r, 300 if options.quick else 5_000)),
        "list": lambda: _on_rig(server, lambda r: list_while_busy(r, size if options.quick else 3_000)),
        "rebuild": lambda: _on_rig(server, lambda r: rebuilds(r, events, 1 if options.quick else 3)),
        "timers": lambda: _on_rig(
            server, lambda r: timers(r, 200 if options.quick else 2_000, 10_000 if options.quick else 100_000, rounds)
        ),
        "fair": lambda: beside_slow(server, size, rounds, 300 if options.quick else 5_000),
        "w6": lambda: _on_rig(
            server, lambda r: due_at_once(r, 1_000 if options.quick else 10_000, 300 if options.quick else 5_000)
        ),
        "pages": lambda: _on_rig(
            server, lambda r: pages(r, 1_000 if options.quick else 100_000, 40 if options.quick else 200, 20)
        ),
        "alerts": lambda: with_thresholds(server, size, 8 if rounds > 1 else 1, 20),
        "w7": lambda: _on_rig(
            server, lambda r: analytics(r, 2_000 if options.quick else 1_000_000, 5 if options.quick else 40)
        ),
        "w8": lambda: with_informed(server, size, rounds, 20 if options.quick else 200),
        "w9": lambda: _on_rig(
            server, lambda r: items(r, 200 if options.quick else 10_000, rounds, size, 5 if options.quick else 40)
        ),
        "dbos": lambda: dbos(server, peered, 30 if options.quick else 100, 200 if options.quick else 2_000),
        "browser": lambda: _on_rig(server, lambda r: on_screen(r, 5 if options.quick else 40)),
        "floor_again": lambda: floor(server, floor_events),
    }
    extra = {"dbos": bool(peered), "browser": options.browser and "pages" in options.only}
    chosen = [part for part in work if part.removesuffix("_again") in options.only or extra.get(part)]
    figures = {}
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=options.json) as progress:
        for part in chosen:
            task = progress.add_task(part.replace("_", " "))
            figures[part] = work[part]()
            progress.update(task, completed=True)
    return figures


def floor(server: str, events: int) -> dict[str, float]:
    """Measure the best of this server and machine, right now."""
    command = [sys.executable, "-m", "bench.floor", server, "--events", str(events)]
    answer = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    figures: dict[str, float] = json.loads(answer)
    return figures


def parents(server: str, executions: int, rounds: int, runs: int) -> dict[str, Any]:
    """Measure W4: many parents at once, and then each alone, each on a rig of its own."""
    many: dict[str, Any] = _on_rig(server, lambda r: saturated(r, "w4", executions, rounds))
    lone = _on_rig(server, lambda r: alone(r, "w4", runs))
    return many | {f"lone_{name}": value for name, value in lone.items()}


def beside_slow(server: str, executions: int, rounds: int, slow: int) -> dict[str, float]:
    """Measure W1 alone and beside calls of a slow agent, on a rig each."""
    with rig(server) as alone_rig, rig(server) as other:
        return fair(alone_rig, other, executions, rounds, slow)


def on_screen(made: Rig, events: int) -> dict[str, float]:
    """Measure an open page in a browser, which the extra `dev` brings."""
    from bench.open_page import drawn

    return drawn(made, events)


def with_thresholds(server: str, executions: int, rounds: int, runs: int) -> dict[str, float]:
    """Measure W1 with costs, without thresholds and with them, on a rig each."""
    with rig(server) as without, rig(server) as guarded:
        return alerts(without, guarded, executions, rounds, runs)


def with_informed(server: str, executions: int, rounds: int, runs: int) -> dict[str, float]:
    """Measure W1 without informed agents and with a thousand, on a rig each."""
    with rig(server) as without, rig(server) as beside:
        return informed(without, beside, executions, rounds, runs, 1_000)


def dbos(server: str, parts: Sequence[str], executions: int, at_once: int) -> dict[str, float]:
    """Measure the parts of ON_DBOS on DBOS, in a database of its own on the same server."""
    with connect(server, autocommit=True) as admin:
        admin.execute("drop database if exists bench_dbos with (force)")
        admin.execute("create database bench_dbos")
    try:
        to = conninfo.conninfo_to_dict(server)
        url = f"postgresql://{to.get('user', '')}@/bench_dbos?host={to.get('host', '')}&port={to.get('port', 5432)}"
        sizes = "--executions", str(executions), "--timers", str(at_once)
        command = [sys.executable, "-m", "bench.dbos_peer", url, *sizes, "--only", *parts]
        answer = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        figures: dict[str, float] = json.loads(answer.splitlines()[-1])
        return figures
    finally:
        with connect(server, autocommit=True) as admin:
            admin.execute("drop database if exists bench_dbos with (force)")


def _on_rig(server: str, part: Callable[[Any], Any]) -> Any:
    with rig(server) as made:
        return part(made)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="procession bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--quick", action="store_true", help="small sizes: to see that it runs, not to quote")
    parser.add_argument(
        "--dbos",
        action="store_true",
        help=f"also run on DBOS what is asked of: {', '.join(ON_DBOS)} (needs the extra `bench`)",
    )
    parser.add_argument(
        "--browser",
        action="store_true",
        help="with the part pages: also an open page in chromium (needs the extra `dev`)",
    )
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=f"some of: {', '.join(PARTS)}"
    )
    return parser
