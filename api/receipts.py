"""Receipts: the answers of commands; each noun declares its own."""

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import msgspec

from api.answers import JsonBody
from commands.command import C, Handle
from commands.idempotency import Replayed
from domain.event import Cause
from edge.command_request import CommandRequest
from edge.rehearsals import WouldBeEvent


class CommandReceipt(msgspec.Struct, kw_only=True):
    """position: place in the log up to which the command's effects reach. duplicate: it had been carried out before.

    Further fields come from the facts that the handler states, or from the command's field of the same name.
    states_duplicate: whether the answer holds `duplicate` also when it is false.
    """

    states_duplicate: ClassVar[bool] = False

    position: int
    duplicate: bool = False


class RehearsedReceipt(CommandReceipt, kw_only=True):
    """would: in the answer of a dry run alone, the events that the command would record; `position` is the log's."""

    would: list[WouldBeEvent] = []


async def carry_out(
    request: CommandRequest,
    handle: Handle[C],
    command: C,
    receipt: type[CommandReceipt],
    *,
    cause: Cause | None = None,
    key: str | None = None,
    first: Mapping[str, object] = MappingProxyType({}),
    again: Mapping[str, object] = MappingProxyType({}),
) -> JsonBody:
    """Carry out `command`, or repeat its first answer, and answer with `receipt` and the status of the route.

    cause: default: the request's. key: takes the place of the Idempotency-Key. first: fields of the first answer alone,
    which is not kept with them; again: those of its repetitions. A dry run is answered with its events.
    """
    dry_run = await request.rehearse(handle, command)
    if dry_run is not None:
        return JsonBody(_content(receipt, command, dry_run.answer, {"would": dry_run.would}), 200)
    replayed = await request.carry_out(handle, command, cause=cause, key=key)
    status: int = request.request.scope["route"].status_code
    headers = {"Idempotency-Replayed": "true"} if replayed.replayed else None
    return JsonBody(_content(receipt, command, replayed, again if replayed.replayed else first), status, headers)


@functools.cache
def _own_fields(receipt: type[CommandReceipt]) -> tuple[str, ...]:
    return tuple(name for name in receipt.__struct_fields__ if name not in RehearsedReceipt.__struct_fields__)


def _content(
    receipt: type[CommandReceipt], command: object, replayed: Replayed, more: Mapping[str, object]
) -> dict[str, Any]:
    facts = {**replayed.facts, **more}
    content = {name: _value(receipt, command, facts, name) for name in _own_fields(receipt)}
    if "would" in facts:
        content["would"] = facts["would"]
    content["position"] = replayed.position
    if replayed.duplicate or receipt.states_duplicate:
        content["duplicate"] = replayed.duplicate
    return content


def _value(receipt: type[CommandReceipt], command: object, facts: Mapping[str, Any], name: str) -> Any:
    """Return the value of a field; its default if an answer that an earlier release recorded does not hold it."""
    if name in facts:
        return facts[name]
    if hasattr(command, name):
        return getattr(command, name)
    field = next(each for each in msgspec.structs.fields(receipt) if each.name == name)
    return field.default_factory() if field.default is msgspec.NODEFAULT else field.default
