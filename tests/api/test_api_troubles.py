"""A database that answers but does not serve: 503 with the reason, health that is not ready, a line in the log."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import conninfo
from starlette.testclient import TestClient

from projections.tables import create_read_tables
from scheduler.worker import Worker
from store.datastore import Datastore
from store.trouble import DEGRADING, TROUBLES
from tests.api.conftest import Installation

START = "/api/processes/greeting/executions"
WRITER = {"kind": "scripted", "script": "echo"}
BODY = {"input": {"name": "Ann"}}
REFUSING = """
create function refusing() returns trigger language plpgsql as $$
begin raise exception 'the message of the server' using errcode = '{state}'; end $$;
create trigger refusing before insert on stored_events for each row {when} execute function refusing();"""


@contextmanager
def refusing(installation: Any, state: str, when: str = "") -> Iterator[None]:
    """The database refuses events with this SQLSTATE."""
    with installation.datastore.reading() as connection:
        connection.execute(REFUSING.format(state=state, when=when))
        yield
        connection.execute("drop function refusing cascade")


def test_what_the_database_refuses_with_is_said(
    client: TestClient, installation: Any, greeting: str, problem_codes: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app: Any = client.app
    for state, trouble in TROUBLES.items():
        caplog.clear()
        with refusing(installation, state):
            answers = [client.post(START, json=BODY) for _ in range(2)]
            ready = client.get("/health/ready")
        for answer in answers:
            assert (answer.status_code, problem_codes(answer)) == (503, [trouble.code])
            assert answer.json()["detail"] == trouble.detail
            assert "Retry-After" in answer.headers
        # A server that is full, or slow, still answers those who are connected.
        status = (200, "degraded") if trouble.code in DEGRADING else (503, "unready")
        assert (ready.status_code, ready.json()["status"]) == status
        assert ready.json()["reason"] == {"code": trouble.code, "detail": trouble.detail}
        logged = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
        assert logged == [f"nothing can be recorded ({trouble.code}): {trouble.detail}"]
        assert client.post(START, json=BODY).status_code == 202
        assert client.get("/health/ready").status_code == 200
    assert app.state.door.handlers.log.recording.trouble is None


@contextmanager
def serving(dsn: str) -> Iterator[TestClient]:
    """An API that connects anew."""
    datastore = Datastore(dsn)
    made = Installation(datastore)
    with TestClient(made.app) as client:
        yield client
    made.runner.close()
    made.log.close()
    datastore.close()


def test_a_read_only_database_is_not_ready_before_anything_is_sent(own_dsn: str, problem_codes: Any) -> None:
    database = conninfo.conninfo_to_dict(own_dsn)["dbname"]
    with psycopg.connect(own_dsn, autocommit=True) as admin:
        create_read_tables(admin)
        admin.execute(f"alter database {database} set default_transaction_read_only = on")  # type: ignore[arg-type]
    with serving(own_dsn) as client:
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()["reason"]["code"]) == (503, "read_only")
        assert client.get("/health/live").status_code == 200
        assert client.get("/api/agents").status_code == 200
        refused = client.put("/api/agents/writer", json=WRITER)
        assert (refused.status_code, problem_codes(refused)) == (503, ["read_only"])


def test_a_role_without_privileges_is_said(own_dsn: str, problem_codes: Any) -> None:
    with psycopg.connect(own_dsn, autocommit=True) as admin:
        admin.execute("create role reader_of_tests")
        admin.execute("grant select on all tables in schema public to reader_of_tests")
        with serving(conninfo.make_conninfo(own_dsn, options="-c role=reader_of_tests")) as client:
            refused = client.put("/api/agents/writer", json=WRITER)
            assert (refused.status_code, problem_codes(refused)) == (503, ["privilege_missing"])
        admin.execute("drop owned by reader_of_tests")
        admin.execute("drop role reader_of_tests")


def test_a_worker_says_so_and_goes_on_when_there_is_space_again(
    client: TestClient, installation: Any, greeting: str, worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    with refusing(installation, "53100", "when (new.topic = 'StepCompleted')"):
        id = UUID(client.post(START, json=BODY).json()["execution_id"])
        installation.until(lambda: "nothing can be recorded (disk_full)" in caplog.text)
        assert "StepCompleted" not in installation.types(id)
    installation.until(lambda: "ExecutionCompleted" in installation.types(id))
    assert "the message of the server" not in caplog.text
