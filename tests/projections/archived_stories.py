"""Logs for tests of the archive, and what these count in a database."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from app.clock import SYSTEM_CLOCK
from app.read_models import VERIFIABLE
from domain.executions.events.execution import ExecutionCompleted
from projections import ALL
from projections.archiving.running import archive
from store.datastore import Datastore
from store.lists.registry import LISTS
from tests.projections.releases import quiet
from tests.projections.stories import Happened, Story

LATER = datetime(2026, 6, 1, tzinfo=UTC)
_LEFTOVER = """delete from {table} d using execution_list l
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
            connection.execute(_LEFTOVER.format(table=table))
        connection.execute("delete from outbox")


def run(datastore: Datastore, folder: Path, before: datetime = LATER) -> Any:
    """Archive everything that ended before a time."""
    return archive(datastore, SYSTEM_CLOCK, before, folder, "user:ann", lambda _: None)


def differing(datastore: Datastore, *, lists: bool = True) -> dict[str, int]:
    """What a verification of everything finds wrong, by name."""
    skipped = set() if lists else {each.name for each in LISTS}
    found = {each.name: each.verify(datastore, quiet).differing for each in VERIFIABLE if each.name not in skipped}
    return {name: number for name, number in found.items() if number}
