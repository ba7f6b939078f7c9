"""Work out the next run of every schedule anew after another edition of the zone data was installed."""

from collections.abc import Iterator
from uuid import UUID

from commands.deciding import persist
from commands.receipt import Receipt
from domain.event import Cause, record
from domain.identity import ZONE_DATA
from domain.schedules.decisions import change_next_run
from domain.schedules.rules import terms_of
from domain.schedules.schedule import Schedule, fold
from domain.zone_data.events import ZoneDataAdopted, edition
from store.carried import read_carried, version_of
from store.lists import due_schedules
from store.log import Log
from store.unit import Unit

PAGE = 200


def adopt_zone_data(log: Log, tzdata: str, cause: Cause) -> ZoneDataAdopted | None:
    """Work out every next run by the edition `tzdata`, and note that; None when it is noted, or there is no schedule.

    A repetition after an error goes on with what is not changed yet. Several processes may do it at once. Raises
    Unavailable.
    """
    before = edition(log.stream(ZONE_DATA))
    if before == tzdata:
        return None
    schedules = changed = 0
    for id, schedule in _schedules(log):
        schedules += 1
        if change_next_run(schedule, tzdata, cause, terms_of):
            changed += _change(log, id, tzdata, cause)
    if not schedules:
        return None
    facts = {"before": before, "schedules": schedules, "changed": changed}
    adopted = record(ZoneDataAdopted, cause, tzdata=tzdata, **facts)

    def attempt() -> Receipt:
        events = log.stream(ZONE_DATA)
        if edition(events) == tzdata:
            return Receipt(ZONE_DATA, 0, duplicate=True)
        return Receipt(ZONE_DATA, log.append(Unit(ZONE_DATA, len(events), [adopted])))

    persist(log, attempt, ZONE_DATA)
    return adopted


def _schedules(log: Log) -> Iterator[tuple[UUID, Schedule]]:
    """Yield every registered schedule, as read once from its last carried state."""
    last = UUID(int=0)
    while True:
        with log.datastore.reading() as connection:
            ids = due_schedules.page(connection, last, PAGE)
            streams = read_carried(connection, ids)
        for id, events in streams.items():
            schedule = fold(None, events)
            if schedule is not None:
                yield id, schedule
        if len(ids) < PAGE:
            return
        last = ids[-1]


def _change(log: Log, id: UUID, tzdata: str, cause: Cause) -> bool:
    """Change the next run of one schedule as it is now; return whether it has another one."""

    def attempt() -> Receipt:
        with log.datastore.reading() as connection:
            events = read_carried(connection, [id]).get(id, [])
        schedule = fold(None, events)
        new = [] if schedule is None else change_next_run(schedule, tzdata, cause, terms_of)
        if not new:
            return Receipt(id, 0, duplicate=True)
        return Receipt(id, log.append(Unit(id, version_of(events), new)))

    return not persist(log, attempt, id).duplicate
