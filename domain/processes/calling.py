"""Problems of the processes that a definition calls."""

from typing import Any

import msgspec

from domain.language.checking.known import CalledShape
from domain.language.checking.published import called_shape
from domain.language.documents import load_definition
from domain.language.parsed import Parsed, ProcessUse, Spot
from domain.language.parsing import parse_definition
from domain.language.types.inputs import InputSpec, input_spec, value_problems
from domain.language.types.parts import ABSENT
from domain.processes.callees import CallGraph
from domain.processes.process import Process
from domain.refusal import Problem
from domain.words import did_you_mean


def process_problems(parsed: Parsed, calls: CallGraph, severity: str = "error") -> list[Problem]:
    """Return the problems of the processes that a definition calls; `calls` holds them and their callees."""
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


def member_problems(parsed: Parsed, calls: CallGraph, severity: str = "error") -> list[Problem]:
    """Return the problems of what a definition gives to the processes that it calls and reads of their outputs.

    Reads the text again with the versions that would run now.
    """
    called: dict[tuple[str, int | None], CalledShape] = {}
    for use in parsed.processes:
        process, found = calls.process(use.name), calls.resolve(use.name, use.version)
        if process is not None and found is not None and not calls.is_caller(found):
            key = use.name, use.version
            called[key] = called.get(key) or called_shape(process.versions[found[1]].definition)
    if not called:
        return []
    before = {_identity(problem) for problem in parsed.problems}
    return [
        msgspec.structs.replace(each, severity=severity) if each.severity == "error" else each
        for each in parse_definition(parsed.source, called=called).problems
        if each.code != "more_problems" and _identity(each) not in before
    ]


def _identity(problem: Problem) -> tuple[str, str, int | None, int | None, str]:
    return problem.code, problem.path, problem.line, problem.column, problem.message


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
    """Return the problems that are certain before the step runs: given and missing fields, and constants."""
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
