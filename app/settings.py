"""Settings from the environment; what a command line flag says goes before them."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from app.channels import ChannelSettings
from domain.calendar.durations import parse_duration

Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


def _home() -> Path:
    return Path(platformdirs.user_data_dir("procession", appauthor=False))


class Settings(ChannelSettings):
    """Read from the environment variables named; secrets do not show when printed. An empty variable counts as unset.

    lease: how long a worker keeps its attempts without a sign of life. drain: how long it waits for open calls.
    public_url: where agents on other hosts reach the API to answer later. max_depth, max_descendants: how far below
    the first execution others may be called, and how many altogether.
    """

    model_config = SettingsConfigDict(populate_by_name=True, env_ignore_empty=True, hide_input_in_errors=True)

    database_url: SecretStr | None = Field(None, validation_alias="DATABASE_URL")
    read_database_url: SecretStr | None = Field(None, validation_alias="READ_DATABASE_URL")
    home: Path = Field(default_factory=_home, validation_alias="PROCESSION_HOME")
    host: str = Field("127.0.0.1", validation_alias="PROCESSION_HOST")
    port: int = Field(8080, validation_alias="PROCESSION_PORT", ge=0, le=65_535)
    api_key: SecretStr | None = Field(None, validation_alias="PROCESSION_API_KEY")
    public_url: str | None = Field(None, validation_alias="PROCESSION_PUBLIC_URL")
    lease: Duration = Field(timedelta(seconds=10), validation_alias="PROCESSION_LEASE", gt=timedelta())
    drain: Duration = Field(timedelta(seconds=30), validation_alias="PROCESSION_DRAIN", ge=timedelta())
    max_open_calls: int = Field(1000, validation_alias="PROCESSION_MAX_OPEN_CALLS", ge=1, le=20_000)
    max_depth: int = Field(10, validation_alias="PROCESSION_MAX_DEPTH", ge=1, le=10_000)
    max_descendants: int = Field(10_000, validation_alias="PROCESSION_MAX_DESCENDANTS", ge=1)
    pool_size: int = Field(10, validation_alias="PROCESSION_POOL_SIZE", ge=2, le=100)


class BadSetting(ValueError):
    """A setting, from the environment or a flag, cannot be used; the message names it and does not repeat its value."""


def read_settings(**flags: object) -> Settings:
    """The settings; `flags` that are not None go before what the environment says. Raises BadSetting."""
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        told = "; ".join(_variable(found["loc"]) + _reason(found["msg"]) for found in error.errors())
        raise BadSetting(told) from None


def _variable(location: tuple[int | str, ...]) -> str:
    """Which one is wrong, and a colon; nothing where several do not go together, which the message names itself."""
    if not location:
        return ""
    name = str(location[0])
    field = Settings.model_fields.get(name)
    return f"{name if field is None else field.validation_alias}: "


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Input ")
