"""Limits of the system and of Python, set before a process begins to work."""

import gc
import logging
import resource

logger = logging.getLogger(__name__)

SPARE_DESCRIPTORS = 256
FEWEST_CONNECTIONS = 16
# States and events are freed by counting references; cycles are few. Python's default of a collection every 700 new
# objects costs a busy worker about a tenth of its time, and a busy API a quarter: each full one goes over its modules.
ALLOCATIONS_BEFORE_COLLECTION = 50_000


def raise_file_limit(calls: int, connections: int = 0) -> int:
    """Allow as many open files as `calls` to agents and `connections` of callers need, up to the limit of the system.

    Return the number of connections of callers that there are files for.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * calls + connections + SPARE_DESCRIPTORS
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return connections
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < needed:
        counts = (allowed, calls, connections, needed)
        logger.warning("the system allows %d open files; %d open calls and %d connections may need %d", *counts)
    return max(FEWEST_CONNECTIONS, connections - (needed - allowed))


def collect_seldom(oldest: int = 2) -> None:
    """Exempt every present object from garbage collection, and collect the others less often.

    oldest: of the generations that are collected first. Going over all modules of an API takes 0.1 s, and finds little.
    """
    gc.collect(oldest)
    gc.freeze()
    gc.set_threshold(ALLOCATIONS_BEFORE_COLLECTION, 20, 50)
