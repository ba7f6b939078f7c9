"""Events of a process; each class is stored under its own name for ever."""

from typing import Any

import msgspec

from domain.event import Event, stored
from domain.processes.lineage import Lineage
from domain.refusal import Problem


@stored("ProcessDrafted")
class ProcessDrafted(Event, frozen=True, kw_only=True):
    """A new process got its name and its first draft; source is the YAML (or JSON) text as it was sent.

    lineage: the template that the draft was made from, if it was.
    """

    name: str
    source: str
    lineage: Lineage | None = None


@stored("ProcessRevised")
class ProcessRevised(Event, frozen=True, kw_only=True):
    """The draft was replaced, or begun from the published version.

    lineage: as of now, where the text takes a later version of the template that the process was made from.
    """

    name: str
    source: str
    lineage: Lineage | None = None


@stored("ProcessPublished")
class ProcessPublished(Event, frozen=True, kw_only=True):
    """The draft became version `version` (1, 2, 3...).

    definition: the canonical document of `domain.language.definition_document`. warnings: problems that did not stop
    the publication. rules: the rules of the language that the version follows, see `domain.processes.plan.RULES`.
    template_id, template_version: of the template that the process was made from, if it was.
    """

    name: str
    version: int
    source: str
    definition: dict[str, Any]
    warnings: list[Problem] = msgspec.field(default_factory=list)
    rules: int = 1
    template_id: str | None = None
    template_version: int | None = None


@stored("ProcessArchived")
class ProcessArchived(Event, frozen=True, kw_only=True):
    """The process takes no new executions; running ones continue."""

    name: str
    reason: str


@stored("ProcessRestored")
class ProcessRestored(Event, frozen=True, kw_only=True):
    """The archived process is in use again, with the versions that it had.

    version: the latest, 0 if it has none. source: the text of the draft that it had when it was archived.
    """

    name: str
    reason: str
    version: int = 0
    source: str | None = None


@stored("ProcessPaused")
class ProcessPaused(Event, frozen=True, kw_only=True):
    """Nothing starts until the process is resumed; running executions continue.

    mode: what becomes of a start meanwhile: it waits in order (``queue``), or it is refused (``refuse``).
    """

    name: str
    reason: str
    mode: str


@stored("ProcessResumed")
class ProcessResumed(Event, frozen=True, kw_only=True):
    """The process starts executions again; those that wait begin, in order."""

    name: str
    reason: str
