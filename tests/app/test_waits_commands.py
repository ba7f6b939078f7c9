"""`procession executions` and `show` say what executions wait for; names that do not exist are errors."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from app.wiring import Wiring
from tests.waiting import until

Run = Callable[..., Any]

SOURCE = """
name: waits
steps:
  - {id: sign, type: human_approval, approvers: ann}
  - {id: pause, type: timer, duration: 1h}
  - {id: again, agent: failing, message: x, retry: {max_attempts: 2, delay: 1h}}
  - {id: first, type: human_approval}
"""


@pytest.fixture
def waiting(publish: Run, document: Run, procession: Run, working: Wiring) -> str:
    """An execution that waits for people, a timer and a retry."""
    error = ("--set", 'error={"code":"no_paper","message":"' + "a long reason " * 40 + '"}')
    assert (
        procession("agents", "register", "failing", "--kind", "scripted", "--set", "script=fail", *error).exit_code == 0
    )
    publish("waits", SOURCE)
    id = document("start", "waits")["execution_id"]
    until(lambda: working.executions.load(UUID(id)).steps["again"].status == "retrying")
    reached(working, working.log.last_position())
    return str(id)


def test_what_an_execution_waits_for_is_listed_shown_and_a_filter(document: Run, procession: Run, waiting: str) -> None:
    kinds = [wait["kind"] for wait in document("show", waiting)["waiting_for"]]
    assert kinds == ["approval", "approval", "timer", "retry"]
    [item] = document("executions", "--waiting-for", "approval", "--waiting-for", "slot")["items"]
    assert ([wait["kind"] for wait in item["waiting_for"]], item["waiting_count"]) == (kinds, 4)
    assert document("executions", "--waiting-for", "agent")["items"] == []
    assert "approval of first, approval of sign, timer of pause until" in procession("executions").stdout
    assert "1 more" in procession("executions").stdout
    shown = procession("show", waiting).stdout
    assert "waits for: approval of sign\n" in shown
    assert "a long reason " * 39 in shown
    refused = procession("executions", "--waiting-for", "approvals")
    assert (refused.exit_code, "did you mean `approval`?" in refused.stderr) == (2, True)


LINES = """
name: lines
input: {customer: {type: string}, urgent: {type: integer, default: 0}}
max_running: {limit: 1, per: "{{ input.customer }}"}
priority: "{{ input.urgent }}"
steps: [{id: sign, type: human_approval}]
"""


def test_an_execution_that_waits_for_its_turn_is_shown_with_its_place(
    publish: Run, document: Run, procession: Run, working: Wiring
) -> None:
    publish("lines", LINES)

    def start(urgent: int) -> str:
        given = ("--input", "customer=acme", "--input", f"urgent={urgent}")
        return str(document("start", "lines", *given)["execution_id"])

    first = start(0)
    until(lambda: working.executions.load(UUID(first)).status == "running")
    second, _ = start(1), start(100)
    reached(working, working.log.last_position())
    shown = document("show", second)
    assert [shown[name] for name in ("slot_key", "priority", "queue_position", "slot_limit")] == ["acme", 1, 2, 1]
    sentence = "place in line: 2 of acme, priority 1, where 1 may run at once\n"
    assert sentence in procession("show", second).stdout
    assert "place in line" not in procession("show", first).stdout
    keyless = [document("start", "lines", "--input", "customer=")["execution_id"] for _ in range(2)]
    until(lambda: working.executions.load(UUID(keyless[0])).status == "running")
    reached(working, working.log.last_position())
    line = ("--process", "lines", "--slot-key", "", "--status", "queued")
    assert [each["execution_id"] for each in document("executions", *line)["items"]] == keyless[1:]
    assert document("batches", "create", "--act", "cancel", *line)["count"] == 1
    process = procession("processes", "show", "lines").stdout
    assert "at once: 1 per {{ input.customer }}\nline of acme: 1 running, 2 waiting\n" in process


def test_a_limit_of_an_agent_is_shown_and_waited_for(
    publish: Run, document: Run, procession: Run, working: Wiring
) -> None:
    limits = ("--set", 'rate={"calls": 1, "per": "1h"}', "--set", "max_open=3", "--set", 'tokens={"per_minute": 90000}')
    assert (
        procession("agents", "register", "bound", "--kind", "scripted", "--set", "script=echo", *limits).exit_code == 0
    )
    publish("bound", "name: bound\nsteps: [{id: a, agent: bound, message: m}]\n")
    ids = [document("start", "bound")["execution_id"] for _ in range(2)]

    def waiting() -> list[str]:
        return [each["execution_id"] for each in document("executions", "--waiting-for", "rate")["items"]]

    until(waiting)
    (waits,) = waiting()
    assert waits in ids
    assert [each["kind"] for each in document("show", waits)["waiting_for"]] == ["rate"]
    assert "waits for: rate of a until 20" in procession("show", waits).stdout
    shown = procession("agents", "show", "bound").stdout
    assert "limits: max_open 3, rate 1 in 1h, tokens 90000 in 1m\n" in shown
    assert "open calls: 0, 2 tokens a call\n" in shown
    assert "the limits admit the next call at 20" in shown


MISSING: list[tuple[tuple[str, ...], str]] = [
    (("start", "wait"), "there is no process 'wait'; did you mean `waits`?"),
    (("start", "Waits!"), "there is no process 'Waits!'; did you mean `waits`?"),
    (("processes", "show", "wait"), "there is no process 'wait'; did you mean `waits`?"),
    (("executions", "--process", "wait"), "there is no process 'wait'; did you mean `waits`?"),
    (("executions", "--process", "unlike-any"), "there is no process 'unlike-any'"),
    (("executions", "--parent", "waits"), "there is no execution 'waits'; an execution goes by its id"),
    (("approvals", "--process", "wait"), "there is no process 'wait'; did you mean `waits`?"),
    (("agents", "retire", "ecko"), "there is no agent 'ecko'; did you mean `echo`?"),
    (("reassign", "{id}", "again", "ecko", "--reason", "x"), "there is no agent 'ecko'; did you mean `echo`?"),
    (("skip", "{id}", "agian", "--reason", "x"), "the process has no step 'agian'; did you mean `again`?"),
    (("fire-timer", "{id}", "pose", "--reason", "x"), "the process has no step 'pose'; did you mean `pause`?"),
    (("approve", "{id}:sing:1"), "there is no approval of step 'sing' with attempt 1; did you mean `sign`?"),
    (("diff", "{id}", "1", "2"), "execution {id} had not started at position 1"),
]


def test_a_name_that_does_not_exist_is_an_error_with_the_nearest(procession: Run, waiting: str) -> None:
    for arguments, message in MISSING:
        found = procession(*(each.replace("{id}", waiting) for each in arguments))
        assert (found.exit_code, found.stderr) == (1, f"error: {message.replace('{id}', waiting)}\n")


def test_a_process_shows_its_draft_beside_its_version(document: Run, procession: Run, waiting: str) -> None:
    shown = procession("processes", "show", "waits").stdout
    assert "published: version 1" in shown
    assert "draft:" not in shown
    assert document("processes", "show", "waits")["draft"] is None
    assert [item["name"] for item in document("processes", "list")["items"]] == ["hello", "waits"]


def reached(wiring: Wiring, position: int) -> None:
    wiring.progress.start()
    try:
        assert wiring.progress.reached("execution_list", position, 60)
        assert wiring.progress.reached("approvals", position, 60)
    finally:
        wiring.progress.stop()
