"""Every duty of a worker, in the order in which the dispatcher goes through them."""

from scheduler.abandoning import Abandoning
from scheduler.admitting import Admitting
from scheduler.batches import RunningBatches
from scheduler.claiming import Claiming
from scheduler.duty import Duty
from scheduler.firing import Firing
from scheduler.limiting import Limiting
from scheduler.reacting import Reacting
from scheduler.recording import Recording
from scheduler.scheduling import Scheduling
from scheduler.trying_again import TryingAgain

DUTIES: tuple[type[Duty], ...] = (
    Abandoning,
    Recording,
    Limiting,
    Firing,
    Reacting,
    Scheduling,
    RunningBatches,
    Admitting,
    Claiming,
    TryingAgain,
)
