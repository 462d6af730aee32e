"""Instances of the Python program's own, with fresh keys: what Rust is given to open."""

import os
import secrets

from . import suite
from .formats_org import identity_document
from .formats_recovery import code_text


def fresh(length):
    return os.urandom(length).hex()


def keys():
    """Everybody's secret keys, in the form of `keys.json`."""
    device = lambda: {"device": fresh(16), "sig": fresh(32), "alarm": fresh(32), "kem": fresh(32)}
    names = ("relay", "desk_east", "desk_west", "mayor_phone", "mayor_tablet")
    return {"org_root": fresh(32), "account_root": fresh(32), "devices": {name: device() for name in names}}


def body(kind, fix, provenance, card_key):
    battery = secrets.randbelow(101) if card_key else None
    return {
        "kind": kind,
        "fix": fix,
        "battery_percent": battery,
        "text": "é " * secrets.randbelow(500),
        "made_at": secrets.randbelow(2**50) - 2**49,
        "card_key": card_key,
        "provenance": provenance,
        "family": None,
    }


def exported(device, size):
    """An export with one file of so many bytes."""
    file, blob, at = os.urandom(size), fresh(16), secrets.randbelow(2**42)
    pieces = [file[start : start + 262_144] for start in range(0, size, 262_144)]
    return {
        "code": code_text(os.urandom(16), "baken/export-checksum/v0"),
        "id": fresh(16),
        "items": [
            {"head": [at, device]},
            {"circle": [fresh(16), 2, "Zaak", False]},
            {"device": [device, "Telefoon é"]},
            {"record": [fresh(16), 9, False]},
            {"put": [1, "brief", device, at, True]},
            {"put": [3, {"bytes": fresh(90)}, None, -at, False]},
            {"put": [700, None, device, at, True]},
            {"file": [blob, size]},
            *({"bytes": [piece.hex()]} for piece in pieces),
            {"not_here": [fresh(16), 2**20]},
            {"end": [1, 1]},
        ],
    }


