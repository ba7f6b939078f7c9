"""Limits of the system and of Python, set before a process begins to work."""

import gc
import logging
import resource

logger = logging.getLogger(__name__)

SPARE_DESCRIPTORS = 256
# States and events are freed by counting references; cycles are few. Python's default of a collection every 700 new
# objects costs a busy worker about a tenth of its time.
ALLOCATIONS_BEFORE_COLLECTION = 50_000


def raise_file_limit(calls: int) -> None:
    """Allow as many open files as `calls` connections need, up to the limit of the system."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * calls + SPARE_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < needed:
        allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        if allowed < needed:
            logger.warning("the system allows %d open files; %d open calls may need %d", allowed, calls, needed)


def collect_seldom() -> None:
    """Exempt every present object from garbage collection, and collect the others less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS_BEFORE_COLLECTION, 20, 50)
