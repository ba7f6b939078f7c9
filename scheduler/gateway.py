"""The anti-corruption layer around APScheduler: alarms, none of which needs to survive a restart."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler


class SchedulerGateway:
    """Implements `scheduler.alarms.Alarms`, in a thread of APScheduler's. The facts behind an alarm are in the log."""

    def __init__(self) -> None:
        self._scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(1)})
        self._guard = threading.Lock()
        self._stopped = False

    def start(self) -> None:
        """Begin to keep time."""
        self._scheduler.start()

    def ring_at(self, name: str, instant: datetime, ring: Callable[[], None]) -> None:
        """Call `ring` at `instant`, at once if it has passed, in place of an earlier alarm of this `name`."""
        with self._guard:
            if not self._stopped:
                self._scheduler.add_job(
                    ring,
                    "date",
                    run_date=instant,
                    id=name,
                    replace_existing=True,
                    misfire_grace_time=None,
                    coalesce=True,
                )

    def stop(self) -> None:
        """Ring no more."""
        # APScheduler's thread fails if it is shut down while it takes an alarm that is due off its list. Here it waits
        # for that thread, and leaves it none to take off.
        with self._guard:
            self._stopped = True
            self._scheduler.remove_all_jobs()
        self._scheduler.shutdown(wait=False)
