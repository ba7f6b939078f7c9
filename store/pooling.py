"""Poolers between this process and the server: one that lends sessions serves, one that lends transactions does not."""

from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import tuple_row

from store.unsuitable import DatabaseUnsuitable

ROUNDS = 4
ADVICE = (
    "a pooler between lends a session of the server for one transaction only, which loses locks, settings and"
    " notifications: give the address of the server itself, or set pool_mode ="
    " session in PgBouncer, with a default_pool_size of all connections together"
)


def session_of(connection: Connection[Any]) -> int:
    """Return the process of the server that carries out the next statement of a connection."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute("select pg_backend_pid()", prepare=False).fetchone()
    assert row is not None
    return int(row[0])


def is_pooled(connection: Connection[Any], session: int) -> bool:
    """Return whether another program than the server answered the request to connect. session: from `session_of`."""
    return connection.info.backend_pid != session


def require_sessions(one: Connection[Any], other: Connection[Any]) -> None:
    """Raise DatabaseUnsuitable if two connections do not keep a session of the server each, between transactions.

    While `other` holds a transaction open, `one` gets another session than before, if it got that of `other`.
    """
    try:
        mine, others = session_of(one), session_of(other)
        for _ in range(ROUNDS):
            if mine == others:
                break
            with other.transaction():
                if (session_of(other), session_of(one)) != (others, mine):
                    break
        else:
            return
    except psycopg.errors.ProtocolViolation as error:  # a pooler of single statements refuses transactions
        raise DatabaseUnsuitable([ADVICE]) from error
    raise DatabaseUnsuitable([ADVICE])
