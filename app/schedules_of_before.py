"""The start of a worker: it registers schedules published before, and works out next runs by updated zone data."""

import logging

from app.wiring import Wiring
from commands.deciding import DecisionBroke, Unavailable
from commands.upgraded_schedules import register_upgraded
from commands.zone_data import adopt_zone_data
from domain.calendar.zones import tzdata_version
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


def adopt_installed_zone_data(wiring: Wiring) -> None:
    """Work out next runs anew if the zone data was updated. An error stops nothing: the next start repeats it."""
    cause = Cause(wiring.clock.now(), "system:upgrade", "zone data")
    try:
        adopted = adopt_zone_data(wiring.log, tzdata_version(), cause)
    except (DecisionBroke, Unavailable):
        logger.exception("the next runs of schedules could not all be worked out by the zone data %s", tzdata_version())
        return
    if adopted is not None and adopted.before:
        logger.info(
            "zone data %s in place of %s: %s schedules worked out anew, %s have another next run",
            adopted.tzdata,
            adopted.before,
            adopted.schedules,
            adopted.changed,
        )
