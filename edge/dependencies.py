"""The dependencies of routes: the door, the database for queries, definitions, the feed."""

from typing import Annotated

from fastapi import Depends, Request

from edge.door import Door
from edge.feed import Feed
from queries.executions import Definitions
from queries.reading import Reading


def door_of(request: Request) -> Door:
    """Return the door of the application that serves `request`."""
    door: Door = request.app.state.door
    return door


# Coroutines, so that FastAPI takes no thread for them.
async def _reading(request: Request) -> Reading:
    return door_of(request).reading


async def _definitions(request: Request) -> Definitions:
    return door_of(request).definitions


async def _feed(request: Request) -> Feed:
    feed: Feed = request.app.state.feed
    return feed


async def _door(request: Request) -> Door:
    return door_of(request)


TheDoor = Annotated[Door, Depends(_door)]
Reads = Annotated[Reading, Depends(_reading)]
Versions = Annotated[Definitions, Depends(_definitions)]
StateChanges = Annotated[Feed, Depends(_feed)]
