"""An answer of analytics is one cut of the log: its rows are those of its position, whatever is projected meanwhile."""

from contextlib import closing
from datetime import timedelta
from uuid import UUID

from domain.executions.events.execution import ExecutionCompleted
from projections.running import Runner
from queries.analytics.requests import FiguresFilter
from queries.analytics.rollups import rollups
from queries.progress import ExecutionProgress
from queries.reading import Reading
from tests.projections.releases import drain
from tests.projections.stories import BEGIN

BOUNDS = BEGIN, BEGIN + timedelta(days=1)


def completed(found):
    return sum(row["completed"] for row in found.runs(BOUNDS, ""))


def test_rows_are_those_of_the_position_of_the_answer(read_tables, append, story):
    reading = Reading(read_tables, ExecutionProgress(read_tables))
    with closing(Runner(read_tables)) as runner:
        first = append(story.start(UUID(int=1)).end(UUID(int=1), ExecutionCompleted, outputs={}).happened)
        drain(runner)
        with rollups(reading, FiguresFilter()) as (found, freshness):
            story.happened.clear()
            last = append(story.start(UUID(int=2)).end(UUID(int=2), ExecutionCompleted, outputs={}).happened)
            drain(runner)
            assert (freshness.as_of_position, completed(found)) == (first, 1)
        with rollups(reading, FiguresFilter()) as (found, freshness):
            assert (freshness.as_of_position, completed(found)) == (last, 2)
