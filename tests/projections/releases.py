"""Read tables, of two releases at times: what tests of projecting, builds, switches and proofs share."""

from contextlib import closing
from uuid import UUID, uuid4

from domain.executions.events.step import StepSkipped
from projections import ALL
from projections.execution_list import ExecutionList
from projections.positions import Positions
from projections.running import Runner

X = UUID(int=1)
LIST = ExecutionList()


class Before(ExecutionList):
    """As the release before defines it."""

    ddl = ExecutionList.ddl + "alter table execution_list add column before text default 'before';"


def quiet(_done, _total):
    """Progress that nobody watches."""


def rows(datastore, query, *parameters):
    with datastore.reading() as connection:
        return connection.execute(query, parameters).fetchall()


def position(datastore, name=LIST.name):
    with datastore.reading() as connection:
        return Positions().read(connection, [name])[name]


def columns(datastore, schema):
    query = "select column_name as name from information_schema.columns where table_schema = %s and table_name = %s"
    return {row["name"] for row in rows(datastore, query, schema, "execution_list")}


def skips(story, count):
    at = story.start(uuid4()).happened[0][1].at
    return [(uuid4(), StepSkipped(at=at, actor="x", step="s", reason="r")) for _ in range(count)]


def drain(runner):
    runner._refresh_at = 0.0
    runner.refresh()
    while runner.advance():
        pass


def project(datastore, projections=ALL):
    """Bring read models up to the end of the log."""
    with closing(Runner(datastore, projections)) as runner:
        drain(runner)
