"""Set and clear the cost thresholds of a process by command."""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec

from commands.command import Beside, Command, CommandScope, ProcessId
from commands.deciding import Identified, Together, decide, unidentified
from commands.receipt import Receipt
from domain.alerts.setting import clear_threshold, set_thresholds
from domain.alerts.thresholds import Thresholds, ThresholdTerms, fold, terms_of_definition
from domain.event import Cause, Event
from domain.identity import thresholds_id
from domain.language import definition_document, parse_definition
from domain.processes.process import fold as fold_process
from domain.refusal import Forbidden, Malformed, Problem, ProcessNotFound
from store.log import Log

_COSTS = "costs."


class WrittenLevel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One level. amount: a decimal. warn_at: the fraction of it that warns. on_alert: ``pause_schedules``, or for
    ``per_execution`` ``cancel_execution``.
    """

    amount: str
    currency: str
    warn_at: Decimal | None = None
    on_alert: str | None = None


WrittenLevels = Annotated[list[WrittenLevel], msgspec.Meta(max_length=20)]


class SetCostThresholds(Command, frozen=True):
    """Put cost thresholds in force, in place of all before; a kind without levels has none.

    They hold until a version is published whose `costs` differ from those of the version before it. timezone: its
    midnight begins a day and a week.
    """

    scope = CommandScope.PROCESSES_WRITE
    process_id: ProcessId
    per_execution: WrittenLevels = []
    daily: WrittenLevels = []
    weekly: WrittenLevels = []
    timezone: str | None = None
    week_starts: str | None = None


class ClearCostThreshold(Command, frozen=True):
    """Take the threshold of one kind out of force. kind: ``per_execution``, ``daily`` or ``weekly``."""

    scope = CommandScope.PROCESSES_WRITE
    process_id: ProcessId
    kind: Annotated[str, Beside()]


class CostThresholds:
    """The handlers of the commands above."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def set(self, command: SetCostThresholds, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Set the thresholds. Raises NotFound, Malformed with every problem, or Forbidden ``process_archived``."""
        terms = terms_written(command)

        def decision(thresholds: Thresholds, name: str, version: int) -> list[Event]:
            return set_thresholds(thresholds, command.process_id, name, terms, cause, version=version)

        return self._of_process(command.process_id, decision, identified)

    def clear(self, command: ClearCostThreshold, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Clear one threshold. Raises NotFound for the process or the kind, or Forbidden ``process_archived``."""

        def decision(thresholds: Thresholds, name: str, _version: int) -> list[Event]:
            return clear_threshold(thresholds, command.process_id, name, command.kind, cause)

        return self._of_process(command.process_id, decision, identified)

    def _of_process(
        self, id: UUID, decision: Callable[[Thresholds, str, int], list[Event]], identified: Identified
    ) -> Receipt:
        guards: tuple[tuple[UUID, int], ...] = ()

        def present(thresholds: Thresholds) -> list[Event]:
            nonlocal guards
            events = self._log.stream(id)
            process = fold_process(events)
            if process is None:
                raise ProcessNotFound(f"there is no process {id}")
            if process.status == "archived":
                raise Forbidden(f"{process.name} is archived", code="process_archived")
            guards = ((id, len(events)),)
            return decision(thresholds, process.name, process.latest)

        receipt = decide(
            self._log,
            thresholds_id(id),
            fold,
            present,
            facts=lambda _before, _new: {"process_id": str(id)},
            identified=identified,
            together=lambda _new: Together(guards),
        )
        return msgspec.structs.replace(receipt, stream=id)


def terms_written(command: SetCostThresholds) -> ThresholdTerms:
    """Return the terms that a command states, by the rules of a definition. Raises Malformed with every problem."""
    spans = {"per_execution": command.per_execution, "daily": command.daily, "weekly": command.weekly}
    costs: dict[str, object] = {kind: [_written(level) for level in levels] for kind, levels in spans.items() if levels}
    if not costs:
        return ThresholdTerms()
    if command.timezone is not None:
        costs["timezone"] = command.timezone
    if command.week_starts is not None:
        costs["week_starts"] = command.week_starts
    # The language states what thresholds may say; the step is there because a definition has one.
    around = {"name": "thresholds", "steps": [{"id": "wait", "type": "timer", "duration": "1s"}], "costs": costs}
    parsed = parse_definition(msgspec.json.encode(around))
    errors = [_beside(each) for each in parsed.problems if each.severity == "error"]
    if errors or parsed.definition is None:
        raise Malformed(errors[0].message if errors else "these are no thresholds", errors)
    return terms_of_definition(definition_document(parsed.definition))


def _written(level: WrittenLevel) -> dict[str, object]:
    written: dict[str, object] = {"amount": level.amount, "currency": level.currency}
    if level.warn_at is not None:
        written["warn_at"] = float(level.warn_at)
    if level.on_alert:
        written["on_alert"] = level.on_alert
    return written


def _beside(problem: Problem) -> Problem:
    """Return a problem with its path in the request, which has no lines."""
    return msgspec.structs.replace(problem, path=problem.path.removeprefix(_COSTS), line=None, column=None)
