//! Golden vectors: one JSON file a format in `schemas/vectors`, each with what went in and the bytes that came out.
//!
//! A vector is `{"inputs": …, "bytes": …}` with hex for bytes and ids. Everything is made from one seed, so that the
//! same code makes the same bytes; and opened again from the files alone, as [`Set::open`] does for the vectors that
//! the independent Python program makes too ([`cross_check`]).

mod alarm;
mod basics;
mod blob;
mod circle;
mod cross_check;
mod deposit;
mod dossier;
mod edition;
mod entry;
mod export;
mod family;
mod order;
mod org;
mod pairing;
mod recovery;
pub mod sms;

use std::collections::BTreeMap;
use std::path::PathBuf;

use baken_schemas::crypto::{KemSecret, SigningKey, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::DeviceId;
use baken_schemas::org::{Directory, OrgId};
use baken_schemas::signed::Signed;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use crate::world::World;

/// The seed of the committed vectors.
const SEED: u64 = 0x6261_6b65_6e00;

/// Where the vectors lie.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

pub fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

pub fn unhex(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().expect("hex").as_bytes()).expect("hex digits")
}

pub fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    value.as_str().expect("an id").parse().expect("hex of an id's length")
}

pub fn key(value: &Value) -> SymmetricKey {
    SymmetricKey::from_slice(&unhex(value)).expect("32 bytes")
}

/// Vectors of all formats, and the secret keys they were made with.
pub struct Set {
    pub keys: Value,
    pub formats: BTreeMap<String, Vec<Value>>,
}

/// How vectors of one format are made, and what is read back from one: its `inputs` again.
type Format = (&'static str, fn(&mut World) -> Vec<Value>, fn(&Set, &Value) -> Value);

const FORMATS: &[Format] = &[
    ("basics", basics::make, basics::open),
    ("identity", org::make_identity, org::open_identity),
    ("directory", org::make_directory, org::open_directory),
    ("invite", org::make_invite, org::open_invite),
    ("registration", org::make_registration, org::open_registration),
    ("roster", org::make_roster, org::open_roster),
    ("enrolment", org::make_enrolment, org::open_enrolment),
    ("alarm", alarm::make_alarm, alarm::open_alarm),
    ("update", alarm::make_update, alarm::open_update),
    ("note", alarm::make_note, alarm::open_note),
    ("card", alarm::make_card, alarm::open_card),
    ("receipt", alarm::make_receipt, alarm::open_receipt),
    ("membership", circle::make_membership, circle::open_membership),
    ("entry", entry::make_entry, entry::open_entry),
    ("entry_v0", entry::make_entry_v0, entry::open_entry_v0),
    ("checkpoint", entry::make_checkpoint, entry::open_checkpoint),
    ("recovery", recovery::make_recovery, recovery::open_recovery),
    ("pairing", pairing::make_pairing, pairing::open_pairing),
    ("request", pairing::make_request, pairing::open_request),
    ("blob", blob::make_blob, blob::open_blob),
    ("export", export::make_export, export::open_export),
    ("order", order::make_order, order::open_order),
    ("sms_context", sms::make_context, sms::open_context),
    ("sms", sms::make_text, sms::open_text),
    ("sms_alarm", sms::make_alarm, sms::open_alarm),
    ("deposit", deposit::make_deposit, deposit::open_deposit),
    ("edition_root", edition::make_root, edition::open_root),
    ("edition", edition::make_edition, edition::open_edition),
    ("family", family::make_family, family::open_family),
    ("handing_on", alarm::make_handing_on, alarm::open_handing_on),
    ("pack", dossier::make_pack, dossier::open_pack),
    ("check_up", dossier::make_check_up, dossier::open_check_up),
    ("dismissal", org::make_dismissal, org::open_dismissal),
];

impl Set {
    /// Makes every vector anew from the seed.
    pub fn make() -> Self {
        let mut world = World::new(SEED);
        let keys = keys_of(&world);
        let formats = FORMATS.iter().map(|(name, make, _)| ((*name).to_owned(), make(&mut world))).collect();
        Self { keys, formats }
    }

    /// The committed files.
    pub fn committed() -> Self {
        let read = |name: &str| -> Value {
            let path = folder().join(format!("{name}.json"));
            let text = std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}; make it with `cargo xtask schemas`", path.display()));
            serde_json::from_str(&text).expect("JSON")
        };
        let vectors = |name: &str| read(name).as_array().expect("a list of vectors").clone();
        Self {
            keys: read("keys"),
            formats: FORMATS.iter().map(|(name, ..)| ((*name).to_owned(), vectors(name))).collect(),
        }
    }

    /// The files and their text.
    pub fn files(&self) -> BTreeMap<PathBuf, String> {
        let lists = self.formats.iter().map(|(name, vectors)| (name.as_str(), Value::from(vectors.clone())));
        std::iter::once(("keys", self.keys.clone()))
            .chain(lists)
            .map(|(name, value)| (folder().join(format!("{name}.json")), crate::drift::pretty(&value)))
            .collect()
    }

    /// Opens every vector, and expects that what is read is what went in.
    pub fn open(&self) {
        for (name, _, open) in FORMATS {
            let vectors = self.formats.get(*name).unwrap_or_else(|| panic!("no vectors of {name}"));
            assert!(!vectors.is_empty(), "no vectors of {name}");
            for vector in vectors {
                assert_eq!(open(self, vector), vector["inputs"], "{name}");
            }
        }
    }

    /// The organisation's root key.
    pub fn org_root(&self) -> SigningKey {
        signing(&self.keys["org_root"])
    }

    /// The account's root key.
    pub fn account_root(&self) -> SigningKey {
        signing(&self.keys["account_root"])
    }

    /// The directory, checked.
    pub fn directory(&self) -> Signed<Directory> {
        let bytes = unhex(&self.formats["directory"][0]["bytes"]);
        Directory::verify(&bytes, OrgId::of(&self.org_root().verify_key())).expect("signed by the root")
    }

    /// A device's secret keys.
    pub fn device(&self, device: DeviceId) -> DeviceKeys {
        let devices = self.keys["devices"].as_object().expect("devices by name");
        let named = |keys: &&Value| id::<DeviceId>(&keys["device"]) == device;
        let keys = devices.values().find(named).expect("the keys of every device are given");
        DeviceKeys {
            device,
            sig: signing(&keys["sig"]),
            alarm: signing(&keys["alarm"]),
            kem: KemSecret::from_slice(&unhex(&keys["kem"])).expect("32 bytes"),
        }
    }
}

fn signing(seed: &Value) -> SigningKey {
    SigningKey::from_bytes(&unhex(seed).try_into().expect("32 bytes"))
}

fn keys_of(world: &World) -> Value {
    let keys = |keys: &DeviceKeys| {
        json!({
            "device": keys.device,
            "sig": hex(keys.sig.to_bytes().as_ref()),
            "alarm": hex(keys.alarm.to_bytes().as_ref()),
            "kem": hex(keys.kem.as_bytes()),
        })
    };
    json!({
        "org_root": hex(world.org_root.to_bytes().as_ref()),
        "account_root": hex(world.account_root.to_bytes().as_ref()),
        "devices": {
            "relay": keys(&world.relay),
            "desk_east": keys(&world.desk_east),
            "desk_west": keys(&world.desk_west),
            "mayor_phone": keys(&world.mayor_phone),
            "mayor_tablet": keys(&world.mayor_tablet),
        },
    })
}

#[test]
fn committed_vectors_still_open() {
    Set::committed().open();
}
