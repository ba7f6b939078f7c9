"""Runners: one a projection among all processes, poison parked, the broken left standing while others go on."""

from uuid import UUID, uuid4

import psycopg
import pytest

from domain.agents.events import AgentRegistered
from domain.executions.events.step import StepSkipped
from domain.identity import agent_id
from projections import ALL
from projections.agent_directory import AgentDirectoryProjection
from projections.execution_list import ExecutionList
from projections.locks import RUNNER_LOCK
from projections.pages import PAGE
from projections.positions import Moved, Positions
from projections.rebuilding import rebuild
from projections.running import CATCHING_UP, FAILED, RUNNING, STALE, STANDBY, STOPPED, Runner
from projections.tables import create_read_tables
from projections.verifying import verify
from store.mapper import STORED_NAMES
from store.reading import UnknownEventMet

X = UUID(int=1)


@pytest.fixture
def runner(read_tables):
    opened = []

    def open_runner(*projections):
        opened.append(Runner(read_tables, projections or ALL))
        return opened[-1]

    yield open_runner
    for one in opened:
        one.close()


def states(runner):
    return {state.projection.name: state.state for state in runner.states}


def positions(datastore):
    with datastore.reading() as connection:
        return Positions().read(connection, [projection.name for projection in ALL])


def one(datastore, query, *parameters):
    with datastore.reading() as connection:
        return connection.execute(query, parameters).fetchone()


def append_stored(datastore, stream, topic, state):
    """As a newer or a broken release might have written it."""
    with datastore.reading() as connection:
        connection.execute(
            "insert into stored_events (originator_id, originator_version, topic, state) values (%s, 1, %s, %s)",
            (stream, topic, state),
        )


def look_again(runner):
    """Without waiting for the second between two looks to pass."""
    runner._refresh_at = 0.0
    runner.refresh()


def test_every_projection_follows_the_log_and_its_position_is_tracked(read_tables, runner, append, story):
    last = append(story.start(X).schedule(X).happened)
    running = runner()
    running.refresh()
    assert running.advance() == 2
    assert positions(read_tables) == {projection.name: last for projection in ALL}
    assert running.advance() == 0
    assert one(read_tables, "select last_position from execution_list")["last_position"] == last


def test_waiting_readers_are_told_the_position(read_tables, runner, append, story):
    with read_tables.connect() as ear:
        ear.execute("listen procession_projected")
        last = append(story.start(X).happened)
        running = runner()
        running.refresh()
        running.advance()
        assert [n.payload for n in ear.notifies(timeout=60, stop_after=1)] == [str(last)]


def test_projections_at_other_positions_catch_up_and_go_on_together(read_tables, runner, append, story):
    append(story.start(X).happened)
    early = runner(ExecutionList())
    early.refresh()
    early.advance()
    early.close()
    skipped = StepSkipped(at=story.happened[0][1].at, actor="x", step="s", reason="r")
    append([(uuid4(), skipped) for _ in range(PAGE + 1_000)])
    running = runner()
    running.refresh()
    assert running.advance() == PAGE
    assert set(states(running).values()) == {CATCHING_UP}
    while running.advance():
        pass
    assert set(positions(read_tables).values()) == {PAGE + 1_001}
    assert set(states(running).values()) == {RUNNING}
    assert one(read_tables, "select count(*) as n from execution_list")["n"] == PAGE + 1_001