def instances(world, formats, pairing):
    """For every format its name, its description and inputs."""
    phone, tablet = world.named["mayor_phone"], world.named["mayor_tablet"]
    desks = [world.named["desk_east"], world.named["desk_west"]]
    relay = world.named["relay"]
    account, circle, ladder, content = fresh(16), fresh(16), fresh(16), fresh(32)
    root = suite.verify_key(world.org_root)
    org = suite.digest("baken/org-root/v0", [root]).hex()
    at = {"at": {"latitude_e7": -519_225_000, "longitude_e7": 2**31 - 1, "accuracy_m": 5, "age_s": 2**32 - 1}}

    public = lambda device: (suite.verify_key(device.sig).hex(), suite.xwing_public(device.kem).hex())
    yield_of = lambda name, *inputs: (name, formats[name][0], list(inputs))

    yield yield_of("basics", {
        "label": "baken/example/v0",
        "fields": [b"one".hex(), "", b"three".hex()],
        "key": fresh(32),
        "bound": fresh(20),
        "plaintext": fresh(40),
        "text_prefix": "BAKEN-INVITE",
    })
    yield yield_of("identity", {"device": phone.device.hex()}, {"device": relay.device.hex()})
    directory = {
        "version": 2**33,
        "name": "Gemeente Noord-Voorbeeld",
        "issued_at": 1_795_000_000_000,
        "relay": {
            "relay": relay.device.hex(),
            "sig": public(relay)[0],
            "urls": ["https://relay.example", "https://[2001:db8::1]:8443"],
            "tls_roots": [fresh(700), fresh(20)],
            "operator_reads_alarms": True,
        },
        "desks": [
            {"desk": desk.device.hex(), "name": "Meldkamer", "sig": public(desk)[0], "kem": public(desk)[1]}
            for desk in desks
        ],
        "ladders": [{
            "ladder": ladder,
            "version": 300,
            "name": "Nacht",
            "rungs": [
                {"responders": [], "wait_s": 5, "family": True},
                {"responders": [desks[1].device.hex()], "wait_s": 10, "family": False},
                {"responders": [desks[0].device.hex(), desks[1].device.hex()], "wait_s": 70_000, "family": True},
            ],
            "serves": "check-ins",
        }],
        "sms_number": None,
    }
    yield yield_of("directory", directory)
    invite = {
        "relay_url": "https://relay.example",
        "tls_root_sha256": fresh(32),
        "account": account,
        "invite": fresh(16),
        "role": "bridge",
        "expires_at": 1_796_000_000_000,
        "secret": fresh(32),
    }
    yield yield_of("invite", invite)
    # The invite's derived inputs are filled in by now.
    shared = ("org", "invite", "account", "role", "expires_at", "relay_token")
    yield yield_of("registration", {name: invite[name] for name in shared})
    yield yield_of("dismissal", {"org": org, "invite": invite["invite"]})
    person = {"name": "Ä. Voorbeeld", "office": "raadslid", "phone": "+31 6 0000", "desk_key": invite["desk_key"]}
    desk = desks[0].device.hex()
    yield yield_of("roster", {"org": org, "desk": desk, "account": account, "person": person})
    enrolled = {"device": tablet.device.hex(), "desk": desk, "account": account, "desk_key": invite["desk_key"]}
    yield yield_of("enrolment", enrolled)

    header = {"device": phone.device.hex(), "class": 0, "ladder": ladder, "ladder_version": 300}
    responders = sorted(desk.device.hex() for desk in desks)
    button = {"button": {"button": "7", "transport": "SIA DC-09, plain"}}
    bodies = [
        body("duress", at, "phone", fresh(32)),
        body("missed", {"absent": "switched-off"}, button, None),
    ]
    yield yield_of("alarm", *[
        {**header, "alarm": fresh(16), "responders": responders, "content_key": fresh(32), "body": one} for one in bodies
    ])
    context = {"context": fresh(16), "device": phone.device.hex(), "ladder": ladder, "ladder_version": 300}
    context |= {"responders": responders, "key": fresh(32), "tag_key": fresh(32)}
    yield yield_of("sms_context", context)
    text = {"context": fresh(16), "key": fresh(32), "tag_key": fresh(32)}
    far = {"latitude_e7": -(2**31), "longitude_e7": 2**31 - 1, "accuracy_m": 2**16 - 1, "age_s": 0}
    yield yield_of("sms", *[
        {**text, "counter": counter, "salt": fresh(4), "body": {"made_at": made_at, "card_key": fresh(32), **said}}
        for counter, made_at, said in [
            (1, -(2**63), {"kind": "trouble", "fix": {"at": far}, "battery_percent": 0}),
            (2**32 - 1, 2**63 - 1, {"kind": "silent", "fix": {"absent": "no-receiver"}, "battery_percent": None}),
        ]
    ])
    bridge = world.named["mayor_tablet"].device.hex()
    yield yield_of("sms_alarm", {"bridge": bridge, "text": "00" + fresh(111), "taken_at": -1})
    moved = {name: bodies[1][name] for name in ("fix", "battery_percent", "made_at")} | {"text": "weg"}
    place = {"alarm": fresh(16), "device": phone.device.hex(), "seq": 2**40, "content_key": content}
    yield yield_of("update", {**place, "body": moved})
    yield yield_of("note", *[
        {
            "note": fresh(16),
            "device": phone.device.hex(),
            "desk": desk,
            "body": {"kind": kind, "duress": duress, "alarm": alarm, "made_at": -5, "freeze": freeze},
        }
        for kind, duress, alarm, freeze in [(0, True, None, fresh(159)), (1, False, fresh(16), None), (2, False, None, None)]
    ])
    card = {name: name for name in ("name", "office", "phone", "home_address", "car", "household", "medical", "code_word")}
    card["contacts"] = ["een", "twee"]
    yield yield_of("card", {"device": phone.device.hex(), "version": 2**20, "card_key": fresh(32), "body": card})
    detail = {"officer": "De Vries", "text": "gebeld"}
    yield yield_of("receipt", *[
        {
            "alarm": fresh(16),
            "alarm_hash": fresh(32),
            "state": state,
            "at": at_ms,
            "by": by.device.hex(),
            "prev": fresh(32),
            "detail": said,
            "content_key": content,
        }
        for state, at_ms, by, said in [
            ("exhausted", -1, relay, None), ("received", 0, desks[0], None), ("closed", 2**40, desks[1], detail),
            ("reopened", 1, relay, None), ("reopened", 2, desks[1], None),
        ]
    ])

    yield yield_of("handing_on", *[
        {
            "alarm": fresh(16),
            "alarm_hash": fresh(32),
            "at": at_ms,
            "by": desks[0].device.hex(),
            "to": desks[1].device.hex(),
            "detail": said,
            "content_key": content,
        }
        for at_ms, said in [(-1, None), (2**40, detail)]
    ])

    first_code, second_code = (code_text(os.urandom(16)) for _ in range(2))
    made = lambda author, does: {"author": author.device.hex(), "does": does}
    of = lambda device, role: {"device": device.device.hex(), "role": role}
    cut = lambda device, counter: [device.device.hex(), counter]
    epoch = lambda: {"key": fresh(32)}
    dossier = [
        made(tablet, {"genesis": of(tablet, 0)}),
        made(tablet, {"add": of(desks[0], 1)}),
        made(tablet, {"add": of(desks[1], 2)}),
        made(tablet, {"epoch": epoch()}),
        made(tablet, {"add": of(phone, 0)}),
        made(tablet, {"confirm": phone.device.hex()}),
        made(phone, {"epoch": epoch()}),
        made(tablet, {"freeze": cut(phone, 2**33)}),
        made(tablet, {"remove": cut(phone, 2**34), "epoch": epoch()}),
        made(phone, {"veto": phone.device.hex()}),
        made(tablet, {"remove": cut(desks[0], 12), "epoch": epoch()}),
        made(desks[1], {"leave": 2**63}),
        made(tablet, "recovery-key"),
        made(relay, {"recover": of(relay, 0), "lost": [cut(tablet, 7)], "epoch": epoch()}),
        made(relay, {"veto": phone.device.hex()}),
        made(phone, {"epoch": epoch()}),
    ]
    case = [
        made(phone, {"genesis": of(phone, 0)}),
        made(phone, {"add": of(desks[0], 2)}),
        made(phone, {"role": cut(desks[0], 0), "to": 1}),
        made(phone, {"add": of(tablet, 0)}),
        made(phone, {"epoch": epoch()}),
        made(tablet, {"remove": cut(phone, 5), "epoch": epoch()}),
        made(tablet, {"finish": phone.device.hex()}),
        made(tablet, {"role": cut(desks[0], 300), "to": 2}),
    ]
    about = {"circle": circle, "account": account}
    yield yield_of(
        "membership",
        {**about, "kind": 0, "recovery_codes": [first_code, second_code], "operations": dossier},
        {**about, "kind": 2, "recovery_codes": [], "operations": case},
    )
    values = [{"text": "w" * 300}, {"bool": False}, {"int": -1}, {"bytes": fresh(30)}, "empty", {"newer": "d903e7820102"}]
    changes = [{"record": fresh(16), "kind": 4, "field": field, "value": value} for field, value in enumerate(values)]
    puts = [{"slot": 3, "counter": 2**33, "hlc": 2**62, "value": value} for value in values]
    part = {
        "writers": [{"slot": 2, "counter": 2**40, "hash": fresh(32), "epoch": 70_000, "seen": [[0, 5], [700, 2**33]]}],
        "records": [{"record": fresh(16), "kind": 4, "fields": [[0, puts[:1]], [300, puts]]}],
    }
    written = {
        "circle": circle,
        "epoch": 70_000,
        "slot": 3,
        "counter": 2**33,
        "device": tablet.device.hex(),
        "hlc": 2**62,
        "heads": [[0, 9, fresh(32)], [1, 2**32, fresh(32)]],
    }
    fresh_entry = lambda: {**written, "entry": fresh(16), "prev": fresh(32), "epoch_key": fresh(32)}
    log = {"seq": 2**33, "hash": fresh(32)}
    yield yield_of(
        "entry",
        {**fresh_entry(), "checkpoint": None, "log": log, "schema": 1, "changes": changes},
        {**fresh_entry(), "checkpoint": [2, 1024], "log": log, "schema": 1, "changes": part},
    )
    with_clocks = [{**change, "clock": [[0, 1], [3, 2**33]]} for change in changes]
    yield yield_of("entry_v0", {**fresh_entry(), "checkpoint": None, "log": None, "schema": 0, "changes": with_clocks})
    yield yield_of("checkpoint", part)
    sheet = {"org": org, "relay_url": "https://[2001:db8::1]:8443", "tls_root_sha256": fresh(32)}
    yield yield_of("recovery", *[
        {"code": code, "account": account, "circle": circle, "device": device.device.hex(), "sheet": dict(sheet)}
        for code, device in [(first_code, phone), (second_code, relay)]
    ])

    secrets_of = [os.urandom(32), os.urandom(32)]
    for secret, of_account in zip(secrets_of, (account, None)):
        grant = {
            "account": of_account,
            "org": org,
            "directory": fresh(3000),
            "circle": circle,
            "log_head": {"seq": 500, "hash": fresh(32)},
        }
        paired = {"rendezvous": fresh(16), "hello_identity": identity_document(phone).hex(), "grant": grant}
        describe = lambda world, inputs, sealer, secret=secret: pairing(world, inputs, sealer, tablet, secret)
        yield "pairing", describe, [paired]
    request = {"method": "PUT", "authority": "relay.example", "path": f"/v0/cards/{phone.device.hex()}", "query": ""}
    signed_by = {"device": phone.device.hex(), "key": "sig", "body": fresh(100), "idempotency_key": fresh(16)}
    yield yield_of("request", request | signed_by)
    yield yield_of("export", *[exported(phone.device.hex(), size) for size in (0, 1, 300_000)])
    yield yield_of("order", *[
        {
            "circle": circle,
            "device": phone.device.hex(),
            "author": author.device.hex(),
            "kind": kind,
            "number": number,
            "made_at": -5,
        }
        for author, kind, number in [(tablet, "lock", 0), (tablet, "wipe", 2**63 - 1), (phone, "freeze", 300)]
    ])
    deposit, place = fresh(16), {"device": phone.device.hex(), "desk": desks[1].device.hex()}
    timers = {"document": "timers", "deposit": deposit, **place, "sealed": fresh(32), "silent_after_s": 60}
    yield yield_of("deposit", *[
        {**timers, "seq": 1, "due_in_s": 604_800, "grace_s": 0},
        {**timers, "seq": 2**63 - 1, "due_in_s": None, "grace_s": 3600},
        {"document": "raise", "deposit": deposit, "desk": desks[1].device.hex()},
        {
            "document": "receipt",
            "deposit": deposit,
            "answers": fresh(32),
            "state": "raised",
            "at": 1_796_000_000_000,
            "by": relay.device.hex(),
        },
    ])
    both = ["org_root", "account_root"]
    yield yield_of("edition_root", *[
        {"edition": edition, "version": version, "publishers": keys, "threshold": threshold, "signers": signers}
        for edition, version, keys, threshold, signers in [
            ("national", 2**64 - 1, both, 2, []),
            (f"organisation-{org}", 1, both[1:], 1, both),
        ]
    ])
    about = {"version": 300, "issued_at": -1, "expires": 2**42, "signers": both}
    page = {"path": "chapters/nl/01-e.md", "text": "Zeg het, één keer.\n", "language": "nl", "min_app": 2**20}
    table = {"path": "edition.toml", "text": "", "language": None, "min_app": 0}
    yield yield_of("edition", *[
        {"edition": "national", **about, "files": [dict(page), dict(table)]},
        {"edition": f"province-{org}", **about, "files": [dict(table)]},
    ])
    tablet_keys = {"device": tablet.device.hex(), "alarm": suite.verify_key(tablet.alarm).hex()}
    word = {"document": "word", "alarm": fresh(16), "sender": phone.device.hex(), "responders": [tablet_keys]}
    escalation = {"document": "escalation", "alarm": fresh(16), "alarm_hash": fresh(32), "at": -5, "content_key": content}
    at_home = {**bodies[1], "family": formats["family"][0](world, word, None)["bytes"].hex()}
    yield yield_of("family", *[
        {"document": "responder", **tablet_keys, "kem": public(tablet)[1]},
        word,
        {**escalation, "by": tablet.device.hex(), "detail": {"officer": "Jan", "text": "e" * 400}},
        {**escalation, "by": phone.device.hex(), "detail": None},
        {
            **header,
            "document": "alarm",
            "alarm": fresh(16),
            "responders": sorted([*responders, tablet.device.hex()]),
            "content_key": fresh(32),
            "body": at_home,
        },
    ])
    changed = [{"record": fresh(16), "field": 300, "by": by, "at": at} for by, at in [(fresh(16), -5), (None, 2**42)]]
    packed = {"device": phone.device.hex(), "made_at": -1, "record": fresh(16), "unsent": 2**40}
    yield yield_of("pack", *[
        {**packed, "files": [{"name": "bewijs/é", "size": 2**33, "sha256": fresh(32)}], "changes": changed, "last_sync": 5},
        {**packed, "files": [], "changes": [], "last_sync": None},
    ])
    locked = {"stretched": fresh(32), "memory_kib": 65536, "passes": 3, "lanes": 1, "salt": fresh(32), "key": fresh(32)}
    yield yield_of("check_up", {**locked, "lock": fresh(16), "at": -1, "with": "", "text": "Zo, zo. " * 60})
    chunk = 256 * 1024
    yield yield_of("blob", *[
        {
            "blob": fresh(16),
            "key": fresh(32),
            "size": before * chunk + last,
            "leaves_before": [fresh(32) for _ in range(before)],
            "plaintext": fresh(last),
        }
        for before, last in [(0, 0), (0, chunk), (1, 1), (4, 5000), (799, chunk)]
    ])
