"""The rows of inboxes: those that concern an agent in its time, wherever pages end; old ones are dropped for good."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.agents.calls import StepError
from domain.agents.events import AgentRegistered
from domain.executions.events.step import StepCompleted, StepFailed, StepRetryScheduled, StepSkipped
from domain.identity import agent_id, process_id, roles_id
from domain.processes.events import ProcessPublished
from domain.roles.events import RoleAssigned, RoleRevoked
from projections.inbox import InformedAgentNotifier
from projections.inbox.retention import drop_entries
from projections.origins import STARTED, origins_of
from projections.shapes import SHAPES
from projections.verifying import verify
from queries.inbox.page import get_inbox
from queries.progress import ExecutionProgress
from queries.reading import Reading
from tests.projections.releases import project, quiet
from tests.projections.stories import BEGIN, Story
from tests.projections.test_projection_laws import write

X, CHILD = UUID(int=1), UUID(int=2)
INBOX = InformedAgentNotifier()
ROLE_EVENTS = st.builds(
    lambda kind, step, agent, role: kind(
        at=BEGIN,
        actor="user:ann",
        process_id=process_id("p0"),
        process="p0",
        of="published",
        step=step,
        agent=agent,
        role=role,
    ),
    st.sampled_from([RoleAssigned, RoleAssigned, RoleRevoked]),
    st.sampled_from("ab"),
    st.sampled_from(["archive", "ledger"]),
    st.sampled_from(["informed", "monitor", "executor"]),
)


def know_origins(connection: Any, rows: list[tuple[Any, ...]]) -> None:
    """Keep the origins of executions, as a connection does that reads them from the log; these rows are in no log."""
    for _, stream, _, topic, state in rows:
        if topic == STARTED:
            origins_of(connection).keep(stream, msgspec.json.decode(state, type=SHAPES[STARTED]))


@settings(max_examples=40)
@given(data=st.data())
def test_any_split_of_a_log_with_roles_gives_the_same_rows(
    read_tables: Any, histories: Any, as_rows: Any, rows_of: Any, data: Any
) -> None:
    happened = data.draw(histories)
    for event in data.draw(st.lists(ROLE_EVENTS, min_size=1, max_size=8)):
        happened.insert(data.draw(st.integers(0, len(happened))), (roles_id(process_id("p0")), event))
    rows = as_rows(happened)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(rows)))))
    with read_tables.connect() as connection:
        know_origins(connection, rows)
        with connection.transaction(force_rollback=True):
            write(connection, INBOX, rows)
            at_once = rows_of(connection, INBOX)
        with connection.transaction(force_rollback=True):
            for begin, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
                write(connection, INBOX, rows[begin:end])
            assert rows_of(connection, INBOX) == at_once


def informed(story: Story, kind: type = RoleAssigned) -> None:
    facts = {"process_id": process_id("p"), "process": "p", "of": "published", "step": "a", "agent": "archive"}
    story.tell(roles_id(process_id("p")), kind, role="informed", **facts)


def test_a_failure_that_a_retry_or_a_fallback_follows_makes_no_row(
    read_tables: Any, story: Story, as_rows: Any
) -> None:
    informed(story)
    story.start(X)
    failed = {"step": "a", "error": StepError("agent_error", "no"), "started_at": BEGIN}
    story.tell(X, StepFailed, attempt=1, **failed)
    story.tell(X, StepRetryScheduled, step="a", attempt=2, due_at=BEGIN, code="agent_error")
    story.tell(X, StepFailed, attempt=2, **failed).tell(X, StepSkipped, step="a", reason="on_error")
    story.tell(X, StepFailed, attempt=3, **failed)
    informed(story, RoleRevoked)
    story.tell(X, StepCompleted, step="a", attempt=4, output=1, started_at=BEGIN)
    rows = as_rows(story.happened)
    for cut in range(len(rows)):
        with read_tables.connect() as connection, connection.transaction(force_rollback=True):
            know_origins(connection, rows)
            write(connection, INBOX, rows[:cut])
            write(connection, INBOX, rows[cut:])
            found = connection.execute("select type, stream_version from inbox_entries order by position").fetchall()
        assert [(row["type"], row["stream_version"]) for row in found] == [("StepSkipped", 5), ("StepFailed", 6)]


def test_a_step_inside_another_one_concerns_the_agents_of_that_step_alone(
    read_tables: Any, story: Story, as_rows: Any
) -> None:
    inner = {"id": "a", "type": "agent_task", "agent": "w", "message": "x", "roles": {"informed": ["archive"]}}
    outer = {"id": "outer", "type": "sub_process", "steps": [inner]}
    own = {"id": "a", "type": "agent_task", "agent": "w", "message": "x", "roles": {"informed": ["ledger"]}}
    definition = {"name": "p", "steps": [outer, own]}
    story.tell(process_id("p"), ProcessPublished, name="p", version=1, source="", definition=definition)
    story.start(X).start(CHILD, body="outer")
    for id in (X, CHILD):
        story.tell(id, StepCompleted, step="a", attempt=1, output=1, started_at=BEGIN)
    rows = as_rows(story.happened)
    with read_tables.connect() as connection, connection.transaction(force_rollback=True):
        know_origins(connection, rows)
        write(connection, INBOX, rows)
        roles = connection.execute("select step, agent from inbox_roles order by step").fetchall()
        found = connection.execute("select execution_id, step from inbox_entries order by position").fetchall()
    assert [(row["step"], row["agent"]) for row in roles] == [("a", "ledger"), ("outer/a", "archive")]
    assert [(row["execution_id"], row["step"]) for row in found] == [(X, "a"), (CHILD, "outer/a")]


def test_an_execution_of_which_the_log_lacks_the_start_concerns_nobody(
    read_tables: Any, story: Story, as_rows: Any
) -> None:
    informed(story)
    story.tell(X, StepCompleted, step="a", attempt=1, output=1, started_at=BEGIN)
    with read_tables.connect() as connection, connection.transaction(force_rollback=True):
        write(connection, INBOX, as_rows(story.happened))
        assert connection.execute("select from inbox_entries").rowcount == 0


def test_old_entries_are_dropped_for_good_and_the_page_says_so(read_tables: Any, story: Story, append: Any) -> None:
    story.tell(agent_id("archive"), AgentRegistered, name="archive", kind="scripted", config={"kind": "scripted"})
    informed(story)
    story.start(X)
    for attempt in range(1, 5):
        story.tell(X, StepCompleted, step="a", attempt=attempt, output=attempt, started_at=BEGIN)
    append(story.happened)
    project(read_tables)
    reading = Reading(read_tables, ExecutionProgress(read_tables))
    whole = get_inbox(reading, "archive")
    assert ([each.summary.text for each in whole.items], whole.truncated) == (["1", "2", "3", "4"], False)
    with read_tables.reading() as connection:
        assert drop_entries(connection, BEGIN + timedelta(seconds=5)) == 2
        assert drop_entries(connection, BEGIN + timedelta(seconds=5)) == 0
    kept = get_inbox(reading, "archive")
    assert (kept.items, kept.truncated) == (whole.items[2:], True)
    assert not get_inbox(reading, "archive", cursor=get_inbox(reading, "archive", limit=1).cursor).truncated
    assert get_inbox(reading, "archive", from_position=0).items == whole.items
    # A building anew leaves them out.
    assert verify(read_tables, INBOX, quiet).differing == 0
    with read_tables.reading() as connection:
        connection.execute("delete from inbox_entries")
    assert verify(read_tables, INBOX, quiet).differing == 2
