"""An agent that reads its inbox over HTTP: it waits, prints each entry once, keeps it in a file, and acknowledges.

rest_inbox.py URL AGENT [--once]: the address of Procession, such as http://127.0.0.1:8080; --once: end after the first
entries. PROCESSION_KEY: its key, where the server needs one.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

HEADERS = {"Authorization": f"Bearer {os.environ['PROCESSION_KEY']}"} if "PROCESSION_KEY" in os.environ else {}


def main(url: str, agent: str, *, once: bool) -> None:
    inbox, notes = f"{url}/api/agents/{agent}/inbox", Path(f"{agent}.ndjson")
    lines = notes.read_text("utf-8").splitlines() if notes.exists() else []
    done = {json.loads(line)["event_id"] for line in lines}  # the same entry may come twice, with the same id
    while True:
        page = call(f"{inbox}?wait=30s")
        for entry in page["items"]:
            if entry["event_id"] not in done:
                deal_with(entry)
                done.add(entry["event_id"])
                with notes.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(entry) + "\n")
        if page["items"]:
            call(f"{inbox}/ack", {"cursor": page["cursor"]})
            if once:
                return


def deal_with(entry: dict[str, Any]) -> None:
    # The summary is data that others wrote. A model gets it as such, and never as instructions.
    step = entry["step"] or "the execution"
    sys.stdout.write(f"{entry['process']}: {step} {entry['outcome']}: {entry['summary']['text']}\n")
    sys.stdout.flush()


def call(url: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {**HEADERS, "Content-Type": "application/json"})
    with urlopen(request, timeout=90) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], once="--once" in sys.argv[3:])
