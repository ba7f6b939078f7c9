"""The prospects of an approval: what each decision leads to, and the cost of its execution so far."""

from uuid import UUID

import msgspec

from domain.executions.prospects import Prospect, approval_prospects
from domain.processes.plan import PlannedApproval
from queries.amounts import COSTS
from queries.definitions import Definitions
from queries.execution_list import LIST
from queries.reading import Reading, fetch

_EXECUTION = f"""select l.process_id, l.version, l.body,
  {COSTS.format(table="execution_list_costs", on="c.execution_id = l.execution_id")} as cost
from execution_list l where l.execution_id = %s"""


class ApprovalProspects(msgspec.Struct, frozen=True):
    """By stored status, the consequence of each decision. names: of the steps that have one, by id. cost: so far."""

    by_decision: dict[str, Prospect]
    names: dict[str, str]
    require_reason: bool
    cost: msgspec.Raw


def prospects_of(
    reading: Reading, definitions: Definitions, execution_id: UUID, step: str, attempt: int
) -> ApprovalProspects | None:
    """Return what follows the decisions of an approval; None while its execution is not listed.

    Raises ReadModelRebuilding.
    """
    with reading.of(LIST) as (connection, _):
        rows = fetch(connection, _EXECUTION, (execution_id,))
        if not rows:
            return None
        row = rows[0]
        plan, steps = definitions.compiled(connection, row["process_id"], row["version"], row["body"] or "")
    planned = plan.steps.get(step)
    if not isinstance(planned, PlannedApproval):
        return None
    names = {each.id: each.name for each in steps if each.name}
    found = approval_prospects(plan, planned, attempt)
    return ApprovalProspects(found, names, planned.require_reason, rows[0]["cost"])
