"""Two ways to go through a format: make an instance, or hold a given one against its inputs.

A format is described once (`formats_*`), as a function from inputs to bytes. Where it seals, it asks a sealer. `Make`
seals. `Check` takes the sealed bytes that a vector has in that place, opens them, and demands the very plaintext that
the description gives; so every byte of a vector is either derived anew or opened.
"""

import os

from . import suite


class Device:
    """A device's secret keys: seeds of 32 bytes."""

    def __init__(self, keys):
        self.device, self.sig, self.alarm, self.kem = (bytes.fromhex(keys[n]) for n in ("device", "sig", "alarm", "kem"))


class World:
    """Everybody's secret keys, from a `keys.json`."""

    def __init__(self, keys):
        self.org_root, self.account_root = bytes.fromhex(keys["org_root"]), bytes.fromhex(keys["account_root"])
        self.named = {name: Device(device) for name, device in keys["devices"].items()}
        self.by_id = {device.device: device for device in self.named.values()}

    def device(self, hex_id):
        return self.by_id[bytes.fromhex(hex_id)]


class Make:
    """Seals, and adds to the inputs what is derived."""

    def derived(self, inputs, name, value):
        inputs[name] = value

    def seal(self, key, label, bound, plaintext):
        return suite.seal(key, label, bound, plaintext)

    def wrap(self, seed, psk, label, bound, plaintext):
        return suite.wrap(suite.xwing_public(seed), psk, label, bound, plaintext)

    def noise(self, count):
        return [[os.urandom(16), [os.urandom(1120), os.urandom(48)]] for _ in range(count)]


class Check:
    """Opens what a vector has; `sealed` lists it in the order in which the description seals."""

    def __init__(self, sealed, noise=()):
        self.sealed, self.noise_slots = list(sealed), list(noise)

    def derived(self, inputs, name, value):
        assert inputs[name] == value, f"{name}: {inputs[name]} is given, {value} follows"

    def seal(self, key, label, bound, plaintext):
        found = self.sealed.pop(0)
        assert suite.open_seal(key, label, bound, found) == plaintext, f"{label}: another plaintext"
        return found

    def wrap(self, seed, psk, label, bound, plaintext):
        found = self.sealed.pop(0)
        assert suite.unwrap(seed, psk, label, bound, found) == plaintext, f"{label}: another plaintext"
        return found

    def noise(self, count):
        assert len(self.noise_slots) == count, "another number of unused slots"
        assert all([len(part) for part in wrapped] == [1120, 48] for _, wrapped in self.noise_slots)
        return self.noise_slots
