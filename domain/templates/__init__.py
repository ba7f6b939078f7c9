"""Templates: definitions with typed parameters in them, read, answered, rendered and made from processes."""

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
