"""The prospects of an approval: what each decision leads to, as far as its plan states it."""

from dataclasses import dataclass
from typing import Literal

from domain.executions.verdicts import decided_output
from domain.language.expressions import Condition, EvaluationFailed
from domain.processes.plan import Plan, PlannedApproval

ProspectOutcome = Literal["goes_on", "again", "diverted", "fails"]
# The error code of each decision that is no approval, and whether it is never retried.
_CODES = {"refused": ("approval_refused", True), "changes_requested": ("changes_requested", False)}
_CODES |= {"expired": ("approval_expired", False)}


@dataclass(frozen=True, slots=True)
class Prospect:
    """The consequence of a decision. code: of the error, empty without one. steps: those that come next, by id.

    conditional: those of `steps` whose condition depends on more than the decision.
    """

    outcome: ProspectOutcome
    code: str = ""
    steps: tuple[str, ...] = ()
    conditional: tuple[str, ...] = ()


def approval_prospects(plan: Plan, step: PlannedApproval, attempt: int) -> dict[str, Prospect]:
    """Return what follows each decision, by its stored status, and the deadline as ``expired`` if there is one.

    attempt: the one that waits; retries count from the first attempt.
    """
    found = {"granted": _goes_on(plan, step, "granted")}
    found |= {verdict: _failing(plan, step, verdict, attempt) for verdict in ("refused", "changes_requested")}
    if step.deadline is not None:
        match step.on_deadline:
            case "approve":
                found["expired"] = found["granted"]
            case "skip":
                found["expired"] = _goes_on(plan, step, "expired")
            case "reject":
                found["expired"] = _failing(plan, step, "expired", attempt)
    return found


def _failing(plan: Plan, step: PlannedApproval, verdict: str, attempt: int) -> Prospect:
    code, permanent = _CODES[verdict]
    if step.retry is not None and attempt < step.retry.max_attempts and step.retry.allows(code, permanent):
        return Prospect("again", code)
    if step.on_error is not None and step.on_error.target is not None:
        return Prospect("diverted", code, (step.on_error.target,))
    if step.on_error is not None and step.on_error.action == "skip":
        return _goes_on(plan, step, verdict)
    return Prospect("fails", code)


def _goes_on(plan: Plan, step: PlannedApproval, verdict: str) -> Prospect:
    status = "completed" if verdict == "granted" else "skipped"
    state = {"status": status, "output": decided_output(verdict, None, ""), "error": None}
    held = {
        each: _holds(plan.steps[each].condition, step.id, {"steps": {step.id: state}})
        for each in step.dependents
        if step.id in plan.steps[each].depends_on
    }
    code = "" if verdict == "granted" else _CODES[verdict][0]
    following = tuple(each for each, holds in held.items() if holds is not False)
    return Prospect("goes_on", code, following, tuple(each for each in following if held[each] is None))


def _holds(condition: Condition | bool | None, step: str, scope: dict[str, object]) -> bool | None:
    """Return whether a condition holds after the decision; None where it depends on more."""
    if not isinstance(condition, Condition):
        return condition is not False
    if any(path.parts[:4] != ("steps", step, "output", "decision") for path in condition.paths):
        return None
    try:
        return condition.evaluate(scope)
    except EvaluationFailed:
        return None
