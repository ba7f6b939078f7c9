"""The tokens by which agents that answer later show which attempt they answer."""

import hmac
import re
from collections.abc import Iterable
from uuid import UUID

import anyio
import msgspec

from domain.agents.calls import callback_token
from domain.language.types.steps.retry import MOST_ATTEMPTS

# A hundred digests take less than a millisecond: the event loop makes them, a thread the others.
ATTEMPTS_AT_ONCE = 100
_TOKEN = re.compile(r"[0-9a-f]{64}")


class StepTokens(msgspec.Struct, frozen=True):
    """The tokens of the attempts of one step. key: the installation's, from which they are derived."""

    key: bytes
    id: UUID
    step: str

    async def attempt(self, token: str, likely: int = 1) -> int | None:
        """Return the attempt that `token` belongs to: `likely`, or one of as many as a step may have by its `retry`.

        The token of another attempt of the step proves that the caller is the agent; the answer names the mistake.
        """
        if not _TOKEN.fullmatch(token):
            return None
        first = self._among(token, (likely, *range(1, ATTEMPTS_AT_ONCE + 1)))
        if first is not None:
            return first
        return await anyio.to_thread.run_sync(self._among, token, range(ATTEMPTS_AT_ONCE + 1, MOST_ATTEMPTS + 1))

    def _among(self, token: str, attempts: Iterable[int]) -> int | None:
        of = (
            each for each in attempts if hmac.compare_digest(token, callback_token(self.key, self.id, self.step, each))
        )
        return next(of, None)
