"""The document of the checks of one template: scenarios, with their agents, the acts of people and what is expected."""

from typing import Any, Literal

import msgspec

from app.documents import read_document
from domain.calendar.durations import parse_duration
from domain.refusal import Malformed, Problem


class ScriptedDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's decision on an approval, `after` a time from the request. Several on one step count in their order."""

    step: str
    decision: Literal["approved", "rejected", "changes_requested"]
    by: str
    comment: str = ""
    after: str = "0s"

    def __post_init__(self) -> None:
        parse_duration(self.after)


class ExpectedEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The end of an execution; what is left out is not compared.

    error: the code. outputs, steps: the named ones, by value and by status. undone: the compensated steps, in order.
    timers: those that fired, ``STEP timer`` or ``STEP deadline``, in order. alerts: of costs, as
    ``per_execution warning``. notified: the steps that notified people. called: how many executions of other processes,
    by their names. lasts: from the start to the end, by the clock.
    """

    status: Literal["completed", "failed", "cancelled"] = "completed"
    error: str | None = None
    outputs: dict[str, Any] = {}
    steps: dict[str, str] = {}
    undone: list[str] | None = None
    timers: list[str] | None = None
    alerts: list[str] | None = None
    notified: list[str] | None = None
    called: dict[str, int] | None = None
    lasts: str | None = None

    def __post_init__(self) -> None:
        parse_duration(self.lasts or "0s")


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One execution. sample: the number of the template's sample, from 1. trigger: its id; None: by hand.

    agents: in place of those of the document, by name. payload: of a webhook.
    """

    name: str
    sample: int = 1
    trigger: str | None = None
    input: dict[str, Any] = {}
    payload: Any = None
    agents: dict[str, dict[str, Any]] = {}
    people: list[ScriptedDecision] = []
    expect: ExpectedEnd = ExpectedEnd()


class ProcessBeside(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bundled template whose process is published beside the one under test."""

    template: str
    sample: int = 1


class Checks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The checks of one template. agents: scripted ones, by name. processes: those that it calls, by name."""

    scenarios: list[Scenario]
    agents: dict[str, dict[str, Any]] = {}
    processes: dict[str, ProcessBeside] = {}


def read_checks(source: bytes) -> Checks:
    """Return the checks that a text states. Raises Malformed, with the place of the problem."""
    document = read_document(source)
    try:
        return msgspec.convert(document.value, Checks)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$.")
        problem = Problem("invalid_check", message, path.rstrip("`"), line=1, column=1)
        raise Malformed("the checks cannot be read", [document.locate(problem)]) from None
