"""Processes are drafted, revised, published and archived."""

from uuid import UUID

import pytest

from commands.agents import RegisterAgent
from commands.processes import ArchiveProcess, DraftProcess, PublishProcess, RestoreProcess, ReviseProcess
from domain.event import Cause, Event
from domain.identity import process_id
from domain.processes.events import ProcessArchived, ProcessDrafted, ProcessPublished, ProcessRestored, ProcessRevised
from domain.refusal import Forbidden, Malformed, NotFound, Stale
from domain.roles.events import RoleAssigned
from tests.commands.scenario import ANN, BOB, GREETING, Scenario, fact

ID = process_id("greeting")
DRAFTED = fact(ProcessDrafted, name="greeting", source=GREETING)
SHORTER = "name: greeting\nsteps: [{id: only, agent: writer, message: hi}]\n"


def assigned(step: str, by: Cause = ANN) -> Event:
    """Return the event that makes the writer the executor of a step of a draft."""
    role = {"of": "draft", "step": step, "agent": "writer", "role": "executor", "reason": "drafted"}
    return fact(RoleAssigned, by, process_id=ID, process="greeting", **role)


@pytest.fixture
def published(scenario: Scenario) -> UUID:
    return scenario.given_process(GREETING)


def given_writer(scenario: Scenario) -> None:
    scenario.after(scenario.agents.register, RegisterAgent("writer", {"kind": "scripted", "script": "echo"}))


def test_a_draft_may_name_agents_that_are_not_there_yet(scenario: Scenario) -> None:
    recorded = scenario.when(scenario.processes.draft, DraftProcess(GREETING))
    recorded.then(DRAFTED, beside=[assigned("check"), assigned("greet")])
    facts = recorded.receipt.facts
    assert (facts["process_id"], facts["name"]) == (str(ID), "greeting")
    assert {(problem.code, problem.severity) for problem in facts["problems"]} == {("unknown_agent", "warning")}


def test_a_text_that_is_no_definition_is_no_draft(scenario: Scenario) -> None:
    scenario.when(scenario.processes.draft, DraftProcess("- a list")).then(Malformed)


def test_a_name_is_used_once(scenario: Scenario, published: UUID) -> None:
    scenario.when(scenario.processes.draft, DraftProcess(SHORTER), BOB).then(Forbidden)


def test_a_draft_is_published_when_its_agents_are_there(scenario: Scenario) -> None:
    scenario.given(ID, DRAFTED)
    publish = scenario.processes.publish
    refusal = scenario.when(publish, PublishProcess(ID)).refusal(Malformed)
    assert {problem.code for problem in refusal.problems} == {"unknown_agent"}
    given_writer(scenario)
    recorded = scenario.when(publish, PublishProcess(ID), BOB)
    assert [type(event) for event in recorded.events] == [ProcessPublished]
    assert recorded.receipt.facts == {"process_id": str(ID), "version": 1, "warnings": []}
    scenario.when(publish, PublishProcess(ID)).then_nothing()


def test_a_revision_rests_on_the_version_that_was_seen(scenario: Scenario, published: UUID) -> None:
    revise = scenario.processes.revise
    assert scenario.when(revise, ReviseProcess(ID, SHORTER, 1)).refusal(Stale).details == {"version": 2}
    revised = fact(ProcessRevised, BOB, name="greeting", source=SHORTER)
    recorded = scenario.when(revise, ReviseProcess(ID, SHORTER, 2), BOB)
    recorded.then(revised, beside=[assigned("only", BOB)])
    scenario.when(scenario.processes.publish, PublishProcess(ID, 2)).then(Stale)
    scenario.when(scenario.processes.archive, ArchiveProcess(ID, "old", 2)).then(Stale)


def test_an_archived_process_is_archived_once(scenario: Scenario, published: UUID) -> None:
    archived = fact(ProcessArchived, name="greeting", reason="old")
    scenario.when(scenario.processes.archive, ArchiveProcess(ID, "old")).then(archived)
    scenario.when(scenario.processes.archive, ArchiveProcess(ID), BOB).then_nothing()


def test_a_process_is_taken_out_of_the_archive_once(scenario: Scenario, published: UUID) -> None:
    scenario.after(scenario.processes.archive, ArchiveProcess(ID, "old"))
    scenario.when(scenario.processes.restore, RestoreProcess(ID, "needed", 2)).then(Stale)
    restored = fact(ProcessRestored, name="greeting", reason="needed", version=1)
    recorded = scenario.when(scenario.processes.restore, RestoreProcess(ID, "needed")).then(restored)
    assert recorded.receipt.facts["version"] == 1
    assert {problem.code for problem in recorded.receipt.facts["warnings"]} == {"unknown_agent"}
    scenario.when(scenario.processes.restore, RestoreProcess(ID), BOB).then_nothing()


CALLS = "name: {name}\nsteps: [{{id: call, type: sub_process, process: {called}}}]\n"


def test_a_cycle_that_closed_while_a_process_was_archived_keeps_it_there(scenario: Scenario) -> None:
    scenario.given_process("name: last\nsteps: [{id: wait, type: timer, duration: 1s}]\n")
    for name, called in (("first", "last"), ("middle", "first")):
        scenario.given_process(CALLS.format(name=name, called=called))
    first = process_id("first")
    scenario.after(scenario.processes.archive, ArchiveProcess(first))
    last = process_id("last")
    scenario.after(scenario.processes.revise, ReviseProcess(last, CALLS.format(name="last", called="middle")))
    scenario.after(scenario.processes.publish, PublishProcess(last))
    refusal = scenario.when(scenario.processes.restore, RestoreProcess(first)).refusal(Forbidden)
    assert refusal.code == "sub_process_cycle"


def test_an_unknown_process_is_not_published(scenario: Scenario) -> None:
    scenario.when(scenario.processes.publish, PublishProcess(ID)).then(NotFound)
    scenario.when(scenario.processes.archive, ArchiveProcess(ID)).then(NotFound)
    scenario.when(scenario.processes.restore, RestoreProcess(ID)).then(NotFound)
