"""Conditions: expressions with a boolean result."""

from dataclasses import dataclass, field

from domain.language.expressions.operators import boolean
from domain.language.expressions.parser import compiled
from domain.language.expressions.paths import ROOTS, Missing, Path
from domain.language.expressions.sources import UNKNOWN, Comparison, Sources, Use
from domain.language.expressions.tokens import tokens_of
from domain.language.expressions.values import Run, Scope


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition ready to be evaluated any number of times; two are equal when their texts are."""

    text: str
    paths: tuple[Path, ...] = field(compare=False)
    _run: Run = field(compare=False, repr=False)
    comparisons: tuple[Comparison, ...] = field(default=(), compare=False)
    uses: tuple[Use, ...] = field(default=(), compare=False)
    sources: Sources = field(default=UNKNOWN, compare=False)
    certain: tuple[Run, ...] = field(default=(), compare=False)

    def evaluate(self, scope: Scope) -> bool:
        """Return whether the condition holds. Raises EvaluationFailed, `not_a_boolean` for any other result."""
        try:
            result = self._run(scope)
        except Missing as missing:
            raise missing.explained() from None
        return boolean(result, 0, "a condition")


def parse_condition(text: str, roots: tuple[str, ...] = ROOTS) -> Condition:
    """Return the condition of a text of at most 4,096 characters. Raises ExpressionProblem.

    roots: the names that its paths may start with.
    """
    whole = compiled(tokens_of(text), marks=True, roots=roots)
    return Condition(text, whole.paths, whole.run, whole.comparisons, whole.uses, whole.operand.sources, whole.certain)
