"""The process that a template makes with its first sample, or with its defaults."""

from functools import lru_cache

from domain.language import Parsed, parse_definition
from domain.templates.answers import check_answers
from domain.templates.needs import Needs, needs
from domain.templates.standing import KEPT, template_of
from domain.templates.substitution import render

KEPT_PROCESSES = 64


@lru_cache(KEPT_PROCESSES)
def sample_process(source: str) -> Parsed | None:
    """Return the process that a document makes, as parsed; None where it makes none, or an answer is missing."""
    template = template_of(source)
    if template is None:
        return None
    answers = check_answers(template.parameters, template.samples[0] if template.samples else {})
    return None if answers.problems else parse_definition(render(template, answers.values, template.name_id).yaml)


@lru_cache(KEPT)
def needs_of_source(source: str) -> Needs:
    """Return what the template of a document needs; nothing for one that cannot be read."""
    template = template_of(source)
    return Needs() if template is None else needs(template)
