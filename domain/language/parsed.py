"""The result of reading a text: the definition, its problems and its references."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from domain.language.reading.nodes import Mapping
from domain.language.types.definition import Definition
from domain.refusal import Problem


@dataclass(frozen=True, slots=True)
class AgentUse:
    """An agent that a definition names. role: ``executor``, ``monitor`` or ``informed``.

    path, line and column: its location.
    """

    name: str
    role: str
    path: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Spot:
    """A location in a text: path, line and column."""

    path: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class InputUse:
    """A field of the input that a step gives to a process. value: ABSENT where only the run gives it.

    None is no value, as in the first round for a field that is carried from one round to the next.
    """

    name: str
    value: Any
    at: Spot


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """A step that calls a process. version: the stated one, None for the latest.

    at, version_at, inputs_at: the locations of the process, its version and the input, stated or not.
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
class WebhookUse:
    """The id of a webhook trigger."""

    name: str
    at: Spot


@dataclass(frozen=True, slots=True)
class IntervalUse:
    """The interval of a schedule."""

    every: timedelta
    at: Spot


@dataclass(frozen=True, slots=True)
class CalendarUse:
    """A calendar that a schedule makes exceptions by."""

    name: str
    at: Spot


@dataclass(frozen=True, slots=True)
class SecretUse:
    """An environment variable that a trigger refers to."""

    name: str
    at: Spot


@dataclass(frozen=True, slots=True)
class Parsed:
    """The result of reading a text.

    source: the text. name: the process's, None when the text cannot even be a draft. definition: None when there is an
    error. problems: of every severity, by location. agents, processes, channels: each reference in the steps. webhooks:
    each trigger of that type. secrets, intervals, calendars: each one in the triggers. root: the text as a tree in the
    canonical spelling; None for one that is no object.
    """

    source: str
    name: str | None
    definition: Definition | None
    problems: list[Problem]
    agents: tuple[AgentUse, ...] = ()
    processes: tuple[ProcessUse, ...] = ()
    channels: tuple[ChannelUse, ...] = ()
    webhooks: tuple[WebhookUse, ...] = ()
    secrets: tuple[SecretUse, ...] = ()
    intervals: tuple[IntervalUse, ...] = ()
    calendars: tuple[CalendarUse, ...] = ()
    root: Mapping | None = None

    @property
    def fatal(self) -> bool:
        """Whether the text cannot even be a draft: unreadable, not an object, or without a valid name."""
        return self.name is None

    @property
    def errors(self) -> list[Problem]:
        """The problems that stop a publication."""
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        """The problems that do not stop it: warnings and notices."""
        return [problem for problem in self.problems if problem.severity != "error"]
