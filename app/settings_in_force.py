"""The settings in force, for people: derived from their declaration, secrets as set or not set."""

import dataclasses
import typing
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from app.setting import SecretSetting
from app.settings import Settings
from domain.agents.address_entries import AddressEntry
from domain.agents.secret_names import SecretNames
from domain.calendar.durations import print_duration
from queries.settings import SettingView


def settings_in_force(settings: Settings) -> tuple[SettingView, ...]:
    """Return every setting by its variable, in alphabetical order; the text of a secret is in no view."""
    found = (_view(field, getattr(settings, field.name)) for field in dataclasses.fields(settings))
    return tuple(sorted(found, key=lambda each: each.variable))


def _view(field: "dataclasses.Field[Any]", value: object) -> SettingView:
    variable: str = field.metadata["variable"]
    secret = field.type is SecretSetting or SecretSetting in typing.get_args(field.type)
    if secret or isinstance(value, SecretSetting):
        return SettingView(variable, None, given=value is not None, secret=True)
    return SettingView(variable, _printed(value), given=value != field.metadata["default"](), secret=False)


def _printed(value: object) -> str | None:
    """Return a value as an operator writes it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, timedelta):
        return print_duration(value)
    if isinstance(value, SecretNames):
        return _listed([*sorted(value.names), *(f"{prefix}*" for prefix in value.prefixes)])
    if isinstance(value, tuple):
        return _listed(_entry(each) if isinstance(each, AddressEntry) else str(each) for each in value)
    return str(value)


def _entry(entry: AddressEntry) -> str:
    host = entry.name or str(entry.network)
    if entry.port is None:
        return host
    return f"[{host}]:{entry.port}" if ":" in host else f"{host}:{entry.port}"


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(texts)
