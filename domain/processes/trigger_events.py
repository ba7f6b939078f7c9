"""What happens to the id of a webhook trigger; each class is stored under its own name for ever."""

from uuid import UUID

from domain.event import Event


class TriggerClaimed(Event, frozen=True, kw_only=True):
    """A process is about to publish a webhook trigger of this id; from now on the id is looked up there.

    It is so until another process claims the id, which none can while the latest version of this one has it.
    """

    trigger: str
    process_id: UUID
    process: str
