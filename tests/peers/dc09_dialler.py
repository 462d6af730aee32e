#!/usr/bin/env python3
"""A real SIA DC-09 dialler: PyPI's my-dc09-spt, an alarm transmitter as a button or panel has one.

Sends one event and prints one JSON line: `{"sent": true}` once it was acknowledged, or `{"sent": false, "why": "…"}`.

    dc09_dialler.py --port 17001 --account 1234 --code PA --zone 501 --text balie
    dc09_dialler.py --port 17001 --account 1234 --key 0123456789ABCDEF --code 120 --lon 004E53.4210 --lat 52N22.3050
"""

import argparse
import json
import logging
import threading

from my_dc09_spt.dc09_spt import dc09_spt


def main() -> None:
    """Sends, and says what came of it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--over", choices=["TCP", "UDP"], default="TCP")
    arguments.add_argument("--account", required=True)
    arguments.add_argument("--key", help="16 or 32 characters, whose ASCII is the key")
    arguments.add_argument("--code", required=True, help="two letters: SIA; three digits: Contact ID")
    arguments.add_argument("--zone", type=int, default=1)
    arguments.add_argument("--text")
    arguments.add_argument("--lon")
    arguments.add_argument("--lat")
    chosen = arguments.parse_args()
    logging.disable(logging.CRITICAL)
    # It queues and tries again for ever after a refusal; its threads must not outlive this program then.
    threading.excepthook = lambda _: None
    # Without a line number it leaves out a part of the header that the standard requires.
    dialler = dc09_spt(chosen.account, receiver=1, line=0)
    key = chosen.key.encode("ascii") if chosen.key else None
    dialler.set_path("main", "primary", chosen.host, chosen.port, account=chosen.account, key=key, type=chosen.over)
    event = {"code": chosen.code, "zone": chosen.zone}
    event |= {name: value for name in ("text", "lon", "lat") if (value := getattr(chosen, name)) is not None}
    try:
        dialler.send_msg("ADM-CID" if chosen.code.isdigit() else "SIA-DCS", event)
        print(json.dumps({"sent": True}), flush=True)
    except Exception as refusal:  # my-dc09-spt raises nothing narrower
        print(json.dumps({"sent": False, "why": str(refusal)}), flush=True)


if __name__ == "__main__":
    main()
