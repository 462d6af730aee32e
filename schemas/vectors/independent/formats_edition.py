"""Editions: who may publish one, and what is in it; documents with any number of signatures."""

import hashlib

from . import suite


def countersigned(world, label, payload, signers):
    """`[label, payload, [[key, signature], …]]`, in the order of the keys."""
    content = suite.cbor(payload)
    seeds = [getattr(world, signer) for signer in signers]
    signed = sorted([suite.verify_key(seed), suite.sign(seed, label, [content])] for seed in seeds)
    return {"bytes": suite.cbor([label, content, signed])}


def edition_root(world, inputs, sealer):
    keys = sorted(suite.verify_key(getattr(world, name)) for name in inputs["publishers"])
    sealer.derived(inputs, "keys", [key.hex() for key in keys])
    payload = [inputs["edition"], inputs["version"], keys, inputs["threshold"]]
    return countersigned(world, "baken/edition-root/v0", payload, inputs["signers"])


def edition(world, inputs, sealer):
    files = []
    for file in sorted(inputs["files"], key=lambda file: file["path"]):
        content = file["text"].encode()
        sealer.derived(file, "sha256", hashlib.sha256(content).hexdigest())
        files.append([file["path"], bytes.fromhex(file["sha256"]), len(content), file["language"], file["min_app"]])
    payload = [inputs["edition"], inputs["version"], inputs["issued_at"], inputs["expires"], files]
    return countersigned(world, "baken/edition/v0", payload, inputs["signers"])
