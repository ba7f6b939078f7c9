"""Where `x-sensitive` stands in an output_schema: only at places that masking reads."""

from domain.language.reading.nodes import Mapping, Node, Sequence, plain
from domain.language.reading.problems import Problems
from domain.language.types.sensitive import misplaced

_HINT = "it is read at the root, and below `properties`, `items` and `additionalProperties`"


def check_sensitive(schema: Mapping, problems: Problems) -> None:
    """Note each `x-sensitive` of a schema that is not read, or is neither true nor false."""
    for place, of_value in misplaced(plain(schema)):
        node: Node = schema
        for part in place:
            if isinstance(node, Mapping) and part in node.entries:
                node = node.entries[part]
            elif isinstance(node, Sequence):
                node = node.items[int(part)]
        if of_value:
            problems.add("wrong_type", "`x-sensitive` is true or false", node)
        else:
            problems.add("sensitive_misplaced", "`x-sensitive` has no effect at this place", node, hint=_HINT)
