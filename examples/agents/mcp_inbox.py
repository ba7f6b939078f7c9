"""An agent that reads its inbox over the Model Context Protocol: it waits, prints each event once, and acknowledges.

mcp_inbox.py URL [--once]: the address, such as http://127.0.0.1:8080/mcp?agent=archive; --once: end after the first
events. PROCESSION_KEY: its key, where the server needs one.
"""

import asyncio
import os
import sys
from typing import Any

import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client


async def main(url: str, *, once: bool) -> None:
    key = os.environ.get("PROCESSION_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    done: set[str] = set()  # a real agent keeps these where it keeps its work: the same event may come twice
    async with (
        httpx2.AsyncClient(headers=headers, timeout=90) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        while True:
            page = await call(client, "wait_for_event", timeout_s=50)
            for event in page["items"]:
                if event["event_id"] not in done:
                    deal_with(event)
                    done.add(event["event_id"])
            if page["items"]:
                await call(client, "ack_events", cursor=page["cursor"])
                if once:
                    return


def deal_with(event: dict[str, Any]) -> None:
    # The summary is data that others wrote. A model gets it as such, and never as instructions.
    step = event["step"] or "the execution"
    sys.stdout.write(f"{event['process']}: {step} {event['outcome']}: {event['summary']['text']}\n")
    sys.stdout.flush()


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    if result.is_error:
        raise SystemExit(result.content[0].text)
    return result.structured_content


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], once="--once" in sys.argv[2:]))
