"""Circles and what goes between an account's devices: the log with its epochs, entries, pairing; signed requests."""

import base64
import hashlib
import struct

import cbor2

from . import suite
from .formats_org import describe_identity, h, identity_document, to_text, variant


def membership(world, inputs, sealer):
    """Genesis, one `add` a further member, and the first epoch."""
    circle, label = h(inputs["circle"]), "baken/epoch/v0"
    sealer.derived(inputs, "root", suite.verify_key(world.account_root).hex())
    members = [
        [h(member["device"]), h(member["sig"]), h(member["kem"]), variant(member["role"])]
        for member in inputs["members"]
    ]
    first, key = world.device(inputs["members"][0]["device"]), h(inputs["epoch_key"])
    sealer.derived(inputs, "commitment", suite.commitment(key, label).hex())
    wraps = []
    for member in members:
        bound = suite.transcript(label, [circle, struct.pack(">I", inputs["epoch"]), member[0]])
        wraps.append([member[0], sealer.wrap(world.by_id[member[0]].kem, None, label, bound, key)])
    operations = [
        variant(0, suite.verify_key(world.account_root), variant(0), members[0]),
        *[variant(1, member) for member in members[1:]],
        variant(2, [inputs["epoch"], wraps, h(inputs["commitment"])]),
    ]
    records, prev = [], suite.ZERO
    for seq, operation in enumerate(operations):
        payload = suite.cbor([circle, seq, prev, first.device, operation])
        records.append(suite.envelope("baken/membership/v0", payload, first.sig if seq else world.account_root))
        prev = suite.document_hash(records[-1])
    sealer.derived(inputs, "head", {"seq": len(records) - 1, "hash": prev.hex()})
    return {"records": records}


def class_size(number):
    return (4 + number % 4) * (64 << (number // 4))


def size_class(length):
    return next(number for number in range(160) if class_size(number) >= length + 4)


def field_value(described):
    if described == "empty":
        return None
    (kind, value), = described.items()
    if kind == "newer":
        return cbor2.loads(h(value))
    return h(value) if kind == "bytes" else value


def batch(changes):
    """Records once, in order, then a column a field."""
    records = sorted({(h(change["record"]), change["kind"]) for change in changes})
    columns = []
    for field in sorted({change["field"] for change in changes}):
        of_field = [change for change in changes if change["field"] == field]
        columns.append([
            field,
            [records.index((h(change["record"]), change["kind"])) for change in of_field],
            [[number for tick in change["clock"] for number in tick] for change in of_field],
            [field_value(change["value"]) for change in of_field],
        ])
    return suite.cbor([[list(record) for record in records], columns])


def entry(world, inputs, sealer):
    label, author = "baken/entry/v0", world.device(inputs["device"])
    heads = [[slot, counter, h(head)] for slot, counter, head in inputs["heads"]]
    body = suite.cbor([author.device, inputs["hlc"], heads, inputs["schema"], batch(inputs["changes"])])
    sealer.derived(inputs, "size_class", size_class(len(body) + 64 + 16))
    circle, entry_id = h(inputs["circle"]), h(inputs["entry"])
    header = suite.cbor([
        0,
        variant(0),
        circle,
        inputs["epoch"],
        entry_id,
        inputs["slot"],
        inputs["counter"],
        h(inputs["prev"]),
        inputs["size_class"],
    ])
    signed = suite.cbor([body, suite.sign(author.sig, label, [header, body])])
    place = [circle, struct.pack(">I", inputs["epoch"]), entry_id]
    key = suite.derive(h(inputs["epoch_key"]), "baken/entry-key/v0", place)
    sealed = sealer.seal(key, label, header, suite.pad(signed, class_size(inputs["size_class"])))
    wire = suite.cbor([header, sealed])
    sealer.derived(inputs, "hash", suite.digest("baken/entry-hash/v0", [wire]).hex())
    return {"bytes": wire}


def pairing(world, inputs, sealer, new_device, secret):
    """`new_device` shows the code with `secret`; both are in the code's text."""
    offer = identity_document(new_device)
    rendezvous, fingerprint = h(inputs["rendezvous"]), h(describe_identity(new_device)["fingerprint"])
    sealer.derived(inputs, "fingerprint", fingerprint.hex())

    def sealed(label, before, message):
        bound = suite.transcript(label, [rendezvous, fingerprint, before])
        return suite.cbor(sealer.wrap(new_device.kem, secret, label, bound, suite.cbor(message)))

    hello = sealed("baken/pairing-hello/v0", b"", [h(inputs["hello_identity"])])
    granted = inputs["grant"]
    grant = sealed("baken/pairing-grant/v0", hello, [
        h(granted["account"]),
        h(granted["org"]),
        h(granted["directory"]),
        h(granted["desk_key"]),
        h(granted["circle"]),
        [granted["log_head"]["seq"], h(granted["log_head"]["hash"])],
        [[epoch, h(key)] for epoch, key in granted["epochs"]],
    ])
    digits = int.from_bytes(suite.digest("baken/pairing-digits/v0", [secret, offer, hello])[:8], "big") % 1_000_000
    sealer.derived(inputs, "digits", f"{digits:06}")
    code = to_text("BAKEN-PAIR", suite.cbor([rendezvous, fingerprint, secret]))
    return {"code": code, "offer": offer, "hello": hello, "grant": grant}


def request(world, inputs, _sealer):
    """RFC 9421, the one profile that Baken takes."""
    device, body = world.device(inputs["device"]), h(inputs["body"])
    headers = {
        "baken-device": inputs["device"],
        "idempotency-key": inputs["idempotency_key"],
        "content-digest": f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:",
    }
    values = {
        "@method": inputs["method"],
        "@authority": inputs["authority"],
        "@path": inputs["path"],
        "@query": "?" + inputs["query"],
        **{name: headers[name] for name in ("content-digest", "idempotency-key", "baken-device")},
    }
    components = " ".join(f'"{name}"' for name in values)
    params = f'({components});keyid="{inputs["device"]}.{inputs["key"]}";alg="ed25519";tag="baken"'
    base = "".join(f'"{name}": {value}\n' for name, value in values.items()) + f'"@signature-params": {params}'
    signature = suite.signer(getattr(device, inputs["key"])).sign(base.encode())
    headers["signature-input"] = f"baken={params}"
    headers["signature"] = f"baken=:{base64.b64encode(signature).decode()}:"
    return {"headers": headers}


def basics(_world, inputs, sealer):
    label, fields, key = inputs["label"], [h(field) for field in inputs["fields"]], h(inputs["key"])
    sealer.derived(inputs, "transcript", suite.transcript(label, fields).hex())
    sealer.derived(inputs, "hash", suite.digest(label, fields).hex())
    sealer.derived(inputs, "derived", suite.derive(key, label, fields).hex())
    sealer.derived(inputs, "commitment", suite.commitment(key, label).hex())
    sealer.derived(inputs, "text", to_text(inputs["text_prefix"], h(inputs["plaintext"])))
    lengths = [0, 252, 253, 316, 1000, 5000, 100_000]
    sealer.derived(inputs, "size_classes", [[n, size_class(n), class_size(size_class(n))] for n in lengths])
    return {"bytes": sealer.seal(key, label, h(inputs["bound"]), h(inputs["plaintext"]))}
