"""The two errors of an expression: it cannot be read, or it cannot be evaluated."""


class _Located(Exception):
    """A problem at an offset of a text: `offset` counts characters from the start of that text."""

    def __init__(
        self,
        code: str,
        message: str,
        offset: int = 0,
        hint: str | None = None,
        where: tuple[str | int, ...] = (),
    ) -> None:
        super().__init__(code, message, offset, hint, where)
        self.code = code
        self.message = message
        self.offset = offset
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        return self.message

    def inside(self, *where: str | int) -> None:
        """Add the key or item of the enclosing value that holds the text."""
        self.where = (*where, *self.where)


class ExpressionProblem(_Located):
    """A text that is not an expression or template of this language.

    `code` is one of `expression_syntax`, `expression_too_long`, `expression_too_deep`, `expression_too_large`,
    `number_out_of_range`, `unknown_root`, `unknown_filter`, `filter_arguments`. `where` holds the keys and indexes
    that lead to the text when it was found inside a nested value.
    """


# Codes of EvaluationFailed that name a mistake in an expression.
MISTAKES = frozenset(
    (
        "unknown_path",
        "type_mismatch",
        "not_a_boolean",
        "division_by_zero",
        "number_out_of_range",
        "invalid_argument",
        "result_too_large",
        "result_too_deep",
    )
)


class EvaluationFailed(_Located):
    """An expression that has no value in the scope it was evaluated in.

    `code` is one of `unknown_path`, `type_mismatch`, `not_a_boolean`, `division_by_zero`, `number_out_of_range`,
    `invalid_argument`, `result_too_large`, `result_too_deep`. Messages name paths and types, never values.
    """
