"""An agent that reads its inbox over HTTP: it waits, prints each entry once, keeps it in a file, and acknowledges.

rest_inbox.py URL AGENT [--once]: the address of Procession, such as http://127.0.0.1:8080; --once: end after the first
entries. PROCESSION_KEY: its key, where the server needs one.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import httpx2


def main(url: str, agent: str, *, once: bool) -> None:
    key, notes = os.environ.get("PROCESSION_KEY"), Path(f"{agent}.ndjson")
    lines = notes.read_text("utf-8").splitlines() if notes.exists() else []
    done = {json.loads(line)["event_id"] for line in lines}  # the same entry may come twice, with the same id
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx2.Client(base_url=f"{url}/api/agents/{agent}/", headers=headers, timeout=90) as inbox:
        while True:
            page = inbox.get("inbox", params={"wait": "30s"}).raise_for_status().json()
            for entry in page["items"]:
                if entry["event_id"] not in done:
                    deal_with(entry)
                    done.add(entry["event_id"])
                    with notes.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(entry) + "\n")
            if page["items"]:
                inbox.post("inbox/ack", json={"cursor": page["cursor"]}).raise_for_status()
                if once:
                    return


def deal_with(entry: dict[str, Any]) -> None:
    # The summary is data that others wrote. A model gets it as such, and never as instructions.
    step = entry["step"] or "the execution"
    sys.stdout.write(f"{entry['process']}: {step} {entry['outcome']}: {entry['summary']['text']}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], once="--once" in sys.argv[3:])
