"""A database of its own on the server under test, and the processes that work on it."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import conninfo

from app.wiring import Wiring, operator
from bench.workloads import AGENT, SLOW_AGENT, WORKLOADS
from commands.agents import RegisterAgent
from commands.processes import DraftProcess, PublishProcess
from domain.agents.kinds import parse_agent
from domain.event import Cause
from domain.executions.decisions.execution import start_execution
from domain.executions.events.execution import Trigger
from domain.identity import new_id, process_id
from projections.tables import create_read_tables
from store.connections import connect
from store.datastore import BY_INDEX, Datastore
from store.migrating import migrate
from store.unit import Unit

CAUSE = Cause(datetime(2026, 1, 1, tzinfo=UTC), "user:bench")
DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")
DEADLINE_SECONDS = 300
# One statement, so that a row that moves from one list to the other is seen in one of them.
BUSY = "select exists (select from due_steps) or exists (select from outbox)"


class NotDurable(RuntimeError):
    """The server does not keep committed data safe: its figures mean nothing."""


class NotCompleted(RuntimeError):
    """Executions failed, were cancelled or are stuck: the figures would not be of the workload."""


class Rig(Wiring):
    """The wiring on a migrated database with the benchmark's processes published."""

    def __init__(self, dsn: str) -> None:
        super().__init__(Datastore(dsn, pool_size=10))
        self.dsn = dsn
        for name, config in (("noop", AGENT), ("slow", SLOW_AGENT)):
            self.agents.register(RegisterAgent(name, parse_agent(name, config)), CAUSE)
        for workload in WORKLOADS.values():
            self.processes.draft(DraftProcess(workload.source), CAUSE)
            self.processes.publish(PublishProcess(process_id(workload.name)), CAUSE)

    def start(self, workload: str, executions: int, given: dict[str, Any] | None = None) -> None:
        """Start many executions, a hundred in an append."""
        given = {"n": 1} if given is None else given
        plan, _ = self.plans.startable(process_id(WORKLOADS[workload].name), None)
        callees, _ = self.plans.callees(plan)
        for begin in range(0, executions, 100):
            units = []
            for _ in range(begin, min(begin + 100, executions)):
                id = new_id()
                begun = start_execution(id, plan, given, Trigger(), now(), callees=callees)
                units.append(Unit(id, 0, begun.events, timers_set=begun.execution.timers, process_id=plan.process_id))
            self.log.append_all(units)

    def busy(self) -> bool:
        """Return whether anything is due or under way."""
        with self.datastore.reading() as connection:
            return bool(_one(connection, BUSY))

    def wait_idle(self) -> None:
        """Return when nothing is due or under way, which means that every execution has ended."""
        # By index: a scan of the lists would pass every row that is gone, and cost the server what it is measured by.
        with self.datastore.connect(**BY_INDEX) as connection:
            wait_until(lambda: not _one(connection, BUSY))

    def require_completed(self) -> None:
        """Raise NotCompleted unless every execution has completed."""
        query = """select count(*) filter (where topic = 'ExecutionStarted') as started,
            count(*) filter (where topic = 'ExecutionCompleted') as completed,
            count(*) filter (where topic in ('ExecutionFailed', 'ExecutionCancelled')) as otherwise
          from stored_events"""
        with self.datastore.connect() as connection:
            ends = connection.execute(query).fetchone()
        assert ends is not None
        if ends["started"] != ends["completed"]:
            raise NotCompleted(
                "of {started} executions {completed} completed, {otherwise} ended otherwise".format(**ends)
            )

    def wait_projected(self) -> None:
        """Return when every projection has reached the end of the log."""
        with self.datastore.connect() as connection:
            last = _one(connection, "select max(notification_id) from stored_events")
            query = """select coalesce(min(notification_id), 0) >= %s from notification_tracking
              where application_name not like '\\_\\_%%' and application_name not like '%%:%%'"""
            wait_until(lambda: bool(_one(connection, query, last)))

    def server_cpu_seconds(self) -> dict[int, float]:
        """Return the user and system time so far of every server process that works for this database, by pid."""
        with self.datastore.reading() as connection:
            rows = connection.execute("select pid from pg_stat_activity where datname = current_database()").fetchall()
        return {row["pid"]: cpu_seconds(row["pid"]) for row in rows if psutil.pid_exists(row["pid"])}


def now() -> Cause:
    """Return the cause of what the benchmark does now."""
    return operator("bench", "user:bench")


@contextmanager
def rig(server: str) -> Iterator[Rig]:
    """Yield a rig on a new database of `server`, dropped at the end. Raises NotDurable."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    with connect(server) as admin:
        for setting in DURABILITY:
            if _one(admin, f"show {setting}") != "on":
                raise NotDurable(f"{setting} is off")
        admin.execute(f"create database {name}")
        made = None
        try:
            dsn = conninfo.make_conninfo(server, dbname=name)
            migrate(dsn)
            with connect(dsn) as connection:
                create_read_tables(connection)
            made = Rig(dsn)
            yield made
        finally:
            if made is not None:
                made.close()
            admin.execute(f"drop database {name} with (force)")


class CommandProcess:
    """A `procession` command in a process of its own."""

    def __init__(self, dsn: str, *arguments: str) -> None:
        environment = {**os.environ, "DATABASE_URL": dsn}
        command = [str(Path(sys.executable).with_name("procession")), *arguments]
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def cpu_seconds(self) -> float:
        """Return its user and system time so far."""
        return cpu_seconds(self._process.pid)

    def peak_mib(self) -> float:
        """Return its peak memory, in MiB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024

    def stop(self) -> None:
        """Drain the command, and wait for its end."""
        self._process.terminate()
        self._process.wait(60)


@contextmanager
def children(dsn: str, commands: Sequence[Sequence[str]]) -> Iterator[list[CommandProcess]]:
    """Run several commands at once, and drain them at the end."""
    running = [CommandProcess(dsn, *command) for command in commands]
    try:
        yield running
    finally:
        for child in running:
            child.stop()


def cpu_seconds(pid: int) -> float:
    """Return the user and system time of a process so far."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def wait_until(condition: Callable[[], bool], pause: float = 0.003) -> None:
    """Repeat a check until it holds. Raises TimeoutError after five minutes."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {DEADLINE_SECONDS} s for the benchmark to get on")
        time.sleep(pause)


def _one(connection: psycopg.Connection[Any], query: str, *parameters: object) -> object:
    row = connection.execute(query, parameters or None).fetchone()
    assert row is not None
    return next(iter(row.values())) if isinstance(row, dict) else row[0]
