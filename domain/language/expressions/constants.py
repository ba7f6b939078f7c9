"""The values that the text of an expression states, as operands."""

from domain.language.expressions.operators import in_range
from domain.language.expressions.problems import EvaluationFailed, ExpressionProblem
from domain.language.expressions.sources import STATED, Operand, literal
from domain.language.expressions.tokens import Token
from domain.language.expressions.values import Scope

CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}


def constant(value: object) -> Operand:
    """Return the operand of a value that the text states."""

    def run(scope: Scope) -> object:
        return value

    return Operand(run, literal(value), STATED)


def one(_scope: Scope) -> object:
    """Stand for a number that varies."""
    return 1


def number(token: Token) -> object:
    """Return the number of a token. Raises ExpressionProblem."""
    try:
        value = int(token.value) if token.value.isdigit() else float(token.value)
        return in_range(value, token.offset)
    except (EvaluationFailed, ValueError) as error:
        message = "a whole number fits 64 bits, any other is finite"
        raise ExpressionProblem("number_out_of_range", message, token.offset) from error
