"""What a text turned out to be, with everything there is to say about it."""

from dataclasses import dataclass
from typing import Any

from domain.language.types.definition import Definition
from domain.refusal import Problem


@dataclass(frozen=True, slots=True)
class AgentUse:
    """role: ``executor``, ``monitor`` or ``informed``. path, line and column: where the text says so."""

    name: str
    role: str
    path: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a text says something: path, line and column."""

    path: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class InputUse:
    """A field of the input that a step gives to a process. value: ABSENT where only running it tells."""

    name: str
    value: Any
    at: Spot


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """A step that calls a process. version: the one named, None for the latest.

    at, version_at, inputs_at: where the process, its version and the input are named, or would be.
    """

    name: str
    version: int | None
    inputs: tuple[InputUse, ...]
    at: Spot
    version_at: Spot
    inputs_at: Spot


@dataclass(frozen=True, slots=True)
class ChannelUse:
    """A channel that a notification goes through."""

    name: str
    at: Spot


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a text turned out to be.

    source: the text. name: the process's, None when the text cannot even be a draft. definition: None when there is
    an error. problems: of every severity, by place. agents, processes, channels: each naming of one in the steps.
    """

    source: str
    name: str | None
    definition: Definition | None
    problems: list[Problem]
    agents: tuple[AgentUse, ...] = ()
    processes: tuple[ProcessUse, ...] = ()
    channels: tuple[ChannelUse, ...] = ()

    @property
    def fatal(self) -> bool:
        """Whether the text cannot even be kept as a draft: unreadable, not an object, or without a valid name."""
        return self.name is None

    @property
    def errors(self) -> list[Problem]:
        """The problems that stop a publication."""
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        """The problems that do not: warnings and notices."""
        return [problem for problem in self.problems if problem.severity != "error"]
