"""What an agent is asked, and what it may answer."""

import hmac
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from domain.money import Money


class AgentCall(msgspec.Struct, frozen=True):
    """One attempt of one step, as the agent sees it.

    message and parameters are rendered; deadline is an aware UTC time or None.
    callback_token authenticates a later answer.
    """

    execution_id: UUID
    step: str
    attempt: int
    agent: str
    process: str
    version: int
    message: Any
    parameters: dict[str, Any] = {}
    output_schema: dict[str, Any] | None = None
    deadline: datetime | None = None
    callback_token: str = ""

    def __repr__(self) -> str:
        # Without the token, which must not reach a log, and without the message, which may be long.
        return f"AgentCall({self.idempotency_key}, agent={self.agent!r})"

    @property
    def idempotency_key(self) -> str:
        """The same for every repetition of this attempt, so that an agent can tell."""
        return f"{self.execution_id}:{self.step}:{self.attempt}"


class GivenUp(msgspec.Struct, frozen=True):
    """An attempt that an agent took to answer later, and that nobody waits for any more. reason: as its event says."""

    execution_id: UUID
    step: str
    attempt: int
    agent: str
    reason: str

    @property
    def idempotency_key(self) -> str:
        """That of the attempt."""
        return f"{self.execution_id}:{self.step}:{self.attempt}"


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tokens an agent says it used; `raw` is what it reported, untouched."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    raw: dict[str, Any] | None = None


class StepError(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why an attempt failed.

    code: stable identifier (``agent_error``, ``agent_unreachable``, ``deadline_exceeded``…).
    permanent: trying again cannot help. retry_after: how long the agent asked to be left alone.
    """

    code: str
    message: str
    permanent: bool = False
    retry_after: timedelta | None = None
    details: dict[str, Any] | None = None


class Completed(msgspec.Struct, frozen=True):
    """The final answer: any JSON value."""

    output: Any
    usage: Usage | None = None
    cost: Money | None = None


class Failed(msgspec.Struct, frozen=True):
    """The attempt failed; what it used until then is still known."""

    error: StepError
    usage: Usage | None = None
    cost: Money | None = None


class Accepted(msgspec.Struct, frozen=True):
    """The agent took the work and will call back with the attempt's token."""


Answer = Completed | Failed | Accepted


def callback_token(key: bytes, execution_id: UUID, step: str, attempt: int) -> str:
    """What an agent must show to answer this attempt later: made from the installation's key, stored nowhere."""
    return hmac.digest(key, f"{execution_id}:{step}:{attempt}".encode(), "sha256").hex()
