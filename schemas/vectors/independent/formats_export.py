"""Exports: a stream of items, sealed in chunks of 256 KiB under a typed code."""

import struct

from . import suite
from .formats_blob import CHUNK, padded
from .formats_circle import variant
from .formats_org import h
from .formats_recovery import code_secret

NUMBERS = ["head", "circle", "device", "record", "put", "file", "bytes", "not_here", "end"]
SEALED = CHUNK + 4 + 24 + 32 + 16
HEAD = 12 + 1 + 16
CHECKSUM = "baken/export-checksum/v0"


def value(given):
    """Bytes are given as an object, all else as it is."""
    return h(given["bytes"]) if isinstance(given, dict) else given


def item(given):
    (name, fields), = given.items()
    match name, fields:
        case "head", [made_at, device]:
            fields = [made_at, h(device)]
        case "circle", [circle, kind, called, home]:
            fields = [h(circle), variant(kind), called, home]
        case "device", [device, called]:
            fields = [h(device), called]
        case "record", [record, kind, deleted]:
            fields = [h(record), kind, deleted]
        case "put", [field, put, by, at, stands]:
            fields = [field, value(put), by and h(by), at, stands]
        case ("file" | "not_here"), [blob, size]:
            fields = [h(blob), size]
        case "bytes", [piece]:
            fields = [h(piece)]
    return suite.cbor(variant(NUMBERS.index(name), *fields))


def key(code, export):
    label = "baken/export-code/v0"
    return suite.derive(suite.digest(label, [code_secret(code, CHECKSUM)]), label, [export])


def sealed_in(vector):
    """The sealed chunks of a file."""
    chunks = bytes.fromhex(vector["bytes"])[HEAD:]
    return [chunks[at : at + SEALED] for at in range(0, len(chunks), SEALED)]


def export(_world, inputs, sealer):
    label, export_id = "baken/export-chunk/v0", h(inputs["id"])
    items = [item(given) for given in inputs["items"]]
    stream = b"".join(struct.pack(">I", len(made)) + made for made in items)
    parts = [stream[at : at + CHUNK] for at in range(0, len(stream), CHUNK)]
    sealed = []
    for index, part in enumerate(parts):
        last = bytes([index == len(parts) - 1])
        bound = suite.transcript(label, [export_id, struct.pack(">I", index), last])
        plaintext = suite.pad(part, padded(len(part)))
        sealed.append(sealer.seal(key(inputs["code"], export_id), label, bound, plaintext))
    return {"bytes": b"BAKEN-EXPORT" + b"\0" + export_id + b"".join(sealed)}
