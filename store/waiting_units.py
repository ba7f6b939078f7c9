"""Units that wait for their turn to be appended."""

import threading

from store.unit import StoreError, Unit

Outcome = int | StoreError


class WaitingUnit:
    """A unit that waits, and its outcome. A thread that is woken without an outcome leads next; `leads` states so."""

    __slots__ = ("leads", "outcome", "unit", "woken")

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.leads = False
        self.outcome: Outcome | BaseException | None = None
        self.woken = threading.Event()
