"""An agent that receives the entries of its inbox: it verifies each signature, repeats challenges, prints each once.

webhook_inbox.py HOST:PORT; INBOX_SECRET: the secret that the webhook refers to.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

verifier = Webhook(os.environ["INBOX_SECRET"])
done: set[str] = set()  # a real agent keeps these where it keeps its work: the same entry may come twice


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            content = verifier.verify(body, dict(self.headers.items()))
        except WebhookVerificationError:
            self.answer(401, {})
            return
        if content["type"] == "verification":
            self.answer(200, {"challenge": content["challenge"]})
            return
        if self.headers["webhook-id"] not in done:
            deal_with(content["data"])
            done.add(self.headers["webhook-id"])
        self.answer(200, {})

    def answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        pass


def deal_with(event: dict[str, Any]) -> None:
    # event["url"] has the output of the step, for a caller with the key of the agent.
    sys.stdout.write(f"{event['process']}: {event['step'] or 'the execution'} {event['outcome']}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    host, _, port = sys.argv[1].partition(":")
    server = ThreadingHTTPServer((host, int(port)), Receiver)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.serve_forever()
