"""What happened in the golden histories of batches. Never change a told story."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.batches.batch import FrozenBatch, fold
from domain.batches.decisions import NewBatch, advance_batch, freeze_batch, run_batch, stop_batch
from domain.batches.events import RefusedExecution
from domain.event import Cause, Event

Told = tuple[UUID, list[Event]]

BEGIN = datetime(2026, 12, 4, 8, tzinfo=UTC)
RUNS = [UUID(f"0192f0c1-0000-7000-8000-0000000b00{n:02}") for n in range(1, 6)]
PROCESSES = ["golden-claims", "golden-refunds"]


def _cause(minutes: int, actor: str = "user:ann") -> Cause:
    return Cause(BEGIN + timedelta(minutes=minutes), actor, "request", "tie")


def _batch(events: list[Event]) -> FrozenBatch:
    batch = fold(None, events)
    assert batch is not None
    return batch


def reassigned(_: Any) -> Told:
    """A step of five executions goes to another agent, in two portions; one has the agent already, one has ended."""
    words = {"status": ["failed"], "failed_step": "read", "include_children": True}
    events = freeze_batch(NewBatch("reassign", words, RUNS, PROCESSES, 99, "read", "golden-reader"), _cause(0))
    events += run_batch(_batch(events), "the reader is back", _cause(1, "user:bo"))
    refused = RefusedExecution(RUNS[2], "step_ended", "step 'read' is completed")
    events += advance_batch(_batch(events), 1, 1, [refused], _cause(2, "worker:one"))
    events += advance_batch(_batch(events), 2, 0, [], _cause(3, "worker:two"))
    return UUID("0192f0c1-0000-7000-8000-0000000ba7c1"), events


def stopped(_: Any) -> Told:
    """Executions are cancelled until a person stops the batch."""
    events = freeze_batch(NewBatch("cancel", {"process": PROCESSES[0]}, RUNS, PROCESSES[:1], 99), _cause(0))
    events += run_batch(_batch(events), "the supplier is down", _cause(1))
    events += advance_batch(_batch(events), 2, 0, [], _cause(2, "worker:one"))
    events += stop_batch(_batch(events), "it is up again", _cause(3, "user:bo"))
    return UUID("0192f0c1-0000-7000-8000-0000000ba7c2"), events


STORIES: dict[str, Callable[[Any], Told]] = {
    "batch": reassigned,
    "batch-stopped": stopped,
}
