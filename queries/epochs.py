"""Positions that clients hold, by the epoch of the log that they come from; and the present epoch."""

from datetime import datetime

import msgspec

from domain.refusal import Refusal
from queries.progress import ExecutionProgress
from store.epochs import Epoch

EPOCH_ID = "[0-9a-f]{12}"


class LogWentBack(Refusal):
    """The log has lost the position; `position` and `epoch` state the present end of the log."""

    code = "log_went_back"


class LogEpoch(msgspec.Struct, frozen=True):
    """The present epoch of the log: positions of an earlier one beyond `begins_at` are of events that were lost.

    epoch: names it, beside positions. number: counts from 1. timeline, system_identifier: of its server; 0 and empty
    where the server does not state them.
    """

    epoch: str
    number: int
    begins_at: int
    begun_at: datetime
    timeline: int
    system_identifier: str


class EpochsOfLog(msgspec.Struct, frozen=True):
    """The epochs of the log, the present one first."""

    items: list[LogEpoch]


def get_epoch(progress: ExecutionProgress) -> LogEpoch | None:
    """Return the present epoch; None before the first connection."""
    found = progress.main.epochs.current
    return None if found is None else _view(found)


def list_epochs(progress: ExecutionProgress) -> EpochsOfLog:
    """Return every epoch. Raises Outage."""
    with progress.main.reading():
        return EpochsOfLog([_view(each) for each in reversed(progress.main.epochs.known)])


def _view(epoch: Epoch) -> LogEpoch:
    return LogEpoch(
        epoch.epoch_id, epoch.number, epoch.begins_at, epoch.begun_at, epoch.timeline, epoch.system_identifier
    )


def require_held(progress: ExecutionProgress, epoch: str | None, position: int) -> None:
    """Raise LogWentBack if the log has lost a position of an epoch; default: of the first one. Raises Outage."""
    epochs = progress.main.epochs
    if len(epochs.known) > 1 and not epochs.holds(epoch or epochs.known[0].epoch_id, position):
        raise went_back(progress, position)


def went_back(progress: ExecutionProgress, position: int) -> LogWentBack:
    """Return the refusal of a position that the log has lost. Raises Outage."""
    end, epoch = progress.end_of_log(), progress.main.epochs.enter()
    return LogWentBack(
        f"the log went back: position {position} is of events that were lost when another server took over; "
        f"the log ends at position {end} of epoch {epoch}: read again from there, without this position or cursor",
        position=end,
        epoch=epoch,
    )
