"""Executions that call others, wait to begin and undo what they did, as they were: the log says what was shown."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from commands.policies import whenever
from domain.agents.calls import StepError, Usage
from domain.event import Cause
from domain.executions.decisions.execution import admit_execution, cancel_execution, start_execution
from domain.executions.decisions.repairs import retry_execution, skip_step
from domain.executions.decisions.step import complete_step, fail_step, start_step
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.execution import Trigger
from domain.executions.events.messages import recipient_of
from domain.executions.state.model import Execution
from domain.identity import new_id, process_id
from domain.language import load_definition
from domain.money import Money
from domain.processes.plan import Plan, PlannedSubProcess, compile_plan
from domain.refusal import Refusal
from projections.tables import create_read_tables
from queries.differences import get_difference
from queries.executions import ExecutionDetail, ExecutionFilter, list_executions
from store.datastore import Datastore
from store.lists.outbox import Message
from tests.queries.shown import Shown, at, comparable

UNDO = {"type": "agent_task", "agent": "undoer", "message": "undo it"}
PRESS: dict[str, Any] = {
    "name": "press",
    "max_running": 3,
    "steps": [
        {"id": "draft", "type": "agent_task", "agent": "writer", "message": "draft", "compensation": UNDO},
        {
            "id": "review",
            "type": "sub_process",
            "process": "review",
            "input_mapping": {"text": "{{ steps.draft.output }}"},
            "depends_on": ["draft"],
            "retry": {"max_attempts": 2, "delay": "0s"},
        },
        {"id": "side", "type": "sub_process", "process": "polish", "wait": False, "on_parent_close": "abandon"},
        {
            "id": "tell",
            "type": "notification",
            "channel": ["webhook"],
            "message": "done",
            "depends_on": ["review"],
        },
    ],
    "outputs": [{"name": "text", "source": "{{ steps.review.output }}"}],
}
REVIEW: dict[str, Any] = {
    "name": "review",
    "input": {"text": {"type": "integer"}},
    "steps": [
        {
            "id": "check",
            "type": "agent_task",
            "agent": "checker",
            "message": "{{ input.text }}",
            "compensation": {"type": "notification", "channel": ["webhook"], "message": "never mind"},
        },
        {"id": "polish", "type": "sub_process", "process": "polish", "depends_on": ["check"]},
    ],
}
POLISH: dict[str, Any] = {
    "name": "polish",
    "steps": [{"id": "rub", "type": "agent_task", "agent": "a", "message": "."}],
}
PLANS = {
    definition["name"]: compile_plan(load_definition(definition), process_id(definition["name"]), 1)
    for definition in (PRESS, REVIEW, POLISH)
}
# Most of what happens is that things go on.
ACTIONS = ["go", "go", "go", "go", "carry", "carry", "carry", "admit", "fail", "cancel", "again", "skip"]
SCRIPTS = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 9)), max_size=24)
ERROR = StepError("agent_error", "no", permanent=True)


def callees(plan: Plan) -> dict[str, Plan]:
    return {step.id: PLANS[step.process] for step in plan.steps.values() if isinstance(step, PlannedSubProcess)}


class Tree(Shown):
    """A press and all below it, with the messages that are on their way between them."""

    def __init__(self, datastore: Datastore) -> None:
        super().__init__(datastore, PRESS, REVIEW, POLISH)

    def play(self, script: list[tuple[str, int]]) -> list[tuple[int, dict[UUID, ExecutionDetail]]]:
        """Begin anew; positions of the log, and all that was shown there."""
        self.executions: dict[UUID, Execution] = {}
        self.messages: list[Message] = []
        self.moments: list[tuple[int, dict[UUID, ExecutionDetail]]] = []
        self.root, press = new_id(), PLANS["press"]
        begun = start_execution(self.root, press, {}, Trigger(), at(0), callees=callees(press))
        self.carry_out(Execution(self.root, press, callees=callees(press)), begun)
        for seconds, (action, choice) in enumerate([("admit", 0), *script], 1):
            try:
                self.act(action, choice, at(seconds))
            except Refusal:
                continue
        return self.moments

    def act(self, action: str, choice: int, cause: Cause) -> None:
        """What happens next, somewhere in the tree."""
        executions = list(self.executions.values())
        execution = executions[choice % len(executions)]
        if action == "carry":
            if self.messages:
                self.carry(self.messages.pop(0), cause)
        elif action in ("go", "fail"):
            self.go(action, choice, cause)
        elif action == "skip":
            step = list(execution.steps)[choice % len(execution.steps)] if execution.steps else "draft"
            self.carry_out(execution, skip_step(execution, step, "why", cause))
        elif action == "admit":
            self.carry_out(execution, admit_execution(execution, cause))
        else:
            decide = cancel_execution if action == "cancel" else retry_execution
            self.carry_out(execution, decide(execution, "why", cause))

    def go(self, action: str, choice: int, cause: Cause) -> None:
        """A worker takes an attempt, or its agent answers."""
        due = [
            (execution, step)
            for execution in self.executions.values()
            for step, state in execution.steps.items()
            if state.status in ("scheduled", "started")
        ]
        if not due:
            return
        execution, step = due[choice % len(due)]
        state = execution.steps[step]
        used: dict[str, Any] = {"usage": Usage(choice, 1), "cost": Money(Decimal("0.1") * choice, "USD")}
        if state.status == "scheduled":
            unfolding = start_step(execution, step, state.attempt, cause)
        elif action == "fail":
            unfolding = fail_step(execution, step, state.attempt, ERROR, cause, **used)
        else:
            unfolding = complete_step(execution, step, state.attempt, choice, cause, **used)
        self.carry_out(execution, unfolding)

    def carry(self, message: Message, cause: Cause) -> None:
        """What one execution asks of another."""
        recipient = self.executions.get(message.recipient)
        if recipient is None:
            plan = PLANS[message.event.process]  # type: ignore[attr-defined]
            recipient = Execution(message.recipient, plan, callees=callees(plan))
        self.carry_out(recipient, whenever(message, cause, 0)(recipient))

    def carry_out(self, before: Execution, unfolding: Unfolding) -> None:
        """Record what was decided, and look at everything."""
        if not unfolding.events:
            return
        self.executions[before.id] = self.decide(before, unfolding)
        for version, event in enumerate(unfolding.events, before.version + 1):
            if (recipient := recipient_of(event)) is not None:
                self.messages.append(Message(before.id, version, recipient, event))
        self.moments.append((self.log.last_position(), {id: self.now(id) for id in self.executions}))


@pytest.fixture
def tree(datastore: Datastore, read_tables: Datastore) -> Iterator[Tree]:
    with datastore.reading() as connection:
        create_read_tables(connection)
    made = Tree(datastore)
    yield made
    made.close()


# To the second step of the child's child: draft, review, its check, polish.
DOWN = [("go", 0), ("go", 0), ("carry", 0), ("carry", 0), ("go", 1), ("go", 1), ("carry", 0), ("go", 1), ("go", 2)]
TO_THE_END = [("go", 1), *[("carry", 0), ("go", 0)] * 8]


def own(view: ExecutionDetail) -> Decimal:
    return total(view.cost.own)


def total(amounts: msgspec.Raw) -> Decimal:
    return sum((Decimal(each["amount"]) for each in msgspec.json.decode(amounts)), Decimal(0))


@settings(max_examples=12)
@example(script=[*DOWN, *TO_THE_END])
@example(script=[*DOWN, ("cancel", 0), *TO_THE_END])
@example(script=[*DOWN, ("fail", 1), ("fail", 1), *TO_THE_END])
@given(script=SCRIPTS)
def test_whatever_happened_in_the_tree_each_was_then_what_was_shown_then(
    tree: Tree, script: list[tuple[str, int]]
) -> None:
    for position, views in tree.play(script):
        for id, view in views.items():
            assert comparable(tree.then(id, position)) == comparable(view)
        assert total(views[tree.root].cost.with_children) == sum(own(view) for view in views.values())
    listed = list_executions(tree.reading, ExecutionFilter(roots=[tree.root])).items
    assert {each.execution_id: each.waiting_for for each in listed} == {
        id: view.waiting_for for id, view in views.items()
    }


def test_an_execution_shows_its_children_where_it_comes_from_and_what_they_cost_together(tree: Tree) -> None:
    _, views = tree.play([*DOWN, ("go", 0), ("go", 2), ("go", 2)])[-1]
    by_process = {(view.process, view.depth): view for view in views.values()}
    press, side = by_process["press", 0], by_process["polish", 1]
    review, polish = by_process["review", 1], by_process["polish", 2]
    steps = {step.id: step for step in press.steps}
    assert (press.parent, press.root, press.path) == (None, press.execution_id, [])
    assert [child.execution_id for child in steps["review"].children] == [review.execution_id]
    [aside] = steps["side"].children
    assert (aside.execution_id, aside.process, aside.version, aside.attempt) == (side.execution_id, "polish", 1, 1)
    assert aside.status == side.status
    assert (steps["review"].status, steps["side"].status) == ("waiting", "completed")
    assert steps["review"].input is not None
    assert msgspec.json.decode(steps["review"].input.message) == {"text": 0}
    assert msgspec.json.decode(polish.trigger) == {"type": "sub_process", "id": "polish", "payload": None}
    assert polish.parent is not None
    assert (polish.parent.execution_id, polish.parent.step, polish.parent.attempt) == (review.execution_id, "polish", 1)
    assert [(above.execution_id, above.process, above.step) for above in polish.path] == [
        (press.execution_id, "press", "review"),
        (review.execution_id, "review", "polish"),
    ]
    assert (polish.root, polish.depth) == (press.execution_id, 2)
    below = own(review) + own(polish) + own(side)
    assert below > 0
    assert total(press.cost.with_children) == own(press) + below
    assert total(review.cost.with_children) == own(review) + own(polish)


def test_what_undoes_a_step_is_shown_when_it_begins_and_a_difference_tells_of_it(tree: Tree) -> None:
    moments = tree.play([("go", 0), ("go", 3), ("cancel", 0), ("go", 0), ("go", 4)])
    (before, _), *_, (compensating, then), (_, started), (after, now) = moments
    view, last = then[tree.root], now[tree.root]
    assert (view.status, [step.id for step in view.steps][4:]) == ("compensating", ["draft.compensation"])
    assert (view.steps[0].compensation, view.steps[4].compensates) == ("started", "draft")
    assert (view.steps[4].type, view.steps[4].agent, view.steps[4].status) == ("agent_task", "undoer", "scheduled")
    assert started[tree.root].steps[4].status == "started"
    assert (last.status, last.steps[0].compensation, last.steps[4].status) == ("cancelled", "completed", "completed")
    assert own(last) == Decimal("0.7")
    found = get_difference(tree.reading, tree.definitions, tree.root, before, after)
    told = msgspec.json.decode(msgspec.json.encode(found))
    steps = {step["id"]: step["changed"] for step in told["steps"]}
    assert told["changed"]["status"] == {"before": "queued", "after": "cancelled"}
    assert steps["draft"]["compensation"] == {"before": None, "after": "completed"}
    assert steps["draft.compensation"]["status"] == {"before": "pending", "after": "completed"}
    back = get_difference(tree.reading, tree.definitions, tree.root, compensating, before)
    assert [step.id for step in back.steps][-1] == "draft.compensation"


def test_a_notification_shows_its_text_and_no_agent(tree: Tree) -> None:
    _, views = tree.play([*DOWN, *TO_THE_END])[-1]
    tell = views[tree.root].steps[3]
    assert (tell.type, tell.agent) == ("notification", None)
    assert tell.input is not None
    assert msgspec.json.decode(tell.input.message) == "done"
    assert msgspec.json.decode(tell.input.parameters) == {"channels": ["webhook"]}
