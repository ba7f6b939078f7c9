"""An edit of a text: a span of it, and the text that takes its place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces the characters from `start` to `end` by `text`."""

    start: int
    end: int
    text: str

    def applied(self, source: str) -> str:
        """Return the source after the edit."""
        return source[: self.start] + self.text + source[self.end :]
