"""Views without sensitive values, for principals that may not see them."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from domain.language.types.sensitive import NO_FIELDS, SensitiveFields
from domain.masking import MASK, masked_at
from edge.principal import Principal
from edge.scopes import READ_SENSITIVE
from edge.withheld import caller_of, changed_without_others, withheld, withholds, without_caller
from queries.approvals import ApprovalView
from queries.dead_letters import DeadLetterView
from queries.differences import Change, Difference
from queries.events import EventView
from queries.executions import ExecutionDetail, ExecutionSummary, FailedExecution, StepView
from queries.families import Ancestor, ParentAttempt
from queries.large_results import no_large_result
from queries.paging import Page
from queries.projections import ProjectionsView
from queries.read_models import ReadModelView
from queries.schedules import ScheduleView
from queries.sensitive import SensitiveValues, Sensitivity
from queries.set_aside import SetAsideView
from queries.trees import TreeExecution

# Fields of events that Procession itself writes; every other field is masked.
_IDENTITY = ("process_id", "process", "version", "step", "attempt", "approval_id", "agent", "by", "tell", "kind")
_TREE = ("parent", "child", "pinned", "root", "depth", "path", "wait", "holds", "reports_to", "steps")
_REPEATED = ("body", "item", "round", "goes_on", "failed", "size", "next_at")
_COURSE = ("started_at", "due_at", "deadline", "on_deadline", "target", "chosen", "scope")
_OWN = frozenset((*_IDENTITY, *_TREE, *_REPEATED, *_COURSE))
_OF_EXECUTION = ("trigger", "input", "outputs", "error", "cancel_reason")
_OF_STEP = ("input", "output", "error", "cancel_reason", "skip_reason", "conditions")
_OF_APPROVAL = ("title", "description", "approvers", "artifacts", "comment")

V = TypeVar("V", bound=ApprovalView)
_NO_STREAM = UUID(int=0)
E = TypeVar("E", ExecutionSummary, FailedExecution, TreeExecution)
P = TypeVar("P", ParentAttempt, Ancestor)
_NONE: dict[UUID, Sensitivity] = {}


class SensitiveViews:
    """Masks views for one principal; for one that may see everything they stay as they are, without a query."""

    def __init__(self, principal: Principal, values: SensitiveValues) -> None:
        self._principal = principal
        self._sees = principal.may(READ_SENSITIVE)
        self._values = values
        self._foreseen: set[UUID] = set()
        self._known = _NONE

    def foresee(self, ids: Iterable[UUID | None]) -> None:
        """Find the sensitive values of the executions of several views at once, after the views are read."""
        self._foreseen = {each for each in ids if each is not None}
        self._known = _NONE if self._sees else self._values.of(self._foreseen)

    def execution(self, found: ExecutionDetail) -> ExecutionDetail:
        """Return the view of an execution, now or as of a point."""
        known = self._of((found.execution_id,)).get(found.execution_id)
        if known is None:
            return found
        shown = {name: masked(known, getattr(found, name)) for name in _OF_EXECUTION}
        shown["input"] = masked(known, found.input, known.fields.input)
        shown["parent"] = None if found.parent is None else _keyed(known, found.parent)
        shown["path"] = [_keyed(known, each) for each in found.path]
        return msgspec.structs.replace(found, **shown, steps=[_step(known, step) for step in found.steps])

    def require_unmasked(self, execution_id: UUID) -> None:
        """Raise NotFound for a large result of an execution whose sensitive values the principal may not see."""
        if self._of((execution_id,)):
            raise no_large_result()

    def difference(self, found: Difference) -> Difference:
        """Return the view of a difference."""
        found = changed_without_others(found, self._principal)
        known = self._of((found.execution_id,)).get(found.execution_id)
        if known is None:
            return found
        changed = {name: _change(known, name, each, _OF_EXECUTION) for name, each in found.changed.items()}
        steps = [
            msgspec.structs.replace(
                step,
                changed={
                    name: _change(known, name, each, _OF_STEP, known.fields.outputs.get(step.id, ()))
                    for name, each in step.changed.items()
                },
            )
            for step in found.steps
        ]
        return msgspec.structs.replace(found, changed=changed, steps=steps)

    def events(self, page: Page[EventView]) -> Page[EventView]:
        """Return a page of events, of one execution or of the log."""
        known = self._of(event.stream for event in page.items)
        callers = self._unseen(caller_of(each) for each in page.items)
        seen = [without_caller(each) if caller_of(each) in callers else each for each in page.items]
        page = msgspec.structs.replace(page, items=[withheld(each, self._principal) for each in seen])
        if not known:
            return page
        items = [_event(known[each.stream], each) if each.stream in known else each for each in page.items]
        return msgspec.structs.replace(page, items=items)

    def set_aside(self, page: Page[SetAsideView]) -> Page[SetAsideView]:
        """Return a page of the executions that are set aside; an error may repeat what the decision broke on."""
        known = self._of(each.execution_id for each in page.items)
        return page if not known else msgspec.structs.replace(page, items=[_error(known, each) for each in page.items])

    def one_set_aside(self, found: SetAsideView) -> SetAsideView:
        """Return one execution that is set aside."""
        return _error(self._of((found.execution_id,)), found)

    def dead_letters(self, page: Page[DeadLetterView]) -> Page[DeadLetterView]:
        """Return a page of dead letters; an error may repeat what the event holds."""
        known = self._of(each.stream or _NO_STREAM for each in page.items)
        items = [
            msgspec.structs.replace(each, error=MASK)
            if withholds(each.type, self._principal)
            else msgspec.structs.replace(each, error=masked(known[each.stream or _NO_STREAM], each.error))
            if (each.stream or _NO_STREAM) in known
            else each
            for each in page.items
        ]
        return msgspec.structs.replace(page, items=items)

    def dead_letter(self, found: DeadLetterView) -> DeadLetterView:
        """Return one dead letter."""
        return self.dead_letters(Page((found,), None, 0, 0.0)).items[0]

    def read_models(self, found: ProjectionsView) -> ProjectionsView:
        """Return the read models; the error of a dead letter is that of an event of any execution."""
        if self._sees or not any(each.dead_letters and each.last_error for each in found.items):
            return found
        if not self._principal.processes and not self._values.any():
            return found
        items = [
            msgspec.structs.replace(each, last_error=MASK) if each.dead_letters and each.state != "failed" else each
            for each in found.items
        ]
        return msgspec.structs.replace(found, items=items)

    def read_model(self, found: ReadModelView) -> ReadModelView:
        """Return one read model; an act may have failed at an event of any execution."""
        models = self.read_models(ProjectionsView([found.model], found.as_of_position, found.lag_seconds))
        request = found.request
        if request is not None and request.state == "failed" and not self._sees and self._values.any():
            request = msgspec.structs.replace(request, failure=MASK)
        return msgspec.structs.replace(found, model=models.items[0], request=request)

    def schedules(self, found: Sequence[ScheduleView]) -> list[ScheduleView]:
        """Return schedules; the fixed input of a rule holds values of fields that its version marks."""
        marked = {} if self._sees else self._values.marked()
        return [_rule(each, marked.get((each.process_id, each.version))) for each in found]

    def summaries(self, page: Page[E]) -> Page[E]:
        """Return a page of the list of executions."""
        return self._errors(self._without_callers(page))

    def tree(self, page: Page[TreeExecution]) -> Page[TreeExecution]:
        """Return a page of an execution tree."""
        return self._errors(self._without_callers(page))

    def _without_callers(self, page: Page[E]) -> Page[E]:
        """Leave out the places of executions in callers that the principal does not see."""
        callers = self._unseen(each.parent_id for each in page.items)
        if not callers:
            return page
        place = {"parent_step": None, "item": None, "key": None, "round": None}
        items = [msgspec.structs.replace(each, **place) if each.parent_id in callers else each for each in page.items]
        return msgspec.structs.replace(page, items=items)

    def _errors(self, page: Page[E]) -> Page[E]:
        """Mask errors, and keys of items: these are worked out from the items."""
        known = self._of(each.execution_id for each in page.items if each.error is not None or each.key is not None)
        if not known:
            return page
        items = [_masked_row(known[row.execution_id], row) if row.execution_id in known else row for row in page.items]
        return msgspec.structs.replace(page, items=items)

    def sensitivities(self, ids: Iterable[UUID | None]) -> dict[UUID, Sensitivity]:
        """Return the sensitivity of those executions of which the principal may not see everything."""
        return self._of({id for id in ids if id is not None})

    def approvals(self, page: Page[ApprovalView]) -> Page[ApprovalView]:
        """Return a page of approvals."""
        return msgspec.structs.replace(page, items=self._approvals(page.items)) if page.items else page

    def approval(self, found: V) -> V:
        """Return one approval."""
        return self._approvals((found,))[0]

    def _approvals(self, items: Sequence[V]) -> list[V]:
        known = self._of(each.execution_id for each in items)
        return [
            msgspec.structs.replace(
                each, **{name: masked(known[each.execution_id], getattr(each, name)) for name in _OF_APPROVAL}
            )
            if each.execution_id in known
            else each
            for each in items
        ]

    def _unseen(self, ids: Iterable[UUID | None]) -> set[UUID]:
        """Return those of `ids`, of executions, that a principal who is limited to processes does not see."""
        if not self._principal.processes:
            return set()
        known = [id for id in ids if id is not None]
        processes = self._values.processes(known)
        return {id for id in known if id not in processes or not self._principal.sees(processes[id])}

    def _of(self, ids: Iterable[UUID]) -> dict[UUID, Sensitivity]:
        requested = set(ids)
        if self._sees or not requested:
            return _NONE
        if requested <= self._foreseen:
            return {id: self._known[id] for id in requested if id in self._known}
        return self._values.of(requested)


def masked(known: Sensitivity, value: Any, paths: tuple[tuple[str, ...], ...] = ()) -> Any:
    """Return a field of a view masked: JSON as JSON, a text as a text."""
    if isinstance(value, msgspec.Raw):
        return msgspec.Raw(msgspec.json.encode(masked(known, msgspec.json.decode(value), paths)))
    plain = msgspec.to_builtins(value)
    return None if plain is None else known.secrets.masked(masked_at(plain, paths))


def _error(known: dict[UUID, Sensitivity], each: SetAsideView) -> SetAsideView:
    sensitivity = known.get(each.execution_id)
    return each if sensitivity is None else msgspec.structs.replace(each, error=masked(sensitivity, each.error))


def _masked_row(known: Sensitivity, row: E) -> E:
    error = None if row.error is None else msgspec.structs.replace(row.error, **_texts(known, row.error))
    return msgspec.structs.replace(row, error=error, key=masked(known, row.key))


def _keyed(known: Sensitivity, place: P) -> P:
    return msgspec.structs.replace(place, key=masked(known, place.key))


def _step(known: Sensitivity, step: StepView) -> StepView:
    shown = {name: masked(known, getattr(step, name)) for name in _OF_STEP if name != "input"}
    shown["output"] = masked(known, step.output, known.fields.outputs.get(step.id, ()))
    shown["attempt_list"] = [
        each
        if each.error is None
        else msgspec.structs.replace(each, error=msgspec.structs.replace(each.error, **_texts(known, each.error)))
        for each in step.attempt_list
    ]
    if step.input is not None:
        shown["input"] = msgspec.structs.replace(
            step.input,
            message=masked(known, step.input.message),
            parameters=masked(known, step.input.parameters),
        )
    return msgspec.structs.replace(step, **shown)


def _change(
    known: Sensitivity, name: str, change: Change, texts: tuple[str, ...], paths: tuple[tuple[str, ...], ...] = ()
) -> Change:
    if name not in texts:
        return change
    at = paths if name == "output" else ()
    before, after = (msgspec.json.decode(msgspec.json.encode(value)) for value in (change.before, change.after))
    return Change(masked(known, before, at), masked(known, after, at))


def _event(known: Sensitivity, event: EventView) -> EventView:
    paths = {"input": known.fields.input if event.type == "ExecutionStarted" else ()}
    if event.type in ("SubProcessStarted", "ItemStarted"):
        called = known.marked.get((event.data["process_id"], event.data["version"]), NO_FIELDS)
        paths["input"] = called.within(event.data.get("body", "")).input
    if event.type == "StepCompleted":
        paths["output"] = known.fields.outputs.get(event.data["step"], ())
    data = {
        name: value if name in _OWN else masked(known, value, paths.get(name, ())) for name, value in event.data.items()
    }
    return msgspec.structs.replace(event, data=data)


def _texts(known: Sensitivity, error: Any) -> dict[str, Any]:
    return {name: masked(known, getattr(error, name)) for name in ("code", "message")}


def _rule(found: ScheduleView, fields: SensitiveFields | None) -> ScheduleView:
    if fields is None or not fields.input:
        return found
    rule = msgspec.json.decode(found.rule)
    if "input" not in rule:
        return found
    rule["input"] = masked_at(rule["input"], fields.input)
    return msgspec.structs.replace(found, rule=msgspec.Raw(msgspec.json.encode(rule)))
