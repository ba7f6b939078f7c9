"""The methods ``tools/list`` and ``tools/call``."""

import mcp_types as types
import msgspec
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from starlette.requests import Request

from api.mcp.caller import caller_of
from api.mcp.failures import FAILURES, described
from api.mcp.protocol import INVALID_PARAMS
from api.mcp.schemas import read, schema_of
from api.mcp.tools import BY_NAME, TOOLS, Tool

Context = ServerRequestContext[dict[str, object], Request]


async def list_tools(_context: Context, _params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
    """Return every tool."""
    return types.ListToolsResult(tools=[_described(tool) for tool in TOOLS], cache_scope="public", ttl_ms=60_000)


async def call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
    """Call a tool for the agent of the request. A refusal is a result that a model can read."""
    tool = BY_NAME.get(params.name)
    if tool is None:
        raise MCPError(INVALID_PARAMS, f"there is no tool {params.name[:80]!r}; tools: {', '.join(BY_NAME)}")
    assert context.request is not None
    try:
        found = await tool.call(caller_of(context.request), read(tool.arguments, params.arguments))
    except FAILURES as failure:
        code, message = described(failure)
        content = msgspec.json.encode({"code": code, "message": message}).decode()
        return types.CallToolResult(content=[types.TextContent(type="text", text=content)], is_error=True)
    text = msgspec.json.encode(found).decode()
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], structured_content=msgspec.to_builtins(found)
    )


def _described(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=schema_of(tool.arguments),
        output_schema=schema_of(tool.result),
        annotations=types.ToolAnnotations(
            read_only_hint=not tool.changes, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )
