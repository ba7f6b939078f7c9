"""The open matters of steps that teams monitor: failed steps, overdue approvals, and cost alerts of their processes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.rows import DictRow

from domain.roles.changes import TEAM
from queries.alerts import ALERTS
from queries.approvals import APPROVALS
from queries.epochs import require_held
from queries.exchange import Question, answer
from queries.execution_list import LIST
from queries.filters import Where
from queries.paging import DEFAULT_LIMIT, LARGEST, Page, bad_cursor, page_of, read_key, write_cursor
from queries.processes import CATALOGUE
from queries.reading import Freshness, Reading
from queries.roles import INTERVALS

_TEAMS = "(%(teams)s::text[] is null or r.agent = any(%(teams)s)) and r.agent like 'team:%%'"
_NOW = f"r.role = 'monitor' and r.until_position is null and {_TEAMS}"
# A role names a step inside another one with the ids of both, `outer/inner`.
_OF_STEP = (
    f"array(select r.agent from role_intervals r where r.process_id = x.process_id and r.step = x.place and {_NOW})"
)
# Of a process, those in the defaults of its version; without any, those of all its steps.
_DEFAULTS = "v.definition->'defaults'->'roles'->'monitors'"
_OF_PROCESS = f"""case when json_typeof({_DEFAULTS}) = 'array' then array(
    select r.agent from json_array_elements_text({_DEFAULTS}) r(agent) where {_TEAMS})
  else array(select distinct r.agent from role_intervals r where r.process_id = x.process_id and {_NOW}) end"""
_MONITORED = f"x.process_id = any(array(select distinct r.process_id from role_intervals r where {_NOW}))"
_FAILED = f"""select x.*, {_OF_STEP} as teams from (
    select position, execution_id::text as id, process_id, process, execution_id, error_step as step,
      null::uuid as alert_id, ended_at as at, error_code as code, concat(body || '/', error_step) as place
    from execution_list where status = 'failed' and error_step <> '') x where {_MONITORED}"""
_OVERDUE = f"""select x.*, {_OF_STEP} as teams from (
    select position, approval_id as id, process_id, process, execution_id, step,
      null::uuid as alert_id, deadline as at, 'approval_overdue' as code,
      concat((select l.body || '/' from execution_list l where l.execution_id = a.execution_id), step) as place
    from approvals a where status = 'open' and deadline <= now()) x where {_MONITORED}"""
_ALERTED = f"""select x.*, {_OF_PROCESS} as teams from (
    select crossing_position as position, alert_id::text as id, process_id, process, execution_id, null::text as step,
      alert_id, raised_at as at, 'cost_alert' as code, '' as place
    from cost_alert_list where status not in ('resolved', 'dismissed')
      and (status = 'open' or (status = 'snoozed' and snoozed_until <= now()))) x
  join process_catalogue c on c.process_id = x.process_id
  join process_versions v on v.process_id = c.process_id and v.version = c.latest_version where true"""
_PART = (
    "(select * from ({part} and {where}) found where teams <> '{{}}' order by position desc, id desc limit %(rows)s)"
)
_LIST = "select * from ({parts}) found order by position desc, id desc limit %(rows)s"
_KINDS = {
    "approval_overdue": "approval",
    "cost_alert": "cost_alert",
    "step_timed_out": "timeout",
    "heartbeat_missed": "heartbeat",
}


class MonitoredItem(msgspec.Struct, frozen=True):
    """A matter that is open. kind: ``failure``, ``timeout``, ``heartbeat``, ``approval`` or ``cost_alert``.

    step: None for a cost alert, which has `alert_id`. code: of the error of the step. teams: those that monitor the
    step, or the process. at: when the execution failed, the approval was due, or the alert was raised.
    """

    kind: str
    process_id: UUID
    process: str
    execution_id: UUID | None
    step: str | None
    alert_id: UUID | None
    at: datetime | None
    code: str
    teams: list[str]


def list_monitored(
    reading: Reading,
    teams: Sequence[str] | None,
    *,
    within: Sequence[str] = (),
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> Page[MonitoredItem]:
    """Return what is open, the latest execution, approval or crossing first. Raises BadCursor or NotYet.

    teams: their names without `team:`; None: every team. within: names of processes or their beginnings.
    """
    place = None if cursor is None else _read_cursor(cursor, reading)
    return answer(reading, monitored_listed(teams, within, place, limit), min_position)


def monitored_listed(
    teams: Sequence[str] | None, within: Sequence[str], before: tuple[int, str] | None, limit: int
) -> Question[Page[MonitoredItem]]:
    """Return the question for what is open. before: a position, and the id of what stands there."""
    named = None if teams is None else [f"{TEAM}{team}" for team in teams]
    where = Where({"rows": limit + 1, "teams": named})
    where.within("x.process", within)
    if before is not None:
        where.before(("x.position", "x.id"), before)
    parts = " union all ".join(_PART.format(part=part, where=where.sql) for part in (_FAILED, _OVERDUE, _ALERTED))

    def view(rows: list[DictRow], freshness: Freshness) -> Page[MonitoredItem]:
        page = page_of(
            rows, limit, freshness, lambda row: write_cursor("m", f"{row['position']}:{row['id']}", freshness.epoch)
        )
        return Page([_view(row) for row in page.items], page.next_cursor, page.as_of_position, page.lag_seconds)

    return Question(LIST, _LIST.format(parts=parts), where.parameters, view, (INTERVALS, APPROVALS, ALERTS, CATALOGUE))


def _view(row: Mapping[str, Any]) -> MonitoredItem:
    return MonitoredItem(
        kind=_KINDS.get(row["code"], "failure"),
        process_id=row["process_id"],
        process=row["process"],
        execution_id=row["execution_id"],
        step=row["step"],
        alert_id=row["alert_id"],
        at=row["at"],
        code=row["code"],
        teams=sorted(team.removeprefix(TEAM) for team in row["teams"]),
    )


def _read_cursor(cursor: str, reading: Reading) -> tuple[int, str]:
    key, epoch = read_key("m", cursor)
    position, _, id = key.partition(":")
    if not (position.isascii() and position.isdigit() and len(position) <= 19 and int(position) <= LARGEST and id):
        raise bad_cursor()
    require_held(reading.progress, epoch, int(position))
    return int(position), id
