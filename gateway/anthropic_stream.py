"""The stream of a message of Anthropic's protocol."""

from typing import Any

from gateway.event_streams import JoinedText
from gateway.failures import AnswerMalformed


class MessageFold:
    """Joins the events of a message: its start reports the input, its last delta the output so far."""

    def __init__(self) -> None:
        self.complete = False
        self._text = JoinedText()
        self._has_text = False
        self._message: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}

    def add(self, event: dict[str, Any]) -> None:
        """Add an event. Raises AnswerMalformed, also for the event of an error."""
        kind = event.get("type")
        if kind == "message_start" and isinstance(message := event.get("message"), dict):
            self._message = {"stop_reason": message.get("stop_reason"), "model": message.get("model")}
            self._count(message.get("usage"))
        elif kind == "content_block_delta" and isinstance(delta := event.get("delta"), dict):
            if delta.get("type") == "text_delta":
                self._has_text = True
                self._text.add(delta.get("text"))
        elif kind == "message_delta":
            if isinstance(delta := event.get("delta"), dict):
                self._message |= delta
            self._count(event.get("usage"))
        elif kind == "message_stop":
            self.complete = True
        elif kind == "error":
            error = event.get("error")
            name = error.get("type") if isinstance(error, dict) else None
            raise AnswerMalformed(f"the stream ended with an error, {str(name)[:60]}")

    def document(self) -> dict[str, Any]:
        """Return the message."""
        blocks = [{"type": "text", "text": str(self._text)}] if self._has_text else []
        return self._message | {"content": blocks, "usage": self._usage or None}

    def _count(self, usage: object) -> None:
        """Take over the counts that are stated; those of a delta are of the whole message."""
        if isinstance(usage, dict):
            self._usage |= {name: value for name, value in usage.items() if value is not None}
