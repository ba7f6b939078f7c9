"""Documents that an answer leaves out because they would make it too large; their events have them."""

from typing import Any

import msgspec

from queries.steps import ReachedStep, StepInput
from store.sizes import FULL_ANSWER

# The documents of steps in one answer, in bytes; most executions are shown whole.
MOST = 2 * FULL_ANSWER
SHORT = 1_024

SQL = f"""case when {{column}} is null or {{size}} <= {MOST} or octet_length({{column}}::text) <= {SHORT}
  then {{column}} else json_build_object('left_out', octet_length({{column}}::text)) end"""
"""A json column, or its size in its place. size: the bytes of the documents up to it."""


class LeftOut(msgspec.Struct, frozen=True):
    """Stands for a document that is left out. left_out: its bytes."""

    left_out: int


class Room:
    """The room for documents in one answer."""

    def __init__(self) -> None:
        self._left = MOST

    def fit_step(self, step: ReachedStep) -> ReachedStep:
        """Return a step without the documents that no longer fit."""
        documents = {name: self.fit(getattr(step, name)) for name in ("message", "parameters", "output", "error")}
        return msgspec.structs.replace(step, **documents)

    def fit_value(self, value: Any) -> Any:
        """Return a value of a view; a document that no longer fits is left out."""
        if isinstance(value, msgspec.Raw):
            return self.fit(value)
        if isinstance(value, StepInput):
            return StepInput(self.fit(value.message), self.fit(value.parameters))
        return value

    def fit(self, document: msgspec.Raw) -> msgspec.Raw:
        """Return the document, or in its place its size if it no longer fits."""
        size = len(bytes(document))
        self._left -= size
        if self._left >= 0 or size <= SHORT:
            return document
        return msgspec.Raw(msgspec.json.encode(LeftOut(size)))
