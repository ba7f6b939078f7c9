"""Sub-processes: what has to agree in a step that calls one, and what is wrong with those that are called."""

from collections.abc import Iterator
from typing import Any

from domain.processes.calls import Calls
from domain.processes.inputs import InputSpec, input_spec, value_problems
from domain.processes.language.documents import load_definition
from domain.processes.language.nodes import Mapping, Node, Place, Scalar, Sequence, plain, scalars, text_of
from domain.processes.language.parsed import InputUse, Parsed, ProcessUse, Spot
from domain.processes.language.problems import Problems
from domain.processes.parts import ABSENT
from domain.processes.process import Process
from domain.processes.words import did_you_mean
from domain.refusal import Problem

_TYPE = "sub_process"
# What a step that waits for nothing has no use for.
_WHILE_WAITING = ("output_key", "timeout", "total_timeout", "on_timeout", "retry")


def check_sub_process(step: Mapping, problems: Problems) -> None:
    """A step that does not wait for the process it calls ends at once, and well."""
    wait = step.entries.get("wait")
    if text_of(step.entries.get("type")) == _TYPE and isinstance(wait, Scalar) and wait.value is False:
        for field in _WHILE_WAITING:
            if field in step.entries:
                message = f"`{field}` means nothing with `wait: false`, it is ignored"
                problems.add("unused_field", message, step.keys.get(field, step), severity="warning")


def processes_in(root: Mapping) -> Iterator[ProcessUse]:
    """Every process that a canonical tree calls, as far as it says so in a way that can be read."""
    steps = root.entries.get("steps")
    for step in steps.items if isinstance(steps, Sequence) else ():
        if isinstance(step, Mapping) and text_of(step.entries.get("type")) == _TYPE:
            node, version, mapping = (step.entries.get(key) for key in ("process", "version", "input_mapping"))
            name = text_of(node)
            if node is not None and name:
                yield ProcessUse(
                    name,
                    _version_of(version),
                    tuple(_inputs_in(mapping)),
                    at=_spot(node),
                    version_at=_spot(version or node),
                    inputs_at=_spot(mapping or node),
                )


def process_problems(parsed: Parsed, calls: Calls, severity: str = "error") -> list[Problem]:
    """What is wrong with the processes that a definition calls; `calls` knows them, and those they call in turn."""
    specs: dict[tuple[str, int], InputSpec] = {}
    problems: list[Problem] = []
    for use in parsed.processes:
        process, found = calls.process(use.name), calls.resolve(use.name, use.version)
        if calls.is_caller(found):
            problems.append(_problem("sub_process_cycle", _cycle([use.name, use.name]), use.at, severity))
        elif process is None or found is None:
            problems.append(_unavailable(use, process, calls.names if len(problems) < 100 else [], severity))
        else:
            if found not in specs:
                specs[found] = input_spec(load_definition(process.versions[found[1]].definition)).bare
            problems += _input_problems(use, specs[found], severity)
            if (way := calls.way_back(found)) is not None:
                problems.append(_problem("sub_process_cycle", _cycle(way), use.at, severity))
    return problems


def _version_of(node: Node | None) -> int | None:
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _inputs_in(mapping: Node | None) -> Iterator[InputUse]:
    for name, node in mapping.entries.items() if isinstance(mapping, Mapping) else ():
        depends = any(isinstance(each.value, str) and "{{" in each.value for each in scalars(node))
        yield InputUse(name, ABSENT if depends else plain(node), _spot(node))


def _spot(place: Place) -> Spot:
    return Spot(place.path, place.line, place.column)


def _problem(code: str, message: str, at: Spot, severity: str, hint: str = "") -> Problem:
    return Problem(code, message, at.path, at.line, at.column, hint, severity)


def _unavailable(use: ProcessUse, process: Process | None, names: list[str], severity: str) -> Problem:
    shown = use.name[:64]
    if process is None:
        hint = did_you_mean(use.name, names) or "publish it first"
        return _problem("unknown_process", f"there is no process `{shown}`", use.at, severity, hint)
    if process.status == "archived":
        return _problem("process_archived", f"the process `{shown}` is archived", use.at, severity)
    if not process.latest:
        message = f"the process `{shown}` has no published version"
        return _problem("process_not_published", message, use.at, severity, "publish it first")
    message = f"the process `{shown}` has no version {use.version}"
    return _problem("unknown_version", message, use.version_at, severity, f"the latest one is {process.latest}")


def _input_problems(use: ProcessUse, spec: InputSpec, severity: str) -> list[Problem]:
    """What can be known before it runs: what is given and what is not, and constants."""
    if spec.fields is None:
        return []
    problems: list[Problem] = []
    for given in use.inputs:
        field = spec.fields.get(given.name)
        if field is None:
            message = f"`{use.name[:64]}` takes no input `{given.name[:60]}`"
            hint = did_you_mean(given.name, spec.fields) if len(problems) < 100 else ""
            problems.append(_problem("unknown_child_input", message, given.at, severity, hint))
        elif given.value is not ABSENT and given.value is not None:
            found = value_problems(field, given.value, f"the input `{given.name}` of `{use.name}`")
            problems += [_problem("invalid_child_input", each.message, given.at, severity, each.hint) for each in found]
    mapped: dict[str, Any] = {given.name: given.value for given in use.inputs}
    for name, field in spec.fields.items():
        if field.required and field.default is ABSENT and mapped.get(name) is None:
            message, hint = f"`{use.name}` requires the input `{name}`", "add it to `input_mapping`"
            problems.append(_problem("missing_child_input", message, use.inputs_at, severity, hint))
    return problems


def _cycle(way: list[str]) -> str:
    shown = way if len(way) <= 8 else [*way[:4], "…", *way[-3:]]
    return f"a process may not call itself, be it through others: {' → '.join(shown)}"
