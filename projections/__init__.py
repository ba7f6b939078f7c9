"""Facts to rows: a file a read model, named for its rows, and the code that keeps rows up with the log."""

from typing import Any

from projections.agent_directory import AgentDirectoryProjection
from projections.analytics import AnalyticsProjection
from projections.approvals import ApprovalsProjection
from projections.batches import BatchesProjection
from projections.cost_alerts import CostAlertsProjection
from projections.cost_ledger import CostLedgerProjection
from projections.costs import CostsProjection
from projections.execution_detail import ExecutionDetailProjection
from projections.execution_list import ExecutionList
from projections.inbox import InformedAgentNotifier
from projections.key_list import KeyListProjection
from projections.occurrences import OccurrencesProjection
from projections.process_catalogue import ProcessCatalogue
from projections.process_days import ProcessDaysProjection
from projections.process_references import ProcessReferencesProjection
from projections.projection import Projection
from projections.roles import RolesProjection
from projections.schedules import SchedulesProjection
from projections.template_uses import TemplateUsesProjection
from projections.templates import TemplatesProjection

ALL: tuple[Projection[Any], ...] = (
    ExecutionList(),
    ExecutionDetailProjection(),
    ProcessCatalogue(),
    AgentDirectoryProjection(),
    ApprovalsProjection(),
    KeyListProjection(),
    ProcessReferencesProjection(),
    SchedulesProjection(),
    OccurrencesProjection(),
    ProcessDaysProjection(),
    CostsProjection(),
    CostLedgerProjection(),
    CostAlertsProjection(),
    AnalyticsProjection(),
    InformedAgentNotifier(),
    RolesProjection(),
    TemplatesProjection(),
    TemplateUsesProjection(),
    BatchesProjection(),
)
