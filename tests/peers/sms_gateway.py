#!/usr/bin/env python3
"""An SMS gateway shaped like Twilio's and CM.com's: takes messages over HTTP and reports on them by callbacks.

Prints `{"listening": PORT}` and then one JSON object a line for every request and every callback:

    {"took": "twilio", "to": "+31612345678", "from": "Baken", "text": "…", "name": "SM…", "callback": "https://…"}
    {"took": "cm", "to": "0031612345678", "from": "Baken", "text": "…", "name": "baken-1"}
    {"refused": 401}
    {"called_back": "https://…", "status": 204}

It checks Basic authentication (Twilio) or X-CM-PRODUCTTOKEN, and calls back like the real one: a form signed with
X-Twilio-Signature, or CM.com's JSON. `--fates delivered,failed` are what it reports of messages, in turn, the last for
ever; `none` reports nothing; `forged` reports with a wrong signature or secret. `--answers 503,201` are statuses for
messages, in turn. Secrets come from the environment: SMS_ACCOUNT, SMS_TOKEN, and with CM.com SMS_CALLBACK, where reports
go. Commands on standard input, one a line, do the same later: `report NAME FATE`.

    SMS_ACCOUNT=AC… SMS_TOKEN=… sms_gateway.py --port 0 --root desk.pem
"""

import argparse
import base64
import hashlib
import hmac
import http.server
import json
import os
import secrets
import ssl
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

MAX_BODY_BYTES = 16 * 1024
TWILIO_FAILED = {"delivered": ("delivered", None), "failed": ("undelivered", "30005"), "forged": ("delivered", None)}
CM_FAILED = {"delivered": ("2", ""), "failed": ("3", "24"), "forged": ("2", "")}

printing = threading.Lock()


def say(thing: dict) -> None:
    """Prints one line at once: whoever waits for it reads a pipe."""
    with printing:
        print(json.dumps(thing), flush=True)


class Gateway:
    """What was taken, and where reports go."""

    def __init__(self, root: str | None, fates: list[str], answers: list[int]) -> None:
        self.account = os.environ.get("SMS_ACCOUNT", "")
        self.token = os.environ["SMS_TOKEN"]
        self.cm_callback = os.environ.get("SMS_CALLBACK", "")
        self.fates = fates
        self.answers = answers
        self.callbacks: dict[str, str] = {}
        self.context = ssl.create_default_context(cafile=root) if root else ssl.create_default_context()

    def next_of(self, turns: list):
        """The next in turn; the last for ever."""
        return turns.pop(0) if len(turns) > 1 else turns[0]

    def report(self, name: str, fate: str) -> None:
        """Calls back about a message."""
        if fate == "none":
            return
        if name.startswith("SM"):
            status, code = TWILIO_FAILED[fate]
            url = self.callbacks[name]
            fields = {"MessageSid": name, "MessageStatus": status, "AccountSid": self.account, "To": "+31612345678"}
            if code:
                fields["ErrorCode"] = code
            signed = url + "".join(key + fields[key] for key in sorted(fields))
            key = "another" if fate == "forged" else self.token
            signature = base64.b64encode(hmac.new(key.encode(), signed.encode(), hashlib.sha1).digest()).decode()
            self.call(url, urllib.parse.urlencode(fields).encode(), {"X-Twilio-Signature": signature})
            return
        code, error = CM_FAILED[fate]
        report = {
            "received": "2026-11-27T12:00:00",
            "to": "0031612345678",
            "reference": name,
            "status": {"code": code, "errorCode": error, "errorDescription": ""},
            "operator": "204-04",
        }
        url = self.cm_callback[:-1] + "X" if fate == "forged" else self.cm_callback
        body = json.dumps({"messages": {"msg": report}}).encode()
        self.call(url, body, {"Content-Type": "application/json"})

    def call(self, url: str, body: bytes, headers: dict) -> None:
        """One callback, and what it was answered."""
        request = urllib.request.Request(url, data=body, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=10) as answer:
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError as error:
            status = str(error)
        say({"called_back": url, "status": status})


