"""Archiving: the figures before it, after it and after a rebuild are the same, and what cannot leave stays.

A command that is killed in the middle loses nothing, and the next one goes on.
"""

import os
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.clock import SYSTEM_CLOCK
from app.read_models import VERIFIABLE
from domain.agents.calls import StepError
from domain.archive.archive import fold
from domain.event import Cause
from domain.executions.events.execution import ExecutionCompleted, ExecutionFailed, ExecutionRetried
from domain.identity import ARCHIVE_ID
from projections import ALL
from projections.archiving.portions import LeavingPortion, ReadModelsBusy
from projections.archiving.running import ROOM, archive, catch_up, plan
from projections.archiving.trees import begin_planning, trees_after
from projections.building import workshop
from projections.execution_list import ExecutionList
from projections.rebuilding import build, rebuild
from store import large_results
from store.archive.manifest import SUFFIX, digest_of_file, find_manifest
from store.archive.parquet import read_events, read_results
from store.archive.removing import ChangedMeanwhile
from store.datastore import Datastore
from store.lists.registry import LISTS
from store.log import Log
from store.reading import connect
from tests.forking import fork
from tests.projections.measured_stories import MeasuredStory
from tests.projections.releases import quiet
from tests.projections.stories import Happened, Story
from tests.waiting import until

X, Y = UUID(int=1), UUID(int=2)
LOGGED = "select count(*) from stored_events where topic !~ 'Archiv'"
FILES = """select array_agg(convert_from(state, 'UTF8')::json ->> 'file') from stored_events
where topic = 'ExecutionsArchived'"""
LATER = datetime(2026, 6, 1, tzinfo=UTC)
LEFTOVER = """delete from {table} d using execution_list l
where l.execution_id = d.execution_id and l.ended_at is not null"""


def plain_runs(count: int, begin: int = 1) -> Happened:
    """Executions of two processes, one after the other, that end without a step."""
    story = Story()
    for n in range(begin, begin + count):
        process = f"p{n % 2}"
        story.start(UUID(int=n), process).end(UUID(int=n), ExecutionCompleted, process, outputs={})
    return story.happened


def figures(datastore: Datastore) -> dict[str, list[Any]]:
    """Every row of the tables of figures; of the catalogue the columns that count executions."""
    found = {}
    with datastore.reading() as connection:
        for projection in ALL:
            for kept in projection.kept:
                columns = ", ".join(kept.columns)
                query = f"select row({columns})::text as row from {kept.name} order by 1"
                found[kept.name] = [row["row"] for row in connection.execute(query).fetchall()]
    return found


def scalar(datastore: Datastore, query: str) -> Any:
    """The first value of the first row."""
    with datastore.reading() as connection:
        return next(iter(connection.execute(query).fetchone().values()))  # type: ignore[union-attr]


def tidy(datastore: Datastore) -> None:
    """Strike off what a random story left on lists of executions that ended."""
    with datastore.reading() as connection:
        for table in ("due_steps", "due_timers", "admissions"):
            connection.execute(LEFTOVER.format(table=table))
        connection.execute("delete from outbox")


def run(datastore: Datastore, folder: Path, before: datetime = LATER) -> Any:
    """Archive everything that ended before a time."""
    return archive(datastore, SYSTEM_CLOCK, before, folder, "user:ann", lambda _: None)


def differing(datastore: Datastore, *, lists: bool = True) -> dict[str, int]:
    """What a verification of everything finds wrong, by name."""
    skipped = set() if lists else {each.name for each in LISTS}
    found = {each.name: each.verify(datastore, quiet).differing for each in VERIFIABLE if each.name not in skipped}
    return {name: number for name, number in found.items() if number}


