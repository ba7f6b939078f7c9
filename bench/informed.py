"""W1 with a thousand informed agents (W8), in turns with W1 without any; and how soon an entry is there."""

import time
from statistics import median, quantiles

from bench.engine import PROJECTOR, WORKER
from bench.rig import CAUSE, Rig, children, now, wait_until
from bench.workloads import AGENT, STEPS, WORKLOADS
from commands.agents import RegisterAgent
from commands.executions import StartExecution
from domain.agents.kinds import parse_agent
from domain.event import Event, record
from domain.identity import process_id, roles_id
from domain.roles.events import RoleAssigned
from queries.inbox.page import get_inbox
from store.unit import Unit

# The key limits what is read to entries of this execution and later, so that the search costs the same each time.
LISTED = """select count(*) = %s as listed from inbox_entries
where position > %s and execution_id = %s and type = 'StepCompleted'"""
ENDED = """select max((convert_from(state, 'UTF8')::json ->> 'at')::timestamptz) as at from stored_events
where originator_id = %s and topic = 'StepCompleted'"""


def informed(without: Rig, beside: Rig, executions: int, rounds: int, runs: int, agents: int) -> dict[str, float]:
    """Return W1's steps a second without informed agents and with them, and their ratio: medians of `rounds` pairs.

    listed_…: ms from the last step of an execution to its entry, of `runs` executions one after the other. page_…: ms
    of a page of an inbox.
    """
    _inform(beside, agents)
    rates: dict[Rig, list[float]] = {without: [], beside: []}
    with children(without.dsn, [WORKER, PROJECTOR]), children(beside.dsn, [WORKER, PROJECTOR]):
        for rig in rates:
            _round(rig, 20)
        for n in range(rounds):
            for rig in list(rates)[:: 1 if n % 2 == 0 else -1]:
                rates[rig].append(_round(rig, executions))
        delays = [_delay(beside) for _ in range(runs)]
    pages = [_page(beside, f"informed-{n % agents}") for n in range(runs)]
    return {
        "steps_per_s_without": median(rates[without]),
        "steps_per_s_with": median(rates[beside]),
        "ratio": median(second / first for first, second in zip(rates[without], rates[beside], strict=True)),
        "listed_p50_ms": median(delays),
        "listed_p99_ms": quantiles(delays, n=100)[98],
        "page_p50_ms": median(pages),
        "page_p99_ms": quantiles(pages, n=100)[98],
    }


def _inform(rig: Rig, agents: int) -> None:
    """Give each of many agents the role of the informed in each step."""
    id, name = process_id(WORKLOADS["w1"].name), WORKLOADS["w1"].name
    for n in range(agents):
        rig.agents.register(RegisterAgent(f"informed-{n}", parse_agent(f"informed-{n}", AGENT)), CAUSE)
    facts = {"process_id": id, "process": name, "of": "published", "version": 1, "role": "informed"}
    events: list[Event] = [
        record(RoleAssigned, CAUSE, step=f"s{step}", agent=f"informed-{n}", **facts)
        for n in range(agents)
        for step in range(STEPS)
    ]
    stream = roles_id(id)
    rig.log.append(Unit(stream, len(rig.log.stream(stream)), events))


def _round(rig: Rig, executions: int) -> float:
    """Return W1's steps a second; the next round begins when all read models have followed."""
    begun = time.perf_counter()
    rig.start("w1", executions)
    rig.wait_idle()
    rate = executions * STEPS / (time.perf_counter() - begun)
    rig.wait_projected()
    return rate


def _delay(rig: Rig) -> float:
    before = rig.log.last_position()
    id = rig.executions.start(StartExecution(process_id(WORKLOADS["w1"].name), {"n": 1}), now()).stream
    with rig.datastore.connect() as connection:

        def listed() -> bool:
            row = connection.execute(LISTED, (STEPS, before, id)).fetchone()
            return row is not None and bool(row["listed"])

        wait_until(listed)
        seen = now().at
        row = connection.execute(ENDED, (id,)).fetchone()
    assert row is not None
    return float((seen - row["at"]).total_seconds() * 1000)


def _page(rig: Rig, agent: str) -> float:
    begun = time.perf_counter()
    page = get_inbox(rig.reading, agent)
    assert page.items
    return (time.perf_counter() - begun) * 1000
