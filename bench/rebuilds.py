"""The speed of each projection's rebuild from a log of many executions."""

from statistics import median

from app.process import collect_seldom
from bench.engine import WORKER
from bench.rig import Rig, children
from projections import ALL
from projections.rebuilding import rebuild


def rebuilds(rig: Rig, events: int, rounds: int = 3) -> dict[str, float]:
    """Return events a second, by projection, over a log of at least `events` events of W1; median of `rounds`."""
    with children(rig.dsn, [WORKER]):
        while (there := rig.log.last_position()) < events:
            rig.start("w1", min(2000, (events - there) // 32 + 1))
            rig.wait_idle()
    collect_seldom(oldest=0)  # as every command does
    rates = {}
    for projection in ALL:
        measured = [rebuild(rig.datastore, projection, lambda _done, _total: None) for _ in range(rounds)]
        rates[projection.name] = median(one.events / one.seconds for one in measured)
    return rates
