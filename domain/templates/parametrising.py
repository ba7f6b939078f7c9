"""Makes a template of a definition: placeholders in the places of values, secrets removed, the rest as written."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.jsonvalue import JsonValue
from domain.language.editing.changes import EditRefused
from domain.language.editing.edits import document_of
from domain.refusal import Problem
from domain.templates.declaring import declare
from domain.templates.filling import refilled
from domain.templates.openings import Openings
from domain.templates.parameters import Parameter
from domain.templates.removal import RemovedSecret, comments_without_secrets, remove_secrets

LOCATING = ("path", "text")


@dataclass(frozen=True, slots=True)
class Parametrised:
    """The result: text with placeholders, its parameters, and `sample`, the answers that give the definition again.

    removed: the secrets that the text no longer holds. problems: if there are any, the text is not to be kept.
    """

    text: str
    parameters: dict[str, Parameter]
    sample: dict[str, JsonValue]
    removed: tuple[RemovedSecret, ...]
    problems: tuple[Problem, ...]


def parametrise(text: str, parameters: Mapping[str, Mapping[str, JsonValue]]) -> Parametrised:
    """Return the text of a definition with a placeholder at each `path`, or for each `text` at a path.

    A path is one or a list of them. Each parameter has the fields of a declaration beside. A secret becomes a parameter
    of that type, which no answer has yet; its sample is a reference.
    """
    try:
        document = document_of(text)
    except EditRefused as refused:
        return Parametrised(text, {}, {}, (), (Problem("unreadable_definition", refused.message),))
    problems: list[Problem] = []
    fields = {
        name: {key: value for key, value in each.items() if key not in LOCATING} for name, each in parameters.items()
    }
    declared = declare(fields, problems)
    openings = Openings(text, document, problems)
    removed = remove_secrets(openings, document, declared, parameters)
    for name, each in parameters.items():
        if name in declared:
            openings.open(name, declared[name], each.get("path"), each.get("text"))
    if problems:
        return Parametrised(text, declared, {}, tuple(removed), tuple(problems))
    filled, expected = refilled(text, openings.fills())
    cleaned, in_comments = comments_without_secrets(filled)
    if in_comments and not _holds(cleaned, expected):
        found = Problem("secret_in_comment", "a comment holds a secret, and cannot be left out by itself")
        return Parametrised(text, declared, {}, tuple(removed), (found,))
    return Parametrised(cleaned, declared, openings.sample, (*removed, *in_comments), ())


def _holds(text: str, expected: JsonValue) -> bool:
    try:
        return document_of(text) == expected
    except EditRefused:
        return False
