"""The roles in processes of the release before: recorded once, at the first start after the upgrade."""

import logging

from app.wiring import Wiring
from commands.deciding import DecisionBroke, Unavailable
from commands.roles import register_upgraded_roles
from domain.event import Cause

logger = logging.getLogger(__name__)


def register_roles_of_before(wiring: Wiring) -> None:
    """Record roles that were never recorded. An error stops nothing: the next start repeats it."""
    cause = Cause(wiring.clock.now(), "system:upgrade", "upgrade")
    try:
        registered = register_upgraded_roles(wiring.log, cause)
    except (DecisionBroke, Unavailable):
        logger.exception("the roles in processes of the release before could not all be recorded")
        return
    if registered:
        logger.info("roles in processes of the release before: %s recorded", registered)
