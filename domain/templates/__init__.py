"""Templates: definitions with typed parameters in them, read, answered, rendered and made from processes."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domain.templates.answers import ParameterAnswers, check_answers
    from domain.templates.checking import placeholder_problems, sample_problems
    from domain.templates.engine import fits_engine
    from domain.templates.merge import Merged, merge
    from domain.templates.needs import Needs, needs
    from domain.templates.parameters import DeclaredParameters, Parameter
    from domain.templates.parametrising import Parametrised, parametrise
    from domain.templates.printing import parameter_document, print_template
    from domain.templates.proposals import Proposal, propose
    from domain.templates.reading import read_template
    from domain.templates.removal import RemovedSecret
    from domain.templates.secrets import FoundSecret, find_secrets, random_texts
    from domain.templates.substitution import Rendered, render
    from domain.templates.template import Template, TemplateReading

__all__ = [
    "DeclaredParameters",
    "FoundSecret",
    "Merged",
    "Needs",
    "Parameter",
    "ParameterAnswers",
    "Parametrised",
    "Proposal",
    "RemovedSecret",
    "Rendered",
    "Template",
    "TemplateReading",
    "check_answers",
    "find_secrets",
    "fits_engine",
    "merge",
    "needs",
    "parameter_document",
    "parametrise",
    "placeholder_problems",
    "print_template",
    "propose",
    "random_texts",
    "read_template",
    "render",
    "sample_problems",
]

# Imported when first used: the catalogue of events needs one module, and a command that queries none of these.
_HOMES = {
    "DeclaredParameters": "domain.templates.parameters",
    "FoundSecret": "domain.templates.secrets",
    "Merged": "domain.templates.merge",
    "Needs": "domain.templates.needs",
    "Parameter": "domain.templates.parameters",
    "ParameterAnswers": "domain.templates.answers",
    "Parametrised": "domain.templates.parametrising",
    "Proposal": "domain.templates.proposals",
    "RemovedSecret": "domain.templates.removal",
    "Rendered": "domain.templates.substitution",
    "Template": "domain.templates.template",
    "TemplateReading": "domain.templates.template",
    "check_answers": "domain.templates.answers",
    "find_secrets": "domain.templates.secrets",
    "fits_engine": "domain.templates.engine",
    "merge": "domain.templates.merge",
    "needs": "domain.templates.needs",
    "parameter_document": "domain.templates.printing",
    "parametrise": "domain.templates.parametrising",
    "placeholder_problems": "domain.templates.checking",
    "print_template": "domain.templates.printing",
    "propose": "domain.templates.proposals",
    "random_texts": "domain.templates.secrets",
    "read_template": "domain.templates.reading",
    "render": "domain.templates.substitution",
    "sample_problems": "domain.templates.checking",
}


def __getattr__(name: str) -> object:
    """Return a part of the package, imported now."""
    if name not in _HOMES:
        raise AttributeError(f"{__name__} has no {name}")
    return getattr(import_module(_HOMES[name]), name)
