"""The ids and names that a path, a filter or an argument states."""

import re
from collections.abc import Callable
from uuid import UUID

from domain.identity import AGENT_NAME, PROCESS_NAME, process_id
from domain.refusal import AgentNotFound, NotFound, ProcessNotFound
from domain.templates.decisions import TemplateNotFound
from domain.templates.references import TemplateReference, read_reference

_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
END_OF_ID = r"^([0-9a-fA-F-]{4,36})?$"
"""The pattern of the end of an id, or of nothing."""
_NAME = re.compile(PROCESS_NAME.removeprefix("^").removesuffix("$"))


def is_id(reference: str) -> bool:
    """Return whether a text is an id."""
    return _ID.fullmatch(reference) is not None


def process_named(reference: str) -> UUID:
    """Return the id of the process with the id or name `reference`; the process may not exist.

    Raises NotFound for a text that can be neither.
    """
    if _ID.fullmatch(reference):
        return UUID(reference)
    if not _NAME.fullmatch(reference):
        raise ProcessNotFound(f"there is no process {reference[:80]!r}")
    return process_id(reference)


def execution_named(reference: str) -> UUID:
    """Return the id of an execution. Raises NotFound for a text that cannot be one."""
    if not _ID.fullmatch(reference):
        raise NotFound(f"there is no execution {reference[:80]!r}; an execution goes by its id")
    return UUID(reference)


def schedule_named(reference: str) -> UUID:
    """Return the id of a schedule. Raises NotFound for a text that cannot be one."""
    if not _ID.fullmatch(reference):
        raise NotFound(f"there is no schedule {reference[:80]!r}; a schedule goes by its id")
    return UUID(reference)


def alert_named(reference: str) -> UUID:
    """Return the id of a cost alert. Raises NotFound for a text that cannot be one."""
    if not _ID.fullmatch(reference):
        raise NotFound(f"there is no cost alert {reference[:80]!r}; an alert goes by its id")
    return UUID(reference)


def batch_named(reference: str) -> UUID:
    """Return the id of a batch. Raises NotFound for a text that cannot be one."""
    if not _ID.fullmatch(reference):
        raise NotFound(f"there is no batch {reference[:80]!r}; a batch goes by its id")
    return UUID(reference)


def calendar_named(reference: str) -> str:
    """Return the name of a calendar. Raises NotFound for a text that cannot be one."""
    if not _NAME.fullmatch(reference):
        raise NotFound(f"there is no calendar {reference[:80]!r}")
    return reference


def agent_named(reference: str) -> str:
    """Return the name of an agent. Raises NotFound for a text that cannot be one."""
    if not AGENT_NAME.fullmatch(reference):
        raise AgentNotFound(f"there is no agent {reference[:80]!r}")
    return reference


def key_named(reference: str) -> UUID:
    """Return the id of a key. Raises NotFound for a text that cannot be one."""
    if not _ID.fullmatch(reference):
        raise NotFound(f"there is no key {reference[:80]!r}; a key goes by its id")
    return UUID(reference)


def webhook_named(reference: str) -> UUID:
    """Return the id of a webhook. Raises NotFound for a text that cannot be one."""
    if not _ID.fullmatch(reference):
        raise NotFound("the agent has no such webhook", code="webhook_not_found")
    return UUID(reference)


def template_named(reference: str) -> TemplateReference:
    """Return the template with the id `reference`, as ``org:claim-intake``. Raises NotFound for another text."""
    found = read_reference(reference)
    if found is None:
        raise TemplateNotFound(f"there is no template {reference[:80]!r}; a template goes by its id, as org:NAME")
    return found


REFERENCES: dict[str, Callable[[str], object]] = {
    "process": process_named,
    "execution": execution_named,
    "schedule": schedule_named,
    "alert": alert_named,
    "batch": batch_named,
    "calendar": calendar_named,
    "agent": agent_named,
    "key": key_named,
    "webhook": webhook_named,
    "template": template_named,
}
"""How a text refers to a thing, by the noun that a command's `Beside` states."""
