"""Every event by its stored name. A name is a promise: it is never renamed, reused or removed."""

from domain.agents import events as agents
from domain.alerts import events as alerts
from domain.archive import events as archive
from domain.batches import events as batches
from domain.calendars import events as calendars
from domain.costs import events as costs
from domain.event import Event, stored_events
from domain.executions import state as executions
from domain.inbox import events as inbox
from domain.keys import events as keys
from domain.processes import claims
from domain.processes import events as processes
from domain.roles import events as roles
from domain.schedules import events as schedules
from domain.templates import events as templates
from domain.zone_data import events as zone_data

# Importing a module registers its events.
ROOMS = (
    agents,
    alerts,
    archive,
    batches,
    calendars,
    claims,
    costs,
    executions,
    inbox,
    keys,
    processes,
    roles,
    schedules,
    templates,
    zone_data,
)

EVENTS: dict[str, type[Event]] = stored_events()

STORED_NAMES: dict[type[Event], str] = {kind: name for name, kind in EVENTS.items()}
