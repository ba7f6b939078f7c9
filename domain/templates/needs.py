"""The agents, secrets, channels and processes that a template needs, as far as its text and its defaults name them."""

from collections.abc import Iterable
from dataclasses import dataclass

from domain.agents.secret_names import REFERENCE
from domain.jsonvalue import JsonValue
from domain.language.parsing import parse_definition
from domain.language.types.parts import ABSENT
from domain.templates.answers import check_answers
from domain.templates.parameters import Parameter
from domain.templates.substitution import render
from domain.templates.template import Template

# Stands for a name that the user of the template chooses.
_CHOSEN = "chosen-by-the-user-of-the-template"
_CHOSEN_VARIABLE = "CHOSEN_BY_THE_USER_OF_THE_TEMPLATE"
_NAMED = ("agent", "process", "secret")


@dataclass(frozen=True, slots=True)
class Needs:
    """Names, sorted. Names that only answers give are not among them."""

    agents: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()


def needs(template: Template) -> Needs:
    """Return what a template needs before an answer is given."""
    sample = template.samples[0] if template.samples else {}
    answers = {**sample, **{name: each for name, one in template.parameters.items() if (each := _answer(one))}}
    values = check_answers(template.parameters, answers).values
    parsed = parse_definition(render(template, values).yaml)
    references = REFERENCE.findall(template.process_text)
    defaults = [one.default for one in template.parameters.values() if one.type == "secret"]
    references += [name for each in defaults if isinstance(each, str) for name in REFERENCE.findall(each)]
    return Needs(
        agents=_names(each.name for each in parsed.agents if not each.name.startswith("team:")),
        secrets=_names([*(each.name for each in parsed.secrets), *references]),
        channels=_names(each.name for each in parsed.channels),
        processes=_names(each.name for each in parsed.processes),
    )


def _answer(parameter: Parameter) -> JsonValue:
    """Return an answer that stands for any name; null for a parameter that names nothing, or has a default."""
    if parameter.default is not ABSENT:
        return parameter.default if not isinstance(parameter.default, type(ABSENT)) else None
    kind = parameter.items if parameter.type == "array" else parameter.type
    if kind not in _NAMED:
        return None
    name = f"${{{_CHOSEN_VARIABLE}}}" if kind == "secret" else _CHOSEN
    return [name] if parameter.type == "array" else name


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names) - {_CHOSEN, _CHOSEN_VARIABLE}))
