"""The to-do list against the log: proven, and put right without taking attempts from workers that hold them."""

from uuid import UUID, uuid4

import pytest

from domain.agents.calls import StepError
from domain.executions.events.step import StepAccepted, StepCancelled, StepCompleted, StepFailed, StepStarted
from store.lists.due_steps import DUE_STEPS
from tests.projections.releases import quiet

X, Y, WORKER = UUID(int=1), UUID(int=2), UUID(int=9)


@pytest.fixture
def listed(read_tables, append, story):
    """A database in which a, b and e of X are due, c, d and f are not any more."""
    story.start(X, steps=5)
    for step in "abcdef":
        story.schedule(X, step)
        story.tell(X, StepStarted, step=step, attempt=1)
    at = story.happened[0][1].at
    story.tell(X, StepCompleted, step="c", attempt=1, output=1, started_at=at)
    story.tell(X, StepFailed, step="d", attempt=1, error=StepError("x", "y"), started_at=at)
    story.tell(X, StepFailed, step="e", attempt=1, error=StepError("x", "y"), started_at=at)
    story.schedule(X, "e", attempt=2)
    story.tell(X, StepAccepted, step="f", attempt=1)
    story.schedule(Y, "z").tell(Y, StepCancelled, step="z", attempt=1, reason="execution_failed")
    append(story.happened)
    with read_tables.reading() as connection:
        connection.execute("update due_steps set owner = %s where step = 'a'", (WORKER,))
    return read_tables


def rows(datastore):
    with datastore.reading() as connection:
        found = connection.execute("select step, attempt, owner from due_steps order by step").fetchall()
    return [(row["step"], row["attempt"], row["owner"]) for row in found]


RIGHT = [("a", 1, WORKER), ("b", 1, None), ("e", 2, None)]


def test_the_list_that_appends_keep_is_what_the_log_adds_up_to(listed):
    found = DUE_STEPS.verify(listed, quiet)
    assert (found.rows, found.differing, found.samples) == (3, 0, [])
    assert rows(listed) == RIGHT


def test_what_was_touched_is_found_and_put_right_and_what_is_held_stays_held(listed):
    with listed.reading() as connection:
        connection.execute("delete from due_steps where step = 'b'")
        connection.execute("update due_steps set attempt = 1, owner = %s where step = 'e'", (WORKER,))
        connection.execute("insert into due_steps (execution_id, step, attempt) values (%s, 'surplus', 1)", (uuid4(),))
    found = DUE_STEPS.verify(listed, quiet)
    assert (found.rows, found.differing) == (3, 3)
    shown = {sample.key["step"]: (sample.live, sample.rebuilt) for sample in found.samples}
    assert shown == {
        "b": (None, {"attempt": 1}),
        "e": ({"attempt": 1}, {"attempt": 2}),
        "surplus": ({"attempt": 1}, None),
    }
    built = DUE_STEPS.rebuild(listed, quiet)
    assert built.events == 20
    assert rows(listed) == RIGHT
    assert DUE_STEPS.verify(listed, quiet).differing == 0


def test_a_step_put_back_is_due_since_it_was_scheduled(listed, story):
    with listed.reading() as connection:
        connection.execute("delete from due_steps")
        DUE_STEPS.rebuild(listed, quiet)
        row = connection.execute("select due_at from due_steps where step = 'a'").fetchone()
    scheduled = next(event for _, event in story.happened if getattr(event, "step", "") == "a")
    assert row["due_at"] == scheduled.at
