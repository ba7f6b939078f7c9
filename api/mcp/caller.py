"""The caller of a request to ``/mcp``, and the agent whose inbox it reads."""

from dataclasses import dataclass

from starlette.requests import Request

from domain.refusal import Problem
from edge.dependencies import door_of
from edge.door import Door
from edge.feed import Feed
from edge.inbox import InboxReader, require_inbox
from edge.principal import Principal, principal_of
from edge.references import agent_named
from edge.refusals import BadRequest
from edge.sensitive import SensitiveViews

PARAMETER = "agent"


@dataclass(frozen=True)
class InboxCaller:
    """A caller, admitted, and the agent whose inbox it reads."""

    request: Request
    agent: str
    principal: Principal

    @property
    def door(self) -> Door:
        """The parts that the request works with."""
        return door_of(self.request)

    @property
    def masking(self) -> SensitiveViews:
        """The masking of values that the caller may not see."""
        return SensitiveViews(self.principal, self.door.sensitive)

    @property
    def reader(self) -> InboxReader:
        """The way to the pages of the inbox."""
        feed: Feed = self.request.app.state.feed
        return InboxReader(self.door, feed, self.principal, self.masking, self.agent)


def caller_of(request: Request) -> InboxCaller:
    """Return the caller of a request that was admitted, and the agent that it is or names.

    A key of one agent reads the inbox of that agent; every other caller names the agent in the address. Raises
    BadRequest or NotPermitted.
    """
    principal = principal_of(request)
    named = request.query_params.getlist(PARAMETER)
    if len(named) > 1:
        raise _unnamed("the address names one agent: /mcp?agent=NAME")
    if named:
        agent = agent_named(named[0])
    elif len(principal.agents) == 1:
        (agent,) = principal.agents
    else:
        raise _unnamed("name the agent whose inbox this is: /mcp?agent=NAME, or show a key of the one scope agent:NAME")
    require_inbox(principal, agent)
    return InboxCaller(request, agent, principal)


def _unnamed(message: str) -> BadRequest:
    return BadRequest(message, [Problem("agent_unnamed", message, PARAMETER)], code="agent_unnamed")
