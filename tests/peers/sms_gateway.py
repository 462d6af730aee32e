#!/usr/bin/env python3
"""An SMS gateway that passes on an incoming text: a callback as Twilio or as CM.com makes it, signed as they sign.

Posts one text and prints one JSON line: `{"status": 200, "body": "…"}`.

    sms_gateway.py --shape twilio --to http://127.0.0.1:12080/sms/twilio --secret TOKEN --text "BAKEN …"
    sms_gateway.py --shape cm --to http://127.0.0.1:12080/sms/cm --secret SECRET --text "BAKEN …"

`--signed-url` is the address that stands at the gateway, where a proxy makes it another than the one called; `--in-path`
puts CM.com's secret last in the path; `--altered` changes the text after it was signed.
"""

import argparse
import base64
import hashlib
import hmac
import json
import urllib.error
import urllib.parse
import urllib.request


def twilio(chosen: argparse.Namespace) -> urllib.request.Request:
    """A form, and HMAC-SHA1 over the address and the sorted fields."""
    fields = {
        "AccountSid": "AC00000000000000000000000000000000",
        "ApiVersion": "2010-04-01",
        "Body": chosen.text,
        "From": "+31600000001",
        "FromCountry": "NL",
        "MessageSid": "SM00000000000000000000000000000000",
        "NumMedia": "0",
        "NumSegments": "1",
        "To": "+3197010200300",
    }
    signed = (chosen.signed_url or chosen.to) + "".join(name + fields[name] for name in sorted(fields))
    signature = base64.b64encode(hmac.new(chosen.secret.encode(), signed.encode(), hashlib.sha1).digest()).decode()
    if chosen.altered:
        fields["Body"] += "A"
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    return urllib.request.Request(chosen.to, urllib.parse.urlencode(fields).encode(), headers)


def cm(chosen: argparse.Namespace) -> urllib.request.Request:
    """JSON, and a secret in a header or in the path."""
    body = {
        "reference": "6d7a1c2e",
        "from": {"number": "0031600000001", "name": None},
        "to": {"number": "003197010200300"},
        "message": {"text": chosen.text, "media": {"mediaUri": "", "contentType": "", "title": ""}, "custom": None},
        "timeUtc": "2026-11-27T12:00:00",
        "channel": "SMS",
    }
    headers = {"Content-Type": "application/json"}
    to = chosen.to
    if chosen.in_path:
        to = f"{to}/{chosen.secret}"
    else:
        headers["X-Baken-Secret"] = chosen.secret
    return urllib.request.Request(to, json.dumps(body).encode(), headers)


def main() -> None:
    """Posts, and says what came of it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--shape", choices=["twilio", "cm"], required=True)
    arguments.add_argument("--to", required=True)
    arguments.add_argument("--signed-url")
    arguments.add_argument("--secret", required=True)
    arguments.add_argument("--text", required=True)
    arguments.add_argument("--in-path", action="store_true")
    arguments.add_argument("--altered", action="store_true")
    chosen = arguments.parse_args()
    request = twilio(chosen) if chosen.shape == "twilio" else cm(chosen)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            print(json.dumps({"status": answer.status, "body": answer.read().decode()}), flush=True)
    except urllib.error.HTTPError as refused:
        print(json.dumps({"status": refused.code, "body": refused.read().decode()}), flush=True)


if __name__ == "__main__":
    main()
