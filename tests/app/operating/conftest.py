"""What tests of an operator's database share: databases and roles of their own, and one short journey through all."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import Connection, conninfo, sql

from app.database import Database
from app.running import running
from app.settings import read_settings
from app.signals import Stopping
from app.wiring import wired
from tests.database import name_of

Journey = Callable[[str], None]

REST = """
name: rest
input: {who: {type: string, default: Zoë – ok}}
steps:
  - {id: greet, agent: echo, message: "Hello {{ input.who }}", timeout: 1h}
  - {id: rest, type: timer, duration: 50ms, depends_on: greet}
  - {id: leave, agent: echo, message: "Bye {{ input.who }}", depends_on: rest}
outputs: {text: "{{ steps.leave.output }}"}
"""


class Server:
    """Databases and roles of one test, dropped after it."""

    def __init__(self, admin: Connection[Any], conninfo_: str) -> None:
        self.admin, self._conninfo = admin, conninfo_
        self._databases: list[str] = []
        self._roles: list[str] = []

    def database(self, clauses: str = "", role: str | None = None) -> str:
        """Create a database, owned by `role`; return the conninfo with which the role, else a superuser, uses it."""
        name = f"operating_{uuid.uuid4().hex[:12]}"
        self.admin.execute(f"create database {name} {clauses}" + (f" owner {role}" if role else ""))
        self._databases.append(name)
        return self.as_role(conninfo.make_conninfo(self._conninfo, dbname=name), role) if role else self.dsn(name)

    def adopt(self, name: str) -> None:
        """Drop a database that the test creates otherwise."""
        self._databases.append(name)

    def role(self) -> str:
        """Create a role that may log in and no more; return its name."""
        name = f"role_{uuid.uuid4().hex[:12]}"
        self.admin.execute(sql.SQL("create role {} login password 'secret'").format(sql.Identifier(name)))
        self._roles.append(name)
        return name

    def dsn(self, name: str) -> str:
        """Return the conninfo of the superuser for a database."""
        return conninfo.make_conninfo(self._conninfo, dbname=name)

    @staticmethod
    def as_role(dsn: str, role: str) -> str:
        """Return the conninfo of another role for the same database."""
        return conninfo.make_conninfo(dsn, user=role, password="secret")

    name_of = staticmethod(name_of)

    def execute(self, dsn: str, *statements: str) -> None:
        """Run statements in a database, as the superuser."""
        with psycopg.connect(self.dsn(self.name_of(dsn)), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def drop(self) -> None:
        for name in self._databases:
            self.admin.execute(f"drop database if exists {name} with (force)")
        for name in self._roles:
            self.admin.execute(f"drop role {name}")


@pytest.fixture
def place(server: str) -> Iterator[Server]:
    """The test server, to create databases and roles on."""
    with psycopg.connect(server, autocommit=True) as admin:
        made = Server(admin, server)
        try:
            yield made
        finally:
            made.drop()


@pytest.fixture
def using(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have commands in this process use a database."""
    monkeypatch.delenv("READ_DATABASE_URL", raising=False)
    monkeypatch.delenv("PROCESSION_API_KEY", raising=False)
    return lambda dsn: monkeypatch.setenv("DATABASE_URL", dsn)


@pytest.fixture
def journey(using: Callable[[str], None], procession: Any, document: Any, tmp_path: Path) -> Journey:
    """Register, publish, start, complete, list, show, verify and rebuild, all as the role of a conninfo."""

    def go(dsn: str) -> None:
        using(dsn)
        file = tmp_path / "rest.yaml"
        file.write_text(REST)
        settings = read_settings()
        with Database(settings) as opened, wired(settings, opened) as wiring:
            opened.migrate(serving=True, projecting=True)
            register = ("agents", "register", "echo", "--kind", "scripted", "--set", "script=echo")
            for command in (register, ("publish", str(file))):
                done = procession(*command)
                assert done.exit_code == 0, done.output
            with running(wiring, settings, Stopping()) as roles:
                roles.start_projector()
                roles.start_worker(None)
                ended = document("start", "rest", "--wait", "--timeout", "120s")
                assert ended["status"] == "completed", ended
                wiring.progress.start()
                for each in document("projections", "list")["items"]:
                    assert wiring.progress.reached(each["name"], ended["position"], 60)
                wiring.progress.stop()
                shown = document("show", ended["execution_id"])
                assert shown["outputs"] == {"text": "Bye Zoë – ok"}
                assert len(document("executions")["items"]) >= 1
                assert {each["differing"] for each in document("projections", "verify")["verified"]} == {0}
                assert document("projections", "rebuild", "--all")["rebuilt"]

    return go
