"""The anti-corruption layer round APScheduler: an alarm clock, and nothing that would have to survive a restart."""

from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

ALARM = "alarm"


class SchedulerGateway:
    """Rings once at an instant, in a thread of APScheduler's. What it rings for is in the log; it only asks."""

    def __init__(self) -> None:
        self._scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(1)})

    def start(self) -> None:
        """Begin to keep time."""
        self._scheduler.start()

    def ring_at(self, instant: datetime, ring: Callable[[], None]) -> None:
        """Call `ring` at `instant`, at once if it has passed, instead of whenever it was to ring before."""
        self._scheduler.add_job(
            ring, "date", run_date=instant, id=ALARM, replace_existing=True, misfire_grace_time=None, coalesce=True
        )

    def stop(self) -> None:
        """Ring no more."""
        self._scheduler.shutdown(wait=False)
