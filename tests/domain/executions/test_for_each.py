"""Steps that go through a list: what begins, how many at once, and what the results are."""

from uuid import UUID

import pytest

from domain.agents.calls import StepError
from domain.event import Cause, record
from domain.executions.decisions.child import end_child
from domain.executions.decisions.execution import cancel_execution
from domain.executions.decisions.repairs import retry_execution
from domain.executions.decisions.timer import fire_timer
from domain.executions.engine.scope import scope
from domain.executions.events.child import ItemStarted, SubProcessClosed
from domain.executions.events.execution import ExecutionCompleted, ExecutionFailed
from domain.executions.events.repetition import ItemsListed, ItemsResumed
from domain.executions.events.step import StepCompleted, StepFailed
from domain.executions.state.model import Ends
from domain.identity import child_id
from domain.processes.plan import Limits
from tests.domain.executions.conftest import BEGIN, PROCESS

RUN = UUID(int=1)
COMPANIES = [{"id": "a"}, {"id": "b"}, {"id": "c"}]
BUSY = StepError("agent_error", "busy")


@pytest.fixture
def each(begin):
    """each(on_error="skip"): an execution at second 0 that goes through COMPANIES, two at a time, then does `after`."""

    def build(given=COMPANIES, limits=None, mapping=None, step=None, **more):
        every = {"items": "{{ input.companies }}", "as": "company", "max_parallel": 2, "key": "{{ company.id }}"}
        written = {
            "type": "sub_process",
            "agent": "",
            "for_each": {name: value for name, value in (every | more).items() if value is not None},
            "steps": [{"id": "work", "type": "agent_task", "agent": "echo", "message": "go"}],
        }
        written |= {} if mapping is None else {"input_mapping": mapping}
        plan = {} if limits is None else {"limits": limits}
        return begin({"each": [], "after": ["each"]}, given={"companies": given}, each=written | (step or {}), **plan)

    return build


def cause(after=1.0):
    return Cause(BEGIN, "worker:test")


def completed(outputs):
    ended = {"process_id": PROCESS, "version": 1, "started_at": BEGIN, "body": "each"}
    return record(ExecutionCompleted, cause(), outputs=outputs, **ended)


def failed(error=BUSY):
    ended = {"process_id": PROCESS, "version": 1, "started_at": BEGIN, "body": "each"}
    return record(ExecutionFailed, cause(), error=error, step="work", **ended)


def ends(run, item, end, after=1, attempt=1):
    """The end of an item's child, handed to its parent."""
    return run.when(end_child, child_id(RUN, f"each[{item}]", attempt), end, after=after).names


def begun(run):
    return [(event.item, event.key, event.attempt) for event in run.events if isinstance(event, ItemStarted)]


def test_items_begin_in_order_as_many_as_may_run_at_once(each):
    run = each()
    listed = run.last(ItemsListed)
    assert (listed.items, listed.keys) == (COMPANIES, ["a", "b", "c"])
    assert begun(run) == [(0, "a", 1), (1, "b", 1)]
    asked = run.last(ItemStarted)
    assert (asked.child, asked.body, asked.input) == (child_id(RUN, "each[1]", 1), "each", {"company": {"id": "b"}})
    assert run.status("each") == "waiting"
    assert ends(run, 1, completed({"n": 1})) == ["ItemCompleted(each)", "ItemStarted(each)"]
    assert begun(run)[2:] == [(2, "c", 1)]
    assert run.replayed() == run.execution


def test_results_have_the_order_of_the_items_whatever_ends_first(each):
    run = each()
    ends(run, 1, completed({"n": 1}))
    ends(run, 2, completed({"n": 2}))
    assert ends(run, 0, completed({"n": 0}))[:2] == ["ItemCompleted(each)", "StepCompleted(each)"]
    assert run.last(StepCompleted).output == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert run.execution.repetitions == {}
    assert run.replayed() == run.execution


def test_the_end_of_an_item_counts_once(each):
    run = each()
    ends(run, 0, completed({}))
    assert ends(run, 0, completed({})) == []
    assert ends(run, 0, failed()) == []


def test_an_empty_list_completes_at_once(each):
    run = each(given=[])
    assert run.last(StepCompleted).output == []
    assert (begun(run), run.status("after")) == ([], "started")


def test_a_failed_item_fails_the_step_and_closes_the_others(each):
    run = each()
    assert ends(run, 0, failed()) == [
        "ItemFailed(each)",
        "SubProcessClosed(each)",
        "StepFailed(each)",
        "ExecutionFailed(each)",
    ]
    assert run.last(SubProcessClosed).child == child_id(RUN, "each[1]", 1)
    error = run.last(StepFailed).error
    assert (error.code, error.message.startswith("item 0 ('a'): ")) == ("child_failed", True)
    assert run.execution.children == {}


@pytest.mark.parametrize(
    ("on_error", "result"), [("skip", None), ("collect", {"error": {"code": "child_failed", "message": ""}})]
)
def test_a_failed_item_is_null_or_its_error_where_the_step_goes_on(each, on_error, result):
    run = each(on_error=on_error)
    assert ends(run, 0, failed()) == ["ItemFailed(each)", "ItemStarted(each)"]
    ends(run, 1, completed({"n": 1}))
    ends(run, 2, completed({"n": 2}))
    output = run.last(StepCompleted).output
    if output[0] is not None:
        assert "busy" in output[0]["error"].pop("message")
        result["error"].pop("message")
    assert output == [result, {"n": 1}, {"n": 2}]


