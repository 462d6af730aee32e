"""Blobs: a file in chunks of 256 KiB, sealed one by one, and the root of a Merkle tree (RFC 6962's shape) over them."""

import struct

from . import suite
from .formats_entry import class_size, size_class
from .formats_org import h

CHUNK = 256 * 1024


def padded(length):
    """A full chunk and its length are the most; what is shorter is padded to its class."""
    return min(class_size(size_class(length)), CHUNK + 4)


def root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    left = 1
    while left * 2 < len(leaves):
        left *= 2
    return suite.digest("baken/blob-node/v0", [root(leaves[:left]), root(leaves[left:])])


def blob(_world, inputs, sealer):
    """The last chunk; those before it are given by their leaves."""
    label, size = "baken/blob-chunk/v0", inputs["size"]
    chunks = max(1, -(-size // CHUNK))
    sealer.derived(inputs, "chunks", chunks)
    plaintext = h(inputs["plaintext"])
    assert len(plaintext) == size - (chunks - 1) * CHUNK, "the last chunk holds the rest of the file"
    assert len(inputs["leaves_before"]) == chunks - 1
    bound = suite.transcript(label, [h(inputs["blob"]), struct.pack(">I", chunks - 1), struct.pack(">I", chunks)])
    sealed = sealer.seal(h(inputs["key"]), label, bound, suite.pad(plaintext, padded(len(plaintext))))
    leaf = suite.digest("baken/blob-leaf/v0", [sealed])
    sealer.derived(inputs, "leaf", leaf.hex())
    sealer.derived(inputs, "root", root([h(other) for other in inputs["leaves_before"]] + [leaf]).hex())
    lengths = [0, 1, 252, 253, 100_000, 262_140, 262_141, 262_144]
    sealer.derived(inputs, "sealed_lengths", [[n, padded(n) + 24 + 32 + 16] for n in lengths])
    named = [h(inputs["blob"]), h(inputs["key"]), chunks, size, h(inputs["root"])]
    return {"bytes": sealed, "reference": suite.cbor(named)}
