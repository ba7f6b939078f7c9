"""Every command is declared once: its fields, its scope, and one handler that takes it."""

import inspect
from typing import Any, get_type_hints

import msgspec
import pytest

from commands import handlers
from commands.command import Command, CommandScope
from commands.receipt import Receipt
from edge.checking import CHECKS
from edge.declared import body_fields

COMMANDS = [kind for kind in Command.__subclasses__() if kind.__module__.startswith("commands.")]
HANDLERS = {
    get_type_hints(method)["command"]: method
    for noun in vars(handlers).values()
    if inspect.isclass(noun) and noun.__module__.startswith("commands.")
    for _, method in inspect.getmembers(noun, inspect.isfunction)
    if "command" in inspect.signature(method).parameters
}


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 15


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_a_command_states_its_scope_and_has_one_handler(kind: type[Command]) -> None:
    assert kind.scope in CommandScope
    assert kind.__doc__
    assert list(inspect.signature(HANDLERS[kind]).parameters) == ["self", "command", "cause", "identified"]
    assert get_type_hints(HANDLERS[kind])["return"] is Receipt


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_a_command_declares_only_fields_that_doors_can_check(kind: type[Command]) -> None:
    assert kinds_in(kind) <= CHECKS.keys()


def kinds_in(kind: type[msgspec.Struct]) -> set[Any]:
    """The types of the fields of a body, and of the objects in it."""
    found: set[Any] = set()
    for field in body_fields(kind):
        found |= kinds_in(field.kind) if field.is_object else {getattr(field.kind, "__origin__", field.kind)}
    return found
