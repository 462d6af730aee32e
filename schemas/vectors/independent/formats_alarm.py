"""The alarm and what follows it: updates, notes, the card, receipts; orders, which travel in notes too; and deposits."""

import base64
import struct

from . import suite
from .formats_org import h, variant

KINDS = ["panic", "silent", "medical", "duress", "button", "missed", "test", "probe", "trouble"]
ABSENT = ["not-yet", "switched-off", "no-receiver"]
STATES = ["stored", "received", "exhausted", "seen", "verified", "underway", "closed", "reopened"]


def u64(number):
    return struct.pack(">Q", number)


def fix(described):
    if "at" in described:
        at = described["at"]
        return variant(0, [at["latitude_e7"], at["longitude_e7"], at["accuracy_m"], at["age_s"]])
    return variant(1, variant(ABSENT.index(described["absent"])))


def provenance(described):
    if described == "phone":
        return variant(0)
    return variant(1, described["button"]["button"], described["button"]["transport"])


def alarm(world, inputs, sealer):
    body, content = inputs["body"], h(inputs["content_key"])
    header = [
        h(inputs["alarm"]),
        h(inputs["device"]),
        variant(inputs["class"]),
        h(inputs["ladder"]),
        inputs["ladder_version"],
    ]
    bound = suite.cbor(header)
    slots = [
        [h(responder), sealer.wrap(world.device(responder).kem, None, "baken/alarm-slot/v0", bound, content)]
        for responder in inputs["responders"]
    ]
    slots = sorted(slots + sealer.noise(4 - len(slots)), key=lambda slot: slot[0])
    plaintext = suite.cbor([
        variant(KINDS.index(body["kind"])),
        fix(body["fix"]),
        body["battery_percent"],
        body["text"],
        body["made_at"],
        body["card_key"] and h(body["card_key"]),
        provenance(body["provenance"]),
        *([h(body["family"])] if body["family"] else []),
    ])
    sealed = sealer.seal(content, "baken/alarm-body/v0", bound, suite.pad(plaintext, 2048))
    key = world.device(inputs["device"]).alarm
    return {"bytes": suite.envelope("baken/alarm/v0", suite.cbor([header, slots, sealed]), key)}


def sms_context(world, inputs, sealer):
    header = [h(inputs["context"]), h(inputs["device"]), h(inputs["ladder"]), inputs["ladder_version"]]
    bound, key = suite.cbor(header), h(inputs["key"])
    slots = [
        [h(responder), sealer.wrap(world.device(responder).kem, None, "baken/sms-slot/v0", bound, key)]
        for responder in inputs["responders"]
    ]
    slots = sorted(slots + sealer.noise(4 - len(slots)), key=lambda slot: slot[0])
    payload = suite.cbor([header, slots, h(inputs["tag_key"])])
    return {"bytes": suite.envelope("baken/sms-context/v0", payload, world.device(inputs["device"]).alarm)}


def sms(world, inputs, sealer):
    """A text message: all of it follows from the keys, the number and what it says."""
    label, body, context = "baken/sms-text/v0", inputs["body"], h(inputs["context"])
    number = struct.pack(">I", inputs["counter"]) + h(inputs["salt"])
    clear = [b"\0", context[:8], number]
    tag, place = 3, bytes(12)
    if "at" in body["fix"]:
        at = body["fix"]["at"]
        place = struct.pack(">iiHH", at["latitude_e7"], at["longitude_e7"], at["accuracy_m"], at["age_s"])
    else:
        tag = ABSENT.index(body["fix"]["absent"])
    battery = 255 if body["battery_percent"] is None else body["battery_percent"]
    plaintext = bytes([KINDS.index(body["kind"]), battery, tag]) + place
    plaintext += struct.pack(">q", body["made_at"]) + h(body["card_key"])
    bound = suite.transcript(label, clear)
    once = suite.derive(h(inputs["key"]), "baken/sms-key/v0", [context, number])
    sealed = suite.seal_once(once, label, bound, plaintext)
    seal_tag = suite.derive(h(inputs["tag_key"]), "baken/sms-tag/v0", [bound, sealed])[:8]
    message = b"".join(clear) + sealed + seal_tag
    sealer.derived(inputs, "alarm", suite.derive(h(inputs["tag_key"]), "baken/sms-alarm-id/v0", [context, number])[:16].hex())
    sealer.derived(inputs, "content_key", suite.derive(h(inputs["key"]), "baken/sms-content-key/v0", [context, number]).hex())
    sealer.derived(inputs, "hash", suite.digest(label, [message]).hex())
    text = "BAKEN " + base64.b64encode(message).decode().rstrip("=")
    assert len(text) <= 160
    return {"bytes": message, "text": text}


