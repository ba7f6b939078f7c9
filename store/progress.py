"""Progress of long work, as a caller shows it."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is; the unit is that of the work: events, or rows."""
