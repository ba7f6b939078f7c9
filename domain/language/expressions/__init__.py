r"""The language of conditions and templates, parsed once to functions that are evaluated many times.

A condition is one expression; a template is text with expressions in `{{ … }}`. From loosest to tightest:

    or                                          booleans only; the right side is not evaluated when the left decides
    and                                         binds tighter than `or`
    not
    == != < <= > >= in contains                 do not chain; number with text is an error; null only by == and !=
    ||                                          left if it resolves and is not null, else right
    + -                                         numbers only
    * /                                         whole quotients of ints stay ints, others are floats
    - (sign)
    | filter   | filter(argument)   | filter:argument

- A path starts at `input`, `steps`, `execution`, `process` or `trigger`, and goes on with `.name`, `[0]`, `['key']`.
  Names may contain hyphens, so `a-b` is one name, and **subtraction needs spaces**: `input.a - input.b`.
- A text that is one JSON object, alone or in its only fenced block, can be entered by path; by itself it stays text.
- Literals: `'…'` or `"…"` with `\\ \' \" \n \t`, numbers (`1` is an int, `1.5` a float), `true`, `false`, `null`,
  lists. Decimals come from the scope alone and stay decimals; beside one, a float counts as the decimal it prints.
- Filters: `default(x)`, `json`, `length`, `upper`, `lower`, `trim`, `truncate(n)` (n characters with the final `…`),
  `join(sep)`, `round(n)` (half away from zero; `round` alone gives an int), `first`, `last` (null when empty), `keys`.
- Unknown paths are errors unless `default` or `||` catches them. A literal `{{` in a template is `{{ '{{' }}`.
- Limits: 4,096 characters, 256 nodes and 32 levels an expression; 65,536 characters a template; 1 MiB a text result.
  All that is rendered for one step, or for the outputs, is 1 MiB of JSON together; the operator may set another bound.
  Filters and comparisons of one step go through 64 MiB of text and lists together.
"""

from domain.language.expressions.conditions import Condition, parse_condition
from domain.language.expressions.json_text import json_object_in
from domain.language.expressions.paths import ROOTS, Path, written
from domain.language.expressions.problems import MISTAKES, EvaluationFailed, ExpressionProblem
from domain.language.expressions.sources import Comparison, Constant, Source, Sources, Use
from domain.language.expressions.templates import TextTemplate, ValueTemplate, parse_template, parse_value
from domain.language.expressions.values import JSON, LARGEST_RESULT, Budget, Scope, printed

__all__ = [
    "JSON",
    "LARGEST_RESULT",
    "MISTAKES",
    "ROOTS",
    "Budget",
    "Comparison",
    "Condition",
    "Constant",
    "EvaluationFailed",
    "ExpressionProblem",
    "Path",
    "Scope",
    "Source",
    "Sources",
    "TextTemplate",
    "Use",
    "ValueTemplate",
    "json_object_in",
    "parse_condition",
    "parse_template",
    "parse_value",
    "printed",
    "written",
]
