"""A projection that is further than the log stands still and says so, until it is rebuilt."""

from uuid import UUID

import pytest

from projections import ALL
from projections.execution_list import ExecutionList
from projections.rebuilding import build, promote, rebuild, rollback
from projections.running import FAILED, RUNNING, Runner
from projections.switching import NothingToSwitchTo
from projections.verifying import verify
from tests.projections.releases import drain, quiet

X, Y = UUID(int=1), UUID(int=2)


@pytest.fixture
def runner(read_tables):
    made = Runner(read_tables)
    yield made
    made.close()


def lose(datastore, after):
    with datastore.reading() as connection:
        connection.execute("delete from stored_events where notification_id > %s", (after,))
        connection.execute("select setval('stored_events_notification_id_seq', %s)", (after,))


def test_it_names_its_position_and_goes_on_after_a_rebuild(read_tables, runner, append, story):
    kept = append(story.start(X).happened)
    story.happened.clear()
    lost = append(story.start(Y).schedule(Y).happened)
    drain(runner)
    lose(read_tables, kept)
    drain(runner)
    assert {state.state for state in runner.states} == {FAILED}
    assert f"position {lost}, beyond the end of the log" in str(runner.states[0].error)

    # Other events take the lost positions: it must not go on as if it had projected them.
    story.happened.clear()
    last = append(
        story.schedule(X, step="a").schedule(X, step="b").schedule(X, step="c").schedule(X, step="d").happened
    )
    assert last > lost
    drain(runner)
    assert {state.state for state in runner.states} == {FAILED}
    runner.close()
    another = Runner(read_tables)
    drain(another)
    assert {state.state for state in another.states} == {FAILED}
    another.close()

    for projection in ALL:
        rebuild(read_tables, projection, quiet)
    drain(runner)
    assert {(state.state, state.error) for state in runner.states} == {(RUNNING, None)}
    assert verify(read_tables, ExecutionList(), quiet).differing == 0


def test_a_rebuild_goes_back_to_the_end_of_the_log(read_tables, runner, append, story):
    kept = append(story.start(X).happened)
    story.happened.clear()
    append(story.start(Y).schedule(Y).happened)
    drain(runner)
    runner.close()
    lose(read_tables, kept)

    for projection in ALL:
        rebuild(read_tables, projection, quiet)
    # Other events take the lost positions before any projector runs, and are projected like all others.
    story.happened.clear()
    append(story.schedule(X, step="a").schedule(X, step="b").schedule(X, step="c").schedule(X, step="d").happened)
    drain(runner)
    assert {(state.state, state.error) for state in runner.states} == {(RUNNING, None)}
    for projection in ALL:
        assert verify(read_tables, projection, quiet).differing == 0


def test_tables_aside_that_hold_lost_events_are_not_put_in_use(read_tables, runner, append, story):
    kept = append(story.start(X).happened)
    story.happened.clear()
    lost = append(story.start(Y).schedule(Y).happened)
    drain(runner)
    runner.close()
    build(read_tables, ExecutionList(), quiet)
    lose(read_tables, kept)
    with pytest.raises(NothingToSwitchTo, match=f"at position {lost}, beyond the end of the log"):
        promote(read_tables, ExecutionList(), quiet)
    # A build that goes on begins anew.
    build(read_tables, ExecutionList(), quiet, resume=True)
    assert promote(read_tables, ExecutionList(), quiet).position == kept
    with pytest.raises(NothingToSwitchTo, match=f"at position {lost}, beyond the end of the log"):
        rollback(read_tables, ExecutionList(), quiet)
    assert verify(read_tables, ExecutionList(), quiet).differing == 0
