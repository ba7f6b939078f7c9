"""Progress of executions: a live table on a terminal, a line a step elsewhere."""

from types import TracebackType
from typing import Self

from rich.live import Live
from rich.text import Text

from app.cli.output import CommandOutput, table_of
from app.cli.wording import status
from domain.executions.events.outcomes import CANCELLED, COMPLETED, FAILED, OPEN, SKIPPED, TIMED_OUT, UNDER_WAY
from domain.executions.state.model import Execution

MARKS = {
    COMPLETED: ("■", "green"),
    SKIPPED: ("·", "dim"),
    FAILED: ("✗", "red"),
    TIMED_OUT: ("✗", "red"),
    CANCELLED: ("✗", "yellow"),
}


class Following:
    """Shows executions; callers pass all of them whenever one may have changed."""

    def __init__(self, output: CommandOutput) -> None:
        self._output = output
        self._live = Live(console=output.screen, auto_refresh=False) if output.live else None
        self._written: dict[str, str] = {}

    def __call__(self, executions: list[Execution]) -> None:
        """Show the executions as they are now."""
        if self._live is not None:
            rows = [(each.plan.name, _marks(each), status(each.status), _under_way(each)) for each in executions]
            self._live.update(table_of(("process", "steps", "status", "now"), rows), refresh=True)
            return
        for each in executions:
            for step, state in list(each.steps.items()):
                if state.status not in OPEN:
                    self._write(f"{each.id}:{step}", f"{each.plan.name}: step {step} {state.status}")
            if each.ended_at is not None:
                self._write(str(each.id), f"{each.plan.name}: {each.status}")

    def _write(self, key: str, line: str) -> None:
        if key not in self._written:
            self._written[key] = line
            self._output.note(line)

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()


def _marks(execution: Execution) -> Text:
    """Return one mark a step, in the order of the definition."""
    marks = Text()
    for step in execution.plan.steps:
        state = execution.steps.get(step)
        if state is None:
            marks.append("□", style="dim")
        elif state.status in OPEN:
            marks.append("▣", style="cyan")
        else:
            mark, style = MARKS[state.status]
            marks.append(mark, style=style)
    return marks


def _under_way(execution: Execution) -> str:
    return ", ".join(step for step, state in execution.steps.items() if state.status in UNDER_WAY)
