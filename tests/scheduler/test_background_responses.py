"""Models that answer in the background: one response an attempt, whichever worker polls for it."""

from collections.abc import Iterator
from typing import Any

import pytest

from domain.executions.events.step import BackgroundResponseStarted
from tests.loopback import LoopbackServer, Posted, response
from tests.scheduler.conftest import Installation

PROCESS = "name: p\nsteps:\n  - {id: a, agent: thinker, message: go}\n"
CANCELLED = "/v1/responses/resp_1/cancel"
DONE = {
    "id": "resp_1",
    "status": "completed",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "42"}]}],
    "usage": {"input_tokens": 3, "output_tokens": 2},
}


class Provider:
    """A server of background responses. status: of every response until it is set to completed."""

    def __init__(self, server: LoopbackServer) -> None:
        self.server = server
        self.config = {"kind": "openai_responses", "base_url": f"{server.url}/v1", "model": "m", "background": True}
        self.status = "in_progress"
        self.refuses = 0
        server.respond = self._respond

    @property
    def requests(self) -> list[str]:
        return [each.path for each in self.server.requests]

    async def _respond(self, request: Posted) -> bytes:
        if request.path == "/v1/responses":
            return response(200, {"id": "resp_1", "status": "queued", "output": [], "usage": None})
        if self.refuses:
            self.refuses -= 1
            return response(503, b"later")
        return response(200, DONE if self.status == "completed" else {"id": "resp_1", "status": self.status})


@pytest.fixture
def provider(installation: Installation) -> Iterator[Provider]:
    server = LoopbackServer()
    server.start()
    provider = Provider(server)
    installation.agent("thinker", **provider.config)
    installation.publish(PROCESS)
    yield provider
    server.stop()


def test_its_id_is_recorded_once_and_its_answer_is_the_step_s(installation: Installation, provider: Provider) -> None:
    installation.worker()
    id = installation.start("p")
    installation.until(lambda: len(provider.requests) > 2)
    provider.refuses, provider.status = 2, "completed"
    (state,) = installation.ended(id)
    assert (state.status, state.steps["a"].output) == ("completed", "42")
    assert provider.requests.count("/v1/responses") == 1
    assert provider.server.requests[0].json["background"] is True
    (started,) = (event for event in installation.log.stream(id) if isinstance(event, BackgroundResponseStarted))
    assert started.response_id == "resp_1"


def test_another_worker_polls_for_the_response_of_a_lost_one(installation: Installation, provider: Provider) -> None:
    first = installation.worker(lease=60)
    id = installation.start("p")
    installation.until(lambda: installation.topics(id)["BackgroundResponseStarted"] == 1)
    first.stop()
    provider.status = "completed"
    installation.worker(lease=60)
    (state,) = installation.ended(id)
    assert state.steps["a"].output == "42"
    assert provider.requests.count("/v1/responses") == 1
    assert CANCELLED not in provider.requests


@pytest.mark.parametrize("ends", ["cancelled", "timed out", "out of time"])
def test_a_response_that_nobody_awaits_is_cancelled_at_the_provider(
    installation: Installation, provider: Provider, ends: str
) -> None:
    # given a response that is polled for
    if ends == "timed out":
        installation.publish(PROCESS.replace("name: p", "name: hasty").replace("go}", "go, timeout: 4s}"))
    if ends == "out of time":
        installation.agent("thinker", **provider.config, deadline="4s")
    installation.worker()
    id = installation.start("hasty" if ends == "timed out" else "p")
    installation.until(lambda: installation.topics(id)["BackgroundResponseStarted"] == 1)

    # when its execution is cancelled, its step times out, or the agent takes longer than it may
    if ends == "cancelled":
        installation.cancel(id)
    installation.ended(id)

    # then the provider is notified, once
    installation.until(lambda: CANCELLED in provider.requests)
    assert provider.requests.count(CANCELLED) == 1
    assert next(each.method for each in provider.server.requests if each.path == CANCELLED) == "POST"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"status": "failed", "error": {"code": "invalid_prompt"}}, "agent_refused"),
        ({"status": "cancelled"}, "agent_answer_malformed"),
        ({}, "agent_answer_malformed"),
    ],
)
def test_a_response_that_ends_without_an_answer_fails_the_attempt(
    installation: Installation, provider: Provider, said: dict[str, Any], code: str
) -> None:
    async def respond(request: Posted) -> bytes:
        return response(200, {"id": "resp_1", "status": "queued"} if request.path == "/v1/responses" else said)

    provider.server.respond = respond
    installation.worker()
    (state,) = installation.ended(installation.start("p"))
    assert state.steps["a"].error is not None
    assert state.steps["a"].error.code == code


def test_a_response_that_is_gone_fails_the_attempt(installation: Installation, provider: Provider) -> None:
    async def respond(request: Posted) -> bytes:
        return response(200, {"id": "r", "status": "queued"}) if request.path == "/v1/responses" else response(404)

    provider.server.respond = respond
    installation.worker()
    (state,) = installation.ended(installation.start("p"))
    assert state.steps["a"].error is not None
    assert (state.steps["a"].error.code, state.steps["a"].error.permanent) == ("agent_refused", True)