@pytest.mark.parametrize(
    ("topic", "state"),
    [
        ("StepSkipped", b"not json"),
        ("ExecutionStarted", b'{"at":"2026-01-01T00:00:00Z","actor":"x"}'),
        ("CostRecorded", b'{"at":"2026-01-01T00:00:00Z","step":"a","usage":{"input_tokens":99999999999999999999}}'),
        (
            "ExecutionFailed",
            b'{"at":"2026-01-01T00:00:00Z","process_id":"00000000-0000-0000-0000-000000000001","error":3}',
        ),
    ],
)
def test_an_event_that_cannot_be_digested_is_parked_and_all_others_are_projected(
    read_tables, runner, append, story, topic, state
):
    append(story.start(X).schedule(X).happened)
    append_stored(read_tables, uuid4(), topic, state)
    last = append([(UUID(int=2), story.start(UUID(int=2)).happened[-1][1])])
    running = runner()
    running.refresh()
    running.advance()
    assert set(positions(read_tables).values()) == {last}
    with read_tables.reading() as connection:
        letters = connection.execute("select * from dead_letters").fetchall()
        shown = connection.execute("select execution_id from execution_list order by position").fetchall()
    assert "execution_list" in {letter["projection"] for letter in letters}
    assert {letter["position"] for letter in letters} == {3}
    assert all(0 < len(letter["error"]) <= 2_000 for letter in letters)
    assert [row["execution_id"] for row in shown] == [X, UUID(int=2)]


def test_what_the_tables_refuse_is_poison_too(read_tables, runner, append, story):
    story.tell(agent_id("a"), AgentRegistered, name="a", kind="scripted", config={})
    story.tell(uuid4(), AgentRegistered, name="a", kind="scripted", config={})
    last = append(story.start(X).happened)
    running = runner()
    running.refresh()
    running.advance()
    assert set(positions(read_tables).values()) == {last}
    letter = one(read_tables, "select * from dead_letters")
    assert (letter["projection"], letter["position"]) == ("agent_directory", 2)
    assert letter["error"].startswith("UniqueViolation: ")


def test_projections_stop_before_an_event_of_a_newer_release_and_say_so_until_a_newer_release_projected_it(
    read_tables, runner, append, story
):
    known = append(story.start(X).happened)
    append_stored(read_tables, uuid4(), "ComesLater", b"{}")
    assert "ComesLater" not in STORED_NAMES.values()
    last = append([(UUID(int=2), story.start(UUID(int=2)).happened[-1][1])])
    running = runner()
    running.refresh()
    running.advance()
    assert set(positions(read_tables).values()) == {known}
    assert set(states(running).values()) == {STOPPED}
    for projection in ALL:
        failure = one(read_tables, "select failure from projections where name = %s", projection.name)["failure"]
        assert failure.startswith(f"{projection.name} stands still before position {known + 1}: ")
        assert "'ComesLater'" in failure
    assert one(read_tables, "select count(*) as n from dead_letters")["n"] == 0
    assert one(read_tables, "select count(*) as n from execution_list")["n"] == 1

    held = "select count(*) as n from pg_locks where locktype = 'advisory' and classid = %s"
    mine = f"{held} and database = (select oid from pg_database where datname = current_database())"
    assert one(read_tables, mine, RUNNER_LOCK)["n"] == 0, "a newer release can take them"
    move = "update notification_tracking set notification_id = %s where application_name = 'execution_list'"
    with read_tables.reading() as connection:
        connection.execute(move, (known + 1,))
    look_again(running)
    running.advance()
    assert states(running) == {p.name: RUNNING if p.name == "execution_list" else STOPPED for p in ALL}
    assert positions(read_tables)["execution_list"] == last
    assert one(read_tables, "select failure from projections where name = 'execution_list'")["failure"] is None


def test_a_rebuild_and_a_proof_stop_before_an_event_of_a_newer_release(read_tables, append, story):
    append(story.start(X).happened)
    append_stored(read_tables, uuid4(), "ComesLater", b"{}")
    with read_tables.reading() as connection:
        connection.execute("update notification_tracking set notification_id = 2")
    for work in (rebuild, verify):
        with pytest.raises(UnknownEventMet, match=r"before position 2: .*'ComesLater'"):
            work(read_tables, ExecutionList(), lambda _done, _total: None)
    assert set(positions(read_tables).values()) == {2}


