"""The form of a template as it was filled in: its name, its answers, and the agents that take the place of others."""

import re
from collections.abc import Mapping

import msgspec

from commands.template_uses import usable
from domain.identity import PROCESS_NAME, process_id
from domain.jsonvalue import JsonValue
from domain.refusal import Malformed, Problem
from domain.templates.answers import check_answers
from domain.templates.references import TemplateReference
from domain.templates.template import Template
from edge.door import Door
from edge.principal import Principal
from edge.templates import surroundings_of, template_caller
from gateway.catalogue import release
from queries.templates.detail import get_template
from web.controls import FormControl, problems_at
from web.templates.fields import controls_of, left_out, read_answers

REPLACED = "replace_agents."
NAME_PROBLEM = Problem("invalid_name", "a name has 1 to 64 of a-z 0-9 . _ -, and begins with a letter or digit", "name")


class OpenedTemplate(msgspec.Struct, frozen=True):
    """A template that a form is made from. missing: agents that it names and that are not here."""

    reference: TemplateReference
    version: int
    template: Template
    source: str
    missing: list[str]
    free_name: str


class AnsweredForm(msgspec.Struct, frozen=True):
    """The state of the form. texts: None: nothing was sent. replaced: agents by those that they take the place of.

    suggestion: a free name, where the name is taken. problems: of all of it.
    """

    name: str
    token: str
    texts: Mapping[str, str] | None = None
    answers: dict[str, JsonValue] = {}
    replaced: dict[str, str] = {}
    suggestion: str = ""
    problems: list[Problem] = []

    @property
    def proper_name(self) -> str | None:
        """The name, if a process may have it."""
        return self.name if re.fullmatch(PROCESS_NAME, self.name) else None

    def require(self) -> None:
        """Raise Malformed with every problem, if there is one."""
        if self.problems:
            raise Malformed(self.problems[0].message, self.problems)

    def taken(self, suggestion: str) -> "AnsweredForm":
        """Return the form with a free name to take instead."""
        return msgspec.structs.replace(self, suggestion=suggestion)


class FormControls(msgspec.Struct, frozen=True):
    """The controls of the form. left_out: the names of those that other answers make superfluous."""

    answers: list[FormControl]
    replacements: list[FormControl]

    @property
    def all(self) -> list[FormControl]:
        """Every control."""
        return [*self.answers, *self.replacements]

    @property
    def left_out(self) -> list[str]:
        """The names of the controls that are not shown."""
        return [each.name for each in self.answers if each.left_out]


def opened(door: Door, caller: Principal, reference: TemplateReference, version: int | None) -> OpenedTemplate:
    """Return a template to make a form from. Raises TemplateNotFound, or Forbidden with why it cannot be used."""
    acting, uses = template_caller(caller), door.handlers.template_uses
    found = uses.find(reference, version, acting)
    template = usable(found, release())
    needed = get_template(door.reading, surroundings_of(door), acting, reference, found.version)
    picked = {each.default for each in template.parameters.values() if each.type == "agent"}
    missing = [agent for agent in needed.missing.agents if agent not in picked]
    name = reference.name if caller.sees(reference.name) else ""
    if name and door.handlers.log.existing([process_id(name)]):
        name = uses.free_name(name)
    return OpenedTemplate(reference, found.version, template, found.source, missing, name)


def read_form(found: OpenedTemplate, texts: Mapping[str, str]) -> AnsweredForm:
    """Return the form that the texts of a browser fill in, with every problem."""
    answers = read_answers(found.template.parameters, texts)
    named = ((agent, texts.get(f"{REPLACED}{agent}", "").strip()) for agent in found.missing)
    form = AnsweredForm(
        texts.get("name", "").strip(), texts.get("token", ""), texts, answers, {agent: by for agent, by in named if by}
    )
    problems = [] if form.proper_name else [NAME_PROBLEM]
    problems += check_answers(found.template.parameters, answers).problems
    return msgspec.structs.replace(form, problems=problems)


def controls_for(found: OpenedTemplate, form: AnsweredForm, problems: list[Problem]) -> FormControls:
    """Return the controls of the form with what stands in them. problems: those to show at their fields."""
    parameters = found.template.parameters
    shown = [_about_it(each) for each in problems]
    out = left_out(parameters, check_answers(parameters, form.answers).values)
    hints = ["a-z 0-9 . _ -"]
    name = FormControl(
        "name", "Name of the process", "line", form.name, hints, required=True, problems=problems_at("name", shown)
    )
    texts = form.texts or {}
    replacements = [
        FormControl(
            f"{REPLACED}{agent}",
            f"In place of {agent}",
            "line",
            texts.get(f"{REPLACED}{agent}", ""),
            ["an agent that is here; empty keeps the name"],
            problems=problems_at(f"{REPLACED}{agent}", shown),
            suggested="list-agents",
        )
        for agent in found.missing
    ]
    return FormControls([name, *controls_of(parameters, form.texts, shown, out)], replacements)


def _about_it(problem: Problem) -> Problem:
    """Return a problem that stands at its field: it need not say where that is."""
    message = problem.message.removeprefix(f"{problem.path}: ")
    if problem.path and message.startswith(f"{problem.path} "):
        message = f"this{message.removeprefix(problem.path)}"
    return msgspec.structs.replace(problem, message=message)
