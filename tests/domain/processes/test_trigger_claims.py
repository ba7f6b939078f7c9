"""The ids of webhook triggers are unique over all processes that are in use."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.event import Cause
from domain.identity import process_id
from domain.processes.claims import Claim, TriggerClaimed, claim_trigger, fold, webhooks_of
from domain.processes.process import Process, VersionContent
from domain.refusal import Forbidden
from tests.scenario import scenario

CAUSE = Cause(datetime(2026, 1, 1, tzinfo=UTC), "user:ann")
A, B = (Claim("hook", process_id(name), name) for name in "ab")


def process(name: str, *triggers: dict[str, Any], status: Any = "published") -> Process:
    """A process whose latest version has these triggers."""
    return Process(name, status, None, versions={1: VersionContent("", {"triggers": list(triggers)})}, latest=1)


given = scenario(fold)
CLAIMED = TriggerClaimed(at=CAUSE.at, actor="user:ann", trigger="hook", process_id=A.process_id, process="a")
HOOK, BY_HAND = {"type": "webhook", "id": "hook"}, {"type": "manual", "id": "hook"}


def claim(claimed: Claim | None, holder: Process | None, name: str) -> list[TriggerClaimed]:
    """Claim the hook for a process by its name, while `holder` is the process that claimed it."""
    return claim_trigger("hook", claimed, holder, name, CAUSE)


def test_a_free_id_is_claimed_once() -> None:
    given().when(claim, None, "a").then(CLAIMED)
    assert given(CLAIMED).state == A
    given(CLAIMED).when(claim, process("a", HOOK), "a").then()


def test_an_id_in_use_is_refused() -> None:
    refusal = given(CLAIMED).when(claim, process("a", HOOK), "b").refusal(Forbidden, match="one of 'a'")
    assert refusal.code == "trigger_taken"


@pytest.mark.parametrize(
    "holder",
    [process("a"), process("a", BY_HAND), process("a", HOOK, status="archived"), Process("a", "draft", ""), None],
)
def test_an_id_that_is_no_longer_used_is_taken_over(holder: Process | None) -> None:
    assert fold([CLAIMED, *given(CLAIMED).when(claim, holder, "b").events]) == B


def test_the_webhooks_of_a_process_are_those_of_its_latest_version() -> None:
    assert webhooks_of(process("a", BY_HAND, HOOK | {"enabled": False})) == ["hook"]
    assert webhooks_of(Process("a", "draft", "")) == []
