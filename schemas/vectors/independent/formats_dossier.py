"""What a dossier seals and signs for itself: the statement of a hand-over pack, and check-ups."""

from . import suite
from .formats_org import h


def pack(world, inputs, sealer):
    device = world.device(inputs["device"])
    key = suite.verify_key(device.sig)
    digits = suite.digest("baken/pack-key/v0", [key])[:16].hex()
    sealer.derived(inputs, "fingerprint", " ".join(digits[at : at + 4] for at in range(0, 32, 4)))
    files = [[file["name"], file["size"], h(file["sha256"])] for file in inputs["files"]]
    changes = [[h(c["record"]), c["field"], h(c["by"]) if c["by"] else None, c["at"]] for c in inputs["changes"]]
    payload = [device.device, key, inputs["made_at"], h(inputs["record"]), files, changes, inputs["unsent"]]
    if inputs["last_sync"] is not None:
        payload.append(inputs["last_sync"])
    return {"bytes": suite.envelope("baken/pack-statement/v0", suite.cbor(payload), device.sig)}


def check_up(world, inputs, sealer):
    numbers = [inputs["memory_kib"], inputs["passes"], inputs["lanes"], h(inputs["salt"])]
    key, of = h(inputs["key"]), h(inputs["lock"])
    sealed = sealer.seal(h(inputs["stretched"]), "baken/check-up-lock/v0", suite.cbor(numbers), key)
    body = suite.cbor([inputs["at"], inputs["with"], inputs["text"]])
    return {
        "lock": suite.cbor([*numbers, sealed]),
        "bytes": sealer.seal(key, "baken/check-up/v0", of, body),
    }
