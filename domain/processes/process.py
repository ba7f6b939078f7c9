"""The state of one process: the fold of its events."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import msgspec

from domain.event import Event
from domain.processes.events import (
    ProcessArchived,
    ProcessDrafted,
    ProcessPaused,
    ProcessPublished,
    ProcessRestored,
    ProcessResumed,
    ProcessRevised,
)
from domain.processes.lineage import Lineage

MOST_PAUSES = 100
"""So many pauses a process remembers, the latest ones: a schedule that catches up skips the instants in them."""

PauseMode = Literal["queue", "refuse"]
Status = Literal["draft", "published", "archived"]


class VersionContent(msgspec.Struct, frozen=True):
    """A published version: the text as it was sent, the canonical document that executions run, and by which rules."""

    source: str
    definition: dict[str, Any]
    rules: int = 1


class ProcessPause(msgspec.Struct, frozen=True):
    """A time in which nothing starts. until: None while it lasts."""

    mode: PauseMode
    reason: str
    since: datetime
    until: datetime | None = None


class Process(msgspec.Struct, frozen=True):
    """A process now.

    status: ``published`` as soon as there is a version, also while a newer draft is being written. draft_source: the
    text of the draft; None when there is nothing unpublished. versions: every published version by its number. latest:
    the highest number, 0 before the first. revision: number of events folded, which is the version of its stream.
    archived_draft: the draft that an archived process had, and has again when it is restored. pauses: the latest ones;
    the last may still last. lineage: the template that it was made from, and the version that it has.
    """

    name: str
    status: Status
    draft_source: str | None
    versions: dict[int, VersionContent] = msgspec.field(default_factory=dict)
    latest: int = 0
    revision: int = 1
    archived_draft: str | None = None
    pauses: tuple[ProcessPause, ...] = ()
    lineage: Lineage | None = None

    @property
    def pause(self) -> ProcessPause | None:
        """The pause that lasts; None when executions may start."""
        last = self.pauses[-1] if self.pauses else None
        return last if last is not None and last.until is None else None


def evolve(process: Process | None, event: Event) -> Process:
    """Return the process after `event`; the first event must be ProcessDrafted (ValueError otherwise)."""
    if isinstance(event, ProcessDrafted) and process is None:
        return Process(name=event.name, status="draft", draft_source=event.source, lineage=event.lineage)
    if process is None:
        raise ValueError(f"a process begins with ProcessDrafted, not {type(event).__name__}")
    revision = process.revision + 1
    match event:
        case ProcessRevised():
            lineage = event.lineage or process.lineage
            return msgspec.structs.replace(process, draft_source=event.source, revision=revision, lineage=lineage)
        case ProcessPublished():
            versions = {**process.versions, event.version: VersionContent(event.source, event.definition, event.rules)}
            return msgspec.structs.replace(
                process,
                status="published",
                draft_source=None,
                versions=versions,
                latest=event.version,
                revision=revision,
                archived_draft=None,
            )
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
        case ProcessPaused():
            new = ProcessPause("refuse" if event.mode == "refuse" else "queue", event.reason, event.at)
            return msgspec.structs.replace(process, pauses=_paused(process, new), revision=revision)
        case ProcessResumed():
            *before, last = process.pauses
            pauses = (*before, msgspec.structs.replace(last, until=event.at))
            return msgspec.structs.replace(process, pauses=pauses, revision=revision)
        case _:
            raise ValueError(f"{type(event).__name__} does not happen to a process that exists")


def _paused(process: Process, new: ProcessPause) -> tuple[ProcessPause, ...]:
    """Return the pauses with a new one; a pause that lasts goes on in the new mode."""
    if process.pause is None:
        return (*process.pauses, new)[-MOST_PAUSES:]
    return (*process.pauses[:-1], msgspec.structs.replace(new, since=process.pause.since))


def fold(events: Iterable[Event]) -> Process | None:
    """Return the process after all `events`, in order; None for none, or for a stream that is not a process's."""
    process: Process | None = None
    for event in events:
        if process is None and not isinstance(event, ProcessDrafted):
            return None
        process = evolve(process, event)
    return process
