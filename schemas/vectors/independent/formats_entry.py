"""Entries of both versions, and the parts of checkpoints that some of them hold."""

import struct

import cbor2

from . import suite
from .formats_org import h, variant


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
    """Records once, in order, then a column a field. In schema 0 a column has clocks too."""
    records = sorted({(h(change["record"]), change["kind"]) for change in changes})
    columns = []
    for field in sorted({change["field"] for change in changes}):
        of_field = [change for change in changes if change["field"] == field]
        clocks = [[number for tick in change["clock"] for number in tick] for change in of_field if "clock" in change]
        columns.append([
            field,
            [records.index((h(change["record"]), change["kind"])) for change in of_field],
            *([clocks] if clocks else []),
            [field_value(change["value"]) for change in of_field],
        ])
    return suite.cbor([[list(record) for record in records], columns])


def part(described):
    """A part of a checkpoint."""
    put = lambda put: [put["slot"], put["counter"], put["hlc"], field_value(put["value"])]
    return suite.cbor([
        [
            [writer["slot"], writer["counter"], h(writer["hash"]), writer["epoch"], writer["seen"]]
            for writer in described["writers"]
        ],
        [
            [h(record["record"]), record["kind"], [[field, [put(one) for one in puts]] for field, puts in record["fields"]]]
            for record in described["records"]
        ],
    ])


def checkpoint(_world, inputs, _sealer):
    return {"bytes": part(inputs)}


def entry(world, inputs, sealer):
    log = [inputs["log"]["seq"], h(inputs["log"]["hash"])]
    return any_entry(world, inputs, sealer, 1, [log])


def entry_v0(world, inputs, sealer):
    assert inputs["log"] is None and inputs["checkpoint"] is None
    return any_entry(world, inputs, sealer, 0, [])


def any_entry(world, inputs, sealer, version, log):
    """Version 1 says where the log stands, and version 0 does not. Else they are alike, label included."""
    label, author = "baken/entry/v0", world.device(inputs["device"])
    heads = [[slot, counter, h(head)] for slot, counter, head in inputs["heads"]]
    kind, content = variant(0), batch
    if inputs["checkpoint"] is not None:
        kind, content = variant(1, *inputs["checkpoint"]), part
    body = suite.cbor([author.device, inputs["hlc"], *log, heads, inputs["schema"], content(inputs["changes"])])
    sealer.derived(inputs, "size_class", size_class(len(body) + 64 + 16))
    circle, entry_id = h(inputs["circle"]), h(inputs["entry"])
    header = suite.cbor([
        version,
        kind,
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