def test_a_retry_runs_only_the_items_without_a_result(each):
    run = each(step={"retry": {"max_attempts": 2, "delay": 5}}, max_parallel=3)
    ends(run, 1, completed({"n": 1}))
    ends(run, 0, failed())
    run.given(fire_timer, "each", "retry", after=9)
    assert run.last(ItemsResumed).items == [0, 2]
    assert begun(run)[3:] == [(0, "a", 2), (2, "c", 2)]
    ends(run, 0, completed({"n": 0}), after=10, attempt=2)
    ends(run, 2, completed({"n": 2}), after=10, attempt=2)
    assert run.last(StepCompleted).output == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert run.replayed() == run.execution


def test_an_operator_who_retries_runs_only_the_items_without_a_result(each):
    run = each()
    ends(run, 1, completed({"n": 1}))
    ends(run, 0, failed())
    run.given(retry_execution, "again", after=9)
    assert (run.last(ItemsResumed).items, run.execution.status) == ([0, 2], "running")


def test_cancelling_closes_every_child_under_way(each):
    run = each()
    run.given(cancel_execution, "enough", after=2)
    closed = {event.child for event in run.events if isinstance(event, SubProcessClosed)}
    assert closed == {child_id(RUN, f"each[{item}]", 1) for item in (0, 1)}
    assert (run.execution.children, run.timers) == ({}, {})


def test_a_timeout_of_the_step_closes_its_children(each):
    run = each(step={"timeout": 5})
    assert run.due("each", "timeout") == 5
    ends(run, 0, completed({}), after=3)
    assert run.due("each", "timeout") == 5
    run.given(fire_timer, "each", "timeout", after=5)
    assert (run.execution.status, run.execution.children) == ("failed", {})


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"items": "{{ input.companies[0] }}"}, "items_not_a_list"),
        ({"given": [{"id": "a"}, {"id": "a"}]}, "duplicate_item_key"),
        ({"given": [{"id": ""}]}, "item_key_invalid"),
        ({"given": [{"id": [1]}]}, "item_key_invalid"),
        ({"given": [{"no": 1}]}, "unknown_path"),
        ({"limits": Limits(max_items=2)}, "too_many_items"),
    ],
)
def test_a_list_that_cannot_be_gone_through_fails_the_step_before_anything_begins(each, more, code):
    run = each(**more)
    assert (run.last(StepFailed).error.code, begun(run)) == (code, [])
    assert not [event for event in run.events if isinstance(event, ItemsListed)]


def test_an_item_whose_input_cannot_be_worked_out_fails_alone(each):
    run = each(on_error="collect", key=None, given=[{"id": "a"}, {}], mapping={"id": "{{ company.id }}"})
    ends(run, 0, completed({"n": 0}))
    output = run.last(StepCompleted).output
    assert (output[0], output[1]["error"]["code"]) == ({"n": 0}, "unknown_path")
    assert "input_mapping.id: " in output[1]["error"]["message"]


def test_results_too_large_for_one_event_stay_in_the_events_of_the_items(each):
    run = each(limits=Limits(max_result=1_100), step={"output_key": "found"})
    texts = [letter * 600 for letter in "abc"]
    for item, text in enumerate(texts):
        ends(run, item, completed({"text": text}))
    assert run.last(StepCompleted).output == {"found": {"$items": {"count": 3, "bytes": 3 * 611}}}
    read = scope(run.execution)["steps"]["each"]["output"]["found"]
    assert [each["text"] for each in read] == texts
    assert run.replayed() == run.execution


def test_errors_count_for_the_size_of_a_list_as_they_are_written(each):
    run = each(on_error="collect", limits=Limits(max_result=1_100), given=[{"id": "a"}])
    assert ends(run, 0, failed(StepError("agent_error", "\x01" * 300))) == [
        "ItemFailed(each)",
        "StepCompleted(each)",
        "StepScheduled(after)",
    ]
    (kept,) = run.last(StepCompleted).output.values()
    assert (kept["count"], kept["bytes"] > 1_100) == (1, True)
    (error,) = scope(run.execution)["steps"]["each"]["output"]
    assert error["error"]["code"] == "child_failed"


@pytest.mark.parametrize(("size", "listed"), [(15_000, True), (16_500, False)])
def test_a_list_has_at_most_sixteen_times_the_bytes_of_a_result(each, size, listed):
    run = each(limits=Limits(max_result=1_000), given=["x" * size], key=None, mapping={"n": 1})
    assert bool([event for event in run.events if isinstance(event, ItemsListed)]) is listed
    if not listed:
        assert run.last(StepFailed).error.code == "result_too_large"


def test_an_output_that_looks_like_a_reference_is_only_that(begin):
    run = begin({"a": [], "b": ["a"]}, b={"message": "{{ steps.a.output }}"})
    from domain.executions.decisions.step import complete_step

    run.given(complete_step, "a", 1, {"$items": {"count": 1, "bytes": 2}}, after=1)
    assert scope(run.execution)["steps"]["a"]["output"] == {"$items": {"count": 1, "bytes": 2}}


def test_ends_are_shared_by_states_that_follow_from_one_another_and_by_no_others():
    one = Ends().add((0, "a", True))
    left, right = one.add((1, "b", True)), one.add((2, "c", False))
    assert (list(one), len(left), list(right)) == ([(0, "a", True)], 2, [(0, "a", True), (2, "c", False)])
    assert list(left) == [(0, "a", True), (1, "b", True)]
