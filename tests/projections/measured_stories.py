"""Histories of executions from simulations: at another pace, and with costs at any time."""

import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from msgspec.structs import asdict, replace

from domain.agents.calls import Usage
from domain.event import Event
from domain.executions.events.cost import CostCorrected, CostRecorded
from domain.executions.events.execution import ExecutionStarted
from domain.money import Money
from tests.projections.stories import BEGIN, Happened

SIMULATION = str(Path(__file__).parents[1] / "simulation")
SEEDS = 8
AMOUNTS = (None, Decimal(0), Decimal("0.0049"), Decimal("1.50"), Decimal("7E+2"))
LARGE = {"text": "nul \0 in it" + "ä" * 40_000}


@cache
def simulated(seed: int, executions: int) -> Any:
    """Return a few executions of random processes with everything that can go wrong; see tests/simulation."""
    if SIMULATION not in sys.path:
        sys.path.insert(0, SIMULATION)
    from simulated_world import World

    world = World(seed, executions=executions)
    world.run()
    return world


class MeasuredStory:
    """The first events of the executions of a simulation, and further costs. happened: all, in the order of a log."""

    def __init__(self, seed: int, events: int, executions: int = 8) -> None:
        self._random = Random(seed)
        self._pace = self._random.choice((1, 61, 997))
        self._versions: Counter[UUID] = Counter()
        self._numbers: defaultdict[UUID, list[int]] = defaultdict(list)
        self._costs: dict[tuple[UUID, int], tuple[str, Money | None]] = {}
        self.happened: Happened = []
        world = simulated(seed % SEEDS, executions)
        recorded = [(each.stream, event) for each in world.store.recorded for event in each.events]
        for execution, event in [each for each in recorded if each[0] in {*world.ids}][:events]:
            self._record(execution, self._moved(execution, event))
            self._numbers[execution].append(self._versions[execution])
            if self._random.random() < 0.15:
                self._spend(self._random.choice(list(self._versions)))

    def _record(self, execution: UUID, event: Event) -> None:
        self._versions[execution] += 1
        self.happened.append((execution, event))

    def _moved(self, execution: UUID, event: Event) -> Event:
        """Return an event at its place in this history; an execution at times starts with a large input."""
        new: dict[str, Any] = {
            name: BEGIN + timedelta(hours=23, minutes=50) + (value - BEGIN) * self._pace
            for name, value in asdict(event).items()
            if isinstance(value, datetime)
        }
        if isinstance(event, CostCorrected):
            new["recorded"] = self._numbers[execution][event.recorded - 1]
        if isinstance(event, ExecutionStarted) and self._random.random() < 0.1:
            new["input"] = LARGE
        return replace(event, **new)

    def _spend(self, execution: UUID) -> None:
        """Record a cost, also after the end, or correct one."""
        random, at = self._random, self.happened[-1][1].at
        amount = random.choice(AMOUNTS)
        cost = None if amount is None else Money(amount, random.choice(("USD", "USD", "EUR")))
        facts: dict[str, Any] = {"at": at, "actor": "user:ann", "attempt": 1}
        found = [key for key in self._costs if key[0] == execution]
        if found and random.random() < 0.4:
            key = random.choice(found)
            step, before = self._costs[key]
            facts |= {"recorded": key[1], "before": before, "after": cost, "called_at": at}
            self._record(execution, CostCorrected(step=step, **facts))
        else:
            step, key = f"s{random.randrange(4)}", (execution, self._versions[execution] + 1)
            usage = Usage(3, 2) if cost is None or random.random() < 0.5 else None
            facts |= {"agent": random.choice(("echo", "writer")), "usage": usage, "cost": cost}
            self._record(execution, CostRecorded(step=step, called_at=random.choice((None, BEGIN)), **facts))
        self._costs[key] = step, cost
