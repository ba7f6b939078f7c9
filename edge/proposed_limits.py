"""A proposed cost limit: read from texts, and put beside the thresholds in force."""

from datetime import datetime

from commands.cost_thresholds import SetCostThresholds, WrittenLevel
from domain.alerts.windows import PER_EXECUTION, WINDOWED
from domain.calendar.zones import read_zone
from domain.money import parse_money
from queries.reading import Reading
from queries.thresholds import (
    LONGEST_DAYS,
    ProposedThreshold,
    Simulation,
    ThresholdsView,
    simulate_threshold,
)

KINDS = (PER_EXECUTION, *WINDOWED)


def with_levels(found: ThresholdsView, kind: str, levels: list[WrittenLevel]) -> SetCostThresholds:
    """Return the command that sets the levels of one kind and leaves those of the others."""
    written = {
        each: [
            WrittenLevel(level.amount, level.currency, level.warn_at, level.on_alert) for level in getattr(found, each)
        ]
        for each in KINDS
    }
    return SetCostThresholds(
        found.process_id, **written | {kind: levels}, timezone=found.timezone, week_starts=found.week_starts
    )


def simulated(reading: Reading, proposed: ProposedThreshold, now: datetime) -> Simulation:
    """Return what a limit that a user typed would have raised. Raises ValueError with a message for people."""
    parse_money(str(proposed.amount), proposed.currency)
    read_zone(proposed.timezone)
    if proposed.amount <= 0:
        raise ValueError("an amount here is more than nothing")
    if not 1 <= proposed.days <= LONGEST_DAYS:
        raise ValueError(f"days are 1 to {LONGEST_DAYS}")
    return simulate_threshold(reading, proposed, now)
