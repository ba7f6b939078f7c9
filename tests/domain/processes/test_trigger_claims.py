"""The ids of webhook triggers are unique over all processes that are in use."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.event import Cause
from domain.identity import process_id
from domain.processes.claims import Claim, TriggerClaimed, claim_trigger, fold, webhooks_of
from domain.processes.process import Process, Version
from domain.refusal import Forbidden

CAUSE = Cause(datetime(2026, 1, 1, tzinfo=UTC), "user:ann")
A, B = (Claim("hook", process_id(name), name) for name in "ab")


def process(name: str, *triggers: dict[str, Any], status: Any = "published") -> Process:
    """A process whose latest version has these triggers."""
    return Process(name, status, None, versions={1: Version("", {"triggers": list(triggers)})}, latest=1)


HOOK, BY_HAND = {"type": "webhook", "id": "hook"}, {"type": "manual", "id": "hook"}


def test_a_free_id_is_claimed_once() -> None:
    claimed = claim_trigger("hook", None, None, "a", CAUSE)
    assert claimed == [
        TriggerClaimed(at=CAUSE.at, actor="user:ann", trigger="hook", process_id=A.process_id, process="a")
    ]
    assert fold(claimed) == A
    assert claim_trigger("hook", A, process("a", HOOK), "a", CAUSE) == []


def test_an_id_in_use_is_refused() -> None:
    with pytest.raises(Forbidden, match="one of 'a'") as refused:
        claim_trigger("hook", A, process("a", HOOK), "b", CAUSE)
    assert refused.value.code == "trigger_taken"


@pytest.mark.parametrize(
    "holder",
    [process("a"), process("a", BY_HAND), process("a", HOOK, status="archived"), Process("a", "draft", ""), None],
)
def test_an_id_that_is_no_longer_used_is_taken_over(holder: Process | None) -> None:
    before = claim_trigger("hook", None, None, "a", CAUSE)
    assert fold([*before, *claim_trigger("hook", A, holder, "b", CAUSE)]) == B


def test_the_webhooks_of_a_process_are_those_of_its_latest_version() -> None:
    assert webhooks_of(process("a", BY_HAND, HOOK | {"enabled": False})) == ["hook"]
    assert webhooks_of(Process("a", "draft", "")) == []
