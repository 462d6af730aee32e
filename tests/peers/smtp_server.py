#!/usr/bin/env python3
"""A real mail server: PyPI's aiosmtpd, which keeps nothing and forwards nothing.

Prints `{"listening": PORT}` and then one JSON object a line for every letter it took:

    {"from": "baken@desk.example", "to": ["piket@politie.example"], "tls": true, "login": "desk",
     "headers": {"Message-ID": "<…>", "Subject": "…", …}, "text": "…"}

Headers and text are decoded by Python's own email package. `--tls` speaks TLS from the first byte, `--starttls` offers it
and takes no letter without it; both need `--certificate`. `--login NAME:PASSWORD` takes letters only from who logged in.
`--answers 451,250` plays a server in trouble: the replies to letters, in turn, the last for ever; `hang` never answers,
`drop` breaks the connection off. `--refuses a@b.example` refuses that recipient with 550.

    smtp_server.py --port 0 --starttls --certificate server.pem
"""

import argparse
import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

MAX_LETTER_BYTES = 256 * 1024


def say(thing: dict) -> None:
    """Prints one line at once: whoever waits for it reads a pipe."""
    print(json.dumps(thing), flush=True)


class Handler:
    """What becomes of letters."""

    def __init__(self, answers: list[str], refuses: set[str]) -> None:
        self.answers = answers
        self.refuses = refuses

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list) -> str:
        """Takes a recipient, or refuses it for good."""
        if address in self.refuses:
            return "550 5.1.1 no such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Prints what it takes, and answers as it was told."""
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == "hang":
            await asyncio.sleep(3600)
        if answer == "drop":
            server.transport.abort()
            return "421 gone"
        if answer != "250":
            say({"answered": answer})
            return f"{answer} as told"
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        say(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "tls": session.ssl is not None or isinstance(server.transport.get_extra_info("sslcontext"), ssl.SSLContext),
                "login": session.auth_data,
                "headers": {name: str(value) for name, value in letter.items()},
                "text": letter.get_content(),
            }
        )
        return "250 2.0.0 queued"


def authenticator(login: str):
    """Takes one name with its password."""
    name, _, password = login.partition(":")

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        right = data.login == name.encode() and data.password == password.encode()
        return AuthResult(success=right, handled=right or None, auth_data=name) if right else AuthResult(success=False, handled=False)

    return check


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
    arguments.add_argument("--tls", action="store_true")
    arguments.add_argument("--starttls", action="store_true")
    arguments.add_argument("--certificate", help="PEM with certificate and key")
    arguments.add_argument("--login", help="NAME:PASSWORD")
    arguments.add_argument("--answers", default="250", help="replies to letters, in turn: 451,hang,drop,250")
    arguments.add_argument("--refuses", action="append", default=[], help="a recipient that is refused; repeatable")
    arguments.add_argument("--until-stdin-closes", action="store_true", help="for tests: end with the one who started it")
    chosen = arguments.parse_args()
    context = None
    if chosen.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chosen.certificate)
    handler = Handler(chosen.answers.split(","), set(chosen.refuses))
    login = {}
    if chosen.login:
        # Over TLS from the first byte aiosmtpd knows of no STARTTLS, and would refuse every login.
        login = {
            "authenticator": authenticator(chosen.login),
            "auth_required": True,
            "auth_require_tls": chosen.starttls,
        }

    def session() -> SMTP:
        return SMTP(
            handler,
            data_size_limit=MAX_LETTER_BYTES,
            hostname="mail.example",
            tls_context=context if chosen.starttls else None,
            require_starttls=chosen.starttls,
            **login,
        )

    server = await asyncio.get_running_loop().create_server(
        session, chosen.host, chosen.port, ssl=context if chosen.tls else None
    )
    say({"listening": server.sockets[0].getsockname()[1]})
    if chosen.until_stdin_closes:
        await stdin_closed()
    else:
        await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
