"""Analytics: rollups of executions that ended and of costs, from which any window of time is added up."""

from collections.abc import Mapping
from typing import Any

from psycopg import Connection

from domain.analytics.measures import ExecutionMeasure
from domain.analytics.measuring import HANDLERS, begun
from domain.executions.state.cost import differences
from domain.money import Money
from projections.analytics import agent_rows, rows
from projections.analytics.agents import COUNTED, AgentRollups
from projections.analytics.contributing import Rollups
from projections.analytics.kept import KEPT
from projections.analytics.measured import STARTED, measures_of
from projections.analytics.spending import SpendingRollups
from projections.analytics.trees import TreeChanges
from projections.facts import OF_EXECUTIONS, Fact
from projections.projection import Handler, Projection

TABLES = (*rows.TABLES, *agent_rows.TABLES)


class AnalyticsChanges:
    """The facts of a page by execution, in order, and what they spent by the time of the call."""

    __slots__ = ("spending", "streams")

    def __init__(self) -> None:
        self.streams: dict[bytes, list[Fact]] = {}
        self.spending = SpendingRollups()

    def add(self, fact: Fact) -> None:
        """Add a fact of an execution."""
        found = self.streams.get(fact.stream)
        if found is None:
            self.streams[fact.stream] = [fact]
        else:
            found.append(fact)

    def spend(self, fact: Fact, cost: Money, uses: int) -> None:
        """Add an amount to the execution and to its root, at the time of the call."""
        (_, root), (_, own) = fact.line[0], fact.line[-1]
        self.spending.spend(fact.event.called_at or fact.event.at, own, root, cost, uses)


def _cost_recorded(changes: AnalyticsChanges, fact: Fact) -> None:
    changes.add(fact)
    if fact.event.cost is not None:
        changes.spend(fact, fact.event.cost, 1)


def _cost_corrected(changes: AnalyticsChanges, fact: Fact) -> None:
    changes.add(fact)
    for cost in differences(fact.event.before, fact.event.after):
        changes.spend(fact, cost, 0)


_FOLDED = {topic: (COUNTED.get(topic), HANDLERS.get(topic)) for topic in OF_EXECUTIONS}
"""By the stored name of an event, the functions that count and fold it: a fact costs one look-up."""
_SPENT: Mapping[str, Handler[AnalyticsChanges]] = {"CostRecorded": _cost_recorded, "CostCorrected": _cost_corrected}


class AnalyticsProjection(Projection[AnalyticsChanges]):
    """analytics_runs, _run_costs, _steps, _step_costs and _failures by the end of executions; analytics_spending by the
    time of calls; analytics_ended and analytics_spent, of all processes together.

    analytics_answers by the end of attempts, analytics_agent_spending.

    An execution counts once it has ended. A page changes a rollup by the contribution after it minus the one before it,
    so that retries, late costs and corrections move what an earlier page has added.
    """

    name = "analytics"
    tables = tuple(table.name for table in TABLES)
    ddl = "".join(table.ddl for table in TABLES)
    indexes = (*rows.INDEXES, *agent_rows.INDEXES)
    kept = KEPT
    leaving = {rows.TREE_COSTS.name: "root"}
    handlers: dict[str, Handler[AnalyticsChanges]] = {
        **dict.fromkeys(OF_EXECUTIONS, AnalyticsChanges.add),
        **_SPENT,
    }

    def changes(self) -> AnalyticsChanges:
        return AnalyticsChanges()

    def write(self, connection: Connection[Any], changes: AnalyticsChanges) -> None:
        if not changes.streams:
            return
        kept = measures_of(connection)
        measures = kept.before(connection, {stream: facts[0].version for stream, facts in changes.streams.items()})
        rollups, agents, trees = Rollups(), AgentRollups(), TreeChanges()
        for stream, facts in changes.streams.items():
            found = measures.get(stream)
            # An execution of which the log lacks the start counts nowhere: what it is of is not known.
            if found is not None or facts[0].topic == STARTED:
                measures[stream] = _moved(stream, facts, found, rollups, agents, trees)
        absent = trees.roots - measures.keys()
        if absent:
            position = max(facts[-1].position for facts in changes.streams.values())
            measures |= kept.at(connection, absent, position)
        trees.write(connection, measures, rollups)
        rollups.write(connection)
        agents.write(connection)
        changes.spending.append(connection)
        kept.keep(measures)


def _moved(
    stream: bytes,
    facts: list[Fact],
    found: ExecutionMeasure | None,
    rollups: Rollups,
    agents: AgentRollups,
    trees: TreeChanges,
) -> ExecutionMeasure:
    """Return the measure after the facts of a page, and add what they change to `rollups`, `agents` and `trees`."""
    if found is None:
        found, facts = begun(facts[0].event), facts[1:]
    elif found.ended_at is not None:
        rollups.contribute(found, -1)
    before = trees.before(found)
    for fact in facts:
        count, handle = _FOLDED[fact.topic]
        if count is not None:
            count(agents, found, fact)
        found.version = fact.version
        if handle is not None:  # as `measure` does, without a call for each
            handle(found, fact.event)
    trees.after(stream, found, before)
    if found.ended_at is not None:
        rollups.contribute(found, 1)
    return found
