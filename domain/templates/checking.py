"""Checks of a template that need all of it: its placeholders, and its samples rendered."""

from collections.abc import Iterator

import msgspec

from domain.jsonvalue import JsonValue
from domain.language.parsing import parse_definition
from domain.refusal import Problem
from domain.templates.answers import check_answers
from domain.templates.parameters import DeclaredParameters
from domain.templates.placeholders import OPENING, Pieces, Surroundings
from domain.templates.places import Value, ValuePlace, keys_of, values_of
from domain.templates.secrets import BY_NAME, find_secrets
from domain.templates.substitution import render, surveyed
from domain.templates.template import Template
from domain.words import did_you_mean

_FORBIDDEN = "a placeholder stands in a value, and not in keys, `id`, `type`, `depends_on`, targets or whole steps"


def placeholder_problems(template: Template) -> list[Problem]:
    """Return a problem for each placeholder that is undeclared, misspelt or stands where none may; and for each
    parameter that nothing uses.
    """
    keys = (key for key in keys_of(template.process_text) if OPENING in str(key.key))
    found = [Problem("placeholder_forbidden", _FORBIDDEN, f"process.{key.path}") for key in keys]
    used: set[str] = set()
    for value in values_of(template.process_text):
        if isinstance(value.value, str) and OPENING in value.value:
            pieces = surveyed(value)
            used.update(hole.name for hole in pieces.placeholders)
            found += _wrong(value, pieces, template.parameters)
    for name in template.parameters:
        reads = f"parameters.{name}"
        if name not in used and not any(reads in (each.when or "") for each in template.parameters.values()):
            message = f"nothing uses the parameter `{name}`"
            found.append(Problem("unused_parameter", message, f"template.parameters.{name}"))
    return found


def sample_problems(template: Template) -> list[Problem]:
    """Return the problems of each sample, and of the definition that it gives; of the defaults where there is none."""
    found: list[Problem] = []
    given = list(template.samples)
    if not given and all(not each.required for each in template.parameters.values()):
        given = [{}]
    if not given:
        message = "without `samples` nothing proves that the template gives a valid definition"
        found.append(Problem("no_sample", message, "template", severity="warning"))
    seen: set[tuple[str, str]] = set()
    for number, sample in enumerate(given):
        answers = check_answers(template.parameters, sample, f"template.samples[{number}]")
        found += answers.problems
        if answers.problems:
            continue
        parsed = parse_definition(render(template, answers.values, template.name_id).yaml)
        for problem in parsed.problems:
            if problem.severity != "notice" and (problem.code, problem.path) not in seen:
                seen.add((problem.code, problem.path))
                found.append(msgspec.structs.replace(problem, path=f"process.{problem.path}".rstrip(".")))
    return found


def secret_problems(document: JsonValue) -> list[Problem]:
    """Return a problem for each secret in the document of a template: an error, or a warning by the name of its key."""
    found: list[Problem] = []
    for secret in find_secrets(document):
        severity = "warning" if secret.kind == BY_NAME else "error"
        message = "this seems to be a secret" if secret.kind == BY_NAME else f"this holds a secret ({secret.kind})"
        hint = f"write a reference, `${{{secret.reference}}}`, or a parameter of type secret"
        found.append(Problem("secret_found", message, secret.path, hint=hint, severity=severity))
    return found


def _wrong(value: Value, pieces: Pieces, parameters: DeclaredParameters) -> Iterator[Problem]:
    path = "process" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in value.path)
    for _ in pieces.wrong:
        hint = "a `$` before a `{{` of an expression is written `$${{`"
        yield Problem("invalid_placeholder", "a placeholder is `${{ parameters.NAME }}`", path, hint=hint)
    if value.place is ValuePlace.FORBIDDEN and pieces.placeholders:
        yield Problem("placeholder_forbidden", _FORBIDDEN, path)
        return
    for hole in pieces.placeholders:
        parameter = parameters.get(hole.name)
        if parameter is None:
            hint = did_you_mean(hole.name, parameters)
            yield Problem("unknown_parameter", f"no parameter `{hole.name}` is declared", path, hint=hint)
        elif hole.member is not None and parameter.type != "money":
            yield Problem(
                "unknown_member", f"only money has `.{hole.member}`, and `{hole.name}` is {parameter.type}", path
            )
        elif value.place is ValuePlace.CONDITION and hole.surroundings is not Surroundings.CODE:
            message = "a placeholder in a condition stands without quotes: its text is written with them"
            yield Problem("placeholder_quoted", message, path)
        elif hole.surroundings is Surroundings.CODE and parameter.type == "object":
            yield Problem("placeholder_forbidden", f"an expression holds no object, and `{hole.name}` is one", path)
