"""Registering and retiring agents: given events, when a command, then events."""

from datetime import UTC, datetime

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from domain.agents.agent import ACTIVE, RETIRED, Agent, evolve, fold
from domain.agents.decisions import register_agent, retire_agent
from domain.agents.events import AgentRegistered, AgentRetired
from domain.event import Cause
from domain.executions.events.step import StepAccepted
from domain.refusal import NotFound
from tests.scenario import scenario

CAUSE = Cause(at=datetime(2030, 1, 1, tzinfo=UTC), actor="user:ann", causation="c-1", correlation="r-1")
STAMP = {"at": CAUSE.at, "actor": "user:ann", "causation": "c-1", "correlation": "r-1"}
ECHO = {"kind": "scripted", "script": "echo", "usage": "counted"}
FAIL = {"kind": "scripted", "script": "fail", "usage": "counted"}


def registered(config):
    return AgentRegistered(name="writer", kind=config["kind"], config=config, **STAMP)


given = scenario(lambda events: fold(Agent(), events))
RETIRE = AgentRetired(name="writer", reason="moved", **STAMP)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], [registered(ECHO)]),
        ([registered(ECHO)], []),
        ([registered(FAIL)], [registered(ECHO)]),
        ([registered(ECHO), RETIRE], [registered(ECHO)]),
    ],
    ids=["new", "the same again", "another configuration", "after retiring"],
)
def test_registering(before, after):
    given(*before).when(register_agent, "writer", ECHO, CAUSE).then(*after)


@pytest.mark.parametrize(
    ("before", "after"), [([registered(ECHO)], [RETIRE]), ([registered(ECHO), RETIRE], [])], ids=["active", "again"]
)
def test_retiring(before, after):
    given(*before).when(retire_agent, "writer", "moved", CAUSE).then(*after)


def test_retiring_what_never_was_is_refused():
    given().when(retire_agent, "writer", "moved", CAUSE).refusal(NotFound, match="writer")


def test_the_state_says_what_is_in_force():
    agent = given(registered(FAIL), registered(ECHO)).state
    assert agent == Agent(2, ACTIVE, "writer", "scripted", ECHO)
    assert evolve(agent, RETIRE) == Agent(3, RETIRED, "writer", "scripted", ECHO)


def test_events_of_something_else_are_not_folded():
    with pytest.raises(TypeError, match="StepAccepted"):
        evolve(Agent(), StepAccepted(step="a", attempt=1, **STAMP))


@for_any(st.lists(st.sampled_from(["echo", "fail", "retire"])))
def test_a_command_given_twice_appends_nothing_the_second_time(commands):
    def decide(agent, command):
        if command == "retire":
            return retire_agent(agent, "writer", "moved", CAUSE)
        return register_agent(agent, "writer", ECHO if command == "echo" else FAIL, CAUSE)

    agent = Agent()
    for command in commands:
        if command == "retire" and not agent.name:
            continue
        agent = fold(agent, decide(agent, command))
        assert decide(agent, command) == []


def test_a_limit_is_a_fact_beside_the_configuration():
    """A worker of the release before refuses a configuration with a key that it lacks."""
    limited = AgentRegistered(name="writer", kind="scripted", config=ECHO, max_open=3, **STAMP)
    given().when(register_agent, "writer", ECHO | {"max_open": 3}, CAUSE).then(limited)
    given(limited).when(register_agent, "writer", ECHO | {"max_open": 3}, CAUSE).then()
    given(limited).when(register_agent, "writer", ECHO, CAUSE).then(registered(ECHO))
    assert fold(Agent(), [limited, RETIRE]).max_open == 3


def test_a_provider_is_a_fact_beside_the_configuration_and_is_part_of_it():
    """As a limit: a worker of the release before goes on with an agent whose provider is stated after the upgrade."""
    priced = AgentRegistered(name="writer", kind="scripted", config=ECHO, provider="house", **STAMP)
    stated = ECHO | {"provider": "house"}
    given().when(register_agent, "writer", stated, CAUSE).then(priced)
    given(priced).when(register_agent, "writer", stated, CAUSE).then()
    given(priced).when(register_agent, "writer", ECHO, CAUSE).then(registered(ECHO))
    assert fold(Agent(), [priced, RETIRE]).config == stated
    # as it was registered before it was a fact of its own
    given(registered(stated)).when(register_agent, "writer", stated, CAUSE).then()
