//! Vectors of the recovery code, of what it gives and opens, and of the sheet beside it.

use baken_schemas::id::{AccountId, CircleId, DeviceId};
use baken_schemas::recovery::{RecoveryClaim, RecoveryCode, RecoveryContent, RecoverySheet, SealedRoot};
use baken_schemas::signed::{Signed, Unverified};
use serde_json::{Value, json};

use super::{Set, hex, id, unhex};
use crate::world::World;

fn describe(
    code: &RecoveryCode,
    account: AccountId,
    content: &RecoveryContent,
    claim: &RecoveryClaim,
    sheet: &RecoverySheet,
) -> Value {
    json!({
        "code": code.to_text(),
        "account": account,
        "circle": content.circle,
        "root": content.root().verify_key(),
        "name": code.name(account),
        "kem": code.kem(account).public(),
        "device": claim.device,
        "fingerprint": claim.fingerprint,
        "sheet": {
            "org": sheet.org,
            "relay_url": sheet.relay_url,
            "tls_root_sha256": hex(&sheet.tls_root_sha256),
        },
    })
}

pub fn make_recovery(world: &mut World) -> Vec<Value> {
    let (root, account) = (world.account_root.clone(), world.account);
    let vectors = [(); 3].map(|()| {
        let code = RecoveryCode::make(&mut world.rng);
        let content = RecoveryContent { root: *root.to_bytes(), circle: world.circle };
        let sealed = Signed::make(code.seal_root(account, &content, &mut world.rng), &root);
        let identity = world.mayor_tablet.identity();
        let claim = RecoveryClaim::make(account, world.circle, identity.value(), &root);
        let sheet = RecoverySheet {
            org: world.org(),
            relay_url: "https://relay.example:8443".into(),
            tls_root_sha256: [0x5a; 32],
            account,
        };
        json!({
            "inputs": describe(&code, account, &content, claim.value(), &sheet),
            "bytes": hex(sealed.bytes()),
            "claim": hex(claim.bytes()),
            "sheet": sheet.to_text(),
        })
    });
    vectors.to_vec()
}

pub fn open_recovery(set: &Set, vector: &Value) -> Value {
    let inputs = &vector["inputs"];
    let code = RecoveryCode::from_text(inputs["code"].as_str().expect("a text")).expect("a code");
    let (account, circle): (AccountId, CircleId) = (id(&inputs["account"]), id(&inputs["circle"]));
    let bytes = unhex(&vector["bytes"]);
    let content = SealedRoot::open(&bytes, account, &code).expect("sealed under the code");
    assert_eq!(content.root, *set.account_root().to_bytes());
    let sealed = Unverified::<SealedRoot>::parse(&bytes).expect("well-formed");
    assert_eq!(sealed.claims().name, code.name(account));

    let device: DeviceId = id(&inputs["device"]);
    let identity = set.device(device).identity();
    let made = RecoveryClaim::make(account, circle, identity.value(), &content.root());
    assert_eq!(made.bytes(), unhex(&vector["claim"]), "Ed25519 is deterministic");
    let sheet = RecoverySheet::from_text(vector["sheet"].as_str().expect("a text")).expect("a sheet");
    assert_eq!(sheet.account, account);
    assert_eq!(sheet.to_text(), vector["sheet"]);
    describe(&code, account, &content, made.value(), &sheet)
}
