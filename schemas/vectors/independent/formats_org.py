"""Identities, and what an organisation signs: directory, invite, registration, dismissal, roster line, enrolment."""

import base64

from . import suite

ROLES = ["office-holder", "bridge"]


def h(text):
    return bytes.fromhex(text)


def variant(number, *fields):
    """A value of an enumeration."""
    return [number, list(fields)]


def to_text(prefix, content):
    check = suite.digest("baken/text/v0", [prefix.encode(), content])[:4]
    return prefix + ":" + base64.b32encode(content + check).decode().rstrip("=")


def identity_document(device):
    """A device's signed identity."""
    public = [device.device, suite.verify_key(device.sig), suite.verify_key(device.alarm), suite.xwing_public(device.kem)]
    return suite.envelope("baken/device/v0", suite.cbor(public), device.sig)


def describe_identity(device):
    public = [device.device, suite.verify_key(device.sig), suite.verify_key(device.alarm), suite.xwing_public(device.kem)]
    names = ("device", "sig", "alarm", "kem")
    described = {name: part.hex() for name, part in zip(names, public)}
    described["fingerprint"] = suite.digest("baken/device-fingerprint/v0", public).hex()
    return described


def identity(world, inputs, sealer):
    device = world.device(inputs["device"])
    for name, value in describe_identity(device).items():
        sealer.derived(inputs, name, value)
    return {"bytes": identity_document(device)}


def directory(world, inputs, sealer):
    root = suite.verify_key(world.org_root)
    sealer.derived(inputs, "root", root.hex())
    sealer.derived(inputs, "org", suite.digest("baken/org-root/v0", [root]).hex())
    relay = inputs["relay"]
    roots = [h(der) for der in relay["tls_roots"]]
    payload = [
        root,
        inputs["version"],
        inputs["name"],
        inputs["issued_at"],
        [h(relay["relay"]), h(relay["sig"]), relay["urls"], roots, relay["operator_reads_alarms"]],
        [[h(desk["desk"]), desk["name"], h(desk["sig"]), h(desk["kem"])] for desk in inputs["desks"]],
        [
            [
                h(ladder["ladder"]),
                ladder["version"],
                ladder["name"],
                [
                    [[h(responder) for responder in rung["responders"]], rung["wait_s"], *([1] if rung["family"] else [])]
                    for rung in ladder["rungs"]
                ],
                *([1] if ladder["serves"] == "check-ins" else []),
            ]
            for ladder in inputs["ladders"]
        ],
    ]
    payload += [inputs["sms_number"]] if inputs["sms_number"] else []
    return {"bytes": suite.envelope("baken/directory/v0", suite.cbor(payload), world.org_root)}


def invite(world, inputs, sealer):
    secret = h(inputs["secret"])
    sealer.derived(inputs, "org", suite.digest("baken/org-root/v0", [suite.verify_key(world.org_root)]).hex())
    sealer.derived(inputs, "relay_token", suite.digest("baken/invite-relay-token/v0", [secret]).hex())
    sealer.derived(inputs, "desk_key", suite.digest("baken/invite-desk-key/v0", [secret]).hex())
    payload = [
        h(inputs["org"]),
        inputs["relay_url"],
        h(inputs["tls_root_sha256"]),
        h(inputs["account"]),
        h(inputs["invite"]),
        variant(ROLES.index(inputs["role"])),
        inputs["expires_at"],
        secret,
    ]
    signed = suite.envelope("baken/invite/v0", suite.cbor(payload), world.org_root)
    return {"bytes": signed, "text": to_text("BAKEN-INVITE", signed)}


def registration(world, inputs, sealer):
    """`inputs["relay_token"]` is known only to who makes it; a vector's token is its invite's."""
    if "relay_token" in inputs:
        token = h(inputs.pop("relay_token"))
        sealer.derived(inputs, "token_hash", suite.digest("baken/invite-token-hash/v0", [token]).hex())
    payload = [
        h(inputs["org"]),
        h(inputs["invite"]),
        h(inputs["account"]),
        variant(ROLES.index(inputs["role"])),
        inputs["expires_at"],
        h(inputs["token_hash"]),
    ]
    return {"bytes": suite.envelope("baken/invite-registration/v0", suite.cbor(payload), world.org_root)}


def dismissal(world, inputs, sealer):
    payload = [h(inputs["org"]), h(inputs["invite"])]
    return {"bytes": suite.envelope("baken/dismissal/v0", suite.cbor(payload), world.org_root)}


def roster(world, inputs, sealer):
    label, person = "baken/roster/v0", inputs["person"]
    clear = [h(inputs["org"]), h(inputs["desk"]), h(inputs["account"])]
    body = suite.cbor([person["name"], person["office"], person["phone"], h(person["desk_key"])])
    kem = world.device(inputs["desk"]).kem
    sealed = sealer.wrap(kem, None, label, suite.transcript(label, clear), suite.pad(body, 512))
    return {"bytes": suite.envelope(label, suite.cbor([*clear, sealed]), world.org_root)}


def enrolment(world, inputs, sealer):
    label, device = "baken/enrolment/v0", world.device(inputs["device"])
    clear = [h(inputs["device"]), h(inputs["desk"]), h(inputs["account"])]
    sealer.derived(inputs, "identity", describe_identity(device))
    document = identity_document(device)
    proof = suite.derive(h(inputs["desk_key"]), "baken/enrolment-proof/v0", [clear[2], document])
    kem = world.device(inputs["desk"]).kem
    sealed = sealer.wrap(kem, None, label, suite.transcript(label, clear), suite.cbor([document, proof]))
    return {"bytes": suite.envelope(label, suite.cbor([*clear, sealed]), device.sig)}
