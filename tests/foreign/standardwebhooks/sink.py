"""A webhook receiver that believes nothing but the reference library for Python.

usage: sink.py <port> <secret>        port 0 takes a free one

Prints one JSON line {"listening": <port>}, then one for each delivery: {"id", "ok"} or {"id", "ok", "error"}.
Answers 204 to what verifies and 401 to what does not. GET /stats answers the counts as JSON.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

from standardwebhooks import Webhook, WebhookVerificationError

STATS = {"language": "python", "library": f"standardwebhooks {version('standardwebhooks')}", "ok": 0, "bad": 0}
IDS = set()
LOCK = threading.Lock()


def record(line):
    with LOCK:
        STATS["ok" if line["ok"] else "bad"] += 1
        if line["ok"]:
            IDS.add(line["id"])
        print(json.dumps(line), flush=True)


class Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    webhook = None

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        line = {"id": self.headers.get("webhook-id"), "ok": True}
        try:
            self.webhook.verify(body, dict(self.headers.items()))
        except (WebhookVerificationError, ValueError) as error:
            # ValueError: the library lets malformed headers, base64, UTF-8 and JSON through as such.
            line.update(ok=False, error=str(error))
        record(line)
        self.answer(204 if line["ok"] else 401, b"" if line["ok"] else line["error"].encode())

    def do_GET(self):
        with LOCK:
            stats = json.dumps({**STATS, "distinct": len(IDS)}).encode()
        self.answer(200 if self.path == "/stats" else 404, stats if self.path == "/stats" else b"")

    def answer(self, status, body):
        self.send_response(status)
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    port, Sink.webhook = int(sys.argv[1]), Webhook(sys.argv[2])
    server = ThreadingHTTPServer(("127.0.0.1", port), Sink)
    print(json.dumps({"listening": server.server_address[1]}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
