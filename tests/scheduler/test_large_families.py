"""Families of a thousand executions, wide and deep, called off by real workers; and those that may not grow."""

from uuid import UUID

import pytest

from commands.executions import unit_of
from commands.plans import Plans
from commands.processes import DraftProcess
from domain.event import record
from domain.executions.decisions.child import start_child
from domain.executions.decisions.execution import start_execution
from domain.executions.events.execution import Trigger
from domain.executions.state.model import Execution
from domain.identity import child_id, new_id, process_id
from domain.language import definition_document, parse_definition
from domain.processes.events import ProcessPublished
from domain.processes.plan import Limits
from store.unit import Unit

LEAF = "name: leaf\nsteps: [{id: wait, type: timer, duration: 1h}]\n"
# May not be published, for it calls itself: a chain as long as one likes out of one process.
LINK = """
name: link
input: {n: {type: integer}, pause: {type: string, default: 1h}}
steps:
  - {id: wait, type: timer, condition: input.n == 1, duration: "{{ input.pause }}"}
  - id: next
    type: sub_process
    process: link
    condition: input.n > 1
    input_mapping: {n: "{{ input.n - 1 }}", pause: "{{ input.pause }}"}
outputs: {links: "{{ (steps.next.output.links || 0) + 1 }}"}
"""
LINKS = 1000


def caller(name: str, callee: str, times: int) -> str:
    steps = (f"  - {{id: call{n}, type: sub_process, process: {callee}}}\n" for n in range(times))
    return f"name: {name}\nsteps:\n{''.join(steps)}"


def ended(installation) -> dict[str, int]:
    rows = installation.rows(
        "select topic, count(*) as n from stored_events where topic like 'Execution%%ed' group by topic"
    )
    return {row["topic"]: row["n"] for row in rows}


@pytest.fixture
def wide(installation) -> UUID:
    """An execution that called ten others, each of which called a hundred that wait; two workers at work."""
    installation.publish(LEAF)
    installation.publish(caller("spoke", "leaf", 100))
    installation.publish(caller("hub", "spoke", 10))
    for _ in range(2):
        installation.worker()
    id = installation.start("hub")
    installation.until(lambda: installation.left("due_timers") == 1000)
    return id


def test_a_thousand_children_are_called_off(installation, wide):
    installation.cancel(wide)
    installation.until(lambda: installation.left() == 0)
    assert ended(installation) == {"ExecutionStarted": 1011, "ExecutionCancelled": 1011}
    assert installation.rows("select root, descendants from families") == [{"root": wide, "descendants": 1010}]


def test_one_that_is_cancelled_among_a_thousand_brings_its_whole_family_to_an_end(installation, wide):
    installation.cancel(child_id(child_id(wide, "call3", 1), "call77", 1))
    installation.until(lambda: installation.left() == 0)
    # Its parent and the root fail of it; all the others are called off.
    assert ended(installation) == {"ExecutionStarted": 1011, "ExecutionCancelled": 1009, "ExecutionFailed": 2}


@pytest.fixture
def link(installation) -> UUID:
    """The process that calls itself, published past the check."""
    installation.processes.draft(DraftProcess(LINK), installation.cause)
    document = definition_document(parse_definition(LINK).definition)
    published = record(ProcessPublished, installation.cause, name="link", version=1, source=LINK, definition=document)
    installation.log.append(Unit(process_id("link"), 1, [published]))
    return process_id("link")


def test_a_chain_of_a_thousand_is_called_off_to_its_end(installation, link):
    plan = Plans(installation.log, Limits(max_depth=LINKS)).get(link, 1)
    root, callees, cause = new_id(), {"next": plan}, installation.cause
    first = start_execution(root, plan, {"n": LINKS, "pause": "1h"}, Trigger(), cause, callees=callees)
    units = [unit_of(Execution(root, plan), first)]
    while len(units) < LINKS:
        units.append(called(units[-1], Execution(UUID(int=0), plan, callees=callees), cause))
    assert all(isinstance(outcome, int) for outcome in installation.log.append_all(units))
    assert (installation.left(), installation.left("due_timers")) == (1, 1)
    installation.worker(limits=Limits(max_depth=LINKS))
    installation.cancel(root)
    installation.until(lambda: installation.left() == 0, 60)
    assert ended(installation) == {"ExecutionStarted": LINKS, "ExecutionCancelled": LINKS}


def called(parent: Unit, blank: Execution, cause) -> Unit:
    """What records the child that the parent asks for with its last event."""
    asked, blank.id = parent.events[-1], parent.events[-1].child
    unit = unit_of(blank, start_child(blank, asked, parent.stream, cause))
    unit.handled = [(parent.stream, len(parent.events))]
    return unit


def test_a_chain_goes_down_and_comes_up_again(installation, link):
    installation.worker(limits=Limits(max_depth=40))
    id = installation.start("link", n=40, pause="1ms")
    installation.ended(id)
    assert installation.log.stream(id)[-1].outputs == {"links": 40}
    installation.until(lambda: installation.left() == 0)
    assert ended(installation) == {"ExecutionStarted": 40, "ExecutionCompleted": 40}


def test_a_chain_is_at_most_as_deep_as_it_may_be(installation, link):
    installation.worker(limits=Limits(max_depth=3))
    id = installation.start("link", n=40)
    (execution,) = installation.ended(id)
    assert "depth_exceeded: processes call one another at most 3 deep" in execution.steps["next"].error.message
    installation.until(lambda: installation.left() == 0)
    # The root, and three below it.
    assert ended(installation) == {"ExecutionStarted": 4, "ExecutionFailed": 4}


def test_a_root_has_at_most_as_many_descendants_as_it_may_have(installation):
    installation.publish(LEAF)
    installation.publish(caller("few", "leaf", 3))
    installation.publish(caller("many", "few", 3))
    for _ in range(2):
        installation.worker(limits=Limits(max_descendants=5))
    id = installation.start("many")
    (execution,) = installation.ended(id)
    assert execution.status == "failed"
    installation.until(lambda: installation.left() == 0)
    assert installation.count("TimerStarted") <= 5
    failed = installation.rows(
        """select convert_from(state, 'utf8')::json #>> '{error,code}' as code from stored_events
        where topic = 'ExecutionFailed'"""
    )
    assert {row["code"] for row in failed} == {"too_many_descendants", "child_failed"}
