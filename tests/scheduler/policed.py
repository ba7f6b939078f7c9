"""An installation with policies of cost alerts, started by hand."""

from decimal import Decimal
from uuid import UUID

from app.clock import SYSTEM_CLOCK
from scheduler.policing import POLICY, Policing
from store.datastore import Datastore
from tests.scheduler.conftest import Installation


class Policed(Installation):
    """An installation with policies started by hand."""

    def police(self) -> Policing:
        datastore = Datastore(self.datastore.dsn, pool_size=4)
        self.ending.callback(datastore.close)
        made = Policing(datastore, SYSTEM_CLOCK, self.alert_acts.act)
        made.start()
        self.ending.callback(made.stop)
        return made

    def spend(self, *processes: str) -> list[UUID]:
        ids = [self.start(name) for name in processes]
        self.ended(*ids)
        return ids

    def alerts_now(self) -> list[tuple[str, str, str, Decimal, Decimal]]:
        """(process, kind, level, before, after) of each alert, once all of the log is followed and projected."""
        position = self.log.last_position

        def followed() -> bool:
            (at,) = self.rows("select position from policy_positions where policy = %s", POLICY) or ({"position": -1},)
            (read,) = self.rows(
                "select notification_id as n from notification_tracking where application_name = 'cost_alerts'"
            )
            return bool(at["position"] == position() == read["n"])

        self.until(followed)
        rows = self.rows(
            "select process, kind, level, before, after from cost_alert_list order by process, kind, level"
        )
        return [(row["process"], row["kind"], row["level"], row["before"], row["after"]) for row in rows]

    def statuses(self) -> list[str]:
        self.alerts_now()
        return [row["status"] for row in self.rows("select status from cost_alert_list order by raised_at, level")]
