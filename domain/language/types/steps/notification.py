"""The step type `notification`: something is told to people outside, through channels that the operator configured."""

from typing import Literal

from domain.language.types.steps.delivery import CHANNELS, Delivery, PlannedNotification
from domain.language.types.steps.step import Step

__all__ = ["CHANNELS", "Notification", "PlannedNotification"]


class Notification(Delivery, Step):
    """What is told and where, beside what every step has."""

    type: Literal["notification"]