def sms_alarm(world, inputs, sealer):
    payload = suite.cbor([h(inputs["bridge"]), h(inputs["text"]), inputs["taken_at"]])
    return {"bytes": suite.envelope("baken/sms-alarm/v0", payload, world.device(inputs["bridge"]).alarm)}


def update(world, inputs, sealer):
    label, body = "baken/alarm-update/v0", inputs["body"]
    place = [h(inputs["alarm"]), h(inputs["device"])]
    bound = suite.transcript(label, [*place, u64(inputs["seq"])])
    plaintext = suite.cbor([fix(body["fix"]), body["battery_percent"], body["text"], body["made_at"]])
    key = suite.derive(h(inputs["content_key"]), "baken/alarm-updates-key/v0")
    sealed = sealer.seal(key, label, bound, suite.pad(plaintext, 1024))
    payload = suite.cbor([*place, inputs["seq"], sealed])
    return {"bytes": suite.envelope(label, payload, world.device(inputs["device"]).alarm)}


def note(world, inputs, sealer):
    label, body = "baken/note/v0", inputs["body"]
    clear = [h(inputs["note"]), h(inputs["device"]), h(inputs["desk"])]
    plaintext = [variant(body["kind"]), body["duress"], body["alarm"] and h(body["alarm"]), body["made_at"]]
    plaintext += [h(body["freeze"])] if body["freeze"] else []
    kem = world.device(inputs["desk"]).kem
    padded = suite.pad(suite.cbor(plaintext), 256)
    sealed = sealer.wrap(kem, None, label, suite.transcript(label, clear), padded)
    return {"bytes": suite.envelope(label, suite.cbor([*clear, sealed]), world.device(inputs["device"]).alarm)}


CARD = ["name", "office", "phone", "home_address", "car", "household", "medical", "code_word", "contacts"]


def card(world, inputs, sealer):
    label, device, version = "baken/card/v0", h(inputs["device"]), inputs["version"]
    padded = suite.pad(suite.cbor([inputs["body"][name] for name in CARD]), 4096)
    sealed = sealer.seal(h(inputs["card_key"]), label, suite.transcript(label, [device, u64(version)]), padded)
    payload = suite.cbor([device, version, sealed])
    return {"bytes": suite.envelope(label, payload, world.device(inputs["device"]).sig)}


def receipt(world, inputs, sealer):
    label, state, detail = "baken/receipt/v0", variant(STATES.index(inputs["state"])), inputs["detail"]
    alarm_id, alarm_hash, by, prev = (h(inputs[name]) for name in ("alarm", "alarm_hash", "by", "prev"))
    at = struct.pack(">q", inputs["at"])
    bound = suite.transcript(label, [alarm_id, alarm_hash, suite.cbor(state), at, by, prev])
    sealed = b""
    if detail is not None:
        key = suite.derive(h(inputs["content_key"]), "baken/alarm-receipts-key/v0")
        padded = suite.pad(suite.cbor([detail["officer"], detail["text"]]), 512)
        sealed = sealer.seal(key, label, bound, padded)
    payload = suite.cbor([alarm_id, alarm_hash, state, inputs["at"], by, prev, sealed])
    return {"bytes": suite.envelope(label, payload, world.device(inputs["by"]).sig)}


