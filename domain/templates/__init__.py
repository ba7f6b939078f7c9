"""Templates: definitions with typed parameters in them, read, answered, rendered and made from processes."""

from domain.templates.answers import Answers, check_answers
from domain.templates.checking import placeholder_problems, sample_problems
from domain.templates.engine import fits_engine
from domain.templates.parameters import Parameter, Parameters
from domain.templates.printing import print_template
from domain.templates.reading import read_template
from domain.templates.substitution import Rendered, render
from domain.templates.template import Reading, Template

__all__ = [
    "Answers",
    "Parameter",
    "Parameters",
    "Reading",
    "Rendered",
    "Template",
    "check_answers",
    "fits_engine",
    "placeholder_problems",
    "print_template",
    "read_template",
    "render",
    "sample_problems",
]