@pytest.mark.parametrize("seed", range(2))
def test_figures_are_the_same_before_after_and_after_a_rebuild(read_tables, append, tmp_path, seed):
    happened = MeasuredStory(seed, 400, executions=20).happened
    catch_up(read_tables, SYSTEM_CLOCK, append(happened))
    tidy(read_tables)
    before, events = figures(read_tables), scalar(read_tables, LOGGED)
    assert before["analytics_runs"]
    moments = sorted(event.at for _, event in happened)
    left = 0
    for cut in (moments[len(moments) // 2], LATER):
        planned = plan(read_tables, cut)
        done = run(read_tables, tmp_path, cut)
        assert (done.trees, done.events, done.stay) == (planned.trees, planned.events, planned.stay)
        left += done.events
        assert figures(read_tables) == before
        assert differing(read_tables, lists=False) == {}
    assert left > 0
    assert scalar(read_tables, LOGGED) == events - left
    assert sum(1 for file in tmp_path.glob("*.parquet") for _ in read_events(file)) == left
    for projection in ALL:
        rebuild(read_tables, projection, quiet)
    assert figures(read_tables) == before
    assert differing(read_tables, lists=False) == {}


def test_new_executions_after_the_archived_ones_count_on(read_tables, append, tmp_path):
    catch_up(read_tables, SYSTEM_CLOCK, append(plain_runs(6)))
    run(read_tables, tmp_path)
    assert scalar(read_tables, "select count(*) from execution_list") == 0
    catch_up(read_tables, SYSTEM_CLOCK, append(plain_runs(3, begin=7)))
    assert scalar(read_tables, "select sum(completed)::int from process_catalogue") == 9
    before = figures(read_tables)
    for projection in ALL:
        rebuild(read_tables, projection, quiet)
    assert figures(read_tables) == before
    assert differing(read_tables) == {}


def test_the_newest_execution_of_a_process_leaves_after_the_older_ones(read_tables, append, story, tmp_path):
    story.start(X).start(Y).end(Y, ExecutionCompleted, outputs={})
    catch_up(read_tables, SYSTEM_CLOCK, append(story.happened))
    assert plan(read_tables, LATER).stay == {"newest_of_process": 1}
    story.happened.clear()
    catch_up(read_tables, SYSTEM_CLOCK, append(story.end(X, ExecutionCompleted, outputs={}).happened))
    assert run(read_tables, tmp_path).trees == 2
    assert scalar(read_tables, "select last_execution_id from process_catalogue") == Y
    rebuild(read_tables, next(each for each in ALL if each.name == "process_catalogue"), quiet)
    assert scalar(read_tables, "select last_execution_id from process_catalogue") == Y


def test_a_large_result_leaves_with_its_execution(read_tables, append, tmp_path):
    catch_up(read_tables, SYSTEM_CLOCK, append(plain_runs(2)))
    content = b'"' + b"x" * 9_000 + b'"'
    digest = sha256(content).digest()
    with read_tables.reading() as connection:
        large_results.keep(connection, X, digest, content)
    done = run(read_tables, tmp_path)
    assert done.trees == 2
    assert scalar(read_tables, "select count(*) from large_results") == 0
    found = find_manifest(tmp_path, X)
    assert found is not None
    assert list(read_results(tmp_path / found[1].results_file, X)) == [(X.bytes, digest, content)]
    assert list(read_results(tmp_path / found[1].results_file, Y)) == []


HELD = {
    "work_remains": "insert into due_timers (execution_id, step, kind, due_at) values ('{id}', 'a', 'timer', now())",
    "dead_letters": """insert into dead_letters (projection, position, error)
      select 'costs', min(notification_id), 'no' from stored_events where originator_id = '{id}'""",
    "inbox_entries": """insert into inbox_entries
      select 1, '{id}', 1, 'StepCompleted', 'completed', '{id}', 'p', 1, '{id}', 'a', now(), '[]', '', false""",
    "not_processed": "insert into policy_positions (policy, position) values ('policy:cost_alerts', 1)",
}


@pytest.mark.parametrize("reason", HELD)
def test_a_tree_stays_while_something_of_it_is_left(read_tables, append, tmp_path, reason):
    catch_up(read_tables, SYSTEM_CLOCK, append(plain_runs(1)))
    with read_tables.reading() as connection:
        connection.execute(HELD[reason].format(id=X))
    done = run(read_tables, tmp_path)
    assert (done.trees, done.stay) == (0, {reason: 1})
    assert scalar(read_tables, LOGGED) == 2


def test_a_tree_stays_while_a_called_execution_runs(read_tables, append, story, tmp_path):
    story.start(X).call([X], Y).end(X, ExecutionCompleted, outputs={})
    catch_up(read_tables, SYSTEM_CLOCK, append(story.happened))
    assert run(read_tables, tmp_path).stay == {"not_ended": 1}
    story.happened.clear()
    append(story.end(Y, ExecutionCompleted, "c", outputs={}).happened)
    tidy(read_tables)
    assert run(read_tables, tmp_path).executions == 2
    assert scalar(read_tables, "select count(*) from families") == 0
    assert differing(read_tables, lists=False) == {}


def portion_of(connection, number=1):
    begin_planning(connection)
    trees, _ = trees_after(connection, LATER, 0, 1_000)
    return LeavingPortion(number, [tree for tree in trees if not tree.held])


def test_an_execution_that_goes_on_while_its_file_is_written_stays(read_tables, append, story, log, tmp_path):
    error = StepError("agent_error", "no")
    story.start(X).end(X, ExecutionFailed, error=error)
    catch_up(read_tables, SYSTEM_CLOCK, append(story.happened))
    cause = Cause(SYSTEM_CLOCK.now(), "user:ann")
    with closing(connect(read_tables, **ROOM)) as connection:
        portion = portion_of(connection)
        manifest = portion.write(connection, tmp_path)
        digest = digest_of_file(tmp_path / f"{portion.stem}{SUFFIX}")
        story.happened.clear()
        append(story.tell(X, ExecutionRetried, reason="again", steps=[]).happened)
        begun = fold(log.stream(ARCHIVE_ID))
        with pytest.raises(ChangedMeanwhile):
            portion.remove(connection, log.recorder, begun, manifest, digest, LATER, cause)
    assert scalar(read_tables, LOGGED) == 3
    assert scalar(read_tables, "select count(*) from archived_executions") == 0


def test_nothing_leaves_while_a_read_model_is_built(read_tables, append, tmp_path):
    catch_up(read_tables, SYSTEM_CLOCK, append(plain_runs(2)))
    with workshop(read_tables, ExecutionList(), quiet), pytest.raises(ReadModelsBusy):
        run(read_tables, tmp_path)
    assert scalar(read_tables, LOGGED) == 4
    assert run(read_tables, tmp_path).trees == 2


def test_tables_built_aside_before_are_dropped(read_tables, append, tmp_path):
    catch_up(read_tables, SYSTEM_CLOCK, append(plain_runs(2)))
    build(read_tables, ExecutionList(), quiet)
    done = run(read_tables, tmp_path)
    assert done.dropped == ["execution_list"]
    assert scalar(read_tables, "select count(*) from read_table_builds") == 0


# The part of the verification that finds it, and the differences: a row of an id counts for its process too.
TAMPERING = {
    "delete from archived_executions where execution_id = '{id}'": ("archive", 2),
    "update archived_figures set rows = rows || 'x' where projection = 'process_days'": ("archive", 1),
    "delete from archived_figures": ("archive", 1),
    "delete from stored_events where originator_id = '{other}'": ("execution_list", 1),
}


@pytest.mark.parametrize("statement", TAMPERING)
def test_a_verification_finds_what_is_missing_without_a_record(read_tables, append, tmp_path, statement):
    catch_up(read_tables, SYSTEM_CLOCK, append(plain_runs(2)))
    run(read_tables, tmp_path)
    other = UUID(int=3)
    catch_up(read_tables, SYSTEM_CLOCK, append(plain_runs(1, begin=3)))
    with read_tables.reading() as connection:
        connection.execute(statement.format(id=X, other=other))
    name, number = TAMPERING[statement]
    proof = next(each for each in VERIFIABLE if each.name == name)
    assert proof.verify(read_tables, quiet).differing == number
    with closing(Log(read_tables)) as opened:
        assert opened.stream(X) == []


def test_killed_at_any_moment_it_loses_nothing_and_goes_on(read_tables, append, tmp_path):
    catch_up(read_tables, SYSTEM_CLOCK, append(plain_runs(900)))
    before, events = figures(read_tables), 2 * 900
    folder = tmp_path / "files"
    folder.mkdir()
    words = tmp_path / "words"
    command = ["archive", "--ended-before", SYSTEM_CLOCK.now().isoformat(), "--to", str(folder), "--yes"]
    environment = {**os.environ, "DATABASE_URL": read_tables.dsn}
    for number in range(3):
        # A new file is about to be recorded, or just has been.
        there = set(folder.iterdir())
        running = fork(command, environment, words)
        until(lambda: set(folder.iterdir()) - there or running.poll() is not None)  # noqa: B023
        running.kill()
        running.wait(60)
        archived = scalar(read_tables, FILES) or []
        kept = sum(1 for name in archived for _ in read_events(folder / name))
        assert scalar(read_tables, LOGGED) + kept == events, number
    assert fork(command, environment, words).wait(250) == 0, words.read_text()
    archived = scalar(read_tables, FILES)
    stored = {(stream, version) for name in archived for _, stream, version, _, _ in read_events(folder / name)}
    assert len(stored) == events
    assert scalar(read_tables, LOGGED) == 0
    assert figures(read_tables) == before
    assert differing(read_tables) == {}
