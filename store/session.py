"""The server settings of every connection. ALTER ROLE and ALTER DATABASE may state others, which must not matter."""

import logging
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import tuple_row

logger = logging.getLogger(__name__)

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


# Statements without a snapshot: a standby takes none under a default of `serializable`.
FIRST = "set statement_timeout = 0; set default_transaction_isolation = 'read committed'"
# The timeouts of a role may end a statement that sets others, before it has.
TRIES = 3


def complete(connection: Connection[Any], settings: Mapping[str, str] = SETTINGS) -> int:
    """Set the settings, which then precede those of the role, the database and libpq's environment.

    Poolers refuse or drop settings that come with the request to connect, so none do. Returns the process of the server
    that has them.
    """
    version = connection.info.server_version
    newer = {name: value for name, (value, since) in NEWER.items() if version >= since}
    every = {**{name: value for name, value in settings.items() if name not in AT_START}, **newer}
    calls = ", ".join(["set_config(%s, %s, false)"] * len(every))
    texts = [text for pair in every.items() for text in pair]
    with connection.cursor(row_factory=tuple_row) as cursor:
        for tried in range(1, TRIES + 1):
            try:
                cursor.execute(FIRST, prepare=False)
                row = cursor.execute(f"select pg_backend_pid(), {calls}", texts, prepare=False).fetchone()
                break
            except psycopg.errors.QueryCanceled:
                if tried == TRIES:
                    raise
        for name in AT_START.intersection(settings):
            try:
                cursor.execute("select set_config(%s, %s, false)", (name, settings[name]), prepare=False)
            except psycopg.errors.InvalidParameterValue as error:
                logger.debug("%s stays as it is: %s", name, error)
    assert row is not None
    return int(row[0])
