"""Verification: clean for whatever the log holds, and not fooled by a row that was touched."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.agents.calls import Usage
from domain.agents.events import AgentRegistered
from domain.alerts.events import AlertCrossing, CostAlertRaised, CostThresholdSet, ThresholdLevel
from domain.batches.events import BatchFrozen
from domain.executions.events.approval import ApprovalRequested
from domain.executions.events.cost import CostRecorded
from domain.executions.events.execution import ExecutionCompleted
from domain.identity import KEYS_ID, agent_id, process_id, roles_id, schedule_id, template_id
from domain.keys.events import KeyCreated
from domain.processes.events import ProcessDrafted, ProcessPublished
from domain.processes.lineage import Lineage
from domain.roles.events import RoleAssigned, RoleRevoked
from domain.schedules.events import ScheduleFired, ScheduleRegistered
from domain.templates.events import TemplatePublished
from projections import ALL
from projections.execution_list import ExecutionList
from projections.verifying import NotBuilt, verify
from tests.projections.releases import project, quiet
from tests.projections.stories import BEGIN

X, Y, ENDED = UUID(int=1), UUID(int=2), UUID(int=9)
THRESHOLDS, ALERT = UUID(int=80), UUID(int=81)
TAMPERING = {
    "execution_list": "update execution_list set steps_done = steps_done + 1 where execution_id = '{x}'",
    "execution_detail": "update execution_steps set message = '\"other\"' where execution_id = '{x}' and step = 'a'",
    "process_catalogue": "update process_catalogue set failed = 7",
    "batches": "update batches set reason = 'other'",
    "approvals": "update approvals set status = 'granted' where execution_id = '{x}'",
    "agent_directory": "update agent_directory set config = '{{}}'",
    "key_list": "update key_list set prefix = 'other'",
    "process_references": "update process_references set position = 0",
    "schedules": "update schedule_list set failures = 7",
    "cost_ledger": "update cost_ledger set unpriced = 7",
    "cost_alerts": "update cost_alert_list set unpriced = 7",
    "costs": "update call_costs set amount = 7",
    "process_days": "update process_days set completed = 7",
    "analytics": "update analytics_runs set completed = 7 where grain = 60",
    "InformedAgentNotifier": "update inbox_entries set outcome = 'failed'",
    "occurrences": "update schedule_occurrences set outcome = 'missed'",
    "templates": "update template_list set shared_with = 'organisation'",
    "template_uses": "update template_uses set template_version = 7",
    "roles": "update role_intervals set until_position = null where agent = 'w'",
}


@pytest.fixture
def projected(read_tables, append, story):
    story.tell(process_id("p"), ProcessDrafted, name="p", source="s", lineage=Lineage("org:t", 1))
    story.tell(template_id("t"), TemplatePublished, name="t", source="s", title="T", process="p")
    named = {"name": "p", "steps": [{"id": "a", "agent": "w"}]}
    story.tell(process_id("p"), ProcessPublished, name="p", version=1, source="s", definition=named)
    role = {"process_id": process_id("p"), "process": "p", "of": "published", "step": "a", "role": "executor"}
    story.tell(roles_id(process_id("p")), RoleAssigned, agent="w", **role)
    story.tell(roles_id(process_id("p")), RoleRevoked, agent="w", **role)
    story.tell(agent_id("a"), AgentRegistered, name="a", kind="scripted", config={"kind": "scripted"})
    asked = {"approval_id": f"{X}:ask:1", "process_id": process_id("p"), "process": "p", "title": "May it?"}
    made = {"key_id": UUID(int=3), "digest": "d", "prefix": "pp_abcd", "scopes": ["read"]}
    story.tell(KEYS_ID, KeyCreated, name="ann", **made)
    tick = schedule_id(process_id("p"), "tick")
    of_tick = {"process_id": process_id("p"), "process": "p", "trigger_id": "tick", "version": 1}
    story.tell(tick, ScheduleRegistered, rule={"id": "tick"}, anchor=BEGIN, since=BEGIN, **of_tick)
    story.tell(tick, ScheduleFired, scheduled_at=BEGIN, version=1, execution_id=UUID(int=70), lateness=0.5)
    frozen = {"act": "cancel", "filter": {"process": ["p"]}, "count": 1, "processes": ["p"], "as_of_position": 1}
    story.tell(UUID(int=4), BatchFrozen, expires_at=datetime(2026, 1, 2, tzinfo=UTC), **frozen)
    used = Usage(input_tokens=3, output_tokens=2)
    story.start(X).tell(X, CostRecorded, step="a", attempt=1, agent="a", usage=used, model="m")
    levels = [ThresholdLevel(Decimal(5), "USD")]
    rule = {"process_id": process_id("p"), "process": "p", "kind": "daily", "source": "command"}
    story.tell(THRESHOLDS, CostThresholdSet, levels=levels, **rule)
    reached = {"amount": Decimal(5), "limit": Decimal(5), "before": Decimal(4), "after": Decimal(6)}
    crossing = AlertCrossing(9, X, "a")
    facts = {"rule": 1, "level": "alert", "currency": "USD", "crossing": crossing, "contributors": []}
    story.tell(ALERT, CostAlertRaised, **rule, **reached, **facts)
    named_role = {"process_id": process_id("p"), "process": "p", "of": "published", "version": 1}
    story.tell(roles_id(process_id("p")), RoleAssigned, step="a", agent="i", role="informed", **named_role)
    story.tell(X, ApprovalRequested, step="ask", attempt=1, **asked)
    story.schedule(X).start(Y).schedule(Y).start(ENDED).end(ENDED, ExecutionCompleted, outputs={})
    append(story.happened)
    project(read_tables)
    return read_tables


@pytest.mark.parametrize("projection", ALL, ids=lambda p: p.name)
def test_a_row_that_was_touched_is_found_and_shown(projected, projection):
    clean = verify(projected, projection, quiet)
    assert (clean.differing, clean.samples) == (0, [])
    assert clean.rows > 0
    with projected.reading() as connection:
        connection.execute(TAMPERING[projection.name].format(x=X))
    found = verify(projected, projection, quiet)
    assert (found.rows, found.differing) == (clean.rows, 1)
    [sample] = found.samples
    assert sample.table in projection.tables
    assert sample.live is not None
    assert sample.rebuilt is not None
    assert sample.live != sample.rebuilt
    assert sample.key.items() <= sample.live.items()


def test_missing_and_surplus_rows_are_found(projected):
    with projected.reading() as connection:
        connection.execute("delete from execution_list where execution_id = %s", (X,))
        connection.execute("update execution_list set execution_id = %s where execution_id = %s", (UUID(int=5), Y))
    found = verify(projected, ALL[0], quiet)
    assert found.differing == 3
    shown = {sample.key["execution_id"]: (sample.live is None, sample.rebuilt is None) for sample in found.samples}
    assert shown == {str(X): (True, False), str(Y): (True, False), str(UUID(int=5)): (False, True)}


def test_events_that_are_not_projected_yet_are_no_difference(projected, append, story):
    story.happened.clear()
    append(story.start(UUID(int=3)).happened)
    assert verify(projected, ALL[0], quiet).differing == 0


def test_verifying_leaves_nothing_behind(projected):
    query = """select (select count(*) from pg_class) as tables, (select count(*) from dead_letters) as letters,
      (select sum(notification_id) from notification_tracking) as positions"""
    with projected.reading() as connection:
        verify(projected, ALL[0], quiet)  # the first makes the session's schema for temporary tables
        before = connection.execute(query).fetchone()
        verify(projected, ALL[0], quiet)
        assert connection.execute(query).fetchone() == before


def test_progress_is_told(projected):
    told = []
    verify(projected, ALL[0], lambda done, total: told.append((done, total)))
    assert told == [(21, 21)]


def test_tables_of_another_definition_are_not_compared(projected):
    class Changed(ExecutionList):
        ddl = ExecutionList.ddl + "alter table execution_list add column extra text;"

    with pytest.raises(NotBuilt, match="rebuild execution_list"):
        verify(projected, Changed(), quiet)


@settings(max_examples=10)
@given(data=st.data())
def test_random_logs_projected_in_random_portions_are_clean(read_tables, append, histories, data):
    happened = data.draw(histories)
    with read_tables.reading() as connection:
        connection.execute("truncate stored_events, due_steps, outbox, families, dead_letters")
        connection.execute("alter sequence stored_events_notification_id_seq restart")
        connection.execute("update notification_tracking set notification_id = 0")
        for table in (table for projection in ALL for table in projection.tables):
            connection.execute(f"truncate {table}")
    cuts = sorted(data.draw(st.sets(st.integers(0, len(happened)), max_size=3)))
    for begin, end in zip([0, *cuts], [*cuts, len(happened)], strict=True):
        append(happened[begin:end])
        project(read_tables)
    for projection in ALL:
        found = verify(read_tables, projection, quiet)
        assert (found.differing, found.samples) == (0, [])
