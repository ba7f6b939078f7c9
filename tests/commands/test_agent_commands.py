"""Agents are registered and retired."""

from commands.agents import RegisterAgent, RetireAgent
from domain.agents.events import AgentRegistered, AgentRetired
from domain.identity import agent_id
from domain.refusal import NotFound
from tests.commands.scenario import BOB, Scenario, fact

ECHO = {"kind": "scripted", "script": "echo"}
FAIL = {"kind": "scripted", "script": "fail"}
REGISTERED = fact(AgentRegistered, name="writer", kind="scripted", config=ECHO)
RETIRED = fact(AgentRetired, name="writer", reason="tired")
WRITER = agent_id("writer")


def test_an_agent_is_registered(scenario: Scenario) -> None:
    recorded = scenario.when(scenario.agents.register, RegisterAgent("writer", ECHO)).then(REGISTERED)
    assert (recorded.receipt.facts, recorded.receipt.duplicate) == ({"name": "writer"}, False)


def test_the_same_registration_again_records_nothing(scenario: Scenario) -> None:
    scenario.given(WRITER, REGISTERED)
    scenario.when(scenario.agents.register, RegisterAgent("writer", ECHO), BOB).then_nothing()


def test_another_configuration_replaces_the_first(scenario: Scenario) -> None:
    scenario.given(WRITER, REGISTERED)
    replaced = fact(AgentRegistered, BOB, name="writer", kind="scripted", config=FAIL)
    scenario.when(scenario.agents.register, RegisterAgent("writer", FAIL), BOB).then(replaced)


def test_an_agent_is_retired_once(scenario: Scenario) -> None:
    scenario.given(WRITER, REGISTERED)
    scenario.when(scenario.agents.retire, RetireAgent("writer", "tired")).then(RETIRED)
    scenario.when(scenario.agents.retire, RetireAgent("writer"), BOB).then_nothing()


def test_a_retired_agent_may_be_registered_again(scenario: Scenario) -> None:
    scenario.given(WRITER, REGISTERED, RETIRED)
    assert scenario.agents.statuses(["writer", "nobody"]) == {"writer": "retired"}
    scenario.when(scenario.agents.register, RegisterAgent("writer", ECHO)).then(REGISTERED)
    assert scenario.agents.statuses(["writer", "nobody"]) == {"writer": "active"}


def test_an_unknown_agent_is_not_retired(scenario: Scenario) -> None:
    scenario.when(scenario.agents.retire, RetireAgent("nobody")).then(NotFound)
