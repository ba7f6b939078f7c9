"""The gateway notifies an agent that its later answer to an abandoned attempt is no longer awaited."""

import queue

import pytest

from domain.agents.calls import AbandonedAttempt


@pytest.fixture
def notify(rig):
    """notify(config): whether the agent accepted the notice, or needs none, as the gateway reports."""

    def notify_abandoned(config):
        notified = queue.SimpleQueue()
        abandoned = AbandonedAttempt(rig.execution_id, "write", 2, "writer", "step_timed_out")
        rig.gateway.notify_abandoned(abandoned, config, notified.put)
        return notified.get(timeout=120)

    return notify_abandoned


def test_the_agent_is_told_which_attempt_is_not_waited_for_and_why(rig, notify, monkeypatch):
    monkeypatch.setenv("WRITERS_KEY", "very secret")
    rig.server.always(rig.response(204))
    headers = {"Authorization": "Bearer ${WRITERS_KEY}"}
    assert notify(rig.http(cancel_url=f"{rig.server.url}/stop", headers=headers)) is True
    request = rig.server.requests[0]
    assert request.path == "/stop"
    assert request.json == {
        "execution_id": str(rig.execution_id),
        "step": "write",
        "attempt": 2,
        "agent": "writer",
        "reason": "step_timed_out",
    }
    assert request.headers["idempotency-key"] == f"{rig.execution_id}:write:2"
    assert request.headers["authorization"] == "Bearer very secret"


@pytest.mark.parametrize(
    ("status", "knows"), [(200, True), (202, True), (404, True), (410, True), (429, False), (500, False), (503, False)]
)
def test_an_agent_that_did_not_understand_knows_and_one_in_trouble_does_not(rig, notify, status, knows):
    rig.server.always(rig.response(status))
    assert notify(rig.http(cancel_url=f"{rig.server.url}/stop")) is knows


def test_an_agent_that_hangs_up_does_not_know(rig, notify):
    assert notify(rig.http(cancel_url=f"{rig.server.url}/stop")) is False


def test_agents_without_a_cancel_url_need_not_be_told(rig, notify):
    assert notify(rig.http()) is True
    assert notify(rig.config(kind="scripted", script="echo")) is True
    assert rig.server.requests == []


def test_a_secret_that_is_not_there_is_no_reason_to_try_for_ever(rig, notify):
    assert notify(rig.http(cancel_url=f"{rig.server.url}/stop", headers={"X-Key": "${NOT_SET_ANYWHERE}"})) is True
    assert rig.server.requests == []
