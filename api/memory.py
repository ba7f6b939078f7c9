"""The memory of an agent: every entry of its inbox, line by line, as a feed that only grows."""

from typing import Annotated

import anyio
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api import openapi
from api.answers import encode
from edge.admitted import Caller, Masking
from edge.dependencies import StateChanges, TheDoor
from edge.inbox import InboxReader, require_inbox
from edge.parameters import Fresh, Position
from edge.references import agent_named
from edge.scopes import READ_INBOX
from queries.inbox.views import InboxPlace
from queries.paging import MAX_LIMIT

MOST_LINES = 1_000
NDJSON = "application/x-ndjson"

router = APIRouter(prefix="/agents/{name}/memory", tags=["agents"])


class MemoryParameters(Fresh):
    """cursor: of the answer before. after: a position of the log instead. limit: of lines."""

    cursor: Annotated[str, Field(max_length=300)] | None = None
    after: Position = 0
    limit: Annotated[int, Field(ge=1, le=MOST_LINES)] = MOST_LINES


_DESCRIBED = openapi.query(str, 404, 409, permission=READ_INBOX, listed=True)
_DESCRIBED["responses"][200] = {
    "description": "A line of JSON for each entry, as in the inbox. `Procession-Cursor` goes on after the last one; an "
    "answer without lines is the end, for now.",
    "content": {NDJSON: {"schema": {"type": "string"}}},
    "headers": {"Procession-Cursor": {"schema": {"type": "string"}}},
}


@router.get("", summary="An agent's memory", **_DESCRIBED)
async def memory(
    name: str,
    door: TheDoor,
    feed: StateChanges,
    caller: Caller,
    masking: Masking,
    given: Annotated[MemoryParameters, Query()],
) -> Response:
    """Return the entries after a cursor, acknowledged or not, as lines of JSON."""
    require_inbox(caller, agent_named(name))
    reader = InboxReader(door, feed, caller, masking, name, delivers=False)
    cursor = given.cursor or InboxPlace(given.after, epoch=door.reading.epoch).cursor
    lines: list[bytes] = []
    while len(lines) < given.limit:
        limit = min(MAX_LIMIT, given.limit - len(lines))
        page = await reader.read(cursor=cursor, limit=limit, min_position=given.min_position)
        lines += [encode(each) + b"\n" for each in page.items]
        cursor = page.cursor
        await anyio.sleep(0)
        if not page.has_more:
            break
    return Response(b"".join(lines), media_type=NDJSON, headers={"Procession-Cursor": cursor})
