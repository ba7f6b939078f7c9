"""Every list that appends keep: each append moves them, and operators verify and rebuild them by name."""

from store.lists.due_schedules import DUE_SCHEDULES
from store.lists.due_steps import DUE_STEPS
from store.lists.due_timers import DUE_TIMERS
from store.lists.kept import KeptList
from store.lists.outbox import OUTBOX
from store.lists.running_batches import RUNNING_BATCHES
from store.lists.slots import SLOTS
from store.lists.standing_alerts import STANDING_ALERTS
from store.lists.trees import TREES

LISTS: tuple[KeptList, ...] = (
    DUE_STEPS,
    DUE_TIMERS,
    OUTBOX,
    SLOTS,
    TREES,
    DUE_SCHEDULES,
    STANDING_ALERTS,
    RUNNING_BATCHES,
)