def test_a_projection_whose_table_is_gone_stands_still_with_its_reason_and_others_go_on(
    read_tables, runner, append, story
):
    with read_tables.reading() as connection:
        connection.execute("alter table agent_directory rename to elsewhere")
    story.tell(agent_id("a"), AgentRegistered, name="a", kind="scripted", config={})
    last = append(story.start(X).happened)
    running = runner()
    running.refresh()
    running.advance()
    assert states(running)["agent_directory"] == FAILED
    assert positions(read_tables) == {p.name: 0 if p.name == "agent_directory" else last for p in ALL}
    failure = one(read_tables, "select failure from projections where name = 'agent_directory'")["failure"]
    assert "agent_directory" in failure
    assert one(read_tables, "select count(*) as n from dead_letters")["n"] == 0
    with read_tables.reading() as connection:
        connection.execute("alter table elsewhere rename to agent_directory")
    running.close()
    running.refresh()
    running.advance()
    assert set(positions(read_tables).values()) == {last}
    assert one(read_tables, "select count(*) as n from projections where failure is not null")["n"] == 0


def test_a_second_runner_stands_by_and_takes_over_when_the_connection_of_the_first_dies(
    read_tables, runner, append, story
):
    first, second = runner(), runner()
    first.refresh()
    second.refresh()
    assert set(states(first).values()) == {RUNNING}
    assert set(states(second).values()) == {STANDBY}
    last = append(story.start(X).happened)
    assert second.advance() == 0
    with read_tables.reading() as connection:
        connection.execute(
            """select pg_terminate_backend(pid, 10000) from pg_locks where locktype = 'advisory' and classid = %s
            and database = (select oid from pg_database where datname = current_database())""",
            (RUNNER_LOCK,),
        )
    second.close()  # begins its second of waiting anew
    second.refresh()
    assert set(states(second).values()) == {RUNNING}
    second.advance()
    assert set(positions(read_tables).values()) == {last}
    with pytest.raises(psycopg.OperationalError):
        first.advance()
    first.close()
    first.refresh()
    assert set(states(first).values()) == {STANDBY}


def test_two_that_believe_to_be_alone_do_not_project_a_page_twice(read_tables, append, story):
    append(story.start(X).happened)
    tracked = Positions()
    with read_tables.connect() as connection:
        with connection.transaction():
            tracked.move(connection, ["execution_list"], 0, 1)
        with pytest.raises(Moved), connection.transaction():
            tracked.move(connection, ["execution_list"], 0, 1)
        with pytest.raises(Moved), connection.transaction():
            tracked.advance(connection, ["execution_list"], 1)


class Changed(AgentDirectoryProjection):
    """As another release defines it."""

    ddl = AgentDirectoryProjection.ddl + "-- changed"


def test_a_projection_defined_anew_waits_for_its_rebuild_and_says_so(read_tables, runner, append, story):
    append(story.start(X).happened)
    running = runner(ExecutionList(), Changed())
    running.refresh()
    running.advance()
    assert states(running) == {"execution_list": RUNNING, "agent_directory": STALE}
    assert positions(read_tables)["agent_directory"] == 0
    failure = one(read_tables, "select failure from projections where name = 'agent_directory'")["failure"]
    assert "rebuild it" in failure
    rebuild(read_tables, Changed(), lambda _done, _total: None)
    running.close()
    running.refresh()
    assert states(running)["agent_directory"] == RUNNING


def test_a_release_that_the_tables_suit_runs_them_beside_one_that_they_do_not(read_tables, runner):
    other, ours = runner(Changed()), runner(AgentDirectoryProjection())
    other.refresh()
    ours.refresh()
    assert (states(other), states(ours)) == ({"agent_directory": STALE}, {"agent_directory": RUNNING})
    other.close()
    other.refresh()
    assert states(other) == {"agent_directory": STANDBY}
    assert one(read_tables, "select count(*) as n from projections where failure is not null")["n"] == 0


def test_tables_are_created_once(read_tables):
    class New(AgentDirectoryProjection):
        name, tables = "new", ("new_table",)
        ddl = "create table new_table (id int)"

    with read_tables.reading() as connection:
        assert create_read_tables(connection) == []
        assert create_read_tables(connection, [*ALL, New()]) == ["new"]
        assert create_read_tables(connection, [*ALL, New()]) == []
