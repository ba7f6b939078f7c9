"""Start, cancel and answer executions."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

import msgspec

from commands.causes import EVENT_ID, causing_event
from commands.command import Beside, Command, CommandScope, ExecutionId, Note, ProcessId, StepReference, VersionNumber
from commands.deciding import DecisionBroke, Identified, persist, unidentified
from commands.plans import Plans, refuse_paused
from commands.pricing import Pricing
from commands.receipt import Receipt
from commands.states import rehydrate
from domain.agents.agent import Agent, fold
from domain.agents.calls import CALL_CANCELLED, Accepted, Answer, Completed, Failed
from domain.event import Cause, Event
from domain.executions.decisions.cost import book_unreported
from domain.executions.decisions.execution import cancel_execution, start_execution
from domain.executions.decisions.step import accept_step, complete_step, fail_step, start_response
from domain.executions.engine.unfolding import Take, Unfolding
from domain.executions.events.execution import Trigger
from domain.executions.events.outcomes import RUNNING
from domain.executions.events.step import StepAnswerIgnored, StepScheduled, StepStarted
from domain.executions.state.model import Execution
from domain.executions.state.slot import slot_of
from domain.identity import agent_id, new_id
from domain.processes.plan import accept_input
from domain.refusal import NotFound, Refusal
from store.archive.executions import absent
from store.bounded import refuse_growth
from store.log import Log
from store.unit import AnsweredStep, Conflict, DatabaseFailure, OutcomeUnknown, Unit


class StartCause(msgspec.Struct, frozen=True):
    """The entry of an inbox because of which an agent starts an execution. event_id: as the inbox states it."""

    event_id: Annotated[str, msgspec.Meta(pattern=EVENT_ID)]


class StartExecution(Command, frozen=True):
    """Run a published process. version: default: the latest. cause: the entry because of which an agent starts it."""

    scope = CommandScope.EXECUTIONS_WRITE
    process_id: ProcessId
    input: dict[str, Any] = {}
    version: VersionNumber | None = None
    trigger: Annotated[Trigger, Beside()] = Trigger()
    cause: StartCause | None = None


class CancelExecution(Command, frozen=True):
    """Cancel an execution. reason: why, for people."""

    scope = CommandScope.EXECUTIONS_WRITE
    execution_id: ExecutionId
    reason: Note = ""


class AnswerStep(Command, frozen=True):
    """Record an agent's answer to one attempt."""

    scope = CommandScope.STEPS_ANSWER
    execution_id: ExecutionId
    step: StepReference
    attempt: Annotated[int, Beside()]
    answer: Annotated[Answer, Beside()]


class StartResponse(Command, frozen=True):
    """Record the id of the response that a model makes in the background for an attempt."""

    scope = CommandScope.STEPS_ANSWER
    execution_id: ExecutionId
    step: StepReference
    attempt: Annotated[int, Beside()]
    response_id: Annotated[str, Beside()]


