"""Outputs larger than an event: stored once beside the log, passed on whole, where an operator allows them."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from domain.executions.events.step import StepCompleted
from domain.large_results import KEY, is_reference, refer
from tests.loopback import LoopbackServer, response
from tests.scheduler.conftest import Installation

MOST = 8 << 20
LARGE = {"text": "é" * (1 << 20), "n": 1}
PROCESS = """
name: large
steps:
  - {id: big, agent: maker, message: go}
  - id: use
    agent: taker
    message: "{{ steps.big.output }}"
    parameters: {list: ["{{ steps.big.output }}"]}
    depends_on: big
outputs: {document: "{{ steps.big.output }}"}
"""


@pytest.fixture
def servers(installation: Installation) -> Iterator[tuple[LoopbackServer, LoopbackServer]]:
    """The servers of two agents: one that makes large outputs, and one that takes them."""
    maker, taker = LoopbackServer(), LoopbackServer()
    for name, server in (("maker", maker), ("taker", taker)):
        server.start()
        installation.agent(name, kind="http", url=f"{server.url}/run")
    maker.always(response(200, {"output": LARGE}))
    taker.always(response(200, {"output": "done"}))
    yield maker, taker
    maker.stop()
    taker.stop()


def ran(installation: Installation, source: str, name: str) -> Any:
    installation.publish(source)
    (state,) = installation.ended(installation.start(name))
    return state


def output(installation: Installation, id: UUID, step: str) -> Any:
    (event,) = (e for e in installation.log.stream(id) if isinstance(e, StepCompleted) and e.step == step)
    return event.output


def test_it_is_stored_once_and_passed_on_whole(installation: Installation, servers: Any) -> None:
    installation.worker(large_results=MOST)
    state = ran(installation, PROCESS, "large")
    assert state.status == "completed"
    (request,) = servers[1].requests
    assert request.json["message"] == LARGE
    assert request.json["parameters"] == {"list": [LARGE]}
    reference = output(installation, state.id, "big")
    assert is_reference(reference)
    assert reference[KEY]["bytes"] > 2 << 20
    (row,) = installation.rows("select execution_id, octet_length(content) as bytes from large_results")
    assert row == {"execution_id": state.id, "bytes": reference[KEY]["bytes"]}
    (log,) = installation.rows("select max(octet_length(state)) as most from stored_events")
    assert log["most"] < 4_096


def test_what_reads_a_part_of_it_or_writes_it_into_a_text_fails_and_says_why(
    installation: Installation, servers: Any
) -> None:
    installation.worker(large_results=MOST)
    for n, expression in enumerate(
        ("{{ steps.big.output.n }}", "{{ steps.big.output.n | default('none') }}", "it is {{ steps.big.output }}")
    ):
        source = PROCESS.replace('message: "{{ steps.big.output }}"', f'message: "{expression}"')
        state = ran(installation, source.replace("name: large", f"name: large-{n}"), f"large-{n}")
        assert (state.status, state.steps["use"].error.code) == ("failed", "result_too_large")
        assert "can only be passed on whole" in state.steps["use"].error.message
    assert servers[1].requests == []


def test_without_the_setting_or_beyond_it_the_answer_is_malformed(installation: Installation, servers: Any) -> None:
    installation.worker(large_results=2 << 20)
    beyond = ran(installation, PROCESS, "large")
    assert beyond.steps["big"].error.code == "agent_answer_malformed"
    installation.workers[0].stop()
    installation.worker()
    without = ran(installation, PROCESS.replace("name: large", "name: other"), "other")
    assert without.steps["big"].error.code == "agent_answer_malformed"
    assert installation.rows("select digest from large_results") == []


def test_a_text_of_others_in_the_form_of_a_reference_is_passed_on_as_it_is(
    installation: Installation, servers: Any
) -> None:
    installation.worker(large_results=MOST)
    kept = ran(installation, PROCESS, "large")
    genuine = output(installation, kept.id, "big")
    forged = {KEY: {**genuine[KEY], "seal": "0" * 64}}
    other = refer(b"another key", kept.id, b"{}").value
    for n, value in enumerate((forged, other, {KEY: genuine[KEY], "more": 1})):
        servers[0].always(response(200, {"output": value}))
        state = ran(installation, PROCESS.replace("name: large", f"name: forged-{n}"), f"forged-{n}")
        assert state.status == "completed"
        assert servers[1].requests[-1].json["message"] == value


def test_an_output_that_a_schema_should_check_is_not_stored(installation: Installation, servers: Any) -> None:
    installation.worker(large_results=MOST)
    source = PROCESS.replace("message: go}", "message: go, output_schema: {type: object}}")
    state = ran(installation, source, "large")
    assert state.steps["big"].error.code == "output_schema_mismatch"
    assert installation.rows("select digest from large_results") == []


def test_a_child_and_an_agent_that_answers_at_once_are_given_it_too(installation: Installation, servers: Any) -> None:
    installation.agent("echo", script="echo")
    installation.publish(
        """
        name: below
        input: {document: {type: object}}
        steps: [{id: a, agent: taker, message: "{{ input.document }}"}]
        """
    )
    installation.worker(large_results=MOST)
    state = ran(
        installation,
        """
        name: above
        steps:
          - {id: big, agent: maker, message: go}
          - {id: again, agent: echo, message: "{{ steps.big.output }}", depends_on: big}
          - id: child
            type: sub_process
            process: below
            input_mapping: {document: "{{ steps.again.output }}"}
            depends_on: again
        """,
        "above",
    )
    assert state.status == "completed"
    assert servers[1].requests[0].json["message"] == LARGE
    assert output(installation, state.id, "again") == output(installation, state.id, "big")
    assert len(installation.rows("select digest from large_results")) == 1
