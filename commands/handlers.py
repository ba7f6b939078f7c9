"""The handlers of every command on one log, made in one place for API, command line, benchmark and tests."""

from collections.abc import Collection
from datetime import timedelta

from commands.agents import Agents
from commands.alert_acts import AlertActs
from commands.alerts import Alerts
from commands.approvals import ApprovalCommands
from commands.batches import BatchCommands
from commands.calendars import Calendars
from commands.cost_thresholds import CostThresholds
from commands.costs import CostCommands
from commands.executions import Executions
from commands.inbox import Inboxes
from commands.inbox_webhooks import InboxWebhookCommands
from commands.keys import Keys
from commands.plans import Plans
from commands.pricing import KnownPrices, Pricing
from commands.process_pauses import ProcessPauses
from commands.processes import Processes
from commands.read_models import ReadModelCommands
from commands.registrations import SHORTEST_INTERVAL
from commands.repairs import Repairs
from commands.role_changes import RoleCommands
from commands.schedules import Schedules
from commands.set_aside import SetAsideCommands
from commands.template_uses import TemplateUses
from commands.template_versions import TemplateVersions
from commands.templates import Templates
from commands.timers import TimerCommands
from commands.webhooks import Webhooks
from domain.agents.policy import OutgoingPolicy
from domain.processes.plan import Limits
from domain.schedules.due import OVERDUE
from gateway.catalogue import BUNDLED, Catalogue
from store.log import Log
from store.rehearsing import Rehearsal


class Handlers:
    """One attribute a noun. channels: the channels for notifications that the operator has set up. policy: the
    operator's rules of what goes out. configured_key: the environment states an admin key. plans: those read already.
    overdue_after: a run that starts so much later is late. catalogue: the bundled templates.
    """

    def __init__(
        self,
        log: Log,
        *,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        channels: Collection[str] = (),
        configured_key: bool = False,
        policy: OutgoingPolicy = OutgoingPolicy(),  # noqa: B008 - immutable
        plans: Plans | None = None,
        shortest_interval: timedelta = SHORTEST_INTERVAL,
        overdue_after: timedelta = OVERDUE,
        catalogue: Catalogue = BUNDLED,
    ) -> None:
        self.log = log
        self.catalogue = catalogue
        self.policy = policy
        self.channels = channels
        self.configured_key = configured_key
        self.shortest_interval = shortest_interval
        self.overdue_after = overdue_after
        if plans is None:
            plans = Plans(log, limits)
            log.datastore.epochs.subscribe(plans.forget_all)
        self.plans = plans
        self.agents = Agents(log, policy)
        self.processes = Processes(log, self.agents, channels, policy.secrets, shortest_interval)
        self.roles = RoleCommands(log, self.processes, self.agents)
        self.templates = Templates(log)
        self.template_uses = TemplateUses(log, self.processes, catalogue)
        self.template_versions = TemplateVersions(log, self.processes, self.template_uses)
        self.process_pauses = ProcessPauses(log)
        self.pricing = Pricing(KnownPrices(log))
        self.executions = Executions(log, self.plans, self.pricing)
        self.costs = CostCommands(log, self.executions, self.pricing)
        self.repairs = Repairs(self.executions, self.agents)
        self.batches = BatchCommands(log, self.repairs)
        self.set_aside = SetAsideCommands(log, self.executions, plans)
        self.read_models = ReadModelCommands(log)
        self.timers = TimerCommands(self.executions, log.datastore)
        self.schedules = Schedules(log, self.plans)
        self.calendars = Calendars(log)
        self.alerts = Alerts(log)
        self.alert_acts = AlertActs(log, self.executions, self.schedules)
        self.cost_thresholds = CostThresholds(log)
        self.approvals = ApprovalCommands(self.executions)
        self.inboxes = Inboxes(log)
        self.inbox_webhooks = InboxWebhookCommands(log, policy)
        self.webhooks = Webhooks(log, self.plans)
        self.keys = Keys(log, configured=configured_key)


class RehearsingHandlers(Handlers):
    """Handlers that decide on the real state and record nothing. rehearsal: notes the events of their decisions."""

    def __init__(self, real: Handlers) -> None:
        self.rehearsal = Rehearsal(real.log.datastore)
        super().__init__(
            self.rehearsal,
            channels=real.channels,
            configured_key=real.configured_key,
            policy=real.policy,
            plans=real.plans,
            shortest_interval=real.shortest_interval,
            overdue_after=real.overdue_after,
            catalogue=real.catalogue,
        )
