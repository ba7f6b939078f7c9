"""What follows when a step fails, in words: its tries, then what its definition states."""

from domain.processes.plan import Plan, PlannedStep
from web.wording import duration


def on_failure(plan: Plan, step: str) -> str:
    """Return what a failure of a step leads to; nothing for a step that the version does not have."""
    planned = plan.steps.get(step)
    if planned is None:
        return ""
    tries = _tries(planned)
    return f"{tries}, then {_end(plan, planned)}" if tries else _end(plan, planned)


def _tries(planned: PlannedStep) -> str:
    """Return how often it is tried again, and after which pause; nothing for a step with one try."""
    retry = planned.retry
    if retry is None or retry.max_attempts < 2:
        return ""
    more = retry.max_attempts - 1
    often = "tried once more" if more == 1 else f"tried up to {more} times more"
    pause = retry.delay_before(2).total_seconds()
    grows = "" if retry.backoff == "fixed" or more == 1 else " at first"
    after = f" after {duration(pause)}{grows}" if pause else ""
    only = f" (only {', '.join(sorted(retry.retry_on))})" if retry.retry_on else ""
    but = f" (not {', '.join(sorted(retry.give_up_on))})" if retry.give_up_on else ""
    return f"{often}{after}{only}{but}"


def _end(plan: Plan, planned: PlannedStep) -> str:
    if planned.compensates is not None:
        return "the other steps are undone all the same"
    fallback = planned.on_error
    if fallback is not None and fallback.action == "skip":
        return "the step is left out and the execution goes on"
    if fallback is not None and fallback.target is not None:
        return f"the execution goes on at {fallback.target}"
    undone = "; completed steps with a compensation are undone" if plan.compensations else ""
    return f"the execution fails{undone}"
