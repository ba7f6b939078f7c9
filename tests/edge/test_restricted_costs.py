"""Given a principal that is limited to processes, then names of others are not in the costs that it reads."""

from uuid import UUID

from edge.principal import Principal
from edge.visibility import RESTRICTED, restricted_costs
from queries.process_costs import ProcessCosts, StepSpent

OWN, CALLED = StepSpent("caller", "write", "1", "USD", 1), StepSpent("hidden", "hidden-step", "2", "USD", 3)
COSTS = ProcessCosts(UUID(int=1), "UTC", [], [CALLED, OWN], [], [], 7, 0.0)


def reader(*processes: str) -> Principal:
    return Principal("user:ann", frozenset({"read"}), processes=processes)


def test_a_called_process_is_restricted_and_its_amount_stays() -> None:
    found = restricted_costs(COSTS, reader("caller"))
    assert found.dearest == [StepSpent(RESTRICTED, "", "2", "USD", 3), OWN]
    assert restricted_costs(COSTS, reader("caller", "hid*")).dearest == [CALLED, OWN]
    assert restricted_costs(COSTS, reader()).dearest == [CALLED, OWN]
