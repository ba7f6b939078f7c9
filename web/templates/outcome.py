"""The process that answers to a template would make, for the page beside them: steps, roles, how it starts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from markupsafe import Markup

from domain.jsonvalue import JsonValue
from domain.refusal import Forbidden, Malformed, Problem
from domain.templates.references import TemplateReference
from edge.door import Door
from edge.principal import Principal
from edge.templates import TemplateToPreview, preview_template
from queries.templates.views import TemplatePreview
from web.controls import FormControl
from web.templates.shapes import picture_of_text
from web.templates.words import step_words


class OutcomeStep(msgspec.Struct, frozen=True):
    """A step that would be made. by: agents and people who do it; others: who monitors it or is informed."""

    name: str
    type: str
    by: Sequence[str]
    others: Sequence[str]


class OpenProblem(msgspec.Struct, frozen=True):
    """A problem of an answer. at: the id of its field on the page; label: what stands above that."""

    at: str
    label: str
    message: str
    hint: str


class TemplateOutcome(msgspec.Struct, frozen=True):
    """preview: None while answers are missing or wrong. webhooks: those that answer once it is published."""

    preview: TemplatePreview | None
    problems: Sequence[Problem]
    picture: Markup | None = None
    steps: Sequence[OutcomeStep] = ()
    words: str = ""
    webhooks: Sequence[str] = ()


def outcome_of(
    door: Door,
    caller: Principal,
    reference: TemplateReference,
    version: int,
    answers: Mapping[str, JsonValue],
    name: str | None,
    replaced: Mapping[str, str],
) -> TemplateOutcome:
    """Return what the answers would make; nothing is recorded."""
    try:
        request = TemplateToPreview(answers, version, name, replaced)
        preview = preview_template(door, caller, reference, request)
    except Malformed as malformed:
        return TemplateOutcome(None, malformed.problems or [Problem(malformed.code, malformed.message)])
    except Forbidden as refusal:
        return TemplateOutcome(None, [Problem(refusal.code, refusal.message)])
    document: Mapping[str, Any] = preview.definition or {}
    steps: list[Mapping[str, Any]] = document.get("steps", [])
    roles = {each.step: each for each in preview.roles}
    made = [
        OutcomeStep(
            each.get("name") or each["id"],
            each["type"].replace("_", " "),
            [*([each["agent"]] if each.get("agent") else []), *each.get("approvers", [])],
            [*roles[each["id"]].monitors, *roles[each["id"]].informed],
        )
        for each in steps
    ]
    webhooks = [each["id"] for each in document.get("triggers", []) if each.get("type") == "webhook"]
    picture = picture_of_text(preview.yaml, preview.name)
    return TemplateOutcome(preview, [], picture, made, step_words(steps), webhooks)


def open_problems(problems: Iterable[Problem], controls: Iterable[FormControl]) -> list[OpenProblem]:
    """Return the problems, each with the field that it belongs to."""
    listed = list(controls)
    found: list[OpenProblem] = []
    for each in problems:
        control = next((one for one in listed if one.owns(each.path)), None)
        at, label = ("answers", each.path or "The answers") if control is None else (control.id, control.label)
        message = each.message.removeprefix(f"{each.path}: ")
        found.append(OpenProblem(at, label, message, each.hint))
    return found
