"""Gateways: choose among targets, at once."""

from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.step import GatewayEvaluated, RouteChecked, StepCompleted
from domain.language.expressions import Condition, EvaluationFailed, Scope
from domain.processes.plan import PlannedGateway, PlannedRoute


def begin(unfolding: Unfolding, step: PlannedGateway, attempt: int, visible: Scope) -> bool:
    """Evaluate the conditions and choose. Raises EvaluationFailed, ``no_route`` when no route remains."""
    checked: list[RouteChecked] = []
    chosen: list[str] = []
    for route in step.routes:
        holds = _holds(route, visible)
        checked.append(RouteChecked(route.target, holds, _written(route)))
        if holds and route.target not in chosen:
            chosen.append(route.target)
        if holds and step.gateway_type == "exclusive":
            break
    default = not chosen
    if default and step.default is not None:
        chosen.append(step.default)
    if not chosen:
        raise EvaluationFailed("no_route", f"no condition of {step.id!r} holds, and it has no default route")
    unfolding.record(
        GatewayEvaluated, step=step.id, attempt=attempt, conditions=checked, chosen=chosen, default=default
    )
    at = unfolding.cause.at
    unfolding.record(StepCompleted, step=step.id, attempt=attempt, output={"chosen": chosen}, started_at=at)
    return True


def _holds(route: PlannedRoute, visible: Scope) -> bool:
    condition = route.condition
    return condition.evaluate(visible) if isinstance(condition, Condition) else condition is not False


def _written(route: PlannedRoute) -> str | None:
    condition = route.condition
    if isinstance(condition, Condition):
        return condition.text
    return None if condition is None else str(condition).lower()
