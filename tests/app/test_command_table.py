"""The table of commands says what their modules say."""

from inspect import cleandoc

import pytest
from typer.core import TyperGroup
from typer.testing import CliRunner

from app.cli import cli
from app.cli.commands import COMMANDS, GROUPS
from app.cli.loading import Commands, group_of

MODULES = sorted({entry.module for entry in COMMANDS.values()})


@pytest.mark.parametrize("name", [*COMMANDS, *GROUPS])
def test_the_line_of_a_command_is_the_first_sentence_of_its_docstring(name: str) -> None:
    command = Commands()[name]
    assert command.name == name
    paragraph = " ".join(cleandoc(command.help or "").split("\n\n")[0].split())
    line = {**COMMANDS, **GROUPS}[name].line
    assert line == first_sentence(paragraph)


@pytest.mark.parametrize("module", MODULES)
def test_every_command_of_a_module_is_in_the_table(module: str) -> None:
    named = {name for name, entry in COMMANDS.items() if entry.module == module}
    group = group_of("any", next(entry for entry in COMMANDS.values() if entry.module == module))
    assert set(group.commands) == named


def test_help_lists_our_commands_those_of_other_packages_and_groups() -> None:
    listed = CliRunner().invoke(cli, ["--help"], env={"COLUMNS": "200"}).stdout
    names = [line.split()[0] for line in listed.partition("Commands:\n")[2].splitlines()]
    assert names == [*COMMANDS, "bench", *GROUPS]


def test_a_mistyped_command_is_wrong_usage_with_the_nearest_name() -> None:
    result = CliRunner().invoke(cli, ["excutions"])
    assert result.exit_code == 2
    assert "Did you mean 'executions'" in result.stderr


def test_a_group_has_the_line_of_its_own_help() -> None:
    for name in GROUPS:
        assert isinstance(Commands()[name], TyperGroup)


def first_sentence(paragraph: str) -> str:
    """Return the words up to the first that ends with a full stop, as `procession --help` shows them."""
    words = paragraph.split()
    ends = [number for number, word in enumerate(words, 1) if word.endswith(".")]
    return " ".join(words[: ends[0]] if ends else words)
