"""Settings from the environment; each has a flag or a sensible default."""

from datetime import timedelta
from pathlib import Path

import platformdirs
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def _home() -> Path:
    return Path(platformdirs.user_data_dir("procession", appauthor=False))


class Settings(BaseSettings):
    """Read from the environment variables named; secrets do not show when printed."""

    model_config = SettingsConfigDict(populate_by_name=True)

    database_url: SecretStr | None = Field(None, validation_alias="DATABASE_URL")
    read_database_url: SecretStr | None = Field(None, validation_alias="READ_DATABASE_URL")
    home: Path = Field(default_factory=_home, validation_alias="PROCESSION_HOME")
    api_key: SecretStr | None = Field(None, validation_alias="PROCESSION_API_KEY")
    public_url: str | None = Field(None, validation_alias="PROCESSION_PUBLIC_URL")
    lease: timedelta = Field(timedelta(seconds=10), validation_alias="PROCESSION_LEASE", gt=timedelta())
    drain: timedelta = Field(timedelta(seconds=30), validation_alias="PROCESSION_DRAIN", ge=timedelta())
    max_open_calls: int = Field(1000, validation_alias="PROCESSION_MAX_OPEN_CALLS", ge=1, le=20_000)
    pool_size: int = Field(10, validation_alias="PROCESSION_POOL_SIZE", ge=2, le=100)
