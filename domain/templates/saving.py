"""The document of a template that a process is saved as."""

from collections.abc import Mapping
from typing import Any

import msgspec

from domain.language.editing.changes import EditRefused
from domain.refusal import Malformed, Problem
from domain.templates.needs import Needs, needs
from domain.templates.parametrising import parametrise
from domain.templates.printing import print_template
from domain.templates.reading import read_template
from domain.templates.removal import RemovedSecret
from domain.templates.template import Template


class SavedDocument(msgspec.Struct, frozen=True):
    """The document of a template, to be recorded, and what the template needs.

    removed: the secrets that were taken out. warnings: about it.
    """

    text: str
    needs: Needs
    removed: tuple[RemovedSecret, ...] = ()
    warnings: tuple[Problem, ...] = ()


class TemplateHeading(msgspec.Struct, frozen=True):
    """The part above the process in the document of a template. name: of its id; title: for people."""

    name: str
    title: str
    description: str = ""
    tags: tuple[str, ...] = ()
    category: str = ""


def document_to_save(
    source: str, heading: TemplateHeading, parameters: Mapping[str, Mapping[str, Any]]
) -> SavedDocument:
    """Return the document that a definition is saved as: a placeholder at the place of each parameter and each secret.

    Raises Malformed with every problem of it.
    """
    made = parametrise(source, parameters)
    if made.problems:
        raise Malformed("this process cannot be a template in this way", list(made.problems))
    template = Template(
        name_id=heading.name,
        name=heading.title,
        description=heading.description,
        tags=heading.tags,
        category=heading.category or None,
        engine=None,
        version=1,
        parameters=made.parameters,
        samples=(made.sample,) if made.parameters else (),
        process_text=made.text,
    )
    try:
        text = print_template(template)
    except EditRefused as refused:
        raise Malformed(refused.message, [Problem("not_saved", refused.message)]) from None
    reading = read_template(text)
    if reading.template is None:
        raise Malformed("this process cannot be a template as it is", list(reading.problems))
    return SavedDocument(text, needs(reading.template), made.removed, reading.problems)
