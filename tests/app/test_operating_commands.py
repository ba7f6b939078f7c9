"""`procession workers`, `sizes` and `settings`: an installation as its operator sees it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

Run = Callable[..., Any]


def test_workers_are_listed_with_what_they_hold(document: Run, procession: Run, hello: Path, database: str) -> None:
    assert document("workers")["items"] == []
    id = document("start", "hello")["execution_id"]
    with psycopg.connect(database) as connection:
        worker = uuid4()
        connection.execute("insert into workers values (%s, 'here', 7, now(), now() + interval '1 minute')", (worker,))
        connection.execute("update due_steps set owner = %s", (worker,))
    (item,) = document("workers")["items"]
    assert (item["worker_id"], item["alive"], item["holds"]) == (str(worker), True, 1)
    assert id in procession("workers").stdout


def test_sizes_are_shown(document: Run, procession: Run, hello: Path) -> None:
    found = document("sizes")
    assert found["log"]["bytes"] > 0
    assert "public.stored_events" in procession("sizes").stdout


def test_settings_are_shown_without_secrets(
    document: Run, procession: Run, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROCESSION_WEBHOOK_URL", "https://hooks.example/T0/hunter2")
    monkeypatch.setenv("PROCESSION_WEBHOOK_SECRET", "whsec_" + "aHVudGVyMmh1bnRlcjJodW50ZXIy")
    monkeypatch.setenv("PROCESSION_AGENT_SECRETS", "ORDERS_*,MAIL_KEY")
    monkeypatch.setenv("PROCESSION_OUTGOING_DENY", "10.0.0.0/8,[fd00::1]:443,*.example:80")
    found = {each["variable"]: each for each in document("settings")["items"]}
    assert found["PROCESSION_WEBHOOK_URL"] == {
        "variable": "PROCESSION_WEBHOOK_URL",
        "value": None,
        "given": True,
        "secret": True,
    }
    assert (found["PROCESSION_LEASE"]["value"], found["PROCESSION_LEASE"]["given"]) == ("10s", False)
    assert found["PROCESSION_AGENT_SECRETS"]["value"] == "MAIL_KEY, ORDERS_*"
    assert found["PROCESSION_OUTGOING_DENY"]["value"] == "10.0.0.0/8, [fd00::1/128]:443, *.example:80"
    printed = procession("settings").stdout
    assert "hunter2" not in printed
    assert database not in printed
    assert "not set" in printed


def test_timers_are_filtered_by_kind_and_process(document: Run, procession: Run, publish: Run, database: str) -> None:
    publish("other", "name: other\nsteps: [{id: greet, agent: echo, message: hi}]\n")
    id = document("start", "hello")["execution_id"]
    with psycopg.connect(database) as connection:
        connection.execute("insert into due_timers values (%s, 'greet', 'retry', now() + interval '1 day')", (id,))
    assert [each["kind"] for each in document("timers", "--kind", "retry")["items"]] == ["retry"]
    assert document("timers", "--kind", "deadline")["items"] == []
    assert document("timers", "--process", "other")["items"] == []
    assert procession("timers", "--kind", "retyr").exit_code == 2


def test_acts_on_read_models_are_requested_and_withdrawn(document: Run, procession: Run, hello: Path) -> None:
    name = ("projections", "show", "approvals")
    assert document(*name)["request"] is None
    would = document("projections", "request", "approvals", "rebuild", "--reason", "x", "--dry-run")["would"]
    assert would["obstacle"] is None
    refused = document("projections", "request", "approvals", "promote", "--reason", "x", code=1)
    assert refused["error"]["code"] == "no_tables"
    assert document("projections", "request", "approvals", "rebuild", "--reason", "to see")["new"] is True
    assert document("projections", "request", "approvals", "rebuild", "--reason", "to see")["new"] is False
    assert document(*name)["request"]["state"] == "requested"
    assert "rebuild: requested, by user:cli" in procession(*name).stdout
    assert document("projections", "withdraw", "approvals", "--reason", "enough")["new"] is True
    assert document(*name)["request"]["state"] == "withdrawn"
    assert procession("projections", "request", "approvals", "explode", "--reason", "x").exit_code == 2
    assert document("projections", "show", "nothing", code=1)["error"]["code"] == "read_model_not_found"


def test_dead_letters_are_tried_again_and_skipped(document: Run, hello: Path, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("insert into dead_letters values ('approvals', 1, 'odd')")
    assert document("projections", "retry-event", "approvals", "1", "--reason", "mended")["act"] == "rebuild"
    assert document("projections", "skip-event", "approvals", "1", "--reason", "known")["new"] is True
    assert document("projections", "dead-letters")["items"] == []
    missing = document("projections", "skip-event", "approvals", "2", "--reason", "known", code=1)
    assert missing["error"]["code"] == "dead_letter_not_found"
