"""Parts of an expression that fail in every execution that works them out: their operands are all written down."""

from collections.abc import Iterator

from domain.language.checking.paths import Wrong
from domain.language.expressions import Budget, Condition, EvaluationFailed, TextTemplate

_MOST_WORK = 1 << 20  # bytes that filters and comparisons go through in the checks of one definition
_BEYOND = "result_too_large"


class Trial(dict[str, object]):
    """The root `execution` of what a check evaluates: all of it has one budget, whatever a definition holds."""

    def __init__(self) -> None:
        super().__init__()
        self.budget = Budget(_MOST_WORK, work=_MOST_WORK)


def certain_failures(text: Condition | TextTemplate, trial: Trial) -> Iterator[Wrong]:
    """Yield a warning for each part of a text that always fails."""
    seen: set[tuple[str, int]] = set()
    for run in text.certain:
        try:
            run({"execution": trial})
        except EvaluationFailed as error:
            if error.code == _BEYOND or (error.message, error.offset) in seen:
                continue
            seen.add((error.message, error.offset))
            message = f"this always fails: {error.message}"
            yield Wrong(error.code, message, error.hint or "", error.offset, "warning")
