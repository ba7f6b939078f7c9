"""Notification steps of a published process, delivered by a worker to a server on the loopback interface."""

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.channels import Channels
from tests.loopback import Posted, Reply, answering

TELLING = """
name: telling
input:
  who: {type: string, required: true}
steps:
  - id: tell
    type: notification
    channel: webhook
    message: "Hello {{ input.who }}"
    retry: {max_attempts: 3, delay: 0s}
outputs:
  told: "{{ steps.tell.output.delivered }}"
"""


class Receiver:
    """Answers with each of `statuses` in turn, and then 204; keeps what it got."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], Any]] = []
        self.statuses: list[int] = []
        self.url = ""

    def answer(self, posted: Posted) -> Reply:
        self.got.append((posted.headers, posted.json))
        return Reply(self.statuses.pop(0) if self.statuses else 204)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    with answering(made.answer) as url:
        made.url = f"{url}hook"
        yield made


def test_a_worker_delivers_and_the_step_says_under_which_id(installation, receiver) -> None:
    installation.publish(TELLING)
    installation.worker(channels=Channels(webhook_secret="a secret", webhook_url=receiver.url))
    execution = installation.ended(id := installation.start("telling", who="Ann"))[0]

    assert execution.status == "completed"
    ended = installation.log.stream(id)[-1]
    assert ended.outputs == {"told": [{"channel": "webhook", "id": f"{id}:tell:webhook"}]}
    [(headers, sent)] = receiver.got
    assert headers["webhook-id"] == f"{id}:tell:webhook"
    assert sent["data"] == {
        "execution_id": str(id),
        "step": "tell",
        "process": "telling",
        "version": 1,
        "message": "Hello Ann",
    }


def test_another_attempt_delivers_under_the_same_id(installation, receiver) -> None:
    receiver.statuses = [503, 500]
    installation.publish(TELLING)
    installation.worker(channels=Channels(webhook_secret="a secret", webhook_url=receiver.url))
    execution = installation.ended(id := installation.start("telling", who="Ann"))[0]

    assert execution.status == "completed"
    assert execution.steps["tell"].attempt == 3
    assert [headers["webhook-id"] for headers, _ in receiver.got] == [f"{id}:tell:webhook"] * 3


def test_what_is_refused_is_not_tried_again(installation, receiver) -> None:
    receiver.statuses = [410]
    installation.publish(TELLING)
    installation.worker(channels=Channels(webhook_secret="a secret", webhook_url=receiver.url))
    execution = installation.ended(installation.start("telling", who="Ann"))[0]

    assert execution.status == "failed"
    assert execution.steps["tell"].error.code == "agent_refused"
    assert len(receiver.got) == 1


def test_a_channel_that_the_worker_has_not_fails_the_step(installation) -> None:
    installation.publish(TELLING)
    installation.worker()
    execution = installation.ended(installation.start("telling", who="Ann"))[0]

    assert execution.status == "failed"
    assert execution.steps["tell"].error.code == "channel_not_configured"
    assert execution.steps["tell"].attempt == 1


COMPENSATED = """
name: telling
steps:
  - id: book
    agent: echo
    message: Book
    compensation: {type: notification, channel: webhook, message: "Never mind"}
  - {id: pay, agent: poor, depends_on: book, message: Pay}
"""


def test_a_compensation_may_notify(installation, receiver) -> None:
    installation.agent("echo", script="echo")
    installation.agent("poor", script="fail", error={"code": "no_money", "permanent": True})
    installation.publish(COMPENSATED)
    installation.worker(channels=Channels(webhook_secret="a secret", webhook_url=receiver.url))
    execution = installation.ended(id := installation.start("telling"))[0]

    assert execution.status == "failed"
    [(headers, sent)] = receiver.got
    assert headers["webhook-id"] == f"{id}:book:compensation:webhook"
    assert sent["data"]["message"] == "Never mind"
