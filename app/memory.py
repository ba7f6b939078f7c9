"""The composition of what writes memories of agents to files: entries as an agent's own key shows them."""

from functools import partial
from pathlib import Path

from app.wiring import Wiring
from edge.inbox_contents import masked_inbox
from edge.principal import Principal
from edge.sensitive import SensitiveViews
from gateway.memory import MemoryFolder
from queries.inbox.contents import read_contents
from queries.inbox.page import get_inbox
from queries.inbox.views import InboxPage
from queries.paging import MAX_LIMIT
from queries.sensitive import SensitiveValues
from scheduler.memory import MemoryFiles

ACTOR = "system:memory"


def memory_files(wiring: Wiring, root: Path, largest: int) -> MemoryFiles:
    """Return what follows the inboxes of all agents into the files of a folder."""
    reading = wiring.reading
    masking = SensitiveViews(Principal(ACTOR, frozenset()), SensitiveValues(reading))

    def read(agent: str, cursor: str) -> InboxPage:
        page = get_inbox(reading, agent, cursor=cursor, limit=MAX_LIMIT)
        return masked_inbox(masking, page, partial(read_contents, reading))

    return MemoryFiles(reading, wiring.clock, read, MemoryFolder(root, largest))
