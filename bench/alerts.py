"""W1 whose steps cost something: without thresholds and with them, in turns; and how soon an alert is there."""

import time
from statistics import median, quantiles
from uuid import UUID

from bench.engine import PROJECTOR, WORKER
from bench.rig import CAUSE, Rig, children, now, wait_until
from bench.workloads import AGENT, STEPS, WORKLOADS
from commands.agents import RegisterAgent
from commands.cost_thresholds import SetCostThresholds, WrittenLevel
from commands.executions import StartExecution
from domain.agents.kinds import parse_agent
from domain.identity import process_id

COST = {"amount": "0.0001", "currency": "USD"}
OF_A_RUN, OF_A_WINDOW = "5", ("0.5", "10000")
# An amount that the first cost of each execution of the other process reaches.
LOW = "0.00005"
LISTED = "select raised_at from cost_alert_list where execution_id = %s"
SPENT = """select min((convert_from(state, 'UTF8')::json ->> 'at')::timestamptz) as at from stored_events
where originator_id = %s and topic = 'CostRecorded'"""


def alerts(without: Rig, guarded: Rig, executions: int, rounds: int, runs: int) -> dict[str, float]:
    """Return W1's steps a second without thresholds and with them, and their ratio: medians of `rounds` pairs.

    cpu_…: ms of worker, projector and server a thousand steps. listed_…: ms from the event that reaches an amount to
    the row of its alert, of `runs` executions one after the other.
    """
    for rig in (without, guarded):
        rig.agents.register(RegisterAgent("noop", parse_agent("noop", AGENT | {"cost": COST})), CAUSE)
    levels = [WrittenLevel(amount, "USD", 0.8) for amount in OF_A_WINDOW]
    of_w1 = SetCostThresholds(
        process_id(WORKLOADS["w1"].name), [WrittenLevel(OF_A_RUN, "USD", 0.8)], levels, levels, "Europe/Berlin"
    )
    guarded.cost_thresholds.set(of_w1, CAUSE)
    child = process_id(WORKLOADS["child"].name)
    guarded.cost_thresholds.set(SetCostThresholds(child, [WrittenLevel(LOW, "USD")]), CAUSE)
    rates: dict[Rig, list[float]] = {without: [], guarded: []}
    cpu = dict.fromkeys(rates, 0.0)
    with children(without.dsn, [WORKER, PROJECTOR]) as plain, children(guarded.dsn, [WORKER, PROJECTOR]) as policed:
        beside = {without: plain, guarded: policed}
        for rig in rates:
            _round(rig, 20)
        for n in range(rounds):
            for rig in list(rates)[:: 1 if n % 2 == 0 else -1]:
                before = sum(each.cpu_seconds() for each in beside[rig]) + sum(rig.server_cpu_seconds().values())
                rates[rig].append(_round(rig, executions))
                after = sum(each.cpu_seconds() for each in beside[rig]) + sum(rig.server_cpu_seconds().values())
                cpu[rig] += after - before
        delays = [_delay(guarded, child) for _ in range(runs)]
    thousands = executions * STEPS * rounds / 1000
    return {
        "steps_per_s_without": median(rates[without]),
        "steps_per_s_with": median(rates[guarded]),
        "ratio": median(second / first for first, second in zip(rates[without], rates[guarded], strict=True)),
        "cpu_ms_per_1000_steps_without": cpu[without] * 1000 / thousands,
        "cpu_ms_per_1000_steps_with": cpu[guarded] * 1000 / thousands,
        "listed_p50_ms": median(delays),
        "listed_p95_ms": quantiles(delays, n=20)[18],
    }


def _round(rig: Rig, executions: int) -> float:
    """Return W1's steps a second; the next round begins when all read models have followed."""
    begun = time.perf_counter()
    rig.start("w1", executions)
    rig.wait_idle()
    rate = executions * STEPS / (time.perf_counter() - begun)
    rig.wait_projected()
    return rate


def _delay(rig: Rig, process: UUID) -> float:
    id = rig.executions.start(StartExecution(process, {"n": 1}), now()).stream
    with rig.datastore.connect() as connection:
        wait_until(lambda: connection.execute(LISTED, (id,)).fetchone() is not None)
        listed = now().at
        row = connection.execute(SPENT, (id,)).fetchone()
    assert row is not None
    return float((listed - row["at"]).total_seconds() * 1000)
