"""A client of one agent over the Model Context Protocol, for tests: the one of the SDK, in either era."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

Found = TypeVar("Found")


def alone(error: BaseException) -> BaseException:
    """The one error of groups of one."""
    while isinstance(error, BaseExceptionGroup):
        [error] = error.exceptions
    return error


class Agent:
    """A client of one agent. era: the mode of the SDK's client."""

    def __init__(self, url: str, agent: str | None, era: str, headers: dict[str, str] | None = None) -> None:
        self._address = f"{url}/mcp" + ("" if agent is None else f"?agent={agent}")
        self._era = era
        self._headers = headers or {}

    def does(self, act: Callable[[Client], Coroutine[Any, Any, Found]]) -> Found:
        """What a connection of its own does."""
        try:
            return asyncio.run(self._connected(act))
        except BaseExceptionGroup as group:
            raise alone(group) from None

    async def _connected(self, act: Callable[[Client], Coroutine[Any, Any, Found]]) -> Found:
        async with AsyncExitStack() as open:
            http = await open.enter_async_context(httpx2.AsyncClient(headers=self._headers, timeout=120))
            return await act(await open.enter_async_context(self._client(http)))

    def _client(self, http: httpx2.AsyncClient) -> Client:
        return Client(streamable_http_client(self._address, http_client=http), mode=self._era)

    def calls(self, tool: str, **arguments: Any) -> Any:
        """What a tool answers: its structured content, which its text repeats."""
        result = self.does(lambda client: client.call_tool(tool, arguments))
        assert not result.is_error, result
        [content] = result.content
        assert json.loads(content.text) == result.structured_content
        return result.structured_content
