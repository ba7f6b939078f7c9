"""Progress bars with rate and time left, for work whose size is known."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

MOMENT_SECONDS = 0.5


class Bar:
    """Shows (done, total) on `console`; nothing without one, and nothing for work that is done in a moment."""

    def __init__(self, text: str, console: Console | None) -> None:
        self._text = text
        self._console = console
        self._begun = time.monotonic()
        self._progress: Progress | None = None

    def show(self, done: int, total: int) -> None:
        """Show that `done` of `total` is done."""
        if self._console is None:
            return
        if self._progress is None:
            if time.monotonic() - self._begun < MOMENT_SECONDS:
                return
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                _Rate(),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )
            self._progress.add_task(self._text, total=total)
            self._progress.start()
        self._progress.update(self._progress.task_ids[0], completed=done, total=total)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()


class _Rate(ProgressColumn):
    """The number a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "")
