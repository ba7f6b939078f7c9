"""A function measured as its input grows."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from domain.language.expressions.problems import ExpressionProblem
from domain.refusal import Refusal
from gateway.failures import AnswerMalformed

RUNS = 5


class Growing(NamedTuple):
    """A function, and an input for it by size. size: of the small one; the large one is four times as large."""

    name: str
    run: Callable[[Any], object]
    make: Callable[[int], Any]
    size: int

    def seconds(self, given: object) -> float:
        """Return the processor time of one run, which may refuse: other work on the machine does not count."""
        begin = time.thread_time()
        with suppress(Refusal, ValueError, ExpressionProblem, AnswerMalformed):  # all else that it raises is a fault
            self.run(given)
        return time.thread_time() - begin

    def require_linear(self) -> None:
        """Require that four times as much takes no more than nine times as long."""
        short, long = self.make(self.size), self.make(4 * self.size)
        small = large = float("inf")
        for _ in range(RUNS):
            small, large = min(small, self.seconds(short)), min(large, self.seconds(long))
            # Quadratic work would take sixteen times as long. Less than a few hundredths of a second is noise.
            if large < 9 * small + 0.05:
                return
        raise AssertionError(f"{small:.3f} s, and {large:.3f} s for four times as much")
