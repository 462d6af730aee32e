"""A circle's membership log: its records, the keys of its epochs, and what the log amounts to."""

import struct

from . import suite
from .formats_org import h, variant
from .formats_recovery import kem_seed

OWNER, MEMBER, VIEWER = 0, 1, 2
EPOCH, BEFORE = "baken/epoch/v0", "baken/epoch-before/v0"
NUMBERS = {
    "genesis": 0,
    "add": 1,
    "epoch": 2,
    "confirm": 3,
    "remove": 4,
    "finish": 5,
    "veto": 6,
    "freeze": 7,
    "leave": 8,
    "role": 9,
    "recover": 10,
}


class Members:
    """Who is in, who waits, who reads: the rules of the log, for records that keep them."""

    def __init__(self, kind):
        self.kind, self.all, self.owes_epoch = kind, [], True

    def __getitem__(self, device):
        return next(member for member in self.all if member["device"] == device)

    def admit(self, device, role, state):
        self.all.append({"device": device, "role": role, "state": state, "reads": [], "written": 0, "frozen": False})

    def move(self, device, name, **more):
        """To another state; a `cut` does not lie behind one that holds already."""
        if "cut" in more and (held := self.cut(self[device])) is not None:
            more["cut"] = min(held, more["cut"])
        self[device]["state"] = {"state": name, **more}

    def readers(self):
        return [member for member in self.all if member["state"]["state"] == "active"]

    def cut(self, member):
        if member["state"]["state"] == "active":
            return member["written"] if member["role"] == VIEWER else None
        return member["state"].get("cut", 0)

    def start(self, number):
        for member in self.readers():
            member["reads"].append(number)
        self.owes_epoch = False

    def apply(self, author, does):
        """What a record does, but for the epoch in it."""
        match does:
            case {"genesis": first}:
                self.admit(first["device"], first["role"], {"state": "active"})
            case {"add": added}:
                waits = self.kind == 0 and added["role"] == OWNER
                state = {"state": "proposed", "by": author} if waits else {"state": "active"}
                self.admit(added["device"], added["role"], state)
                self.owes_epoch |= not waits
            case {"confirm": device}:
                self.move(device, "active")
                self.owes_epoch = True
            case {"remove": [device, counter]}:
                self[device]["frozen"] = self[device]["state"]["state"] == "frozen"
                cut = self[device]["state"].get("cut", counter)
                self.move(device, "leaving" if self[device]["role"] == OWNER else "gone", cut=cut)
            case {"finish": device}:
                self.move(device, "gone", cut=self[device]["state"]["cut"])
            case {"veto": device}:
                before = self[device]["state"]
                if before["state"] == "proposed":
                    self.move(device, "gone", cut=0)
                elif before["state"] == "leaving" and author == device and self[device]["frozen"]:
                    self.move(device, "frozen", cut=before["cut"])
                else:
                    self.move(device, "active")
                    self.owes_epoch = True
            case {"freeze": [device, counter]}:
                self.move(device, "frozen", cut=counter)
                self.owes_epoch = True
            case {"leave": counter}:
                self.move(author, "gone", cut=counter)
                self.owes_epoch = True
            case {"role": [device, counter], "to": role}:
                self[device]["role"], self[device]["written"] = role, counter
            case {"recover": came, "lost": lost}:
                for device, counter in lost:
                    self.move(device, "gone", cut=counter)
                self.admit(came["device"], came["role"], {"state": "active"})
            case "recovery-key":
                self.owes_epoch = True

    def describe(self):
        return [
            {**{name: member[name] for name in ("device", "role", "state", "reads")}, "cut": self.cut(member)}
            for member in self.all
        ]


def membership(world, inputs, sealer):
    circle, account, kind = h(inputs["circle"]), h(inputs["account"]), inputs["kind"]
    root, codes = suite.verify_key(world.account_root), list(inputs["recovery_codes"])
    sealer.derived(inputs, "root", root.hex())
    members, keys, recovery = Members(kind), [], None

    def public(described):
        device = world.device(described["device"])
        keys = [suite.verify_key(device.sig), suite.xwing_public(device.kem)]
        return [device.device, *keys, variant(described["role"])]

    def epoch(described):
        key = h(described["key"])
        sealer.derived(described, "number", len(keys) + 1)
        sealer.derived(described, "commitment", suite.commitment(key, EPOCH).hex())
        number = struct.pack(">I", len(keys) + 1)

        def wrap(recipient, seed):
            return sealer.wrap(seed, None, EPOCH, suite.transcript(EPOCH, [circle, number, recipient]), key)

        readers = [world.device(member["device"]) for member in members.readers()]
        wraps = [[device.device, wrap(device.device, device.kem)] for device in readers]
        # What is absent at the end of a structure is left out.
        for_code = [] if recovery is None else [wrap(bytes(16), recovery)]
        before = b""
        if keys:
            before = sealer.seal(key, BEFORE, suite.transcript(BEFORE, [circle, number]), keys[-1])
        keys.append(key)
        members.start(len(keys))
        return [len(keys), wraps, h(described["commitment"]), before, *for_code]

    def next_recovery():
        nonlocal recovery
        recovery = kem_seed(codes.pop(0), account)
        return suite.xwing_public(recovery)

    def operation(author, does):
        members.apply(author, does)
        cut = lambda pair: [h(pair[0]), pair[1]]
        match does:
            case "recovery-key":
                return variant(11, next_recovery())
            case {"genesis": first}:
                return variant(0, root, variant(kind), public(first), *([next_recovery()] if codes else []))
            case {"add": added}:
                return variant(1, public(added))
            case {"remove": removed, "epoch": started}:
                return variant(4, cut(removed), epoch(started))
            case {"recover": came, "lost": lost, "epoch": started}:
                return variant(10, public(came), [cut(pair) for pair in lost], epoch(started))
            case {"epoch": started}:
                return variant(2, epoch(started))
            case {"role": changed, "to": role}:
                return variant(9, cut(changed), variant(role))
            case {"freeze": frozen}:
                return variant(7, cut(frozen))
            case {"leave": counter}:
                return variant(8, counter)
        (name, device), = does.items()
        return variant(NUMBERS[name], h(device))

    records, prev = [], suite.ZERO
    for seq, described in enumerate(inputs["operations"]):
        author, does = described["author"], described["does"]
        payload = suite.cbor([circle, seq, prev, h(author), operation(author, does)])
        by_root = does == "recovery-key" or "recover" in does or (kind == 0 and "genesis" in does)
        signer = world.account_root if by_root else world.device(author).sig
        records.append(suite.envelope("baken/membership/v0", payload, signer))
        prev = suite.document_hash(records[-1])
    sealer.derived(inputs, "members", members.describe())
    sealer.derived(inputs, "owes_epoch", members.owes_epoch)
    sealer.derived(inputs, "head", {"seq": len(records) - 1, "hash": prev.hex()})
    sealer.derived(inputs, "safety_number", safety_number(root, len(records) - 1, prev))
    return {"records": records}


def safety_number(root, seq, head):
    """Six groups of five digits, each of five bytes of the hash."""
    found = suite.digest("baken/safety-number/v0", [root, struct.pack(">Q", seq), head])
    return " ".join(f"{int.from_bytes(found[at : at + 5], 'big') % 100_000:05}" for at in range(0, 30, 5))
