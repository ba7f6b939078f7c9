"""The process that a template makes with its first sample, or with its defaults."""

from collections.abc import Mapping
from functools import lru_cache

from domain.jsonvalue import JsonValue
from domain.language import Parsed, parse_definition
from domain.templates.answers import check_answers
from domain.templates.substitution import render
from domain.templates.template import Template

KEPT = 64


def sample_process(template: Template) -> Parsed | None:
    """Return the process as parsed; None where an answer is missing."""
    sample: Mapping[str, JsonValue] = template.samples[0] if template.samples else {}
    answers = check_answers(template.parameters, sample)
    if answers.problems:
        return None
    return _parsed(render(template, answers.values, template.name_id).yaml)


@lru_cache(KEPT)
def _parsed(text: str) -> Parsed:
    return parse_definition(text)
