"""What happens to a process; each class is stored under its own name for ever."""

from typing import Any

import msgspec

from domain.event import Event, stored
from domain.refusal import Problem


@stored("ProcessDrafted")
class ProcessDrafted(Event, frozen=True, kw_only=True):
    """A new process got its name and its first draft; source is the YAML (or JSON) text as it was sent."""

    name: str
    source: str


@stored("ProcessRevised")
class ProcessRevised(Event, frozen=True, kw_only=True):
    """The draft was replaced, or begun from the published version."""

    name: str
    source: str


@stored("ProcessPublished")
class ProcessPublished(Event, frozen=True, kw_only=True):
    """The draft became version `version` (1, 2, 3...).

    definition: the canonical document of `domain.language.definition_document`.
    warnings: what was worth telling, and did not stop the publication. rules: the rules of the language that the
    version keeps; 1 is what versions follow that do not say it.
    """

    name: str
    version: int
    source: str
    definition: dict[str, Any]
    warnings: list[Problem] = msgspec.field(default_factory=list)
    rules: int = 1


@stored("ProcessArchived")
class ProcessArchived(Event, frozen=True, kw_only=True):
    """The process takes no new executions; those that run go on."""

    name: str
    reason: str
