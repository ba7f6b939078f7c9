"""Archiving: the figures before it, after it and after a rebuild are the same, and nothing is lost on the way."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.clock import SYSTEM_CLOCK
from app.read_models import VERIFIABLE
from projections import ALL
from projections.archiving.running import archive, catch_up, plan
from projections.rebuilding import rebuild
from store.archive.parquet import read_events
from store.lists.registry import LISTS
from tests.projections.measured_stories import MeasuredStory
from tests.projections.releases import quiet

LATER = datetime(2026, 6, 1, tzinfo=UTC)
LEFTOVER = (
    "delete from {table} d using execution_list l where l.execution_id = d.execution_id and l.ended_at is not null"
)


def figures(datastore: Any) -> dict[str, list[Any]]:
    """Every row of the tables of figures; of the catalogue the columns that count executions."""
    found = {}
    with datastore.reading() as connection:
        for projection in ALL:
            for kept in projection.kept:
                columns = ", ".join(kept.columns)
                query = f"select row({columns})::text as row from {kept.name} order by 1"
                found[kept.name] = [row["row"] for row in connection.execute(query).fetchall()]
    return found


def scalar(datastore: Any, query: str) -> Any:
    with datastore.reading() as connection:
        return next(iter(connection.execute(query).fetchone().values()))


def tidy(datastore: Any) -> None:
    """Strike off what the random story left on lists of executions that ended."""
    with datastore.reading() as connection:
        for table in ("due_steps", "due_timers", "admissions"):
            connection.execute(LEFTOVER.format(table=table))
        connection.execute("delete from outbox")


def run(datastore: Any, folder: Path, before: datetime = LATER) -> Any:
    return archive(datastore, SYSTEM_CLOCK, before, folder, "user:ann", lambda _: None)


def require_proven(datastore: Any, *, lists: bool = True) -> None:
    skipped = set() if lists else {each.name for each in LISTS}
    found = {each.name: each.verify(datastore, quiet).differing for each in VERIFIABLE if each.name not in skipped}
    assert {name: number for name, number in found.items() if number} == {}


@pytest.mark.parametrize("seed", range(2))
def test_figures_are_the_same_before_after_and_after_a_rebuild(read_tables, append, tmp_path, seed):
    happened = MeasuredStory(seed, 400).happened
    catch_up(read_tables, append(happened))
    tidy(read_tables)
    before, events = figures(read_tables), scalar(read_tables, "select count(*) from stored_events")
    assert before["analytics_runs"]
    moments = sorted(event.at for _, event in happened)
    left = 0
    for cut in (moments[len(moments) // 2], LATER):
        planned = plan(read_tables, cut)
        done = run(read_tables, tmp_path, cut)
        assert (done.trees, done.events, done.stay) == (planned.trees, planned.events, planned.stay)
        left += done.events
        assert figures(read_tables) == before
        require_proven(read_tables, lists=False)
    assert left > 0
    assert scalar(read_tables, "select count(*) from stored_events where topic !~ 'Archiv'") == events - left
    assert sum(1 for file in tmp_path.glob("*.parquet") for _ in read_events(file)) == left
    for projection in ALL:
        rebuild(read_tables, projection, quiet)
    assert figures(read_tables) == before
    require_proven(read_tables, lists=False)
