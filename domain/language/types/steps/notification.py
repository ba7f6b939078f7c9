"""The step type `notification`: notifies people outside, through channels that the operator configured."""

from typing import Literal

from domain.language.types.steps.delivery import CHANNELS, Delivery, PlannedNotification
from domain.language.types.steps.step import Step

__all__ = ["CHANNELS", "Notification", "PlannedNotification"]


class Notification(Delivery, Step):
    """A notification, beside the fields of every step."""

    type: Literal["notification"]
