"""Fields that only some principals see, whatever they hold: of agents, keys, templates, and other processes."""

from uuid import UUID

import msgspec

from domain.executions.events.child import Parent
from edge.principal import Principal
from edge.scopes import READ_CONFIGURATION, READ_KEYS, READ_TEMPLATES
from edge.visibility import RESTRICTED, restricted_children
from queries.differences import Change, Difference
from queries.events import EventView

EVERY_FIELD = None
# By the type of an event: the permission that its reader needs, and the fields that others do not see.
WITHHELD: dict[str, tuple[str, frozenset[str] | None]] = {
    "AgentRegistered": (READ_CONFIGURATION, frozenset(("config", "provider"))),
    "KeyCreated": (READ_KEYS, EVERY_FIELD),
    "KeyRevoked": (READ_KEYS, EVERY_FIELD),
    "TemplatePublished": (READ_TEMPLATES, EVERY_FIELD),
    "TemplateRevised": (READ_TEMPLATES, EVERY_FIELD),
    "TemplateShared": (READ_TEMPLATES, EVERY_FIELD),
    "TemplateWithdrawn": (READ_TEMPLATES, EVERY_FIELD),
}
# The template of a process may be one that the reader does not see.
LINEAGE: dict[str, frozenset[str]] = {
    "ProcessDrafted": frozenset(("lineage",)),
    "ProcessRevised": frozenset(("lineage",)),
    "ProcessPublished": frozenset(("template_id", "template_version")),
}


def withholds(type: str | None, principal: Principal) -> bool:
    """Return whether an event of that type has fields that the principal does not see."""
    return type in WITHHELD and not principal.may(WITHHELD[type][0])


def without_others(event: EventView, principal: Principal) -> EventView:
    """Return the event without the name of a called process that a limited `principal` does not see."""
    if (
        not principal.processes
        or event.type not in ("SubProcessStarted", "ItemStarted")
        or principal.sees(event.data["process"])
    ):
        return event
    return msgspec.structs.replace(event, data=event.data | {"process": RESTRICTED, "process_id": None, "holds": []})


def caller_of(event: EventView) -> UUID | None:
    """Return the execution that started the one of the event, if it is the event of that start."""
    parent: Parent | None = event.data["parent"] if event.type == "ExecutionStarted" else None
    return None if parent is None else parent.execution_id


def without_caller(event: EventView) -> EventView:
    """Return the start of a called execution without the step that called it, and what the caller holds."""
    parent = msgspec.structs.replace(event.data["parent"], step="", holds=[], item=None, key="", round=None)
    trigger = msgspec.structs.replace(event.data["trigger"], id="")
    return msgspec.structs.replace(event, data=event.data | {"parent": parent, "trigger": trigger})


def changed_without_others(found: Difference, principal: Principal) -> Difference:
    """Return the difference without the names of called processes that a limited `principal` does not see."""
    if not principal.processes:
        return found
    steps = [
        msgspec.structs.replace(
            step, changed={name: _restricted(name, each, principal) for name, each in step.changed.items()}
        )
        for step in found.steps
    ]
    return msgspec.structs.replace(found, steps=steps)


def _restricted(name: str, change: Change, principal: Principal) -> Change:
    if name != "children":
        return change
    return Change(
        restricted_children(change.before or [], principal), restricted_children(change.after or [], principal)
    )


def withheld(event: EventView, principal: Principal) -> EventView:
    """Return the event with null in each field that the principal does not see."""
    fields: frozenset[str] | None
    if event.type in LINEAGE and not principal.may(READ_TEMPLATES):
        fields = LINEAGE[event.type]
    elif not withholds(event.type, principal):
        return without_others(event, principal)
    else:
        _, fields = WITHHELD[event.type]
    data = {name: None if fields is EVERY_FIELD or name in fields else value for name, value in event.data.items()}
    return msgspec.structs.replace(event, data=data)
