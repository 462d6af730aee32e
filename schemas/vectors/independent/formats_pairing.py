"""What goes between an account's devices, pairing, and signed requests; the basics that all formats share."""

import base64
import hashlib

from . import suite
from .formats_entry import class_size, size_class
from .formats_org import describe_identity, h, identity_document, to_text


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
        granted["account"] and h(granted["account"]),
        h(granted["org"]),
        h(granted["directory"]),
        h(granted["circle"]),
        [granted["log_head"]["seq"], h(granted["log_head"]["hash"])],
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
