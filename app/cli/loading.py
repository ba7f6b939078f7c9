"""Commands by name, imported when they are taken."""

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import TYPE_CHECKING

from typer.core import TyperGroup
from typer.main import get_group_from_info
from typer.models import TyperInfo

from app.cli.commands import COMMANDS, GROUPS, Entry
from app.cli.conversion import LightCommand, LightGroup
from app.cli.extensions import extension, extensions

if TYPE_CHECKING:
    from typer._click import Command

_ENTRIES = {**COMMANDS, **GROUPS}


class Commands(MutableMapping[str, "Command"]):
    """Every command by name. Iteration gives names without an import; an item imports its module.

    Entry points give the commands of other packages, when a name is not in the table or all names are listed.
    """

    def __init__(self) -> None:
        self._loaded: dict[str, Command] = {}

    def __getitem__(self, name: str) -> "Command":
        if name not in self._loaded:
            entry = _ENTRIES.get(name)
            self._loaded[name] = extension(name) if entry is None else load(name, entry)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys((*COMMANDS, *extensions(), *GROUPS, *self._loaded))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in _ENTRIES or any(name == each for each in self)

    def __setitem__(self, name: str, command: "Command") -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]


def load(name: str, entry: Entry) -> "Command":
    """Import the module of a command and return the command."""
    group = group_of(name, entry)
    return group if entry.group else group.commands[name]


def group_of(name: str, entry: Entry) -> TyperGroup:
    """Import a module of commands and return them as one group."""
    module = import_module(f"app.cli.{entry.module}")
    info = TyperInfo(module.cli, name=name, cls=LightGroup)
    for command in module.cli.registered_commands:
        command.cls = LightCommand
    return get_group_from_info(info, pretty_exceptions_short=False, suggest_commands=True, rich_markup_mode=None)


def line_of(name: str) -> str:
    """Return the line of `procession --help` for the command, without its import."""
    entry = _ENTRIES.get(name)
    return extensions()[name] if entry is None else entry.line
