"""Settings: the view of those in force in one process; secrets are stated as set or not set."""

from collections.abc import Sequence

import msgspec


class SettingView(msgspec.Struct, frozen=True):
    """A setting, by its environment variable. value: its text; None for a secret, and for one that has no value.

    given: the environment or a flag states it, and not the default. secret: its value is never shown.
    """

    variable: str
    value: str | None
    given: bool
    secret: bool


class SettingsView(msgspec.Struct, frozen=True):
    """The settings of the process that answers, by variable; other processes may have others."""

    items: Sequence[SettingView]
