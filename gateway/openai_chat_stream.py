"""The stream of a chat completion."""

from typing import Any

from gateway.event_streams import JoinedText


class ChatFold:
    """Joins the chunks of a chat completion; the last one reports the usage."""

    def __init__(self) -> None:
        self._content, self._refusal = JoinedText(), JoinedText()
        self._reason: Any = None
        self._usage: Any = None
        self._named: dict[str, Any] = {}

    @property
    def complete(self) -> bool:
        """Whether a chunk has stated why the completion ended."""
        return self._reason is not None

    def add(self, event: dict[str, Any]) -> None:
        """Add a chunk. Raises AnswerMalformed."""
        self._named |= {name: event[name] for name in ("model", "service_tier") if event.get(name) is not None}
        if event.get("usage") is not None:
            self._usage = event["usage"]
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if isinstance(choice, dict):
            self._reason = choice.get("finish_reason") or self._reason
            delta = choice.get("delta")
            if isinstance(delta, dict):
                self._content.add(delta.get("content"))
                self._refusal.add(delta.get("refusal"))

    def document(self) -> dict[str, Any]:
        """Return the completion."""
        message = {"content": str(self._content) or None, "refusal": str(self._refusal)}
        return self._named | {"choices": [{"message": message, "finish_reason": self._reason}], "usage": self._usage}