def handing_on(world, inputs, sealer):
    label, content, detail = "baken/handing-on/v0", h(inputs["content_key"]), inputs["detail"]
    alarm_id, alarm_hash, by, to = (h(inputs[name]) for name in ("alarm", "alarm_hash", "by", "to"))
    bound = suite.transcript(label, [alarm_id, alarm_hash, struct.pack(">q", inputs["at"]), by, to])
    wrapped = sealer.wrap(world.device(inputs["to"]).kem, None, label, bound, content)
    sealed = b""
    if detail is not None:
        key = suite.derive(content, "baken/alarm-receipts-key/v0")
        padded = suite.pad(suite.cbor([detail["officer"], detail["text"]]), 512)
        sealed = sealer.seal(key, label, bound, padded)
    payload = suite.cbor([alarm_id, alarm_hash, inputs["at"], by, to, wrapped, sealed])
    return {"bytes": suite.envelope(label, payload, world.device(inputs["by"]).sig)}


ORDERS = ["lock", "wipe", "freeze"]


def order(world, inputs, sealer):
    ids = [h(inputs[name]) for name in ("circle", "device", "author")]
    payload = suite.cbor([*ids, variant(ORDERS.index(inputs["kind"])), inputs["number"], inputs["made_at"]])
    return {"bytes": suite.envelope("baken/order/v0", payload, world.device(inputs["author"]).sig)}


STATES_OF_DEPOSITS = ["ready", "settled", "raised"]


def deposit(world, inputs, sealer):
    ids = [h(inputs["deposit"])]
    if inputs["document"] == "timers":
        numbers = [inputs[name] for name in ("due_in_s", "silent_after_s", "grace_s")]
        fields = [h(inputs["device"]), inputs["seq"], h(inputs["sealed"]), h(inputs["desk"]), *numbers]
        label, key = "baken/deposit-timers/v0", world.device(inputs["device"]).alarm
    elif inputs["document"] == "settlement":
        fields = [h(inputs["device"]), h(inputs["note"])]
        label, key = "baken/settlement/v0", world.device(inputs["device"]).alarm
    elif inputs["document"] == "raise":
        fields = [h(inputs["desk"])]
        label, key = "baken/raise/v0", world.device(inputs["desk"]).sig
    else:
        state = variant(STATES_OF_DEPOSITS.index(inputs["state"]))
        fields = [h(inputs["answers"]), state, inputs["at"], h(inputs["by"])]
        label, key = "baken/deposit-receipt/v0", world.device(inputs["by"]).sig
    return {"bytes": suite.envelope(label, suite.cbor([*ids, *fields]), key)}


def family(world, inputs, sealer):
    """What a family member's device says of itself, the sender's word for it, an escalation, an alarm that calls it."""
    if inputs["document"] == "alarm":
        return alarm(world, inputs, sealer)
    if inputs["document"] == "responder":
        label, key = "baken/family-responder/v0", world.device(inputs["device"]).sig
        payload = [h(inputs["device"]), h(inputs["alarm"]), h(inputs["kem"])]
    elif inputs["document"] == "word":
        label, key = "baken/alarm-family/v0", world.device(inputs["sender"]).alarm
        payload = [h(inputs["alarm"]), [[h(one["device"]), h(one["alarm"])] for one in inputs["responders"]]]
    else:
        label, key, detail = "baken/escalation/v0", world.device(inputs["by"]).alarm, inputs["detail"]
        ids = [h(inputs[name]) for name in ("alarm", "alarm_hash")]
        by, sealed = h(inputs["by"]), b""
        if detail is not None:
            bound = suite.transcript(label, [*ids, struct.pack(">q", inputs["at"]), by])
            detail_key = suite.derive(h(inputs["content_key"]), "baken/alarm-receipts-key/v0")
            padded = suite.pad(suite.cbor([detail["officer"], detail["text"]]), 512)
            sealed = sealer.seal(detail_key, label, bound, padded)
        payload = [*ids, inputs["at"], by, sealed]
    return {"bytes": suite.envelope(label, suite.cbor(payload), key)}
