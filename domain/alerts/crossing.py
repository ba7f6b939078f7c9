"""From one cost and the total before it to the amounts that the total reaches, or falls below. Pure."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import msgspec

from domain.alerts.events import AlertContributor, AlertCrossing, CostThresholdSet
from domain.alerts.thresholds import AlertLevel, CostRule, alert_levels, rule_of
from domain.alerts.windows import PER_EXECUTION, CostWindow, window_of
from domain.identity import NAMESPACE
from domain.money import add

AlertScope = UUID | CostWindow
"""An execution or a window, whose costs a total adds up."""


class SpentCost(msgspec.Struct, frozen=True):
    """A cost as it counts for one execution: the one that spent it, or one above it.

    process_id: of `run_id`, for which it counts. execution_id, step: which spent it. at: of the call; recorded_at: of
    the booking. outermost: no execution above `run_id` is of the same process, so that it counts once.
    correction: it is the difference that a correction makes.
    """

    position: int
    process_id: UUID
    run_id: UUID
    execution_id: UUID
    step: str
    at: datetime
    recorded_at: datetime
    amount: Decimal
    currency: str
    outermost: bool = True
    correction: bool = False


class RuleOfProcess(msgspec.Struct, frozen=True):
    """A rule with the process that it is of."""

    process_id: UUID
    process: str
    rule: CostRule

    @property
    def currency(self) -> str:
        """The currency of all levels."""
        return self.rule.levels[0].currency


class TotalOf(msgspec.Struct, frozen=True):
    """The costs that a total adds up: of a process or an execution, in one currency, with times of a range."""

    process_id: UUID
    currency: str
    run_id: UUID | None = None
    begin: datetime | None = None
    end: datetime | None = None


class Crossed(msgspec.Struct, frozen=True):
    """A level that a total reaches. contributors, unpriced: stated once it is certain that an alert is raised."""

    of: RuleOfProcess
    level: AlertLevel
    scope: AlertScope
    crossing: AlertCrossing
    before: Decimal
    after: Decimal
    at: datetime
    from_correction: bool = False
    contributors: tuple[AlertContributor, ...] = ()
    unpriced: int = 0

    @property
    def alert_id(self) -> UUID:
        """The id of the alert."""
        return alert_id(self.of.process_id, self.of.rule, self.level.name, self.scope)

    @property
    def total(self) -> TotalOf:
        """The total that reaches the level."""
        return total_of(self.of, self.scope)

    def facts(self) -> dict[str, Any]:
        """Return the fields of the event that raises the alert."""
        rule, window = self.of.rule, self.scope if isinstance(self.scope, CostWindow) else None
        late = window is not None and window.end <= self.at
        resolves_at = None if window is None else window.end
        if late:
            resolves_at = window_of(rule.kind, self.at, rule.timezone, rule.week_starts).end
        return {
            "process_id": self.of.process_id,
            "process": self.of.process,
            "kind": rule.kind,
            "rule": rule.rule,
            "level": self.level.level,
            "amount": self.level.amount,
            "limit": self.level.limit,
            "currency": self.level.currency,
            "source": rule.source,
            "version": rule.version,
            "execution_id": self.scope if isinstance(self.scope, UUID) else None,
            "window": window,
            "crossing": self.crossing,
            "before": self.before,
            "after": self.after,
            "contributors": list(self.contributors),
            "unpriced": self.unpriced,
            "from_correction": self.from_correction,
            "late": late,
            "on_alert": self.level.on_alert,
            "resolves_at": resolves_at,
        }


class Fallen(msgspec.Struct, frozen=True):
    """An alert whose amount a corrected total does not reach any more."""

    alert_id: UUID


def alert_id(process_id: UUID, rule: CostRule, level: str, scope: AlertScope) -> UUID:
    """Return the id of the alert of one level, for one execution or window; every process derives the same id."""
    of = scope.begin.isoformat() if isinstance(scope, CostWindow) else str(scope)
    return uuid5(NAMESPACE, f"cost-alert:{process_id}:{rule.kind}:{rule.rule}:{level}:{of}")


def scope_of(rule: CostRule, cost: SpentCost) -> AlertScope | None:
    """Return what the cost counts for by a rule; None where it does not count."""
    if rule.counts_from is not None and cost.at < rule.counts_from:
        return None
    if cost.currency != rule.levels[0].currency:
        return None
    if not cost.outermost:
        return None
    if rule.kind == PER_EXECUTION:
        return cost.run_id
    window = window_of(rule.kind, cost.at, rule.timezone, rule.week_starts)
    # Corrections touch no closed window.
    return None if cost.correction and window.end <= cost.recorded_at else window


def total_of(of: RuleOfProcess, scope: AlertScope) -> TotalOf:
    """Return the total of an execution or a window, by a rule."""
    if isinstance(scope, UUID):
        return TotalOf(of.process_id, of.currency, scope, of.rule.counts_from)
    begin = scope.begin if of.rule.counts_from is None else max(scope.begin, of.rule.counts_from)
    return TotalOf(of.process_id, of.currency, None, begin, scope.end)


def cross(of: RuleOfProcess, scope: AlertScope, before: Decimal, cost: SpentCost) -> list[Crossed | Fallen]:
    """Return the levels that the total reaches by the cost (``>=``), and the alerts that it falls below."""
    after = add(before, cost.amount)
    found: list[Crossed | Fallen] = []
    for level in alert_levels(of.rule):
        if before < level.amount <= after:
            by = AlertCrossing(cost.position, cost.execution_id, cost.step)
            found.append(Crossed(of, level, scope, by, before, after, cost.recorded_at, cost.correction))
        elif after < level.amount <= before:
            found.append(Fallen(alert_id(of.process_id, of.rule, level.name, scope)))
    return found


def may_cross(of: RuleOfProcess, before: Decimal, amount: Decimal) -> bool:
    """Return whether costs of that sum, none of them negative, take the total to a level."""
    after = add(before, amount)
    return any(before < level.amount <= after for level in alert_levels(of.rule))


def reached(of: RuleOfProcess, scope: AlertScope, total: Decimal, position: int, at: datetime) -> list[Crossed]:
    """Return the levels that a total has reached when their threshold is set, by the event at `position`."""
    by = AlertCrossing(position)
    return [Crossed(of, level, scope, by, total, total, at) for level in alert_levels(of.rule) if level.amount <= total]


def rule_set(event: CostThresholdSet, number: int) -> RuleOfProcess:
    """Return the rule that an event sets."""
    return RuleOfProcess(event.process_id, event.process, rule_of(event, number))
