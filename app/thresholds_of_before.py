"""The cost thresholds of versions published before: in force from the first start on, for costs from then on."""

import logging

from app.wiring import Wiring
from commands.deciding import DecisionBroke, Unavailable
from commands.thresholds import register_upgraded_thresholds
from domain.event import Cause

logger = logging.getLogger(__name__)


def register_thresholds_of_before(wiring: Wiring) -> None:
    """Put thresholds that were never set in force. An error stops nothing: the next start repeats it."""
    cause = Cause(wiring.clock.now(), "system:upgrade", "upgrade")
    try:
        registered = register_upgraded_thresholds(wiring.log, cause)
    except (DecisionBroke, Unavailable):
        logger.exception("the cost thresholds of versions published before could not all be registered")
        return
    if registered:
        logger.info("cost thresholds of versions published before: %s in force from now on", registered)
