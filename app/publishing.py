"""From the text of a definition to a published version, in one go and safe to repeat."""

import msgspec

from app.wiring import Wiring, operator
from commands.processes import DraftProcess, PublishProcess, ReviseProcess
from domain.identity import process_id
from domain.language import parse_definition
from domain.refusal import Forbidden, Malformed, Problem
from domain.templates.importing import named


class PublishedVersion(msgspec.Struct, frozen=True):
    """The version that is published under a name. new: this call made it. warnings: warnings and notices about it.

    problems: the same.
    """

    process_id: str
    name: str
    version: int
    new: bool
    position: int
    problems: list[Problem]
    warnings: list[Problem]


def publish_source(
    wiring: Wiring, given: bytes, *, strict: bool = False, named_as: str | None = None
) -> PublishedVersion:
    """Draft or revise the process that a text names, and publish it; an unchanged text records nothing.

    strict: warnings are errors. named_as: the name beside the text, in the place of older placeholders.
    Raises Malformed with every problem, before anything is recorded, or Forbidden when the process is archived.
    """
    source = named(given, named_as)
    problems = wiring.processes.validate(source, strict=strict)
    name = parse_definition(source).name
    errors = sum(problem.severity == "error" for problem in problems)
    if errors or name is None:
        raise Malformed(f"{name or 'the definition'} has {errors} error(s) and is not published", problems)
    process = process_id(name)
    cause = operator("cli:publish")
    try:
        wiring.processes.draft(DraftProcess(source), cause)
    except Forbidden as taken:
        if taken.code != "process_name_taken":
            raise
        wiring.processes.revise(ReviseProcess(process, source), cause)
    receipt = wiring.processes.publish(PublishProcess(process, strict=strict), cause)
    return PublishedVersion(
        str(process), name, receipt.facts["version"], not receipt.duplicate, receipt.position, problems, problems
    )
