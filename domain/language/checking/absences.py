"""Values that are not there for what a definition states of them, although their paths are right."""

from collections.abc import Mapping as Types
from collections.abc import Set

from domain.language.checking.enclosing import Enclosing
from domain.language.checking.known import KnownShapes
from domain.language.checking.paths import Wrong
from domain.language.checking.shapes import NULL
from domain.language.expressions import Path


def empty_output(path: Path, known: KnownShapes) -> Wrong | None:
    """Return a warning of the whole output of a step whose body declares no outputs."""
    root, name, *rest = (*path.parts, "")
    if root != "steps" or str(name) not in known.bare or rest[:1] != ["output"]:
        return None
    message = f"the steps inside `{name}` declare no `outputs`: a child of it gives an empty object"
    return Wrong("empty_output", message, "add `outputs` to the step", path.offset, "warning")


def null_on_the_way(path: Path, known: KnownShapes, guarded: frozenset[tuple[str | int, ...]]) -> Wrong | None:
    """Return a warning of a member of a value that may be null. guarded: the paths that are compared with null."""
    found = known.root(path)
    # Which errors are null depends on what runs before, and is known elsewhere.
    if found is None or (path.parts[0] == "steps" and path.parts[2:3] == ("error",)):
        return None
    for length in range(found[1], len(path.parts)):
        holder = Path(path.parts[:length], path.offset)
        shape = known.shape(holder)
        if shape is None or shape.kinds is None or NULL not in shape.kinds or holder.parts in guarded:
            continue
        message = f"`{str(holder)[:120]}` may be null, and `{str(path)[:120]}` is not there then"
        hint = shape.hint or "give a fallback: `| default(…)` or `|| …`"
        return Wrong("may_be_null", message, hint, path.offset, "warning")
    return None


def no_payload(path: Path, enclosing: Enclosing | None) -> Wrong | None:
    """Return a warning of a part of the payload, in a process without a webhook or in the body of a step."""
    if path.parts[:2] != ("trigger", "payload") or len(path.parts) < 3:
        return None
    message = "`trigger.payload` is null here: the process has no trigger of the type `webhook`"
    hint = "add the trigger, or read `input`"
    if enclosing is not None:
        message = f"`trigger.payload` is null inside `{enclosing.step}`: that step starts the execution"
        hint = f"map what is needed by the `input_mapping` of `{enclosing.step}`"
    return Wrong("may_be_null", message, hint, path.offset, "warning")


def missing_on_the_way(
    path: Path, known: KnownShapes, distinguishing: Types[tuple[str | int, ...], Set[str | int]]
) -> Wrong | None:
    """Return a warning of a member that its object may lack.

    distinguishing: by object, the members by which conditions distinguish what else it has.
    """
    found = known.root(path)
    for length in range(found[1], len(path.parts)) if found is not None else ():
        holder = Path(path.parts[:length], path.offset)
        shape = known.shape(holder)
        part = path.parts[length]
        if shape is None or part not in shape.optional or distinguishing.get(holder.parts, frozenset()) - {part}:
            continue
        shown = str(Path(path.parts[: length + 1], path.offset))[:120]
        hint = "give a fallback, `| default(…)` or `|| …`, or name it in `required` of the `output_schema`"
        return Wrong("may_be_missing", f"`{shown}` may not be there", hint, path.offset, "warning")
    return None


def undeclared_part(path: Path, known: KnownShapes) -> Wrong | None:
    """Return a notice of an undeclared part of an answer, where the execution fails after all its work."""
    if path.parts[0] != "steps" or path.parts[2:3] != ("output",) or len(path.parts) < 4:
        return None
    answer = known.shape(Path(path.parts[:3], path.offset))
    if answer is None or answer.kinds is not None or answer.members is not None:
        return None
    message = f"the execution fails at its end if `{str(path)[:120]}` is not there: nothing declares that part"
    hint = "give a fallback, `| default(…)`, or the step an `output_schema`"
    return Wrong("may_be_missing", message, hint, path.offset, "notice")
