"""What happened in each golden history, told with decisions of the domain. Add a story; never change a told one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.agents.agent import Agent, fold
from domain.agents.calls import StepError, Usage
from domain.agents.decisions import register_agent, retire_agent
from domain.agents.kinds import parse_agent
from domain.event import Cause, Event
from domain.executions.decisions.execution import admit_execution, cancel_execution, start_execution
from domain.executions.decisions.step import accept_step, complete_step, fail_step, start_step
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.execution import CausingEvent, Trigger
from domain.executions.state.model import Execution
from domain.identity import agent_id, process_id, trigger_id
from domain.language import parse_definition
from domain.money import Money
from domain.processes.claims import claim_trigger
from domain.processes.claims import fold as fold_claim
from domain.processes.decisions import (
    archive_process,
    draft_process,
    pause_process,
    publish_process,
    restore_process,
    resume_process,
    revise_process,
)
from domain.processes.plan import Plan
from domain.processes.process import Process
from domain.processes.process import fold as fold_process
from domain.refusal import Problem

Plans = dict[tuple[UUID, int], Plan]
Told = tuple[UUID, list[Event]]

NAME = "golden"
SOURCE = """name: golden
description: Every kind of event happens to this process.
input:
  topic: {type: string, required: true}
  deep: {type: boolean, default: false}
steps:
  - {id: gather, agent: researcher, message: "About {{ input.topic }}", parameters: {deep: "{{ input.deep }}"}}
  - {id: check, agent: checker, message: "Is {{ input.topic }} safe?"}
  - {id: aside, agent: researcher, message: more, condition: input.deep}
  - {id: write, agent: writer, depends_on: [gather, check, aside], message: "{{ steps.gather.output.found }}"}
outputs: {text: "{{ steps.write.output }}"}
"""
# Its output is that of a step that may have been skipped.
STRICTER = SOURCE.replace('{text: "{{ steps.write.output }}"}', '{text: "{{ steps.aside.output }}"}')
USAGE = Usage(1200, 340, 100, {"prompt_tokens": 1200, "completion_tokens": 340})
MANUAL = Trigger()
COST = Money(Decimal("0.00490"), "USD")


def _cause(second: int) -> Cause:
    return Cause(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second), "user:ann", f"request-{second}", "tie")


def agent(_: Plans) -> Told:
    """Registered, called another way, retired."""
    events: list[Event] = []
    body = {
        "kind": "http",
        "url": "https://agents.example/writer",
        "headers": {"Authorization": "Bearer ${WRITER_KEY}"},
    }
    for second, config in enumerate(({"kind": "scripted", "script": "echo"}, body)):
        state = fold(Agent(), events)
        events += register_agent(state, "writer", parse_agent("writer", config), _cause(second))
    events += retire_agent(fold(Agent(), events), "writer", "too expensive", _cause(9))
    return agent_id("writer"), events


def agent_with_a_provider(_: Plans) -> Told:
    """Registered with the provider of its model, and without it."""
    events: list[Event] = []
    for second, provider in enumerate(({"provider": "house"}, {})):
        config = parse_agent("checker", {"kind": "scripted", "script": "echo", **provider})
        events += register_agent(fold(Agent(), events), "checker", config, _cause(second))
    return agent_id("checker"), events


def agent_with_rates(_: Plans) -> Told:
    """Registered with a rate of calls and one of tokens, and with neither."""
    rates = {"rate": {"calls": 60, "per": "1m"}, "tokens": {"per_minute": 90_000}}
    events: list[Event] = []
    for second, stated in enumerate((rates, {})):
        config = parse_agent("checker", {"kind": "scripted", "script": "echo", **stated})
        events += register_agent(fold(Agent(), events), "checker", config, _cause(second))
    return agent_id("checker"), events


def agent_with_a_limit(_: Plans) -> Told:
    """Registered with a limit of its own, and with another."""
    events: list[Event] = []
    for second, most in enumerate((3, 20)):
        config = parse_agent("checker", {"kind": "scripted", "script": "echo", "max_open": most})
        events += register_agent(fold(Agent(), events), "checker", config, _cause(second))
    return agent_id("checker"), events


def process(_: Plans) -> Told:
    """Drafted, revised, published twice with a warning, archived."""
    warning = Problem("agent_unknown", "no such agent", "steps[3].agent", 11, 25, "did you mean writer?", "warning")
    events = draft_process(None, parse_definition("name: golden\nsteps: []\n"), _cause(0))
    for second, source in enumerate((SOURCE, STRICTER), 1):
        parsed = parse_definition(source)
        events += revise_process(_process(events), parsed, _cause(second))
        events += publish_process(_process(events), parsed, [warning], _cause(second))
    events += archive_process(_process(events), "golden no more", _cause(9))
    return process_id(NAME), events


def process_restored(_: Plans) -> Told:
    """Published, revised, archived with its draft, and taken out of the archive."""
    parsed = parse_definition(SOURCE)
    events = draft_process(None, parsed, _cause(0))
    events += publish_process(_process(events), parsed, [], _cause(1))
    events += revise_process(_process(events), parse_definition(STRICTER), _cause(2))
    events += archive_process(_process(events), "golden no more", _cause(3))
    events += restore_process(_process(events), [], "golden again", _cause(4))
    return process_id(NAME), events


def process_paused(_: Plans) -> Told:
    """Paused so that starts wait, then so that they are refused, and resumed."""
    parsed = parse_definition(SOURCE)
    events = draft_process(None, parsed, _cause(0))
    events += publish_process(_process(events), parsed, [], _cause(1))
    events += pause_process(_process(events), "queue", "golden, but broken", _cause(2))
    events += pause_process(_process(events), "refuse", "golden, but worse", _cause(3))
    events += resume_process(_process(events), "golden again", _cause(4))
    return process_id(NAME), events


def _process(events: list[Event]) -> Process:
    state = fold_process(events)
    assert state is not None
    return state


def webhook_trigger(_: Plans) -> Told:
    """Claimed by one process, and by another when the first had it no more."""
    holder = Process("golden", "published", None)
    events = claim_trigger("new-order", None, None, "golden", _cause(0))
    events += claim_trigger("new-order", fold_claim(events), holder, "silver", _cause(1))
    return trigger_id("new-order"), events


class _Told:
    """An execution as it goes on."""

    def __init__(self, plans: Plans, number: int, version: int = 1, trigger: Trigger = MANUAL, **more: Any) -> None:
        self.id = UUID(int=number)
        given = {"topic": "käse\0", "deep": False}
        begun = start_execution(self.id, plans[process_id(NAME), version], given, trigger, _cause(0), **more)
        self.execution, self.events = begun.execution, begun.events

    def then(self, decision: Callable[[Execution, Cause], Unfolding]) -> None:
        unfolding = decision(self.execution, _cause(self.execution.version))
        assert unfolding.events, "a story in which nothing happens"
        self.execution, self.events = unfolding.execution, self.events + unfolding.events

    def start(self, step: str) -> None:
        self.then(lambda execution, cause: start_step(execution, step, 1, cause))

    def complete(self, step: str, output: object) -> None:
        self.then(lambda execution, cause: complete_step(execution, step, 1, output, cause, usage=USAGE, cost=COST))

    @property
    def told(self) -> Told:
        assert self.execution.ended_at is not None, "a story without an end"
        return self.id, self.events


def execution_completed(plans: Plans) -> Told:
    """One step's worker is lost, its agent answers later; one is skipped."""
    story = _Told(plans, 1)
    story.start("gather")
    story.start("gather")
    story.then(lambda execution, cause: accept_step(execution, "gather", 1, cause))
    story.complete("gather", {"found": ["much", 1, 0.5, None, True]})
    story.start("check")
    story.complete("check", None)
    story.start("write")
    story.complete("write", "a text")
    return story.told


