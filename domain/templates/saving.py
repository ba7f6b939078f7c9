"""The document of a template that a process is saved as."""

from collections.abc import Mapping
from typing import Any

import msgspec

from domain.language.editing.changes import EditRefused
from domain.refusal import Malformed, Problem
from domain.templates.printing import print_template
from domain.templates.reading import read_template
from domain.templates.template import Template


class SavedDocument(msgspec.Struct, frozen=True):
    """The document of a template, to be recorded. removed: the secrets that were taken out. warnings: about it."""

    text: str
    removed: tuple[Any, ...] = ()
    warnings: tuple[Problem, ...] = ()


class TemplateHeading(msgspec.Struct, frozen=True):
    """The part above the process in the document of a template. name: of its id; title: for people."""

    name: str
    title: str
    description: str = ""
    tags: tuple[str, ...] = ()
    category: str = ""


def document_to_save(source: str, heading: TemplateHeading, parameters: Mapping[str, Any]) -> SavedDocument:
    """Return the document that a definition is saved as. Raises Malformed with every problem of it."""
    template = Template(
        heading.name,
        heading.title,
        heading.description,
        heading.tags,
        heading.category or None,
        None,
        1,
        {},
        (),
        source,
    )
    try:
        text = print_template(template)
    except EditRefused as refused:
        raise Malformed("this process cannot be a template", [Problem("not_saved", refused.message)]) from None
    reading = read_template(text)
    if reading.template is None:
        raise Malformed("this process cannot be a template as it is", list(reading.problems))
    return SavedDocument(text, (), reading.problems)
