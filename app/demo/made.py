"""The processes of the demo that are made from templates: the answers in files, and the drafts that they make."""

from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from app.demo.examples import example_inputs
from app.documents import inside, read_document, read_file
from app.wiring import Wiring
from commands.processes import PublishProcess
from commands.template_uses import UseTemplate
from domain.event import Cause
from domain.identity import process_id
from domain.refusal import Forbidden, Malformed, Problem
from domain.templates.access import TemplateCaller
from edge.references import template_named


class ExampleUse(msgspec.Struct, frozen=True):
    """Answers to a template. name: of the process that is made. inputs: to run it with, one execution each."""

    file: str
    name: str
    template: str
    parameters: dict[str, Any]
    inputs: list[dict[str, Any]]


class UseAnswers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The contents of a file of `made/`."""

    template: str
    parameters: dict[str, Any] = {}


class Made(msgspec.Struct, frozen=True):
    """A process made from a template. new: this call published it."""

    process_id: UUID
    new: bool


def example_uses(folder: Path) -> list[ExampleUse]:
    """Return the processes to make: a file of `made/` has the answers for a process of its name. Raises Malformed."""
    return [_use(file) for file in sorted(folder.glob("made/*.yaml"))]


def _use(file: Path) -> ExampleUse:
    with inside(str(file)):
        document = read_document(read_file(str(file)))
        try:
            answered = msgspec.convert(document.value, UseAnswers)
        except msgspec.ValidationError as error:
            raise Malformed("the answers cannot be read", [Problem("invalid_answers", str(error))]) from None
    inputs = example_inputs(file.parent, file.stem)
    return ExampleUse(str(file), file.stem, answered.template, answered.parameters, inputs)


def make(wiring: Wiring, use: ExampleUse, cause: Cause) -> Made:
    """Make the process from its template, and publish it; one that an earlier demo has published stays as it is."""
    id, caller = process_id(use.name), TemplateCaller(cause.actor, admin=True)
    try:
        command = UseTemplate(template_named(use.template), caller, use.name, None, use.parameters)
        wiring.template_uses.use(command, cause)
    except Forbidden as refusal:
        if refusal.code != "process_name_taken":
            raise
        if wiring.plans.latest(id, fresh=True).process.latest:
            return Made(id, new=False)
    receipt = wiring.processes.publish(PublishProcess(id), cause)
    return Made(id, new=not receipt.duplicate)
