#!/usr/bin/env python3
"""A real SIA DC-09 receiver: PyPI's pysiaalarm, the library behind Home Assistant's alarm receiver.

Prints `{"listening": PORT}` and then one JSON object a line for every event that pysiaalarm took (and acknowledged):

    {"account": "1234", "code": "PA", "kind": "Panic Alarm", "zone": "1", "text": "0|ANoodknop", "sequence": "0001",
     "message": "SIA-DCS", "encrypted": true, "timestamp": "2026-11-23T17:00:00+00:00",
     "x_data": {"Longitude": "004E53.4210", "Latitude": "52N22.3050"}}

Values are pysiaalarm's own reading, unchanged; an element that occurs twice has its values joined with " / ". What it did
not take is not printed: look at what the sender was answered. It never tells repeats apart.

    dc09_receiver.py --port 0 --account 1234
    dc09_receiver.py --port 17001 --account 1234 --key 0123456789ABCDEF
"""

import argparse
import asyncio
import json
import logging
import sys

from pysiaalarm import SIAAccount
from pysiaalarm.aio import SIAClient
from pysiaalarm.event import SIAEvent


def say(thing: dict) -> None:
    """Prints one line at once: whoever waits for it reads a pipe."""
    print(json.dumps(thing), flush=True)


def seen(event: SIAEvent) -> dict:
    """The event as pysiaalarm understood it."""
    x_data: dict[str, str] = {}
    for element in event.extended_data or []:
        known = x_data.get(element.name)
        x_data[element.name] = element.value if known is None else f"{known} / {element.value}"
    timestamp = event.timestamp
    return {
        "account": event.account,
        "code": event.code,
        "kind": event.sia_code.type if event.sia_code else None,
        "zone": event.ri,
        "text": event.message,
        "sequence": event.sequence,
        "message": event.message_type.value if hasattr(event.message_type, "value") else event.message_type,
        "encrypted": event.encrypted,
        "timestamp": timestamp.isoformat() if hasattr(timestamp, "isoformat") else timestamp,
        "x_data": x_data,
    }


async def take(event: SIAEvent) -> None:
    """Called by pysiaalarm for what it acknowledged."""
    say(seen(event))


async def stdin_closed() -> None:
    """Returns when whoever started this is gone."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(1024):
        pass


async def main() -> None:
    """Listens until interrupted, or with --until-stdin-closes until that."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, default=0, help="0: any free one, which is printed")
    arguments.add_argument("--account", action="append", required=True, help="3 to 16 hexadecimal digits; repeatable")
    arguments.add_argument("--key", help="16, 24 or 32 characters, whose ASCII is the key of every account given")
    arguments.add_argument("--verbose", action="store_true", help="what pysiaalarm logs, contents included, on stderr")
    arguments.add_argument("--until-stdin-closes", action="store_true", help="for tests: end with the one who started it")
    chosen = arguments.parse_args()
    logging.basicConfig(level=logging.DEBUG if chosen.verbose else logging.CRITICAL)
    for account in chosen.account:
        SIAAccount.validate_account(account, chosen.key)
    accounts = [SIAAccount(account, chosen.key) for account in chosen.account]
    client = SIAClient(chosen.host, chosen.port, accounts, function=take)
    await client.async_start()
    say({"listening": client.server.sockets[0].getsockname()[1]})
    if chosen.until_stdin_closes:
        await stdin_closed()
    else:
        await client.server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
