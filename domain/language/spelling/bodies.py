"""The steps of a canonical tree, those of bodies among them: the steps that stand inside a sub_process step."""

from collections.abc import Iterator

from domain.language.reading.nodes import Mapping, Node, Sequence, text_of
from domain.language.types.steps.repetition import DEFAULT_ITEM, ROUND_NAMES

_TYPE = "sub_process"
BODY_FIELDS = ("input", "steps", "outputs")
"""The fields of a step that belong to its body."""


def is_call(step: Node) -> bool:
    """Return whether a node is a step that runs a process, or a body."""
    return isinstance(step, Mapping) and text_of(step.entries.get("type")) == _TYPE


def has_body(step: Node) -> bool:
    """Return whether a step holds steps of its own; its `input`, `steps` and `outputs` are then those of a process."""
    return isinstance(step, Mapping) and is_call(step) and isinstance(step.entries.get("steps"), Sequence)


def steps_of(holder: Mapping) -> list[Mapping]:
    """Return the steps of a process, or of the body that a step holds, without those inside them."""
    steps = holder.entries.get("steps")
    return [step for step in steps.items if isinstance(step, Mapping)] if isinstance(steps, Sequence) else []


def all_steps(holder: Mapping) -> Iterator[Mapping]:
    """Yield every step in the order of the text, each before the steps of its body."""
    for step in steps_of(holder):
        yield step
        if has_body(step):
            yield from all_steps(step)


def item_name(step: Mapping) -> str | None:
    """Return the name of the item of a step with `for_each`; None without one, and for a name that is no text."""
    for_each = step.entries.get("for_each")
    if not isinstance(for_each, Mapping):
        return None
    written = for_each.entries.get("as")
    return DEFAULT_ITEM if written is None else text_of(written)


def own_names(step: Mapping) -> tuple[str, ...]:
    """Return the names that some expressions of a step may begin with, beside those of all expressions."""
    item = item_name(step)
    return (*((item,) if item else ()), *(ROUND_NAMES if "repeat" in step.entries else ()))
