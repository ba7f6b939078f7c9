"""Given what happened to a process, when something is asked of it, then what happens next, or why not."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from domain.event import Cause, Event
from domain.identity import process_id
from domain.language import definition_document, parse_definition
from domain.processes.decisions import (
    archive_process,
    draft_process,
    pause_process,
    publish_process,
    restore_process,
    resume_process,
    revise_process,
)
from domain.processes.events import (
    ProcessArchived,
    ProcessDrafted,
    ProcessPaused,
    ProcessPublished,
    ProcessRestored,
    ProcessResumed,
    ProcessRevised,
)
from domain.processes.plan import RULES
from domain.processes.process import evolve, fold
from domain.refusal import Forbidden, Malformed, Problem
from tests.scenario import refused, scenario

CAUSE = Cause(at=datetime(2024, 5, 1, tzinfo=UTC), actor="user:ann", causation="req-1")
ONE = "name: p\nsteps: [{id: a, agent: w, message: one}]\n"
TWO = ONE.replace("one", "two")
BROKEN = "name: p\nsteps: []\n"


given = scenario(fold)


def stated(kind: Callable[..., Event], **facts: object) -> Event:
    return kind(at=CAUSE.at, actor=CAUSE.actor, causation=CAUSE.causation, **facts)


def drafted(source: str = ONE) -> Event:
    return stated(ProcessDrafted, name="p", source=source)


def revised(source: str) -> Event:
    return stated(ProcessRevised, name="p", source=source)


def published(version: int, source: str) -> Event:
    definition = parse_definition(source).definition
    assert definition is not None
    return stated(
        ProcessPublished,
        name="p",
        version=version,
        source=source,
        definition=definition_document(definition),
        rules=RULES,
    )


def archived() -> Event:
    return stated(ProcessArchived, name="p", reason="old")


def test_a_new_name_is_drafted() -> None:
    given().when(draft_process, parse_definition(ONE), CAUSE).then(drafted())


def test_a_draft_may_have_errors_but_not_be_unreadable() -> None:
    given().when(draft_process, parse_definition(BROKEN), CAUSE).then(drafted(BROKEN))
    for unreadable in ("name: [", "just text", "steps: []", "name: Bad Name"):
        assert given().when(draft_process, parse_definition(unreadable), CAUSE).refusal(Malformed).problems


@pytest.mark.parametrize("history", [[drafted()], [drafted(), published(1, ONE)], [drafted(), archived()]])
def test_a_name_in_use_is_refused(history: list[Event]) -> None:
    refusal = given(*history).when(draft_process, parse_definition(ONE), CAUSE).refusal(Forbidden)
    assert (refusal.code, refusal.details) == ("process_name_taken", {"process_id": str(process_id("p"))})


def test_a_draft_is_revised() -> None:
    given(drafted()).when(revise_process, parse_definition(TWO), CAUSE).then(revised(TWO))


def test_revising_a_published_process_begins_a_draft() -> None:
    process = given(drafted(), published(1, ONE))
    assert process.state.draft_source is None
    process.when(revise_process, parse_definition(TWO), CAUSE).then(revised(TWO))
    assert given(drafted(), published(1, ONE), revised(TWO)).state.status == "published"


@pytest.mark.parametrize(
    ("history", "source"),
    [([drafted()], ONE), ([drafted(), revised(TWO)], TWO), ([drafted(), published(1, ONE)], ONE)],
)
def test_the_same_text_again_changes_nothing(history: list[Event], source: str) -> None:
    given(*history).when(revise_process, parse_definition(source), CAUSE).then()


def test_the_name_is_the_identity() -> None:
    other = parse_definition(ONE.replace("name: p", "name: q"))
    given(drafted()).when(revise_process, other, CAUSE).then(refused("name_differs"))


def test_versions_are_counted() -> None:
    given(drafted()).when(publish_process, parse_definition(ONE), [], CAUSE).then(published(1, ONE))
    process = given(drafted(), published(1, ONE), revised(TWO))
    process.when(publish_process, parse_definition(TWO), [], CAUSE).then(published(2, TWO))


@pytest.mark.parametrize(
    "history",
    [
        [drafted(), published(1, ONE)],
        [drafted(), published(1, ONE), revised(TWO), revised(ONE)],
        [drafted(), published(1, ONE), revised(ONE + "# a remark\n")],
    ],
)
def test_publishing_what_is_published_changes_nothing(history: list[Event]) -> None:
    process = given(*history)
    process.when(publish_process, parse_definition(process.state.draft_source or ONE), [], CAUSE).then()
    assert process.state.latest == 1


def test_errors_are_not_published_and_all_are_told() -> None:
    agents = [Problem("unknown_agent", "there is no agent", "steps[0].agent", 2, 1)]
    refusal = given(drafted(BROKEN)).when(publish_process, parse_definition(BROKEN), agents, CAUSE).refusal(Malformed)
    assert [problem.code for problem in refusal.problems] == ["empty", "unknown_agent"]
    given(drafted()).when(publish_process, parse_definition(ONE), agents, CAUSE).then(Malformed)


def test_warnings_are_published_with_the_version() -> None:
    source = ONE + "colour: red\n"
    (event,) = given(drafted(source)).when(publish_process, parse_definition(source), [], CAUSE).events
    assert isinstance(event, ProcessPublished)
    assert [problem.code for problem in event.warnings] == ["unknown_key"]


def test_an_archived_process_changes_no_more() -> None:
    given(drafted()).when(archive_process, "old", CAUSE).then(archived())
    process = given(drafted(), archived())
    process.when(archive_process, "again", CAUSE).then()
    process.when(revise_process, parse_definition(TWO), CAUSE).then(refused("process_archived"))
    process.when(publish_process, parse_definition(ONE), [], CAUSE).then(refused("process_archived"))


def restored(version: int, source: str | None = None) -> Event:
    return stated(ProcessRestored, name="p", reason="needed", version=version, source=source)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([drafted()], restored(0, ONE)),
        ([drafted(), published(1, ONE)], restored(1)),
        ([drafted(), published(1, ONE), revised(TWO)], restored(1, TWO)),
    ],
)
def test_a_process_comes_out_of_the_archive_as_it_was(before: list[Event], after: Event) -> None:
    process = given(*before, archived())
    process.when(restore_process, [], "needed", CAUSE).then(after)
    was, now = given(*before).state, given(*before, archived(), after).state
    assert replace(now, revision=was.revision) == was
    given(*before).when(restore_process, [], "needed", CAUSE).then()


def test_a_process_that_would_call_itself_again_stays_in_the_archive() -> None:
    cycle = Problem("sub_process_cycle", "p calls q calls p", "steps[0].process")
    process = given(drafted(), published(1, ONE), archived())
    process.when(restore_process, [cycle], "needed", CAUSE).then(refused("sub_process_cycle"))
    missing = Problem("unknown_agent", "no such agent", "steps[0].agent", severity="warning")
    process.when(restore_process, [missing], "needed", CAUSE).then(restored(1))


def test_a_pause_lasts_until_it_is_resumed_through_publications_and_the_archive() -> None:
    paused = stated(ProcessPaused, name="p", reason="broken", mode="queue")
    refusing = stated(ProcessPaused, name="p", reason="worse", mode="refuse")
    resumed = stated(ProcessResumed, name="p", reason="mended")
    given(drafted()).when(pause_process, "queue", "broken", CAUSE).then(paused)
    given(drafted()).when(resume_process, "mended", CAUSE).then()
    process = given(drafted(), paused, published(1, ONE))
    process.when(pause_process, "queue", "again", CAUSE).then()
    process.when(pause_process, "refuse", "worse", CAUSE).then(refusing)
    process.when(resume_process, "mended", CAUSE).then(resumed)
    given(drafted(), archived()).when(pause_process, "queue", "", CAUSE).then(refused("process_archived"))
    assert given(drafted(), paused, published(1, ONE), archived(), restored(1)).state.pause.mode == "queue"
    once = given(drafted(), paused, refusing, published(1, ONE), resumed).state
    assert (once.pause, [(each.mode, each.reason) for each in once.pauses]) == (None, [("refuse", "worse")])
    assert once.pauses[0].since == paused.at


def test_a_reason_is_text_that_can_be_kept() -> None:
    for reason in ("a\0b", "x" * 2_001):
        given(drafted()).when(archive_process, reason, CAUSE).then(Malformed)
        given(drafted(), archived()).when(restore_process, [], reason, CAUSE).then(Malformed)
        given(drafted()).when(pause_process, "refuse", reason, CAUSE).then(Malformed)


def test_state_is_what_the_events_add_up_to() -> None:
    process = given(drafted(), published(1, ONE), revised(TWO), published(2, TWO), archived()).state
    assert (process.name, process.status, process.latest, process.revision) == ("p", "archived", 2, 5)
    assert {number: version.source for number, version in process.versions.items()} == {1: ONE, 2: TWO}
    assert fold([]) is None
    with pytest.raises(ValueError, match="begins with ProcessDrafted"):
        evolve(None, archived())
    with pytest.raises(ValueError, match="does not happen"):
        evolve(process, drafted())
