"""An archiving command that is killed in the middle loses nothing, and the next one goes on."""

import os
from pathlib import Path

from app.clock import SYSTEM_CLOCK
from projections.archiving.running import catch_up
from store.archive.parquet import read_events
from store.datastore import Datastore
from tests.forking import fork
from tests.projections.archived_stories import differing, figures, plain_runs, scalar
from tests.projections.conftest import Append
from tests.waiting import until

EXECUTIONS = 900
LOGGED = "select count(*) from stored_events where topic !~ 'Archiv'"
FILES = """select array_agg(convert_from(state, 'UTF8')::json ->> 'file') from stored_events
where topic = 'ExecutionsArchived'"""


def test_killed_at_any_moment_it_loses_nothing_and_goes_on(
    read_tables: Datastore, append: Append, tmp_path: Path
) -> None:
    catch_up(read_tables, SYSTEM_CLOCK, append(plain_runs(EXECUTIONS)))
    before, events = figures(read_tables), 2 * EXECUTIONS
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
