"""Lists that PostgreSQL takes for empty, analysed when they were: a statement still reads only the rows it names."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from psycopg import Connection

from domain.agents.calls import Completed
from projections import execution_waits
from projections.facts import Fact
from projections.tables import create_read_tables
from store.connections import connect
from store.datastore import BY_INDEX, Datastore
from store.lists import agent_answers, due_steps, due_timers, outbox, set_aside, turns
from store.lists.turns import NO_PROCESS, UNKNOWN
from tests.database import cloned

NOW = datetime.now(UTC) + timedelta(hours=1)  # after every row is due
WORKER, PROCESS = UUID(int=1), UUID(int=2)
ROWS = 2_000
IDS = [UUID(int=10_000 + n) for n in range(ROWS)]
FEW = IDS[:5]

FILL = {
    "due_steps": """insert into due_steps (execution_id, step, attempt, agent, process_id, due_at)
        select id, 's', 1, 'a', %(process)s, now() - interval '1 min' from unnest(%(ids)s) as id""",
    "due_timers": """insert into due_timers (execution_id, step, kind, due_at)
        select id, 's', 'timer', now() - interval '1 min' from unnest(%(ids)s) as id""",
    "outbox": "insert into outbox (source, version, recipient) select id, 1, %(process)s from unnest(%(ids)s) as id",
    "admissions": """insert into admissions (execution_id, process_id, key, running)
        select id, %(process)s, id::text, true from unnest(%(ids)s) as id""",
    "due_schedules": """insert into due_schedules (schedule_id, process_id, calendars, due_at)
        select id, %(process)s, '{}', now() - interval '1 min' from unnest(%(ids)s) as id""",
    "execution_list_waits": """insert into execution_list_waits (execution_id, step, kind)
        select id, 's', 'timer' from unnest(%(ids)s) as id""",
}
# What the messages point to: events that this release cannot read, so that a claim names each.
EVENTS = """insert into stored_events (originator_id, originator_version, topic, state)
select id, 1, 'OfANewerRelease', '{}' from unnest(%(ids)s) as id"""
HOLD = "update due_steps set owner = %s where execution_id = any(%s)"
READ = """select seq_tup_read + coalesce(idx_tup_fetch, 0) as n from pg_stat_xact_user_tables
where relname = %s"""

STEPS = [(id, "s") for id in FEW]
TIMERS = [(id, "s", "timer") for id in FEW]
MESSAGES = [(id, 1) for id in FEW]
ANSWERS = [((id, "s", 1), Completed({"text": "x"})) for id in FEW]
# The functions of lists, with the types of their arguments after the first, and five rows to strike off or to move.
MOVES: dict[str, tuple[str, Sequence[Any]]] = {
    "move_due_steps_v1": ("uuid[] text[] uuid[] text[] int[] uuid[] bool", (FEW, ["s"] * 5, [], [], [], [], False)),
    "move_due_steps_v2": (
        "uuid[] text[] uuid[] text[] int[] uuid[] text[] uuid[] bool",
        (FEW, ["s"] * 5, [], [], [], [], [], [], False),
    ),
    "move_due_timers_v1": (
        "uuid[] text[] text[] uuid[] text[] text[] timestamptz[]",
        (FEW, ["s"] * 5, ["timer"] * 5, [], [], [], []),
    ),
    "move_outbox_v1": ("uuid[] bigint[] uuid[] bigint[] uuid[] bool[]", (FEW, [1] * 5, [], [], [], [])),
    "move_slots_v1": ("uuid[] uuid[] uuid[] bool[]", (FEW, [], [], [])),
    "move_slots_v2": (
        "uuid[] uuid[] uuid[] text[] timestamptz[] bool[] bool[] uuid[] text[] int[]",
        (FEW, [], [], [], [], [], [], [], [], []),
    ),
    "move_due_schedules_v1": ("uuid[] uuid[] text[] uuid[] uuid[] timestamptz[]", ([], [], [], [], FEW, [NOW] * 5)),
}
LIST_OF = {name: name.removeprefix("move_")[:-3] for name in MOVES} | dict.fromkeys(
    ("move_slots_v1", "move_slots_v2"), "admissions"
)
Statement = Callable[[Connection[Any]], Any]


def move(name: str) -> Statement:
    """Return the call of a list's function."""
    types, arguments = MOVES[name]
    places = ", ".join(f"%s::{kind}" for kind in types.split())
    return lambda connection: connection.execute(f"select {name}(0, {places})".encode(), arguments)


def waits_end(connection: Connection[Any]) -> None:
    execution_waits.write(connection, [Fact(1, id.bytes, 1, "StepCompleted", Ended("s")) for id in FEW])


