"""The retry policy of a step: as written in a definition, and as planned for the engine."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from domain.language.types.parts import Line, Part
from domain.language.types.quantities import ONE_YEAR, Delay

MOST_ATTEMPTS = 1_000
MAX_CODES = 100

Backoff = Literal["fixed", "linear", "exponential"]
Codes = Annotated[tuple[Line, ...], Field(strict=False, max_length=MAX_CODES)]


class Retry(Part):
    """max_attempts counts the first one too. retry_on: only these error codes; give_up_on: never these."""

    also: ClassVar[dict[str, str]] = {"initial_delay": "delay", "backoff_multiplier": "multiplier"}
    listed: ClassVar[tuple[str, ...]] = ("retry_on", "give_up_on")

    max_attempts: Annotated[int, Field(ge=1, le=MOST_ATTEMPTS)] = 1
    delay: Delay = timedelta(seconds=1)
    backoff: Backoff = "fixed"
    multiplier: Annotated[float, Field(ge=1, le=1_000)] = 2.0
    max_delay: Delay | None = None
    retry_on: Codes = ()
    give_up_on: Codes = ()

    def plan(self) -> "PlannedRetry":
        """Return the policy for the engine."""
        return PlannedRetry(
            max_attempts=self.max_attempts,
            delay=self.delay,
            backoff=self.backoff,
            multiplier=self.multiplier,
            max_delay=self.max_delay,
            retry_on=frozenset(self.retry_on),
            give_up_on=frozenset(self.give_up_on),
        )


@dataclass(frozen=True, slots=True)
class PlannedRetry:
    """A retry policy; attempts are counted from 1, and max_attempts is the number of the last one."""

    max_attempts: int
    delay: timedelta
    backoff: Backoff
    multiplier: float
    max_delay: timedelta | None
    retry_on: frozenset[str]
    give_up_on: frozenset[str]

    def allows(self, error_code: str, permanent: bool) -> bool:
        """Return whether the policy allows another attempt after this error code."""
        if permanent or error_code in self.give_up_on:
            return False
        return not self.retry_on or error_code in self.retry_on

    def delay_before(self, attempt: int) -> timedelta:
        """Return the delay before attempt number `attempt` (2 is the first retry): at most max_delay, and a year.

        The first attempt has no delay. fixed: always `delay`. linear: `delay`, twice, three times... exponential:
        `delay`, then each time `multiplier` times as long.
        """
        if attempt <= 1:
            return timedelta()
        longest = min(self.max_delay, ONE_YEAR) if self.max_delay is not None else ONE_YEAR
        try:
            factor = self._factor(attempt - 1)
            # Compared as numbers first: a timedelta of this size may not exist.
            if self.delay.total_seconds() * factor >= longest.total_seconds():
                return longest
        except OverflowError:
            return longest if self.delay else timedelta()
        return min(self.delay * factor, longest)

    def _factor(self, retry: int) -> float:
        match self.backoff:
            case "fixed":
                return 1
            case "linear":
                return retry
            case "exponential":
                return float(self.multiplier ** (retry - 1))
