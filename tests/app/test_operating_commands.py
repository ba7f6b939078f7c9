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


def test_timers_are_filtered_by_kind_and_process(document: Run, procession: Run, hello: Path, database: str) -> None:
    id = document("start", "hello")["execution_id"]
    with psycopg.connect(database) as connection:
        connection.execute("insert into due_timers values (%s, 'greet', 'retry', now() + interval '1 day')", (id,))
    assert [each["kind"] for each in document("timers", "--kind", "retry")["items"]] == ["retry"]
    assert document("timers", "--kind", "deadline")["items"] == []
    assert document("timers", "--process", "other")["items"] == []
    assert procession("timers", "--kind", "retyr").exit_code == 2
