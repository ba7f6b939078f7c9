"""The thresholds of one process: the fold of their events, and the amounts at which each of them speaks up."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from domain.alerts.events import CostThresholdCleared, CostThresholdSet, ThresholdLevel
from domain.event import Event
from domain.language.types.costs import SPANS
from domain.money import scale

ALERT, WARNING = "alert", "warning"
COMMAND, VERSION = "command", "version"


class CostRule(msgspec.Struct, frozen=True):
    """A threshold in force. rule: the number of its event in the stream; the other fields are those of the event."""

    rule: int
    kind: str
    levels: tuple[ThresholdLevel, ...]
    timezone: str = "UTC"
    week_starts: str = "monday"
    source: str = VERSION
    version: int = 0
    counts_from: datetime | None = None


class AlertLevel(msgspec.Struct, frozen=True):
    """An amount that raises an alert. name: of the level within its rule, as ``0.alert``. limit: of its alert."""

    name: str
    level: str
    amount: Decimal
    limit: Decimal
    currency: str
    on_alert: str = ""


class Thresholds(msgspec.Struct, frozen=True):
    """The thresholds of a process, by kind. version: of their stream."""

    rules: dict[str, CostRule] = {}
    version: int = 0


class ThresholdTerms(msgspec.Struct, frozen=True):
    """Thresholds without their origin: levels by kind, and the zone and the first weekday of their windows."""

    levels: dict[str, tuple[ThresholdLevel, ...]] = {}
    timezone: str = "UTC"
    week_starts: str = "monday"


def fold(events: Iterable[Event]) -> Thresholds:
    """Return the thresholds after all events of their stream."""
    rules: dict[str, CostRule] = {}
    version = 0
    for version, event in enumerate(events, 1):
        match event:
            case CostThresholdSet():
                rules[event.kind] = rule_of(event, version)
            case CostThresholdCleared():
                rules.pop(event.kind, None)
            case _:
                raise ValueError(f"{type(event).__name__} does not happen to thresholds")
    return Thresholds(rules, version)


def rule_of(event: CostThresholdSet, number: int) -> CostRule:
    """Return the rule that an event sets, with its number in the stream."""
    return CostRule(
        number,
        event.kind,
        tuple(event.levels),
        event.timezone,
        event.week_starts,
        event.source,
        event.version,
        event.counts_from,
    )


@lru_cache(1_000)
def alert_levels(rule: CostRule) -> tuple[AlertLevel, ...]:
    """Return every amount that raises an alert, the lowest first."""
    found: list[AlertLevel] = []
    for n, level in enumerate(rule.levels):
        if level.warn_at is not None and level.warn_at < 1:
            amount = scale(level.amount, level.warn_at)
            found.append(AlertLevel(f"{n}.{WARNING}", WARNING, amount, level.amount, level.currency))
        found.append(AlertLevel(f"{n}.{ALERT}", ALERT, level.amount, level.amount, level.currency, level.on_alert))
    return tuple(sorted(found, key=lambda each: each.amount))


def terms_of_definition(definition: dict[str, Any]) -> ThresholdTerms:
    """Return the thresholds that a stored definition states; none where it has no `costs`."""
    costs = definition.get("costs") or {}
    levels = {kind: tuple(_level(each) for each in _listed(costs.get(kind))) for kind in SPANS if costs.get(kind)}
    return ThresholdTerms(levels, costs.get("timezone", "UTC"), costs.get("week_starts", "monday"))


def _listed(levels: Any) -> list[dict[str, Any]]:
    return levels if isinstance(levels, list) else [levels]


def _level(written: dict[str, Any]) -> ThresholdLevel:
    warn_at = written.get("warn_at")
    return ThresholdLevel(
        Decimal(str(written["amount"])),
        written["currency"],
        None if warn_at is None else Decimal(str(warn_at)),
        written.get("on_alert") or "",
    )
