#!/usr/bin/env python3
"""A real webhook receiver: an HTTP server that verifies with PyPI's standardwebhooks.

Prints `{"listening": PORT}` and then one JSON object a line for every request:

    {"verified": true, "id": "alarm_1", "timestamp": "1795453200", "repeat": false, "answered": 204, "body": {…}}
    {"verified": false, "why": "No matching signature found", "answered": 401}

A message is kept only if its signature and time are right; `repeat` says whether its id was kept before. `--answers 503,204`
plays a receiver that first fails: the statuses are given in turn to verified requests, the last for ever; a status other
than 2xx keeps nothing.

The secret comes from the environment (WEBHOOK_SECRET=whsec_…), where other users of the machine cannot read it.

    WEBHOOK_SECRET=whsec_… webhook_receiver.py --port 0
"""

import argparse
import http.server
import json
import os
import ssl
import sys
import threading

from standardwebhooks import Webhook, WebhookVerificationError

# Far above what Standard Webhooks recommends; a sender with more is not what it says.
MAX_BODY_BYTES = 256 * 1024

printing = threading.Lock()


def say(thing: dict) -> None:
    """Prints one line at once: whoever waits for it reads a pipe."""
    with printing:
        print(json.dumps(thing), flush=True)


class Receiver(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    webhook: Webhook
    answers: list[int]
    kept: set[str] = set()

    def do_POST(self) -> None:
        """Verifies, prints, answers."""
        length = int(self.headers.get("content-length", "0"))
        if length > MAX_BODY_BYTES:
            self.answer(413, {"verified": False, "why": "body too large"})
            self.close_connection = True
            return
        body = self.rfile.read(length)
        try:
            told = self.webhook.verify(body, dict(self.headers.items()))
        except WebhookVerificationError as error:
            self.answer(401, {"verified": False, "why": str(error)})
            return
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        identifier = self.headers["webhook-id"]
        repeat = identifier in self.kept
        if 200 <= status < 300:
            self.kept.add(identifier)
        self.answer(
            status,
            {
                "verified": True,
                "id": identifier,
                "timestamp": self.headers["webhook-timestamp"],
                "repeat": repeat,
                "body": told,
            },
        )

    def answer(self, status: int, seen: dict) -> None:
        """Prints first: a sender that has its answer may look for the line at once."""
        say({**seen, "answered": status})
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("location", "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on standard error: what came is on standard output."""


def main() -> None:
    """Listens until interrupted, or with --until-stdin-closes until that."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, default=0, help="0: any free one, which is printed")
    arguments.add_argument("--answers", default="204", help="statuses for verified requests, in turn: 503,503,204")
    arguments.add_argument("--certificate", help="PEM with certificate and key: listen with TLS")
    arguments.add_argument("--until-stdin-closes", action="store_true", help="for tests: end with the one who started it")
    chosen = arguments.parse_args()
    secret = os.environ.get("WEBHOOK_SECRET")
    if not secret:
        sys.exit("set WEBHOOK_SECRET to the secret that the sender was given: whsec_…")
    Receiver.webhook = Webhook(secret)
    Receiver.answers = [int(status) for status in chosen.answers.split(",")]
    server = http.server.ThreadingHTTPServer((chosen.host, chosen.port), Receiver)
    server.daemon_threads = True
    if chosen.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chosen.certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    say({"listening": server.server_address[1]})
    if chosen.until_stdin_closes:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.buffer.read()
    else:
        server.serve_forever()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
