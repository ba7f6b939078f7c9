"""The schedules and cost thresholds of versions published before: registered at the first start, counted in the log."""

import logging

from app.wiring import Wiring
from commands.deciding import DecisionBroke, Unavailable
from commands.thresholds import register_upgraded_thresholds
from commands.upgraded_schedules import register_upgraded as register_schedules_of_before
from domain.event import Cause

logger = logging.getLogger(__name__)


def register_upgraded(wiring: Wiring, *, hold: bool) -> None:
    """Register what no schedule follows yet, and remove orphans. An error stops nothing: the next start repeats it."""
    cause = Cause(wiring.clock.now(), "system:upgrade", "upgrade")
    try:
        found = register_schedules_of_before(wiring.log, cause, hold=hold)
        thresholds = register_upgraded_thresholds(wiring.log, cause)
    except (DecisionBroke, Unavailable):
        logger.exception("the schedules and thresholds of versions published before could not all be registered")
        return
    if thresholds:
        logger.info("cost thresholds of versions published before: %s in force from now on", thresholds)
    if found.registered or found.removed:
        logger.info(
            "schedules of versions published before: %s registered, %s of them paused; %s orphans removed",
            found.registered,
            found.paused,
            found.removed,
        )
