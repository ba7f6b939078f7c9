"""A role, a database and an environment whose every setting is another: Procession works as if they stated nothing."""

import re
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo, sql

from store.connections import Connections, connect
from store.session import NEWER, SETTINGS

ROOT = Path(__file__).parents[3]
ROOMS = (
    "app",
    "api",
    "edge",
    "bench",
    "commands",
    "embedded",
    "gateway",
    "projections",
    "queries",
    "scheduler",
    "store",
)

# Each a value that a statement of ours cannot stand, or that would change its meaning or its speed.
WRONG = {
    "datestyle": "German, DMY",
    "intervalstyle": "iso_8601",
    "timezone": "Asia/Kathmandu",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "array_nulls": "off",
    "standard_conforming_strings": "off",
    "transform_null_equals": "on",
    "search_path": "elsewhere",
    "default_transaction_isolation": "serializable",
    "statement_timeout": "20ms",
    "idle_in_transaction_session_timeout": "10ms",
    "idle_session_timeout": "50ms",
    "lock_timeout": "1ms",
    "transaction_timeout": "5s",  # the one setting that a connection can set only after it has begun
    "client_min_messages": "debug5",
    "plan_cache_mode": "force_custom_plan",
    "enable_indexscan": "off",
    "enable_bitmapscan": "off",
    "jit": "on",
    # Procession does not set these; they must not matter.
    "client_encoding": "LATIN1",
    "default_transaction_deferrable": "on",
    "quote_all_identifiers": "on",
    "row_security": "off",
    "xmlbinary": "hex",
    "lc_numeric": "C",
    "lc_time": "C",
    "synchronous_commit": "off",
    "default_tablespace": "pg_default",
    "default_text_search_config": "german",
    "escape_string_warning": "on",
    "backslash_quote": "off",
    "check_function_bodies": "off",
    "constraint_exclusion": "on",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_sort": "off",
    "from_collapse_limit": "1",
    "join_collapse_limit": "1",
    "geqo_threshold": "2",
    "work_mem": "64kB",
    "temp_buffers": "800kB",
    "maintenance_work_mem": "1MB",
    "debug_parallel_query": "on",
    "plpgsql.extra_errors": "all",
    "plpgsql.variable_conflict": "use_variable",
}


@pytest.mark.parametrize("level", ["role", "database"])
def test_the_whole_journey_works_whatever_role_and_database_set(place, journey, monkeypatch, level) -> None:
    role = place.role()
    dsn = place.database(role=role)
    target = f"role {role}" if level == "role" else f"database {place.name_of(dsn)}"
    there = {name for (name,) in place.admin.execute("select name from pg_settings").fetchall()}
    for name, value in WRONG.items():
        if name in there or "." in name:
            text = value if name == "search_path" else f"'{value}'"
            place.admin.execute(f"alter {target} set {name} = {text}")
    if level == "role":
        monkeypatch.setenv("PGTZ", "America/St_Johns")
        monkeypatch.setenv("PGDATESTYLE", "SQL, MDY")
        monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    assert wrong_ones(conninfo.make_conninfo(dsn)), "the settings reach a connection that does not state its own"
    journey(dsn)


def wrong_ones(dsn: str) -> set[str]:
    """Return the settings that an ordinary connection gets from its role, database or environment."""
    limits = "-c statement_timeout=0 -c idle_session_timeout=0"
    with psycopg.connect(dsn, autocommit=True, options=limits) as connection:
        rows = connection.execute("select name from pg_settings where source in ('user', 'database')").fetchall()
    return {name for (name,) in rows}


def test_every_connection_states_every_setting(place) -> None:
    role = place.role()
    dsn = place.database(role=role)
    for name in (*SETTINGS, *NEWER):
        if name in WRONG and place.admin.execute("select 1 from pg_settings where name = %s", (name,)).fetchone():
            value = sql.Identifier(WRONG[name]) if name == "search_path" else sql.Literal(WRONG[name])
            place.admin.execute(sql.SQL("alter role {} set {} = {}").format(*map(sql.Identifier, (role, name)), value))
    query = "select name, setting from pg_settings where source in ('user', 'database', 'default') and name = any(%s)"
    names = [*SETTINGS, "client_encoding"]
    datastore = Connections(dsn, pool_size=2)
    try:
        with connect(dsn) as alone, datastore.connect() as own, datastore.reading() as pooled:
            for connection in (alone, own, pooled):
                assert connection.execute(query, (names,)).fetchall() == []
                assert connection.info.parameter_status("TimeZone") == "UTC"
                assert connection.info.parameter_status("client_encoding") == "UTF8"
    finally:
        datastore.close()


def test_a_connection_may_state_settings_of_its_own(dsn: str) -> None:
    settings = {"search_path": "building,public", "default_transaction_isolation": "repeatable read"}
    with connect(dsn, **settings) as connection:
        shown = connection.execute("select name, setting from pg_settings where name = any(%s)", (list(settings),))
        assert dict(shown.fetchall()) == settings


def test_one_function_opens_every_connection() -> None:
    opening = re.compile(r"psycopg\.connect\(|Connection\.connect\(")
    files = [file for room in ROOMS for file in (ROOT / room).rglob("*.py")]
    found = {file.relative_to(ROOT).as_posix() for file in files if opening.search(file.read_text())}
    # The embedded server starts below the store; the floor under the benchmark uses nothing of this tree.
    assert found == {"store/connections.py", "embedded/database.py", "bench/floor.py"}
