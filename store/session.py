"""The server settings of every connection. ALTER ROLE and ALTER DATABASE may state others, which must not matter."""

from collections.abc import Mapping
from typing import Any

from psycopg import Connection

LOCK_TIMEOUT = "30s"

# All of them exist since PostgreSQL 14, and every role may set them. synchronous_commit, work_mem and the like stay as
# the operator sets them.
SETTINGS: Mapping[str, str] = {
    # Values as texts: psycopg reads times in ISO style only, and loses digits that the server leaves out.
    "datestyle": "ISO,MDY",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "array_nulls": "on",
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    # The tables in use are in `public`; builds of read tables put their schema first.
    "search_path": "public",
    "default_table_access_method": "heap",
    # An append waits for the log's lock and then reads what the append before it wrote: no snapshot of before the wait.
    "default_transaction_isolation": "read committed",
    # Builds work in Python inside a transaction; connections of the pool and listeners are idle for hours.
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "lock_timeout": LOCK_TIMEOUT,
    "client_min_messages": "warning",
    "plan_cache_mode": "auto",
    "enable_indexscan": "on",
    "enable_bitmapscan": "on",
    "jit": "off",
}
# A session that has used temporary tables, such as one that a pooler lends again, refuses another value.
AT_START = frozenset(("temp_buffers",))
# Settings of newer servers, with the first version that has them.
NEWER = {"transaction_timeout": ("0", 170_000)}


def options(settings: Mapping[str, str]) -> str:
    """Return the settings as the libpq parameter `options`: they precede those of the role and the database."""
    return " ".join(f"-c {name}={_escaped(value)}" for name, value in settings.items())


def complete(connection: Connection[Any], settings: Mapping[str, str] = SETTINGS) -> None:
    """Set the settings again, where a pooler takes `options` away, and those that only newer servers have.

    They precede what the environment of libpq sets, too.
    """
    version = connection.info.server_version
    newer = {name: value for name, (value, since) in NEWER.items() if version >= since}
    every = {**{name: value for name, value in settings.items() if name not in AT_START}, **newer}
    calls = ", ".join(["set_config(%s, %s, false)"] * len(every))
    connection.execute(f"select {calls}", [text for pair in every.items() for text in pair])


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