class Receiver(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    gateway: Gateway

    def do_POST(self) -> None:
        """Takes a message, answers, and reports."""
        length = int(self.headers.get("content-length", "0"))
        if length > MAX_BODY_BYTES:
            self.close_connection = True
            return self.refuse(413)
        body = self.rfile.read(length)
        if self.path == f"/2010-04-01/Accounts/{self.gateway.account}/Messages.json":
            return self.twilio(body)
        if self.path == "/v1.0/message":
            return self.cm(body)
        return self.refuse(404)

    def twilio(self, body: bytes) -> None:
        """A form under Basic authentication."""
        basic = base64.b64encode(f"{self.gateway.account}:{self.gateway.token}".encode()).decode()
        if self.headers.get("authorization") != f"Basic {basic}":
            return self.refuse(401)
        fields = {key: values[0] for key, values in urllib.parse.parse_qs(body.decode(), strict_parsing=True).items()}
        status = self.gateway.next_of(self.gateway.answers)
        if not 200 <= status < 300:
            return self.refuse(status)
        name = "SM" + secrets.token_hex(16)
        self.gateway.callbacks[name] = fields["StatusCallback"]
        say(
            {
                "took": "twilio",
                "to": fields["To"],
                "from": fields["From"],
                "text": fields["Body"],
                "name": name,
                "callback": fields["StatusCallback"],
            }
        )
        return self.answer(status, {"sid": name, "status": "queued", "to": fields["To"]}, name)

    def cm(self, body: bytes) -> None:
        """JSON under a product token."""
        if self.headers.get("x-cm-producttoken") != self.gateway.token:
            return self.refuse(401)
        message = json.loads(body)["messages"]["msg"][0]
        to, name = message["to"][0]["number"], message["reference"]
        status = self.gateway.next_of(self.gateway.answers)
        if not 200 <= status < 300:
            return self.refuse(status)
        say({"took": "cm", "to": to, "from": message["from"], "text": message["body"]["content"], "name": name})
        accepted = to.startswith("0031")
        told = {
            "to": to,
            "status": "Accepted" if accepted else "Rejected",
            "reference": name,
            "parts": 1,
            "messageDetails": None,
            "messageErrorCode": 0 if accepted else 303,
        }
        answer = {"details": "Created 1 message(s)", "errorCode": 0, "messages": [told]}
        return self.answer(status, answer, name if accepted else None)

    def refuse(self, status: int) -> None:
        """Answers with no more than a status."""
        say({"refused": status})
        self.answer(status, {"code": 20003, "status": status}, None)

    def answer(self, status: int, body: dict, name: str | None) -> None:
        """Answers, and reports once the answer is out."""
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        self.wfile.flush()
        if name is not None:
            fate = self.gateway.next_of(self.gateway.fates)
            threading.Thread(target=self.gateway.report, args=(name, fate), daemon=True).start()

    def log_message(self, *_: object) -> None:
        """Nothing on standard error: what came is on standard output."""


def main() -> None:
    """Listens until interrupted, or with --until-stdin-closes until that."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, default=0, help="0: any free one, which is printed")
    arguments.add_argument("--fates", default="delivered", help="what is reported, in turn: delivered,failed,none,forged")
    arguments.add_argument("--answers", default="201", help="statuses for messages, in turn: 503,201")
    arguments.add_argument("--root", help="PEM of the root that callbacks' TLS is checked with")
    arguments.add_argument("--until-stdin-closes", action="store_true", help="for tests: end with the one who started it")
    chosen = arguments.parse_args()
    if not os.environ.get("SMS_TOKEN"):
        sys.exit("set SMS_TOKEN to the token that the sender was given")
    answers = [int(status) for status in chosen.answers.split(",")]
    Receiver.gateway = Gateway(chosen.root, chosen.fates.split(","), answers)
    server = http.server.ThreadingHTTPServer((chosen.host, chosen.port), Receiver)
    server.daemon_threads = True
    say({"listening": server.server_address[1]})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for line in sys.stdin:
        _, name, fate = line.split()
        Receiver.gateway.report(name, fate)
    if not chosen.until_stdin_closes:
        threading.Event().wait()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
