"""The shapes of the input and the outputs of a published process, for the definitions that call it."""

from typing import Any

from domain.language.checking.known import CalledShape, inputs_of, outputs_shape
from domain.language.reading.nodes import Mapping, tree_of


def called_shape(document: dict[str, Any]) -> CalledShape:
    """Return the shapes of a stored document of a definition."""
    root = tree_of(document)
    assert isinstance(root, Mapping)
    return CalledShape(outputs_shape(root, {}, "the process declares no `outputs`"), inputs_of(root))