class Executions:
    """The handlers of the commands above, one append each. pricing: of what answers used."""

    def __init__(self, log: Log, plans: Plans, pricing: Pricing | None = None) -> None:
        self._log = log
        self._plans = plans
        self._pricing = pricing

    def start(self, command: StartExecution, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Start an execution; facts hold `execution_id` and `version`.

        Raises NotFound, Forbidden (archived, nothing published, paused with refusal, cause_too_deep) or Malformed
        (input, cause).
        """
        id = new_id()
        uncertain = False

        def attempt() -> Receipt:
            nonlocal uncertain
            if uncertain and (page := self._log.stream_page(id)):
                started = {"execution_id": str(id), "version": page[0].event.version}  # type: ignore[attr-defined]
                return Receipt(id, page[-1].position, started)
            starting = self._plans.starting(command.process_id, command.version)
            plan, pause = starting.plan, starting.pause
            refuse_paused(plan.name, pause)
            by_hand = command.trigger.type == "manual"
            input = accept_input(plan.input_spec if by_hand else plan.input_spec.bare, command.input)
            callees, called = self._plans.callees(plan)
            because = None if command.cause is None else causing_event(self._log, command.cause.event_id)
            unfolding = start_execution(
                id, plan, input, command.trigger, cause, callees=callees, waits=pause is not None, because=because
            )
            receipt = Receipt(id, 0, {"execution_id": str(id), "version": plan.version})
            unit = Unit(
                id,
                0,
                unfolding.events,
                guards=((command.process_id, starting.revision), *called),
                answered=identified(receipt),
                timers_set=unfolding.timers_set,
                slot=slot_of("", unfolding.execution),
                process_id=command.process_id,
            )
            try:
                return msgspec.structs.replace(receipt, position=self._log.append(unit))
            except Conflict:
                self._plans.forget(process_id for process_id, _ in unit.guards)
                raise
            except OutcomeUnknown:
                uncertain = True
                raise

        return persist(self._log, attempt, id)

    def cancel(self, command: CancelExecution, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Cancel a running execution. Raises NotFound, or ExecutionEndedAlready when it completed or failed."""
        return self.decide(
            command.execution_id,
            lambda execution: cancel_execution(execution, command.reason, cause),
            identified,
        )

    def answer(self, command: AnswerStep, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Record an agent's answer. Raises NotFound or StepNotRunning; a repeated or late answer is a duplicate."""
        answer = self._priced(command)
        return self.decide(
            command.execution_id,
            lambda execution: answer_step(execution, command.step, command.attempt, answer, cause),
            identified,
        )

    def start_response(self, command: StartResponse, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Record the id of a background response. Raises NotFound; after the end of the attempt it is a duplicate."""
        return self.decide(
            command.execution_id,
            lambda execution: start_response(execution, command.step, command.attempt, command.response_id, cause),
            identified,
        )

    def _priced(self, command: AnswerStep) -> Answer:
        """Return the answer with what its use cost when the attempt started."""
        answer, pricing = command.answer, self._pricing
        if pricing is None or isinstance(answer, Accepted) or (answer.usage, answer.metered) == (None, None):
            return answer
        agent, started_at = "", None
        for event in self._log.stream(command.execution_id):
            if isinstance(event, StepScheduled | StepStarted) and event.step == command.step:
                if event.attempt == command.attempt and isinstance(event, StepScheduled):
                    agent = event.agent
                elif event.attempt == command.attempt:
                    started_at = event.at
        config = fold(Agent(), self._log.stream(agent_id(agent))).config if agent else {}
        return pricing.priced(answer, config, started_at) if config else answer

    def agent_of(self, execution_id: UUID, step: str, attempt: int) -> str | None:
        """Return the agent of an attempt, over or not; None without such an attempt. Raises NotFound."""
        events = self._log.stream(execution_id)
        if not events:
            raise self._absent(execution_id)
        scheduled = (event for event in events if isinstance(event, StepScheduled))
        return next((event.agent for event in scheduled if (event.step, event.attempt) == (step, attempt)), None)

    def _absent(self, execution_id: UUID) -> NotFound:
        with self._log.datastore.reading() as connection:
            return absent(connection, execution_id)

    def load(self, execution_id: UUID) -> Execution:
        """Return the state of an execution from the log. Raises NotFound, or DecisionBroke when it cannot be read."""
        return self._load(execution_id)[0]

    def _load(self, execution_id: UUID) -> tuple[Execution, int]:
        try:
            events = self._log.stream(execution_id)
            execution = rehydrate(execution_id, events, self._plans)
        except (Refusal, DatabaseFailure):
            raise
        except Exception as error:
            raise DecisionBroke(execution_id, error) from error
        if execution is None:
            raise self._absent(execution_id)
        return execution, events.size

    def decide(
        self, execution_id: UUID, decision: Callable[[Execution], Unfolding], identified: Identified = unidentified
    ) -> Receipt:
        """Carry out `decision` on one execution and answer with its position; facts hold `execution_id`.

        decision: pure; it takes no attempts, because only a worker calls agents. Raises NotFound and the errors of
        `decision`.
        """
        uncertain: Unit | None = None

        def attempt() -> Receipt:
            nonlocal uncertain
            if uncertain is not None and (position := self._recorded(uncertain)):
                return _receipt(execution_id, uncertain.events, position)
            execution, size = self._load(execution_id)
            unfolding = decision(execution)
            receipt = _receipt(execution_id, unfolding.events)
            answered = identified(receipt)
            if not unfolding.events and answered is None:
                return msgspec.structs.replace(receipt, position=self._log.last_position())
            unit = unit_of(execution, unfolding, answered)
            if unfolding.execution.status == RUNNING:  # an end is always recorded
                refuse_growth(size, unit.encode(), execution.plan.limits.max_execution)
            try:
                return msgspec.structs.replace(receipt, position=self._log.append(unit))
            except OutcomeUnknown:
                uncertain = unit
                raise

        return persist(self._log, attempt, execution_id)

    def _recorded(self, unit: Unit) -> int:
        """Return the position of the unit's last event if the log holds the unit after all; else 0."""
        if not unit.events:
            return 0
        page = self._log.stream_page(unit.stream, after=unit.version, limit=len(unit.events))
        return page[-1].position if [each.event for each in page] == unit.events else 0


def _receipt(execution_id: UUID, events: list[Event], position: int = 0) -> Receipt:
    repeated = not events or isinstance(events[0], StepAnswerIgnored)
    return Receipt(execution_id, position, {"execution_id": str(execution_id)}, duplicate=repeated)


def unit_of(execution: Execution, unfolding: Unfolding, answered: AnsweredStep | None = None) -> Unit:
    """Return the unit that records a decision taken on `execution`."""
    return Unit(
        execution.id,
        execution.version,
        unfolding.events,
        answered=answered,
        timers_set=unfolding.timers_set,
        timers_dropped=unfolding.timers_dropped,
        slot=slot_of(execution.status, unfolding.execution),
        process_id=execution.plan.process_id,
    )


def answer_step(
    execution: Execution, step: str, attempt: int, answer: Answer, cause: Cause, *, take: Take = 0
) -> Unfolding:
    """Return the decision that follows from an agent's answer."""
    if isinstance(answer, Completed):
        return complete_step(
            execution,
            step,
            attempt,
            answer.output,
            cause,
            usage=answer.usage,
            cost=answer.cost,
            metered=answer.metered,
            take=take,
        )
    if isinstance(answer, Failed) and answer.error.code == CALL_CANCELLED:
        return book_unreported(execution, step, attempt, answer.metered, cause)
    if isinstance(answer, Failed):
        return fail_step(
            execution, step, attempt, answer.error, cause, usage=answer.usage, cost=answer.cost, metered=answer.metered
        )
    return accept_step(execution, step, attempt, cause)
