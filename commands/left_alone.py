"""Streams that this process cannot read, such as those of a newer release: left to others, and logged once."""

import logging
from collections import OrderedDict
from uuid import UUID

from store.mapper import UnknownEvent

logger = logging.getLogger(__name__)

MOST = 10_000  # the oldest are forgotten, and may be logged again


class LeftAlone:
    """The streams left alone so far. Not shared between threads."""

    def __init__(self) -> None:
        self._streams: OrderedDict[UUID, None] = OrderedDict()

    def add(self, stream: UUID, what: str, error: Exception) -> None:
        """Leave `stream` alone; log it with the `error` the first time. what: the kind of stream, for the log line."""
        if stream not in self._streams:
            # An event of a newer release is no fault of this one.
            trace = None if isinstance(error, UnknownEvent) else error
            logger.warning("%s %s cannot be read here and is left alone: %s", what, stream, error, exc_info=trace)
            self._streams[stream] = None
            if len(self._streams) > MOST:
                self._streams.popitem(last=False)

    def discard(self, stream: UUID) -> None:
        """Forget `stream`: this process has read it."""
        self._streams.pop(stream, None)

    def __len__(self) -> int:
        """Return how many streams are left alone."""
        return len(self._streams)

    def __contains__(self, stream: UUID) -> bool:
        """Return whether `stream` is left alone."""
        return stream in self._streams
