"""The recovery code, what it gives and opens, and the sheet beside it."""

from . import suite
from .formats_org import describe_identity, h, to_text

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


CHECKSUM = "baken/recovery-checksum/v0"


def code_text(secret, label=CHECKSUM):
    """Seven groups: four digits that count, and one that checks them."""
    checksum = int.from_bytes(suite.digest(label, [secret])[:2], "big") >> 4
    number = int.from_bytes(secret, "big") << 12 | checksum
    digits = [number >> shift & 31 for shift in range(135, -5, -5)]
    groups = [digits[at : at + 4] for at in range(0, 28, 4)]
    check = lambda group: sum(digit * weight for digit, weight in zip(group, (1, 3, 5, 7))) % 32
    return "-".join("".join(ALPHABET[digit] for digit in [*group, check(group)]) for group in groups)


def code_secret(text, label=CHECKSUM):
    number = 0
    for group in text.split("-"):
        for letter in group[:4]:
            number = number << 5 | ALPHABET.index(letter)
    secret = (number >> 12).to_bytes(16, "big")
    assert code_text(secret, label) == text, "no such code"
    return secret


def code_key(text, account, purpose):
    key = suite.digest("baken/recovery-code/v0", [code_secret(text), account])
    return suite.derive(key, f"baken/recovery-{purpose}/v0")


def kem_seed(text, account):
    """The seed of the key pair that epochs are wrapped to."""
    return code_key(text, account, "kem")


def recovery(world, inputs, sealer):
    label, code, account = "baken/sealed-root/v0", inputs["code"], h(inputs["account"])
    circle, device, root = h(inputs["circle"]), world.device(inputs["device"]), world.account_root
    name = code_key(code, account, "name")
    sealer.derived(inputs, "root", suite.verify_key(root).hex())
    sealer.derived(inputs, "name", name.hex())
    sealer.derived(inputs, "kem", suite.xwing_public(kem_seed(code, account)).hex())
    sealer.derived(inputs, "fingerprint", describe_identity(device)["fingerprint"])
    sealed = sealer.seal(code_key(code, account, "seal"), label, account, suite.cbor([root, circle]))
    claim = suite.cbor([account, circle, device.device, h(inputs["fingerprint"])])
    sheet = inputs["sheet"]
    printed = [h(sheet["org"]), sheet["relay_url"], h(sheet["tls_root_sha256"]), account]
    return {
        "bytes": suite.envelope(label, suite.cbor([account, name, sealed]), root),
        "claim": suite.envelope("baken/recovery-claim/v0", claim, root),
        "sheet": to_text("BAKEN-SHEET", suite.cbor(printed)),
    }
