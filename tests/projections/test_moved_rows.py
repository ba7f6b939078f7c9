"""Every event of an execution moves its rows, whatever else it changes and whoever reads the page."""

from contextlib import closing
from datetime import timedelta

from domain.executions.events.step import StepStarted
from projections.execution_list import ExecutionList
from projections.running import Runner
from store.mapper import STORED_NAMES
from tests.projections.releases import X


def test_an_event_that_changes_nothing_else_moves_the_row_although_no_other_read_model_reads_it(
    read_tables, append, story
):
    append(story.start(X).schedule(X).happened)
    started = StepStarted(at=story.happened[-1][1].at + timedelta(minutes=1), actor="x", step="a", attempt=1)
    assert STORED_NAMES[StepStarted] not in ExecutionList.handlers
    with closing(Runner(read_tables, [ExecutionList()])) as alone:
        alone.refresh()
        alone.advance()
        last = append([(X, started)])
        assert alone.advance() == 1
    with read_tables.reading() as connection:
        row = connection.execute("select last_position, last_at from execution_list").fetchone()
    assert row == {"last_position": last, "last_at": started.at}
