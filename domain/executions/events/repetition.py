"""Events of a step that is repeated; each class is stored under its own name for ever.

The child of an item begins with ItemStarted, that of a round with SubProcessStarted.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from domain.agents.calls import StepError
from domain.event import Event, stored


@stored("ItemsListed")
class ItemsListed(Event, frozen=True, kw_only=True):
    """A step goes through a list. items: read once, now. keys: of the items for people; empty without keys."""

    step: str
    attempt: int
    items: list[Any]
    keys: list[str] = []


@stored("ItemsResumed")
class ItemsResumed(Event, frozen=True, kw_only=True):
    """A later attempt goes through the items that have no result, and no others: by their positions, from 0."""

    step: str
    attempt: int
    items: list[int]


@stored("ItemCompleted")
class ItemCompleted(Event, frozen=True, kw_only=True):
    """The child of an item has completed. item: its position in the list, from 0. size: bytes of the output in JSON."""

    step: str
    attempt: int
    item: int
    child: UUID
    output: Any
    size: int


@stored("ItemFailed")
class ItemFailed(Event, frozen=True, kw_only=True):
    """An item has no result. child: None where its input could not be worked out, so that no child began.

    failed: the items without a result that the attempt has met, this one included.
    """

    step: str
    attempt: int
    item: int
    error: StepError
    failed: int
    child: UUID | None = None


@stored("RoundCompleted")
class RoundCompleted(Event, frozen=True, kw_only=True):
    """The child of a round has completed. carried: laid over the input of the next round.

    next_at: the time at which that begins; None for at once, or where none follows.
    """

    step: str
    attempt: int
    round: int
    child: UUID
    carried: dict[str, Any] = {}
    next_at: datetime | None = None
