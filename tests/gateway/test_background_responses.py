"""Responses that a model makes in the background, cancelled at the provider."""

import threading
from datetime import timedelta

from app.clock import SYSTEM_CLOCK
from domain.agents.calls import AgentCall
from gateway.gateway import AgentGateway
from tests.gateway.conftest import EXECUTION, Deliveries, call
from tests.loopback import LoopbackServer, response
from tests.waiting import LIMIT_SECONDS, until


class SlowLog:
    """Records an id, and says so only when the test lets it; by then the attempt has ended."""

    def __init__(self) -> None:
        self.recorded, self.says_so = threading.Event(), threading.Event()

    def keep(self, call: AgentCall, response_id: str) -> None:
        self.recorded.set()
        assert self.says_so.wait(LIMIT_SECONDS)

    def is_over(self, call: AgentCall) -> bool:
        return True


def test_a_response_is_cancelled_whose_id_has_just_been_recorded(server: LoopbackServer) -> None:
    # given a response whose id is in the log, and a worker that has not heard so yet
    server.always(response(200, {"id": "resp_1", "status": "queued"}))
    log = SlowLog()
    gateway = AgentGateway(clock=SYSTEM_CLOCK, callback_base=None, responses=log)
    config = {"kind": "openai_responses", "base_url": f"{server.url}/v1", "model": "m", "background": True}
    gateway.begin(call(), config, Deliveries())
    assert log.recorded.wait(LIMIT_SECONDS)

    try:
        # when its attempt is cancelled
        gateway.cancel(EXECUTION, "write", 1)

        # then the provider is notified
        until(lambda: [each.path for each in server.requests] == ["/v1/responses", "/v1/responses/resp_1/cancel"])
    finally:
        log.says_so.set()
        gateway.close(grace=timedelta())
