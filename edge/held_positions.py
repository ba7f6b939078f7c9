"""The positions that a request states with their epoch: refused where the log has lost them."""

import re
from functools import partial

import anyio
from starlette.requests import Request

from edge.dependencies import door_of
from queries.epochs import EPOCH_ID, require_held
from queries.paging import LARGEST

STATED = ("min_position", "from_position", "as_of")
# Elsewhere `after` is a version.
AFTER_POSITION = ("/api/events", "/memory")


async def require_held_positions(request: Request) -> None:
    """Raise LogWentBack if the log has lost a position of the query; a malformed one is refused elsewhere."""
    if b"epoch=" not in request.scope["query_string"]:
        return
    given = request.query_params
    epoch, path = given.get("epoch"), request.scope["path"]
    names = (*STATED, "after") if path.endswith(AFTER_POSITION) else STATED
    positions = [int(each) for name in names for each in given.getlist(name) if each.isascii() and each.isdigit()]
    known = [each for each in positions if each <= LARGEST]
    if known and re.fullmatch(EPOCH_ID, epoch or ""):
        await anyio.to_thread.run_sync(partial(require_held, door_of(request).reading.progress, epoch, max(known)))
