"""An independent check of Baken's formats, against the Rust code and for it.

  cross_check.py open FOLDER   open every golden vector in FOLDER, deriving each byte anew; print how many
  cross_check.py seal          seal instances of every format with fresh keys; print them as JSON, keys included
  cross_check.py json JSON FOLDER   check the OpenAPI document and the schemas in JSON, against values of the vectors

Exit code 1 and a message when a vector does not hold. Packages: tests/peers/requirements.txt.
"""

import base64
import json
import pathlib
import sys

import cbor2

from independent import formats_alarm, formats_blob, formats_circle, formats_entry, formats_org, formats_pairing
from independent import formats_dossier, formats_edition, formats_export, formats_recovery, json_files, own, suite
from independent.sealer import Check, Make, World

# Every format: its description, and where a vector's bytes hold what it seals, in the order in which it does so.
FORMATS = {
    "basics": (formats_pairing.basics, lambda vector: [bytes.fromhex(vector["bytes"])]),
    "identity": (formats_org.identity, lambda vector: []),
    "directory": (formats_org.directory, lambda vector: []),
    "invite": (formats_org.invite, lambda vector: []),
    "registration": (formats_org.registration, lambda vector: []),
    "dismissal": (formats_org.dismissal, lambda vector: []),
    "roster": (formats_org.roster, lambda vector: payload(vector)[3:4]),
    "enrolment": (formats_org.enrolment, lambda vector: payload(vector)[3:4]),
    "alarm": (formats_alarm.alarm, None),
    "sms_context": (formats_alarm.sms_context, None),
    "sms": (formats_alarm.sms, lambda vector: []),
    "sms_alarm": (formats_alarm.sms_alarm, lambda vector: []),
    "update": (formats_alarm.update, lambda vector: payload(vector)[3:4]),
    "note": (formats_alarm.note, lambda vector: payload(vector)[3:4]),
    "card": (formats_alarm.card, lambda vector: payload(vector)[2:3]),
    "receipt": (formats_alarm.receipt, lambda vector: payload(vector)[6:7]),
    "membership": (formats_circle.membership, lambda vector: list(epochs(vector))),
    "entry": (formats_entry.entry, lambda vector: cbor2.loads(bytes.fromhex(vector["bytes"]))[1:]),
    "entry_v0": (formats_entry.entry_v0, lambda vector: cbor2.loads(bytes.fromhex(vector["bytes"]))[1:]),
    "checkpoint": (formats_entry.checkpoint, lambda vector: []),
    "blob": (formats_blob.blob, lambda vector: [bytes.fromhex(vector["bytes"])]),
    "export": (formats_export.export, formats_export.sealed_in),
    "recovery": (formats_recovery.recovery, lambda vector: payload(vector)[2:3]),
    "pairing": (None, lambda vector: [cbor2.loads(bytes.fromhex(vector[name])) for name in ("hello", "grant")]),
    "request": (formats_pairing.request, lambda vector: []),
    "order": (formats_alarm.order, lambda vector: []),
    "deposit": (formats_alarm.deposit, lambda vector: []),
    "edition_root": (formats_edition.edition_root, lambda vector: []),
    "edition": (formats_edition.edition, lambda vector: []),
    "pack": (formats_dossier.pack, lambda vector: []),
    "check_up": (
        formats_dossier.check_up,
        lambda vector: [cbor2.loads(bytes.fromhex(vector["lock"]))[4], bytes.fromhex(vector["bytes"])],
    ),
    "family": (formats_alarm.family, lambda vector: [sealed for sealed in payload(vector)[4:5] if sealed]),
    "handing_on": (formats_alarm.handing_on, lambda vector: [part for part in payload(vector)[5:7] if part]),
}


def payload(vector):
    return cbor2.loads(cbor2.loads(bytes.fromhex(vector["bytes"]))[1])


def epochs(vector):
    """What the epochs of a log hold sealed: a wrap a reader, one for the recovery code, the key before."""
    place = {2: 0, 4: 1, 10: 2}
    for bytes_of in vector["records"]:
        number, fields = cbor2.loads(cbor2.loads(bytes.fromhex(bytes_of))[1])[4]
        if number in place:
            _, wraps, _, before, recovery = [*fields[place[number]], None][:5]
            yield from (wrap for _, wrap in wraps)
            yield from [recovery] if recovery else []
            yield from [before] if before else []


def described(world, name, vector, sealer):
    """The vector's bytes as its inputs give them."""
    inputs = vector["inputs"]
    if name != "pairing":
        return FORMATS[name][0](world, inputs, sealer)
    # The code's text alone says which secret the two devices share, and who shows it.
    body = vector["code"].removeprefix("BAKEN-PAIR:")
    code = cbor2.loads(base64.b32decode(body + "=" * (-len(body) % 8))[:-4])
    shown_by = cbor2.loads(cbor2.loads(bytes.fromhex(vector["offer"]))[1])[0]
    return formats_pairing.pairing(world, inputs, sealer, world.by_id[shown_by], code[2])


def check(world, name, vector):
    """Holds one vector against its inputs."""
    if name in ("alarm", "sms_context") or vector["inputs"].get("document") == "alarm":
        _, slots, last = payload(vector)
        found = {responder.hex(): wrapped for responder, wrapped in slots}
        responders = vector["inputs"]["responders"]
        noise = [slot for slot in slots if slot[0].hex() not in responders]
        sealer = Check([*(found[responder] for responder in responders), last], noise)
    else:
        sealer = Check(FORMATS[name][1](vector))
    for part, value in described(world, name, vector, sealer).items():
        assert vector[part] == jsonable(value), f"{name}: {part} is not what its inputs give"


def jsonable(value):
    if isinstance(value, bytes):
        return value.hex()
    return [jsonable(item) for item in value] if isinstance(value, list) else value


def open_all(folder):
    read = lambda name: json.loads((folder / f"{name}.json").read_text())
    world, count = World(read("keys")), 0
    for name in FORMATS:
        for vector in read(name):
            check(world, name, vector)
            count += 1
    print(f"{count} vectors opened")


def seal_all():
    keys = own.keys()
    world, result = World(keys), {"keys": keys}
    for name, describe, all_inputs in own.instances(world, FORMATS, formats_pairing.pairing):
        result.setdefault(name, [])
        for inputs in all_inputs:
            made = describe(world, inputs, Make())
            result[name].append({"inputs": inputs, **{part: jsonable(value) for part, value in made.items()}})
    print(json.dumps(result))


if __name__ == "__main__":
    suite.self_check()
    match sys.argv[1:]:
        case ["open", folder]:
            open_all(pathlib.Path(folder))
        case ["seal"]:
            seal_all()
        case ["json", folder, vectors]:
            schemas, values = json_files.check(pathlib.Path(folder), pathlib.Path(vectors))
            print(f"{schemas} schemas, {values} values")
        case _:
            sys.exit(__doc__)
