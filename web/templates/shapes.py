"""The process that a template makes with its sample answers, as a picture: small for a card, whole for its page."""

from functools import lru_cache

from markupsafe import Markup

from domain.identity import process_id
from domain.language import definition_document, parse_definition
from domain.language.types.definition import Definition
from domain.processes.plan import compile_plan
from domain.templates.samples import sample_process
from web.drawings.thumb import thumb
from web.processes.bodies import edges_of
from web.processes.drawing import drawing_of_definition

NOBODY = process_id("draft")
KEPT = 128


@lru_cache(KEPT)
def thumb_of(source: str) -> Markup | None:
    """Return the shape of what a document makes; None for one that makes nothing."""
    definition = _sample(source)
    if definition is None:
        return None
    plan = compile_plan(definition, NOBODY, 0)
    edges = tuple(edges_of(plan))
    return thumb(tuple((step["id"], step["type"]) for step in definition_document(definition)["steps"]), edges)


def picture_of(source: str, name: str) -> Markup | None:
    """Return the diagram of what a document makes; None for one that makes nothing."""
    definition = _sample(source)
    return None if definition is None else drawing_of_definition(NOBODY, definition, name)


def picture_of_text(text: str, name: str) -> Markup | None:
    """Return the diagram of a definition; None while it has errors."""
    definition = parse_definition(text).definition
    return None if definition is None else drawing_of_definition(NOBODY, definition, name)


def _sample(source: str) -> Definition | None:
    parsed = sample_process(source)
    return None if parsed is None else parsed.definition