def begins(connection: Connection[Any]) -> None:
    """Let five executions run again, each within the limit of its line."""
    keys = [str(id) for id in FEW]
    given = ([], FEW, [PROCESS] * 5, keys, [NOW] * 5, [False] * 5, [True] * 5, [PROCESS] * 5, keys, [1] * 5)
    places = ", ".join(f"%s::{kind}" for kind in MOVES["move_slots_v2"][0].split())
    connection.execute(f"select move_slots_v2(0, {places})".encode(), given)


class Ended(msgspec.Struct):
    step: str


STATEMENTS: dict[str, tuple[str, Statement]] = {
    **{name: (LIST_OF[name], move(name)) for name in MOVES},
    "claim steps": ("due_steps", lambda c: turns.claim(c, WORKER, 5, {}, UNKNOWN)),
    "unclaim steps": ("due_steps", lambda c: due_steps.unclaim(c, WORKER, STEPS)),
    "regroup steps": (
        "due_steps",
        lambda c: due_steps.regroup(c, WORKER, [(*step, ("b", NO_PROCESS)) for step in STEPS]),
    ),
    "postpone steps": ("due_steps", lambda c: due_steps.postpone(c, WORKER, STEPS)),
    "drop steps": ("due_steps", lambda c: due_steps.drop(c, WORKER, STEPS)),
    "release lost steps": ("due_steps", due_steps.release_lost),
    "release all steps": ("due_steps", lambda c: due_steps.release_all(c, WORKER)),
    "keep answers": ("due_steps", lambda c: agent_answers.keep(c, WORKER, ANSWERS)),
    "kept answers": ("due_steps", lambda c: agent_answers.kept(c, WORKER, [key for key, _ in ANSWERS])),
    "claim timers": ("due_timers", lambda c: due_timers.claim(c, NOW, NOW, 5)),
    "release timers": ("due_timers", lambda c: due_timers.release(c, TIMERS)),
    "drop timers": ("due_timers", lambda c: due_timers.drop(c, NOW, TIMERS)),
    "claim messages": ("outbox", lambda c: outbox.claim(c, 5)),
    "release messages": ("outbox", lambda c: outbox.release(c, MESSAGES)),
    "drop messages": ("outbox", lambda c: outbox.drop(c, MESSAGES)),
    "postpone messages": ("outbox", lambda c: set_aside.postpone_messages(c, MESSAGES, NOW + timedelta(hours=1))),
    "listed messages": ("outbox", lambda c: set_aside.listed_messages(c, MESSAGES)),
    "end waits": ("execution_list_waits", waits_end),
    "count those who left": ("slot_lines", move("move_slots_v2")),
    "begin within a limit": ("slot_lines", begins),
}
OF_OWNER = ("unclaim steps", "regroup steps", "postpone steps", "drop steps", "keep answers", "kept answers")
OF_OWNER += ("release lost steps", "release all steps")
# Each of five rows may be read by a claim, by an update or a delete, and by a check of those before it.
MOST = 5 * 6


@pytest.fixture(scope="module")
def stale(server: str, template: str) -> Iterator[str]:
    """Yield a database whose lists PostgreSQL takes for empty, with 2,000 rows in each."""
    with cloned(server, template) as dsn, connect(dsn) as connection:
        create_read_tables(connection)
        connection.execute("alter table slot_lines set (autovacuum_enabled = off)")
        connection.execute(EVENTS, {"ids": IDS})
        for table, fill in FILL.items():
            connection.execute(f"alter table {table} set (autovacuum_enabled = off)".encode())
            connection.execute(fill.encode(), {"ids": IDS, "process": PROCESS})
            connection.execute(f"delete from {table}".encode())
            connection.execute(f"analyze {table}, slot_lines".encode())
            connection.execute(fill.encode(), {"ids": IDS, "process": PROCESS})
            seen = connection.execute("select reltuples from pg_class where relname = %s", (table,)).fetchone()
            assert seen == (0,)
        yield dsn


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_reads_its_own_rows_only(stale: str, name: str) -> None:
    table, statement = STATEMENTS[name]
    datastore = Datastore(stale)
    with closing(datastore), datastore.connect(**BY_INDEX) as connection, connection.transaction(force_rollback=True):
        if name in OF_OWNER:
            connection.execute(HOLD, (WORKER, FEW if "release" in name else IDS))
        before = rows_read(connection, table)
        statement(connection)
        assert 0 < rows_read(connection, table) - before <= MOST


def rows_read(connection: Connection[Any], table: str) -> int:
    row = connection.execute(READ, (table,)).fetchone()
    return 0 if row is None else row["n"]


def test_four_hundred_messages_are_claimed_in_one_walk(stale: str) -> None:
    datastore = Datastore(stale)
    with closing(datastore), datastore.connect(**BY_INDEX) as connection, connection.transaction(force_rollback=True):
        claimed: list[UUID] = []
        outbox.claim(connection, 400, lambda source, _position, _error: claimed.append(source))
        assert claimed == IDS[:400]
        assert rows_read(connection, "outbox") <= 400 * 6
