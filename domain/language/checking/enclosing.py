"""The surroundings of a body: what its expressions do not see, and how the step that holds it gives that to them."""

from collections.abc import Container
from dataclasses import dataclass

from domain.language.checking.paths import Wrong
from domain.language.expressions import ROOTS, Path
from domain.language.types.steps.repetition import ROUND_NAMES


@dataclass(frozen=True, slots=True)
class Enclosing:
    """A step that holds a body, and what its own expressions see.

    step: its id. steps, inputs: the names of the steps beside it, and of the input there (None for any). names: those
    that some of its expressions begin with; item: that of its item. given: the fields of the body's input, None for
    any. within: the same of the body that holds this step.
    """

    step: str
    steps: Container[str]
    inputs: Container[str] | None
    names: tuple[str, ...]
    item: str | None
    given: Container[str] | None
    within: "Enclosing | None" = None

    @property
    def all_names(self) -> tuple[str, ...]:
        """The names of this step and of all around it; no expression of the body may begin with one."""
        return self.names if self.within is None else (*self.names, *self.within.all_names)

    def unseen(self, path: Path) -> Wrong | None:
        """Return the mistake of a path of the body that leads out of it; None if nothing outside has that name."""
        root, *rest = path.parts
        first = str(rest[0]) if rest else ""
        if root in ROOTS:
            beside = first in (self.steps if root == "steps" else self.inputs or ())
        else:
            beside = root in self.names
        if not beside and (self.within is None or self.within.unseen(path) is None):
            return None
        message = f"`{str(path)[:120]}` is outside: the steps of `{self.step}` see their own input and steps alone"
        return Wrong("not_in_body", message, self._remedy(path, beside), path.offset)

    def _remedy(self, path: Path, beside: bool) -> str:
        root, shown = path.parts[0], str(path)[:120]
        if root == self.item and self.given is not None and root in self.given:
            return f"read `input.{shown}`"
        name = _field_for(path)
        if not beside:
            return f"map it in each step around this one, by its `input_mapping`, and read `input.{name}`"
        field = "carry" if root in ROUND_NAMES and root in self.names else "input_mapping"
        return f'map it in `{self.step}`: `{field}: {{{name}: "{{{{ {shown} }}}}"}}`, and read `input.{name}`'


def _field_for(path: Path) -> str:
    """Return a name for the input field of a body that takes the value of a path."""
    names = [part for part in path.parts if isinstance(part, str)]
    return names[1] if names[0] == "steps" and 1 < len(names) <= 3 else names[-1]
