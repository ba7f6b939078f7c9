"""Parts of an expression that fail in every execution that works them out: their operands are all written down."""

from collections.abc import Iterator

from domain.language.checking.paths import Wrong
from domain.language.expressions import Condition, EvaluationFailed, TextTemplate


def certain_failures(text: Condition | TextTemplate) -> Iterator[Wrong]:
    """Yield a warning for each part of a text that always fails."""
    seen: set[tuple[str, int]] = set()
    for run in text.certain:
        try:
            run({})
        except EvaluationFailed as error:
            if (error.message, error.offset) in seen:
                continue
            seen.add((error.message, error.offset))
            message = f"this always fails: {error.message}"
            yield Wrong(error.code, message, error.hint or "", error.offset, "warning")
