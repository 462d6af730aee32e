#!/usr/bin/env python3
"""A real push service over TLS (RFC 8030) that checks VAPID (RFC 8292) with PyPI's cryptography alone.

Prints `{"listening": PORT}` and then one JSON object a line for every request:

    {"path": "/p/1", "verified": true, "subject": "mailto:…", "lasts_s": 43200, "ttl": "3600", "urgency": "high",
     "topic": "baken", "body": 0, "answered": 201}
    {"path": "/p/1", "verified": false, "why": "the token is for another service", "answered": 403}

Only the key that was given with `--key` (as a browser would have subscribed with it) is taken. `--answers 503,201` plays a
service that first fails: the statuses are given in turn to verified requests, the last for ever. A path that starts with
`/gone` is always answered with 410.

    push_service.py --port 0 --certificate CERT_AND_KEY.pem --key BASE64URL
"""

import argparse
import base64
import http.server
import json
import ssl
import sys
import threading
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

DAY_S = 24 * 3600
printing = threading.Lock()


def say(thing: dict) -> None:
    """Prints one line at once: whoever waits for it reads a pipe."""
    with printing:
        print(json.dumps(thing), flush=True)


def unbase64(text: str) -> bytes:
    """Base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Wrong(Exception):
    """Why a request is not taken."""


def verify(header: str, origin: str, taken_key: str) -> dict:
    """The claims of a VAPID header, if it holds."""
    scheme, _, rest = header.partition(" ")
    if scheme != "vapid":
        raise Wrong("not the scheme vapid")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    if parts.get("k") != taken_key:
        raise Wrong("not the key that the browser subscribed with")
    signed, _, signature = parts["t"].rpartition(".")
    head, claims = (json.loads(unbase64(part)) for part in signed.split("."))
    if head != {"typ": "JWT", "alg": "ES256"}:
        raise Wrong("not an ES256 token")
    raw = unbase64(signature)
    if len(raw) != 64:
        raise Wrong("the signature has not 64 bytes")
    der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unbase64(parts["k"]))
    try:
        key.verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise Wrong("the signature does not hold") from error
    if claims["aud"] != origin:
        raise Wrong("the token is for another service")
    if not 0 < claims["exp"] - time.time() <= DAY_S:
        raise Wrong("the token is too old, or lasts too long")
    return claims


class Service(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    answers: list[int]
    key: str

    def do_POST(self) -> None:
        """Verifies, prints, answers."""
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        origin = f"https://{self.headers['host']}"
        try:
            claims = verify(self.headers.get("authorization", ""), origin, self.key)
            if "ttl" not in self.headers:
                raise Wrong("no TTL")
        except (Wrong, KeyError, ValueError) as error:
            self.answer(403, {"verified": False, "why": str(error)})
            return
        if self.path.startswith("/gone"):
            status = 410
        else:
            status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        said = {name: self.headers.get(name) for name in ("ttl", "urgency", "topic")}
        lasts = round(claims["exp"] - time.time())
        self.answer(status, {"verified": True, "subject": claims["sub"], "lasts_s": lasts, "body": len(body), **said})

    def answer(self, status: int, seen: dict) -> None:
        """Prints first: a sender that has its answer may look for the line at once."""
        say({"path": self.path, **seen, "answered": status})
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on standard error: what came is on standard output."""


def main() -> None:
    """Listens until interrupted, or with --until-stdin-closes until that."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--port", type=int, default=0, help="0: any free one, which is printed")
    arguments.add_argument("--answers", default="201", help="statuses for verified requests, in turn: 503,201")
    arguments.add_argument("--certificate", required=True, help="PEM with certificate and key")
    arguments.add_argument("--key", required=True, help="the desk's public key, base64url")
    arguments.add_argument("--until-stdin-closes", action="store_true", help="for tests: end with the one who started it")
    chosen = arguments.parse_args()
    Service.answers = [int(status) for status in chosen.answers.split(",")]
    Service.key = chosen.key
    server = http.server.ThreadingHTTPServer(("127.0.0.1", chosen.port), Service)
    server.daemon_threads = True
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
