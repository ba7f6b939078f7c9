"""Settings from the environment; a flag of the command line precedes its variable."""

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from app.channels import ChannelSettings
from app.setting import (
    SecretSetting,
    address,
    host_names,
    key,
    optional,
    path,
    positive,
    read_fields,
    setting,
    size,
    size_or_none,
    switch,
    text,
    whole,
)
from domain.agents.address_entries import AddressEntry, read_entries
from domain.agents.addresses import AddressRules
from domain.agents.policy import OutgoingPolicy
from domain.agents.secret_names import SecretNames, read_secret_names
from domain.calendar.durations import parse_duration


@dataclass(frozen=True, kw_only=True)
class Settings(ChannelSettings):
    """The settings by field; secrets do not show when printed. `read_settings` makes them.

    read_fallback: queries go to the primary while the replica is down. append_timeout: the longest wait for the
    database to record a command. lease: the time for which a worker keeps its attempts without a renewal. drain: the
    longest wait for open calls at its end. public_url: the address of the API for agents on other hosts that answer
    later, and for pages behind a proxy. allowed_hosts: hosts that requests may state beside that one and local ones.
    receive_timeout: the longest time for a request to arrive; send_timeout: for a caller to read more of its answer;
    keep_alive: between two requests of a connection. max_depth, max_descendants: the limits of an execution tree, in
    levels and executions below its root. max_items: of a list that a step goes through. agent_secrets: the environment
    variables that agents may refer to, None where it is not set.
    outgoing_allow, outgoing_deny: addresses of calls. max_result: bytes that may be rendered for one step, or for the
    outputs. max_execution: bytes of all events of one execution. large_results: bytes of an output beside the log.
    max_batch: executions that are acted on at once. inbox_days: days for which inboxes keep entries. memory_dir: the
    folder of memories as files; memory_size: bytes of one of them.
    """

    database_url: SecretSetting | None = optional("DATABASE_URL", SecretSetting)
    read_database_url: SecretSetting | None = optional("READ_DATABASE_URL", SecretSetting)
    read_fallback: bool = setting("PROCESSION_READ_FALLBACK", switch, lambda: True)
    append_timeout: timedelta = setting("PROCESSION_APPEND_TIMEOUT", positive, lambda: timedelta(seconds=10))
    given_home: Path | None = optional("PROCESSION_HOME", path)
    host: str = setting("PROCESSION_HOST", text, lambda: "127.0.0.1")
    port: int = setting("PROCESSION_PORT", whole(0, 65_535), lambda: 8080)
    api_key: SecretSetting | None = optional("PROCESSION_API_KEY", key)
    public_url: str | None = optional("PROCESSION_PUBLIC_URL", address)
    allowed_hosts: tuple[str, ...] | None = optional("PROCESSION_ALLOWED_HOSTS", host_names)
    max_connections: int = setting("PROCESSION_MAX_CONNECTIONS", whole(1, 100_000), lambda: 2000)
    max_streams: int = setting("PROCESSION_MAX_STREAMS", whole(0, 100_000), lambda: 500)
    receive_timeout: timedelta = setting("PROCESSION_RECEIVE_TIMEOUT", positive, lambda: timedelta(seconds=30))
    send_timeout: timedelta = setting("PROCESSION_SEND_TIMEOUT", positive, lambda: timedelta(seconds=60))
    keep_alive: timedelta = setting("PROCESSION_KEEP_ALIVE", positive, lambda: timedelta(seconds=5))
    lease: timedelta = setting("PROCESSION_LEASE", positive, lambda: timedelta(seconds=10))
    drain: timedelta = setting("PROCESSION_DRAIN", parse_duration, lambda: timedelta(seconds=30))
    max_open_calls: int = setting("PROCESSION_MAX_OPEN_CALLS", whole(1, 20_000), lambda: 1000)
    max_depth: int = setting("PROCESSION_MAX_DEPTH", whole(1, 10_000), lambda: 10)
    max_descendants: int = setting("PROCESSION_MAX_DESCENDANTS", whole(1), lambda: 100_000)
    max_items: int = setting("PROCESSION_MAX_ITEMS", whole(1, 1_000_000), lambda: 10_000)
    max_result: int = setting("PROCESSION_MAX_RESULT", size(1_024, 4 << 20), lambda: 1 << 20)
    max_execution: int = setting("PROCESSION_MAX_EXECUTION", size(4 << 20, 1 << 30), lambda: 256 << 20)
    large_results: int | None = optional("PROCESSION_LARGE_RESULTS", size_or_none(1 << 20, 64 << 20))
    max_batch: int = setting("PROCESSION_MAX_BATCH", whole(1, 100_000), lambda: 10_000)
    min_interval: timedelta = setting("PROCESSION_MIN_INTERVAL", positive, lambda: timedelta(seconds=10))
    overdue_after: timedelta = setting("PROCESSION_OVERDUE_AFTER", positive, lambda: timedelta(seconds=60))
    inbox_days: int = setting("PROCESSION_INBOX_DAYS", whole(1, 36_500), lambda: 30)
    memory_dir: Path | None = optional("PROCESSION_MEMORY_DIR", path)
    memory_size: int = setting("PROCESSION_MEMORY_SIZE", size(64 << 10, 1 << 30), lambda: 64 << 20)
    pool_size: int = setting("PROCESSION_POOL_SIZE", whole(2, 100), lambda: 10)
    agent_secrets: SecretNames | None = optional("PROCESSION_AGENT_SECRETS", read_secret_names, empty_counts=True)
    outgoing_allow: tuple[AddressEntry, ...] | None = optional("PROCESSION_OUTGOING_ALLOW", read_entries)
    outgoing_deny: tuple[AddressEntry, ...] = setting("PROCESSION_OUTGOING_DENY", read_entries, tuple)

    @property
    def policy(self) -> OutgoingPolicy:
        """The rules of what goes out."""
        addresses = AddressRules(self.outgoing_allow, self.outgoing_deny)
        return OutgoingPolicy(self.agent_secrets or SecretNames(), addresses)

    @property
    def home(self) -> Path:
        """The folder of this installation's data: the given one, or a folder in that of the user's applications."""
        if self.given_home is not None:
            return self.given_home
        import platformdirs  # with DATABASE_URL, no command needs a home

        return Path(platformdirs.user_data_dir("procession", appauthor=False))


class BadSetting(ValueError):
    """A setting, from the environment or a flag, cannot be used; the message names it and does not repeat its value."""


def read_settings(**flags: object) -> Settings:
    """Return the settings; `flags` that are not None precede the environment. Raises BadSetting."""
    try:
        return Settings(**read_fields(Settings, flags, os.environ))
    except ValueError as error:
        raise BadSetting(str(error)) from None
