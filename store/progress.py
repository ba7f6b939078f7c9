"""Progress of long work, as a caller shows it."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with the amounts done and to do, in the unit of the work: events, or rows."""
