"""Figures of some weeks, written to the rollups as the projection would: executions that ended day by day."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from domain.analytics.measures import APPROVAL, QUEUE, RETRYING, WORKING, ExecutionMeasure, StepMeasure
from domain.executions.events.outcomes import COMPLETED, FAILED
from domain.identity import process_id
from domain.money import Money
from projections.analytics.contributing import TREE, Rollups, key_of
from projections.analytics.spending import SpendingRollups
from projections.origins import Origin
from store.datastore import Datastore

DAYS = 62


def write_days(dsn: str, processes: Mapping[str, tuple[int, int, int]]) -> None:
    """Write the figures of DAYS days before today. processes: name → executions a day, seconds, cents of each."""
    random = Random(13)
    rollups, spending = Rollups(), SpendingRollups()
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(1, DAYS):
        for name, (executions, seconds, cents) in processes.items():
            weekday = (midnight - timedelta(day)).weekday() < 5
            for _ in range(round(executions * (1 if weekday else 0.3) * random.uniform(0.8, 1.2))):
                ended_at = midnight - timedelta(days=day - random.random())
                measure = _measured(random, name, ended_at, seconds, cents)
                rollups.contribute(measure, 1)
                rollups.costs(key_of(measure), TREE, measure.outcome, measure.spent, 1)
                origin = Origin(measure.process_id, name, 1, b"", measure.trigger, None)
                spending.spend(ended_at, origin, origin, Money(measure.spent.amounts["USD"], "USD"), 1)
    datastore = Datastore(dsn)
    with datastore.connect() as connection, connection.transaction():
        rollups.write(connection)
        spending.append(connection)
    datastore.close()


def _measured(random: Random, name: str, ended_at: datetime, seconds: int, cents: int) -> ExecutionMeasure:
    worked, waited = (timedelta(seconds=seconds * random.lognormvariate(0, 0.4)) for _ in range(2))
    queued, retried = timedelta(seconds=random.random()), timedelta(seconds=seconds * 0.05 * random.random())
    measure = ExecutionMeasure(process_id(name).bytes, 1, "manual", None, ended_at - worked - waited - queued - retried)
    measure.at = measure.ended_at = ended_at
    for phase, length in ((WORKING, worked), (APPROVAL, waited), (QUEUE, queued), (RETRYING, retried)):
        measure.phases[phase] = length
    measure.outcome = COMPLETED if random.random() < 0.95 else FAILED
    if measure.outcome == FAILED:
        measure.error_code, measure.failed_step = random.choice(("agent_rate_limited", "step_timed_out")), "draft"
    for step, part in (("read", 0.3), ("draft", 0.7)):
        found = measure.steps[step] = StepMeasure(ended_at)
        found.worked, found.tried, found.completed = worked * part, True, measure.outcome == COMPLETED
        cost = Money(Decimal(cents) * Decimal(round(random.uniform(40, 160))).scaleb(-4), "USD")
        measure.spent.spend(cost)
        measure.step_spent(step).spend(cost)
    return measure
