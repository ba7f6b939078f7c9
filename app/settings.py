"""Settings from the environment; what a command line flag says goes before them."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.duration import parse_duration

Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


def _home() -> Path:
    return Path(platformdirs.user_data_dir("procession", appauthor=False))


class Settings(BaseSettings):
    """Read from the environment variables named; secrets do not show when printed. An empty variable counts as unset.

    lease: how long a worker keeps its attempts without a sign of life. drain: how long it waits for open calls.
    public_url: where agents on other hosts reach the API to answer later.
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
    pool_size: int = Field(10, validation_alias="PROCESSION_POOL_SIZE", ge=2, le=100)


class BadSetting(ValueError):
    """A setting, from the environment or a flag, cannot be used; the message names it and does not repeat its value."""


def read_settings(**flags: object) -> Settings:
    """The settings; `flags` that are not None go before what the environment says. Raises BadSetting."""
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        told = "; ".join(f"{_variable(found['loc'])}: {_reason(found['msg'])}" for found in error.errors())
        raise BadSetting(told) from None


def _variable(location: tuple[int | str, ...]) -> str:
    name = str(location[0]) if location else "settings"
    field = Settings.model_fields.get(name)
    return str(field.validation_alias) if field is not None else name


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Input ")
