"""The call of an agent and the answers that an agent may give."""

import hmac
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from domain.costs.usage import Metered
from domain.money import Money


class AgentCall(msgspec.Struct, frozen=True):
    """One attempt of one step, as the agent sees it.

    message and parameters are rendered; deadline is an aware UTC time or None.
    callback_token authenticates a later answer. response_id: of the model that works on it in the background already.
    started_at: of the attempt, whose cost belongs to that time.
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
    response_id: str = ""
    started_at: datetime | None = None

    def __repr__(self) -> str:
        # The token must not reach a log, and the message may be long.
        return f"AgentCall({self.idempotency_key}, agent={self.agent!r})"

    @property
    def idempotency_key(self) -> str:
        """The key of this attempt, the same for every repetition, by which an agent recognises a repetition."""
        return f"{self.execution_id}:{self.step}:{self.attempt}"


class AbandonedAttempt(msgspec.Struct, frozen=True):
    """An attempt whose answer Procession no longer awaits, although an agent took it to answer later.

    reason: as in its event.
    """

    execution_id: UUID
    step: str
    attempt: int
    agent: str
    reason: str

    @property
    def idempotency_key(self) -> str:
        """The idempotency key of the attempt."""
        return f"{self.execution_id}:{self.step}:{self.attempt}"


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tokens that an agent reports as used; `raw` is its report, unchanged."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    raw: dict[str, Any] | None = None


class StepError(msgspec.Struct, frozen=True, omit_defaults=True):
    """The error of a failed attempt.

    code: stable identifier (``agent_error``, ``agent_unreachable``, ``deadline_exceeded``…). permanent: another attempt
    cannot help. retry_after: the shortest wait before the next attempt, as the agent requests it.
    """

    code: str
    message: str
    permanent: bool = False
    retry_after: timedelta | None = None
    details: dict[str, Any] | None = None


CALL_CANCELLED = "call_cancelled"
"""The code of the failure of a call that Procession hung up, whose use nobody reports."""


class Completed(msgspec.Struct, frozen=True):
    """The final answer: any JSON value. cost: as the agent reports it. metered: what is known beyond both."""

    output: Any
    usage: Usage | None = None
    cost: Money | None = None
    metered: Metered | None = None


class Failed(msgspec.Struct, frozen=True):
    """The attempt failed; its usage until then is still known. cost, metered: as of an answer."""

    error: StepError
    usage: Usage | None = None
    cost: Money | None = None
    metered: Metered | None = None


class Accepted(msgspec.Struct, frozen=True):
    """The agent took the work and will call back with the attempt's token."""


Answer = Completed | Failed | Accepted


def callback_token(key: bytes, execution_id: UUID, step: str, attempt: int) -> str:
    """Return the token of an agent's later answer to this attempt, derived from the installation's key."""
    return hmac.digest(key, f"{execution_id}:{step}:{attempt}".encode(), "sha256").hex()
