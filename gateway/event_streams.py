"""Server-sent events of models: read as they arrive, and folded into the document that an unstreamed answer is."""

from typing import Any, Protocol

from domain.jsonvalue import parse_json
from domain.refusal import Malformed
from gateway.failures import AnswerMalformed, summary

MEDIA_TYPE = "text/event-stream"
# An event is at most as large as a whole answer that is not streamed.
LARGEST_EVENT = 1 << 20
LARGEST_STREAM = 64 << 20


class StreamFold(Protocol):
    """Joins the events of one stream."""

    @property
    def complete(self) -> bool:
        """Whether the stream came to its own end."""

    def add(self, event: dict[str, Any]) -> None:
        """Add one event. Raises AnswerMalformed."""

    def document(self) -> dict[str, Any]:
        """Return the answer as far as it has come, in the form of one that is not streamed."""


class EventReader:
    """Reads the bytes of a stream into a fold. size: the bytes read so far."""

    def __init__(self, fold: StreamFold) -> None:
        self.fold = fold
        self.size = 0
        self._rest: list[bytes] = []
        self._data: list[bytes] = []
        self._held = 0

    def feed(self, chunk: bytes) -> None:
        """Read further bytes. Raises AnswerMalformed for an event that cannot be read, and for a stream too large."""
        self.size += len(chunk)
        if self.size > LARGEST_STREAM:
            raise AnswerMalformed(f"it is a stream of more than {LARGEST_STREAM} bytes")
        self._held += len(chunk)
        if self._held > 2 * LARGEST_EVENT:
            raise AnswerMalformed(f"it holds an event of more than {LARGEST_EVENT} bytes")
        first, *lines = chunk.split(b"\n")
        self._rest.append(first)
        for line in lines:
            self._line(b"".join(self._rest).removesuffix(b"\r"))
            self._rest = [line]

    def _line(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        elif not line:
            data, self._data, self._held = b"\n".join(self._data), [], 0
            if data and data != b"[DONE]":
                self.fold.add(_object(data))


class JoinedText:
    """Pieces of a text, together at most as large as a whole answer."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0

    def add(self, piece: object) -> None:
        """Add a piece; null adds nothing. Raises AnswerMalformed."""
        if piece is None:
            return
        if not isinstance(piece, str):
            raise AnswerMalformed("a piece of the text in a stream is no text")
        self._size += len(piece)
        if self._size > LARGEST_EVENT:
            raise AnswerMalformed(f"its text is longer than {LARGEST_EVENT} characters")
        self._pieces.append(piece)

    def __str__(self) -> str:
        return "".join(self._pieces)


def _object(data: bytes) -> dict[str, Any]:
    try:
        event = parse_json(data)
    except Malformed as error:
        raise AnswerMalformed(f"an event of the stream: {summary(error)}") from None
    if not isinstance(event, dict):
        raise AnswerMalformed("an event of the stream is not an object")
    return event
