"""Roles are recorded with the texts that state them: an event for each difference, in the append of the text."""

from collections.abc import Sequence

from commands.processes import ArchiveProcess, DraftProcess, ReviseProcess
from commands.roles import register_upgraded_roles
from domain.event import Event
from domain.identity import process_id, roles_id
from domain.roles.events import RoleAssigned, RoleRevoked
from tests.commands.scenario import ANN, BOB, Scenario

ID = process_id("claim")
DRAFT = """
name: claim
defaults: {roles: {monitors: [supervisor]}}
steps:
  - {id: read, agent: clerk, message: Read}
  - {id: decide, type: agent_task, message: Decide, depends_on: read}
"""
WATCHED = DRAFT.replace("[supervisor]", "[team:claims]").replace("agent: clerk", "agent: judge")
COMPLETE = WATCHED.replace("type: agent_task", "agent: judge")


def recorded(scenario: Scenario, after: int = 0) -> list[tuple[str, ...]]:
    events: Sequence[Event] = scenario.log.stream(roles_id(ID))[after:]
    kinds = {RoleAssigned: "assigned", RoleRevoked: "revoked"}
    return [
        (kinds[type(event)], event.step, event.agent, event.role, event.of, event.reason, event.actor)
        for event in events
        if isinstance(event, RoleAssigned | RoleRevoked)
    ]


def test_a_draft_records_each_role_and_a_revision_each_difference(scenario: Scenario) -> None:
    scenario.after(scenario.processes.draft, DraftProcess(DRAFT))
    assert recorded(scenario) == [
        ("assigned", "decide", "supervisor", "monitor", "draft", "drafted", "user:ann"),
        ("assigned", "read", "clerk", "executor", "draft", "drafted", "user:ann"),
        ("assigned", "read", "supervisor", "monitor", "draft", "drafted", "user:ann"),
    ]
    scenario.after(scenario.processes.revise, ReviseProcess(ID, WATCHED), BOB)
    assert recorded(scenario, 3) == [
        ("revoked", "decide", "supervisor", "monitor", "draft", "drafted", "user:bob"),
        ("assigned", "decide", "team:claims", "monitor", "draft", "drafted", "user:bob"),
        ("revoked", "read", "clerk", "executor", "draft", "drafted", "user:bob"),
        ("assigned", "read", "judge", "executor", "draft", "drafted", "user:bob"),
        ("revoked", "read", "supervisor", "monitor", "draft", "drafted", "user:bob"),
        ("assigned", "read", "team:claims", "monitor", "draft", "drafted", "user:bob"),
    ]


def test_the_text_and_its_roles_are_one_append(scenario: Scenario) -> None:
    scenario.after(scenario.processes.draft, DraftProcess(DRAFT))
    events = scenario.log.page(0, 10)
    assert {event.event.causation for event in events} == {ANN.causation}
    assert [event.stream for event in events] == [roles_id(ID)] * 3 + [ID]


def test_a_publication_and_an_archive_leave_the_roles_of_the_draft(scenario: Scenario) -> None:
    scenario.given_process(COMPLETE)
    assert recorded(scenario) == []
    scenario.after(scenario.processes.revise, ReviseProcess(ID, COMPLETE + "# same roles\n"))
    before = len(recorded(scenario))
    assert before == 4
    scenario.agents.statuses({"judge"})
    scenario.after(scenario.processes.archive, ArchiveProcess(ID, "over"))
    assert len(recorded(scenario)) == before


def test_versions_of_before_are_recorded_once(scenario: Scenario) -> None:
    scenario.given_process(COMPLETE)
    upgrade = ANN
    assert register_upgraded_roles(scenario.log, upgrade) == 4
    assert {(row[4], row[5]) for row in recorded(scenario)} == {("published", "upgraded")}
    assert register_upgraded_roles(scenario.log, upgrade) == 0
    assert len(recorded(scenario)) == 4
