"""The costs of a check, and the limits that they reach."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from uuid import UUID

from app.template_checks.shelf import Shelf
from domain.alerts.crossing import AlertScope, RuleOfProcess, SpentCost, cross, scope_of
from domain.alerts.thresholds import CostRule
from domain.executions.events.cost import CostRecorded
from domain.executions.state.model import Execution
from domain.money import add

CANCEL = "cancel_execution"


class StagedSpending:
    """The totals of the limits. alerts: the levels reached, as ``per_execution warning``, in order."""

    def __init__(self) -> None:
        self.alerts: list[str] = []
        self._totals: dict[tuple[str, str, AlertScope], Decimal] = {}

    def spend(self, id: UUID, event: CostRecorded, executions: Mapping[UUID, Execution], shelf: Shelf) -> list[UUID]:
        """Count a cost for its execution and those above; return the executions that a limit cancels."""
        cancelled: list[UUID] = []
        if event.cost is None:
            return cancelled
        for run in _upwards(id, executions):
            plan = executions[run].plan
            cost = SpentCost(
                0, plan.process_id, run, id, event.step, event.at, event.at, event.cost.amount, event.cost.currency
            )
            terms = shelf.get(plan.name).thresholds
            for kind, levels in terms.levels.items():
                rule = CostRule(0, kind, levels, terms.timezone, terms.week_starts)
                scope = scope_of(rule, cost)
                if scope is None:
                    continue
                key = plan.name, kind, scope
                before = self._totals.get(key, Decimal())
                self._totals[key] = add(before, cost.amount)
                for reached in cross(RuleOfProcess(plan.process_id, plan.name, rule), scope, before, cost):
                    level = getattr(reached, "level", None)
                    if level is not None:
                        self.alerts.append(f"{kind} {level.level}")
                        cancelled += [run] if level.on_alert == CANCEL else []
        return cancelled


def _upwards(id: UUID, executions: Mapping[UUID, Execution]) -> Iterator[UUID]:
    """Yield the execution and those that called it, directly or not."""
    yield id
    parent = executions[id].parent
    if parent is not None:
        yield from _upwards(parent.execution_id, executions)
