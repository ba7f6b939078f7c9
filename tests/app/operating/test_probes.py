"""A server, a database or a way to it that lacks something is refused with its name, before anything is applied."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from psycopg import conninfo
from psycopg.rows import scalar_row

from store import probing
from store.connections import connect
from store.datastore import Datastore
from store.probing import DatabaseUnsuitable, probe, problems_of

Damage = Callable[[bytes], bytes]
NOTIFICATION = b"A"


def tables(place, dsn: str) -> int:
    with psycopg.connect(place.dsn(place.name_of(dsn))) as connection:
        row = connection.execute("select count(*) from pg_tables where schemaname !~ '^pg_|^information_schema'")
        return row.fetchone()[0]


def test_a_server_as_it_should_be_passes(own_dsn: str) -> None:
    probe(own_dsn)


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_another_encoding_is_refused_before_anything_is_applied(place, using, procession, encoding: str) -> None:
    dsn = place.database(f"encoding '{encoding}' locale_provider libc locale 'C' template template0")
    using(dsn)
    for command in (("migrate",), ("migrate", "--dry-run"), ("serve", "--port", "0"), ("work",), ("up", "--port", "0")):
        done = procession(*command)
        assert done.exit_code == 3
        assert f"its encoding is {encoding}" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert tables(place, dsn) == 0


def test_triggers_that_do_not_fire_are_refused_with_the_reason(place, using, procession) -> None:
    dsn = place.database()
    place.admin.execute(f"alter database {place.name_of(dsn)} set session_replication_role = replica")
    using(dsn)
    for command in (("migrate",), ("work",)):
        done = procession(*command)
        assert done.exit_code == 3
        assert "session_replication_role is replica" in done.stderr
    place.admin.execute(f"alter database {place.name_of(dsn)} set session_replication_role = local")
    probe(dsn)


@pytest.mark.parametrize("target", ["role", "database"])
def test_a_read_only_database_is_refused_with_the_reason(place, using, document, target: str) -> None:
    role = place.role()
    dsn = place.database(role=role)
    name = role if target == "role" else place.name_of(dsn)
    place.admin.execute(f"alter {target} {name} set default_transaction_read_only = on")
    using(dsn)
    error = document("migrate", code=3)["error"]
    assert error["code"] == "unsuitable_database"
    assert "default_transaction_read_only" in error["message"]


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("drop schema public", "schema public is missing"),
        ("revoke temporary on database {database} from public", "{role} lacks TEMPORARY on database {database}"),
        (
            "revoke usage on schema public from public, {role}; alter schema public owner to postgres",
            "USAGE on schema public",
        ),
        ("revoke usage on language plpgsql from public", "USAGE on language plpgsql"),
        (
            "revoke create on schema public from public, {role}; alter schema public owner to postgres",
            "CREATE on schema",
        ),
        ("revoke create on database {database} from {role}", "CREATE on database"),
    ],
)
def test_what_a_migration_would_lack_is_named_and_nothing_is_applied(
    place, using, procession, damage: str, named: str
) -> None:
    role = place.role()
    dsn = place.database(role=role)
    owner = place.admin.info.user
    place.execute(
        dsn, f"alter database {place.name_of(dsn)} owner to {owner}", f"grant create on schema public to {role}"
    )
    place.execute(dsn, f"grant create on database {place.name_of(dsn)} to {role}")
    damage = damage.replace("to postgres", f"to {owner}").format(database=place.name_of(dsn), role=role)
    place.execute(dsn, *damage.split("; "))
    using(dsn)
    for command in (("migrate",), ("migrate", "--dry-run")):
        done = procession(*command)
        assert done.exit_code == 3
        assert named.format(database=place.name_of(dsn), role=role) in done.stderr
        assert tables(place, dsn) == 0


def test_all_that_is_missing_is_named_at_once(place) -> None:
    dsn = place.database("encoding 'SQL_ASCII' locale_provider libc locale 'C' template template0", place.role())
    place.execute(
        dsn, f"revoke temporary on database {place.name_of(dsn)} from public, {conninfo.conninfo_to_dict(dsn)['user']}"
    )
    place.execute(dsn, f"alter database {place.name_of(dsn)} owner to {place.admin.info.user}")
    with pytest.raises(DatabaseUnsuitable) as refused:
        probe(dsn)
    assert [words in str(refused.value) for words in ("SQL_ASCII", "temporary tables")] == [True, True]


def test_locks_of_one_shared_session_do_not_exclude(own_dsn: str) -> None:
    # As through a pooler that lends one session of the server to many clients, a transaction at a time.
    with connect(own_dsn) as one:
        assert any("advisory locks of a session" in each for each in problems_of(one, one))


def test_an_engine_without_a_function_is_named(own_dsn: str) -> None:
    shadows = """create schema shadow; create function shadow.{} returns {} language sql as $$ {} $$"""
    with psycopg.connect(own_dsn, autocommit=True) as owner:
        owner.execute(shadows.format("pg_try_advisory_lock(int, int)", "boolean", "select true"))
        owner.execute(
            "create function shadow.pg_try_advisory_xact_lock(int, int) returns boolean language plpgsql"
            " as $$ begin raise feature_not_supported using message = 'no such locks'; end $$"
        )
    path = "shadow,pg_catalog,public"
    with connect(own_dsn, search_path=path) as one, connect(own_dsn, search_path=path) as other:
        found = problems_of(one, other)
    assert [each.partition(" do not")[0] for each in found] == [
        "advisory locks of a session",
        "advisory locks of a transaction cannot be used (no such locks)",
    ]


class Between:
    """A proxy before the server that changes what passes, as a pooler may. Each connection has two threads."""

    def __init__(self, dsn: str, sent: Damage, received: Damage) -> None:
        given = conninfo.conninfo_to_dict(dsn)
        self._directory, self._port = str(given["host"]), int(given.get("port") or 5432)
        self._sent, self._received = sent, received
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.dsn = conninfo.make_conninfo(
            dsn, host="127.0.0.1", port=self._listening.getsockname()[1], sslmode="disable", gssencmode="disable"
        )
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in (self._listening, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                if self._directory.startswith("/"):
                    server = socket.socket(socket.AF_UNIX)
                    server.connect(f"{self._directory}/.s.PGSQL.{self._port}")
                else:
                    server = socket.create_connection((self._directory, self._port))
                self._open += [client, server]
                threading.Thread(target=self._pass, args=(client, server, True, self._sent), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, False, self._received), daemon=True).start()

    @staticmethod
    def _pass(source: socket.socket, target: socket.socket, untyped: bool, change: Damage) -> None:
        """Pass message by message; the first message of a client has no type."""
        with contextlib.suppress(OSError), source.makefile("rb") as reading:
            while True:
                kind = b"" if untyped else reading.read(1)
                length = reading.read(4)
                if len(length) < 4:
                    break
                body = reading.read(struct.unpack("!I", length)[0] - 4)
                untyped = False
                if changed := change(kind + length + body):
                    target.sendall(changed)
            target.shutdown(socket.SHUT_RDWR)


def without_options(message: bytes) -> bytes:
    """Return a message to the server; a startup message without its parameter `options`."""
    if message[4:8] != struct.pack("!I", 196_608) and message[4:6] != b"\x00\x03":
        return message
    parts = message[8:].rstrip(b"\0").split(b"\0")
    pairs = [pair for pair in zip(parts[::2], parts[1::2], strict=True) if pair[0] != b"options"]
    body = message[4:8] + b"".join(name + b"\0" + value + b"\0" for name, value in pairs) + b"\0"
    return struct.pack("!I", len(body) + 4) + body


@pytest.fixture
def between(own_dsn: str) -> Iterator[Callable[[Damage, Damage], str]]:
    opened: list[Between] = []

    def put(sent: Damage, received: Damage) -> str:
        opened.append(Between(own_dsn, sent, received))
        return opened[-1].dsn

    yield put
    for each in opened:
        each.close()


def test_a_way_that_loses_notifications_is_refused(between, monkeypatch) -> None:
    monkeypatch.setattr(probing, "NOTIFY_SECONDS", 0.2)
    probe(between(bytes, bytes))
    with pytest.raises(DatabaseUnsuitable, match="notification"):
        probe(between(bytes, lambda message: b"" if message[:1] == NOTIFICATION else message))


def test_a_server_that_refuses_a_setting_is_refused_with_its_version(between) -> None:
    with pytest.raises(DatabaseUnsuitable, match=r'PostgreSQL .* refuses the settings .*parameter "jid"'):
        probe(between(lambda message: message.replace(b"\0\3jit\0", b"\0\3jid\0"), bytes))


def test_a_way_that_takes_the_startup_options_away_has_the_settings_all_the_same(between) -> None:
    dsn = between(without_options, bytes)
    probe(dsn)
    with connect(dsn, enable_seqscan="off", temp_buffers="1MB") as connection:
        assert _shown(connection, "lock_timeout", "jit", "enable_seqscan") == ["30s", "off", "off"]
    with closing(Datastore(dsn)) as datastore, datastore.reading() as reading:
        assert _shown(reading, "lock_timeout", "jit") == ["30s", "off"]


def test_a_way_that_loses_the_settings_of_connections_is_refused(between) -> None:
    with pytest.raises(DatabaseUnsuitable, match="settings of a connection do not arrive"):
        probe(between(lambda message: without_options(message.replace(b"30s", b"31s")), bytes))


def _shown(connection: psycopg.Connection[Any], *names: str) -> list[str]:
    with connection.cursor(row_factory=scalar_row) as cursor:
        return [cursor.execute("select current_setting(%s)", (name,)).fetchone() or "" for name in names]
