"""The state of one process: the fold of its events."""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from domain.event import Event
from domain.processes.events import (
    ProcessArchived,
    ProcessDrafted,
    ProcessPublished,
    ProcessRestored,
    ProcessRevised,
)

Status = Literal["draft", "published", "archived"]


class VersionContent(msgspec.Struct, frozen=True):
    """A published version: the text as it was sent, the canonical document that executions run, and by which rules."""

    source: str
    definition: dict[str, Any]
    rules: int = 1


class Process(msgspec.Struct, frozen=True):
    """A process now.

    status: ``published`` as soon as there is a version, also while a newer draft is being written. draft_source: the
    text of the draft; None when there is nothing unpublished. versions: every published version by its number. latest:
    the highest number, 0 before the first. revision: number of events folded, which is the version of its stream.
    archived_draft: the draft that an archived process had, and has again when it is restored.
    """

    name: str
    status: Status
    draft_source: str | None
    versions: dict[int, VersionContent] = msgspec.field(default_factory=dict)
    latest: int = 0
    revision: int = 1
    archived_draft: str | None = None


def evolve(process: Process | None, event: Event) -> Process:
    """Return the process after `event`; the first event must be ProcessDrafted (ValueError otherwise)."""
    if isinstance(event, ProcessDrafted) and process is None:
        return Process(name=event.name, status="draft", draft_source=event.source)
    if process is None:
        raise ValueError(f"a process begins with ProcessDrafted, not {type(event).__name__}")
    revision = process.revision + 1
    match event:
        case ProcessRevised():
            return msgspec.structs.replace(process, draft_source=event.source, revision=revision)
        case ProcessPublished():
            versions = {**process.versions, event.version: VersionContent(event.source, event.definition, event.rules)}
            return Process(event.name, "published", None, versions, event.version, revision)
        case ProcessArchived():
            return msgspec.structs.replace(
                process,
                status="archived",
                draft_source=None,
                archived_draft=process.draft_source,
                revision=revision,
            )
        case ProcessRestored():
            return msgspec.structs.replace(
                process,
                status="published" if event.version else "draft",
                draft_source=event.source,
                archived_draft=None,
                revision=revision,
            )
        case _:
            raise ValueError(f"{type(event).__name__} does not happen to a process that exists")


def fold(events: Iterable[Event]) -> Process | None:
    """Return the process after all `events`, in order; None for none, or for a stream that is not a process's."""
    process: Process | None = None
    for event in events:
        if process is None and not isinstance(event, ProcessDrafted):
            return None
        process = evolve(process, event)
    return process
