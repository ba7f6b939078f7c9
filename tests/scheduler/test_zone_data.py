"""After another edition of the zone data is installed, next runs are worked out anew, once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import tzdata

from commands.zone_data import adopt_zone_data
from domain.identity import ZONE_DATA, process_id, schedule_id
from domain.schedules.decisions import register_schedule
from domain.schedules.events import ScheduleNextRunChanged
from domain.schedules.rules import terms_of
from domain.schedules.schedule import carry, fold
from domain.zone_data.events import ZoneDataAdopted
from store.lists.due_schedules import DUE_SCHEDULES
from store.unit import Unit

NEXT_EDITION = "2099z"
START = """
import sys
from app.schedules_of_before import adopt_installed_zone_data
from app.wiring import Wiring
from store.datastore import Datastore

with Wiring(Datastore(sys.argv[1], pool_size=2)) as wiring:
    adopt_installed_zone_data(wiring)
"""


def register(installation, trigger, zone):
    id = schedule_id(process_id("plain"), trigger)
    rule = {"type": "schedule", "id": trigger, "cron": "0 9 * * *", "timezone": zone}
    cause = installation.cause
    new = register_schedule(None, process_id("plain"), "plain", 1, rule, {}, cause, terms_of)
    state = fold(None, new)
    installation.log.append(Unit(id, 0, [*new, carry(state, cause)]))
    return id, state


def next_edition(folder: Path) -> Path:
    """Write zone data in which Berlin has the time of Lisbon."""
    package = folder / "tzdata"
    shutil.copytree(Path(tzdata.__file__).parent, package)
    europe = package / "zoneinfo" / "Europe"
    shutil.copyfile(europe / "Lisbon", europe / "Berlin")
    package.joinpath("__init__.py").write_text(f'IANA_VERSION = "{NEXT_EDITION}"\n')
    return folder


def start_with(installation, folder):
    """Do what the start of a worker does about the zone data in `folder`."""
    command = [sys.executable, "-c", START, installation.datastore.dsn]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), os.getcwd()])}
    subprocess.run(command, env=environment, check=True, timeout=120)


def test_next_runs_that_an_update_of_the_zone_data_moves_are_changed_once(installation, tmp_path):
    assert adopt_zone_data(installation.log, "2026a", installation.cause) is None
    berlin, before = register(installation, "berlin", "Europe/Berlin")
    tokyo, _ = register(installation, "tokyo", "Asia/Tokyo")
    first = adopt_zone_data(installation.log, "2026a", installation.cause)
    assert (first.before, first.schedules, first.changed) == ("", 2, 0)
    assert adopt_zone_data(installation.log, "2026a", installation.cause) is None

    folder = next_edition(tmp_path)
    start_with(installation, folder)
    start_with(installation, folder)

    [*_, changed] = installation.log.stream(berlin)
    assert isinstance(changed, ScheduleNextRunChanged)
    assert (changed.before, changed.tzdata, changed.actor) == (before.next_at, NEXT_EDITION, "system:upgrade")
    # In either edition it comes at nine o'clock: an hour later by the time of Lisbon.
    assert (changed.next_at - before.next_at).total_seconds() % 86_400 == 3_600
    assert len(installation.log.stream(berlin)) == 3
    assert len(installation.log.stream(tokyo)) == 2
    adopted = installation.log.stream(ZONE_DATA)
    assert [(type(each), each.tzdata, each.changed) for each in adopted] == [
        (ZoneDataAdopted, "2026a", 0),
        (ZoneDataAdopted, NEXT_EDITION, 1),
    ]
    assert DUE_SCHEDULES.verify(installation.datastore, lambda _done, _all: None).differing == 0
