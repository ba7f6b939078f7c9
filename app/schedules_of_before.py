"""The schedules of versions that an earlier release published: registered at the first start, counted in the log."""

import logging

from app.wiring import Wiring
from commands.deciding import DecisionBroke, Unavailable
from commands.upgraded_schedules import register_upgraded
from domain.event import Cause

logger = logging.getLogger(__name__)


def register_upgraded_schedules(wiring: Wiring, *, hold: bool) -> None:
    """Register what no schedule follows yet, and remove orphans. An error stops nothing: the next start repeats it."""
    cause = Cause(wiring.clock.now(), "system:upgrade", "upgrade")
    try:
        found = register_upgraded(wiring.log, cause, hold=hold)
    except (DecisionBroke, Unavailable):
        logger.exception("the schedules of versions published before could not all be registered")
        return
    if found.registered or found.removed:
        logger.info(
            "schedules of versions published before: %s registered, %s of them paused; %s orphans removed",
            found.registered,
            found.paused,
            found.removed,
        )