def execution_failed(plans: Plans) -> Told:
    """One step fails while another is under way."""
    error = StepError("agent_error", "busy", True, timedelta(seconds=90), {"status": 503})
    story = _Told(plans, 2)
    story.start("check")
    story.start("gather")
    story.then(lambda execution, cause: fail_step(execution, "gather", 1, error, cause, usage=USAGE, cost=COST))
    return story.told


def execution_without_outputs(plans: Plans) -> Told:
    """Every step ends well, but the outputs cannot be worked out."""
    story = _Told(plans, 3, version=2)
    for step in ("gather", "check", "write"):
        story.start(step)
        story.complete(step, {"found": step})
    return story.told


def execution_cancelled(plans: Plans) -> Told:
    """Called off while one step is under way and another waits for a worker."""
    story = _Told(plans, 4, trigger=Trigger("webhook", "from-shop", {"order": 7}))
    story.start("gather")
    story.then(lambda execution, cause: cancel_execution(execution, "changed my mind", cause))
    return story.told


def execution_held_back(plans: Plans) -> Told:
    """Started while its process is paused, begun when that is resumed, and called off."""
    story = _Told(plans, 5, waits=True)
    story.then(admit_execution)
    story.then(lambda execution, cause: cancel_execution(execution, "changed my mind", cause))
    return story.told


def execution_because(plans: Plans) -> Told:
    """Started by an agent because of an entry in its inbox, and called off."""
    story = _Told(plans, 500, because=CausingEvent(UUID(int=1), 5, 2))
    story.then(lambda execution, cause: cancel_execution(execution, "changed my mind", cause))
    return story.told


STORIES = {
    "agent": agent,
    "agent-with-a-limit": agent_with_a_limit,
    "agent-with-rates": agent_with_rates,
    "agent-with-a-provider": agent_with_a_provider,
    "process": process,
    "process-restored": process_restored,
    "process-paused": process_paused,
    "execution-completed": execution_completed,
    "execution-failed": execution_failed,
    "execution-without-outputs": execution_without_outputs,
    "execution-cancelled": execution_cancelled,
    "execution-held-back": execution_held_back,
    "execution-because": execution_because,
    "webhook-trigger": webhook_trigger,
}
