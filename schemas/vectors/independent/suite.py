"""Suite B1: what every format is sealed and signed with.

Ed25519, X25519, ML-KEM-768, ChaCha20-Poly1305 and HKDF come from pyca/cryptography (OpenSSL), XChaCha20-Poly1305 from
libsodium. X-Wing (draft-connolly-cfrg-xwing-kem) and the HPKE key schedule (RFC 9180) are put together here by hand;
`self_check` holds them against OpenSSL's own HPKE. Not here: which bytes are sealed. That is in `formats_*`.
"""

import hashlib
import hmac
import os
import struct

import cbor2
from cryptography.hazmat.primitives import hashes, hpke, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt as xchacha_open,
    crypto_aead_xchacha20poly1305_ietf_encrypt as xchacha_seal,
)

ZERO = bytes(32)


def cbor(value):
    """Deterministic CBOR (RFC 8949, 4.2.1)."""
    return cbor2.dumps(value, canonical=True)


def transcript(label, fields):
    """Label and fields, each behind its length as 8 bytes, big-endian."""
    return b"".join(struct.pack(">Q", len(part)) + part for part in [label.encode(), *fields])


def digest(label, fields):
    return hashlib.sha256(transcript(label, fields)).digest()


def document_hash(envelope):
    return digest("baken/document/v0", [envelope])


# Symmetric


def expand(key, info, length):
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=info).derive(key)


def derive(key, label, fields=()):
    return expand(key, transcript(label, fields), 32)


def commitment(key, label):
    return derive(key, label, [b"commitment"])


def seal(key, label, bound, plaintext):
    """nonce 24 | commitment 32 | ciphertext and tag."""
    output, nonce = expand(key, transcript(label, [b"seal"]), 64), os.urandom(24)
    return nonce + output[32:] + xchacha_seal(plaintext, transcript(label, [bound]), nonce, output[:32])


def open_seal(key, label, bound, sealed):
    output = expand(key, transcript(label, [b"seal"]), 64)
    assert hmac.compare_digest(sealed[24:56], output[32:]), "another key's commitment"
    return xchacha_open(sealed[56:], transcript(label, [bound]), sealed[:24], output[:32])


def seal_once(key, label, bound, plaintext):
    """commitment 16 | ciphertext and tag, under a key that seals nothing else."""
    output = expand(key, transcript(label, [b"seal"]), 64)
    return output[32:48] + xchacha_seal(plaintext, transcript(label, [bound]), bytes(24), output[:32])


def pad(plaintext, size):
    assert len(plaintext) + 4 <= size, "too long"
    return struct.pack(">I", len(plaintext)) + plaintext + bytes(size - 4 - len(plaintext))


# Signatures


def raw(public):
    return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def signer(seed):
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed)


def verify_key(seed):
    return raw(signer(seed).public_key())


def sign(seed, label, fields):
    return signer(seed).sign(transcript(label, fields))


def envelope(label, payload, seed):
    """A signed document."""
    return cbor([label, payload, sign(seed, label, [payload])])


# X-Wing and HPKE


def xwing_expand(seed):
    output = hashlib.shake_256(seed).digest(96)
    return mlkem.MLKEM768PrivateKey.from_seed_bytes(output[:64]), x25519.X25519PrivateKey.from_private_bytes(output[64:])


def xwing_public(seed):
    mlkem_key, x25519_key = xwing_expand(seed)
    return mlkem_key.public_key().public_bytes_raw() + raw(x25519_key.public_key())


def xwing_combine(mlkem_secret, x25519_secret, x25519_ciphertext, x25519_public):
    parts = [mlkem_secret, x25519_secret, x25519_ciphertext, x25519_public, b"\\.//^\\"]
    return hashlib.sha3_256(b"".join(parts)).digest()


def xwing_encapsulate(public):
    mlkem_secret, mlkem_ciphertext = mlkem.MLKEM768PublicKey.from_public_bytes(public[:1184]).encapsulate()
    ephemeral = x25519.X25519PrivateKey.generate()
    x25519_ciphertext = raw(ephemeral.public_key())
    x25519_secret = ephemeral.exchange(x25519.X25519PublicKey.from_public_bytes(public[1184:]))
    secret = xwing_combine(mlkem_secret, x25519_secret, x25519_ciphertext, public[1184:])
    return secret, mlkem_ciphertext + x25519_ciphertext


def xwing_decapsulate(seed, encapsulated):
    mlkem_key, x25519_key = xwing_expand(seed)
    x25519_ciphertext = encapsulated[1088:]
    return xwing_combine(
        mlkem_key.decapsulate(encapsulated[:1088]),
        x25519_key.exchange(x25519.X25519PublicKey.from_public_bytes(x25519_ciphertext)),
        x25519_ciphertext,
        raw(x25519_key.public_key()),
    )


# KEM X-Wing, KDF HKDF-SHA256, AEAD ChaCha20-Poly1305.
SUITE_ID = b"HPKE" + bytes.fromhex("647a00010003")


def labeled_extract(salt, label, material):
    return hmac.digest(salt, b"HPKE-v1" + SUITE_ID + label + material, "sha256")


def labeled_expand(secret, label, info, length):
    """One block of HKDF-Expand: at most 32 bytes are needed."""
    labeled = struct.pack(">H", length) + b"HPKE-v1" + SUITE_ID + label + info
    return hmac.digest(secret, labeled + b"\x01", "sha256")[:length]


def key_schedule(shared, info, psk, psk_id):
    """RFC 9180, 5.1: key and nonce of the first message, in mode Base or, with a PSK, in mode PSK."""
    context = bytes([0 if psk is None else 1])
    context += labeled_extract(b"", b"psk_id_hash", psk_id if psk else b"")
    context += labeled_extract(b"", b"info_hash", info)
    secret = labeled_extract(shared, b"secret", psk or b"")
    return labeled_expand(secret, b"key", context, 32), labeled_expand(secret, b"base_nonce", context, 12)


def wrap(public, psk, label, bound, plaintext):
    """[encapsulated key, ciphertext]."""
    shared, encapsulated = xwing_encapsulate(public)
    key, nonce = key_schedule(shared, transcript(label, []), psk, label.encode())
    return [encapsulated, ChaCha20Poly1305(key).encrypt(nonce, plaintext, bound)]


def unwrap(seed, psk, label, bound, wrapped):
    encapsulated, ciphertext = wrapped
    shared = xwing_decapsulate(seed, encapsulated)
    key, nonce = key_schedule(shared, transcript(label, []), psk, label.encode())
    return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, bound)


def self_check():
    """X-Wing and the key schedule against OpenSSL's HPKE, both ways."""
    seed, label = os.urandom(32), "baken/example/v0"
    suite = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
    theirs = hpke.MLKEM768X25519PrivateKey(*xwing_expand(seed))
    info = transcript(label, [])
    encapsulated, ciphertext = wrap(xwing_public(seed), None, label, b"", b"content")
    assert suite.decrypt(encapsulated + ciphertext, theirs, info) == b"content"
    message = suite.encrypt(b"content", theirs.public_key(), info)
    assert unwrap(seed, None, label, b"", [message[:1120], message[1120:]]) == b"content"
