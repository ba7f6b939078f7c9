"""`procession batches`: acts on many executions, from the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.wiring import Wiring
from tests.waiting import until

Run = Callable[..., Any]
PAUSED = "name: paused\nsteps:\n  - {id: pause, type: timer, duration: 10h}\n"


@pytest.fixture
def paused(document: Run, publish: Callable[[str, str], None], working: Wiring) -> list[str]:
    """Return executions that wait for hours."""
    publish("paused", PAUSED)
    return [document("start", "paused")["execution_id"] for _ in range(3)]


def test_a_batch_is_created_run_and_shown(document: Run, procession: Run, paused: list[str], working: Wiring) -> None:
    assert document("batches")["items"] == []
    made = document("batches", "create", "--act", "cancel", "--process", "paused", "--status", "running")
    id = made["batch_id"]
    assert (made["count"], made["position"]) == (3, working.log.last_position())
    assert document("batches", "run", id, "--reason", "enough")["new"] is True
    assert document("batches", "run", id, "--reason", "again")["new"] is False
    until(lambda: document("batches", "show", id)["status"] == "ended")
    assert {document("show", each)["status"] for each in paused} == {"cancelled"}
    later = document("start", "paused")["execution_id"]
    until(lambda: later in [each["execution_id"] for each in document("executions")["items"]])
    assert {each["execution_id"] for each in document("executions", "--batch", id)["items"]} == {*paused}
    assert document("executions", "--process", "paused", "--slot-key", "acme")["items"] == []
    assert procession("executions", "--slot-key", "acme").exit_code == 2
    shown = document("batches", "show", id)
    assert (shown["done"], shown["refused"], shown["reason"]) == (3, [], "enough")
    assert shown["filter"] == {"process": ["paused"], "status": ["running"]}
    text = procession("batches", "show", id).stdout
    assert "cancel: ended, 3 of 3" in text
    assert "process=paused status=running" in text
    assert id in procession("batches").stdout


def test_a_batch_is_stopped(document: Run, paused: list[str]) -> None:
    made = document("batches", "create", "--act", "cancel", "--process", "paused")
    assert document("batches", "stop", made["batch_id"], "--reason", "wrong ones")["new"] is True
    refused = document("batches", "run", made["batch_id"], "--reason", "after all", code=1)
    assert refused["error"]["code"] == "batch_stopped"


def test_what_a_batch_lacks_is_refused(document: Run, procession: Run, hello: Path, working: Wiring) -> None:
    refused = document("batches", "create", "--act", "cancel", code=1)
    assert refused["error"]["code"] == "malformed"
    refused = document("batches", "create", "--act", "skip", "--status", "failed", code=1)
    assert refused["error"]["problems"][0]["path"] == "step"
    refused = document("batches", "create", "--act", "cancel", "--status", "failed", code=1)
    assert refused["error"]["code"] == "nothing_matches"
    assert document("batches", "show", "nothing", code=1)["error"]["code"] == "not_found"
    assert procession("batches", "create", "--act", "archive", "--status", "failed").exit_code == 2
    assert procession("batches", "create", "--status", "failed").exit_code == 2
