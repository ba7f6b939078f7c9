"""How long appends take, counted in classes of duration."""

from bisect import bisect_left

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper ends of the classes, in seconds; one more class has no end."""


class Durations:
    """Counts of durations by class, and their sum. One thread at a time adds."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self._sum += seconds

    def read(self) -> tuple[list[int], float]:
        """Return the counts, one for each class, and the sum in seconds."""
        return list(self._counts), self._sum
