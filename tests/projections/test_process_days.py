"""The outcomes of the last days, given ends of executions."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.agents.calls import StepError
from domain.executions.events.execution import (
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionRetried,
)
from domain.identity import process_id
from projections.running import Runner
from queries.process_days import RecentOutcomes, summarise_outcomes
from queries.progress import ExecutionProgress
from queries.reading import Reading

A, B, C, D = (UUID(int=n) for n in range(1, 5))
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
P = process_id("p")


def test_the_outcomes_of_thirty_days_leave_out_older_ones_and_retried_failures(read_tables, append, story):
    story.start(A).end(A, ExecutionCompleted, outputs={})
    story.start(B).end(B, ExecutionFailed, error=StepError("x", "y"))
    story.start(C).end(C, ExecutionFailed, error=StepError("x", "y"))
    story.tell(C, ExecutionRetried, reason="why", steps=["a"]).end(C, ExecutionCompleted, outputs={})
    story.start(D).end(D, ExecutionCancelled, reason="enough")
    append(story.happened)
    runner = Runner(read_tables)
    runner.refresh()
    runner.advance()
    runner.close()
    reading = Reading(read_tables, ExecutionProgress(read_tables))
    ended = RecentOutcomes(completed=2, failed=1, cancelled=1)
    assert ended.success_rate == 2 / 3
    almost = timedelta(days=31) - timedelta(microseconds=1)
    for now, expected in (
        (BEGIN, {P: ended}),
        (BEGIN + almost, {P: ended}),
        (BEGIN + timedelta(days=31), {}),
        (BEGIN - timedelta(days=1), {}),
    ):
        assert summarise_outcomes(reading, [P], now=now) == expected, now
    assert summarise_outcomes(reading, [process_id("other")], now=BEGIN) == {}
    assert summarise_outcomes(reading, [P]) == {}
