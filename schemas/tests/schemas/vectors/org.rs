//! Vectors of identities and of what an organisation signs.

use baken_schemas::device::Identity;
use baken_schemas::org::{
    CallsFamily, Directory, Dismissal, Enrolment, Invite, InviteRegistration, Ladder, LadderUse, OrgId, RosterLine,
    RosterPerson, Rung,
};
use baken_schemas::signed::{Signed, Unverified};
use serde_json::{Value, json};

use super::{Set, hex, id, key, unhex};
use crate::world::World;

fn describe_identity(identity: &Identity) -> Value {
    json!({
        "device": identity.device,
        "sig": identity.sig,
        "alarm": identity.alarm,
        "kem": identity.kem,
        "fingerprint": identity.fingerprint(),
    })
}

pub fn make_identity(world: &mut World) -> Vec<Value> {
    [&world.mayor_phone, &world.relay]
        .map(|keys| {
            let identity = keys.identity();
            json!({ "inputs": describe_identity(identity.value()), "bytes": hex(identity.bytes()) })
        })
        .to_vec()
}

pub fn open_identity(set: &Set, vector: &Value) -> Value {
    let bytes = unhex(&vector["bytes"]);
    let identity = Identity::verify(&bytes).expect("signed by its own key");
    // Nothing in it is random, so its owner's keys give the very same bytes.
    assert_eq!(set.device(identity.value().device).identity().bytes(), bytes);
    describe_identity(identity.value())
}

fn describe_directory(directory: &Directory) -> Value {
    let relay = &directory.relay;
    let rung = |rung: &Rung| {
        json!({
            "responders": rung.responders,
            "wait_s": rung.wait_s,
            "family": rung.family == CallsFamily::Yes,
        })
    };
    let ladder = |ladder: &Ladder| {
        json!({
            "ladder": ladder.ladder,
            "version": ladder.version,
            "name": ladder.name,
            "rungs": ladder.rungs.iter().map(rung).collect::<Vec<_>>(),
            "serves": if ladder.serves == LadderUse::Alarms { "alarms" } else { "check-ins" },
        })
    };
    json!({
        "org": directory.org(),
        "root": directory.root,
        "version": directory.version,
        "name": directory.name,
        "issued_at": directory.issued_at,
        "relay": {
            "relay": relay.relay,
            "sig": relay.sig,
            "urls": relay.urls,
            "tls_roots": relay.tls_roots.iter().map(|root| hex(root)).collect::<Vec<_>>(),
            "operator_reads_alarms": relay.operator_reads_alarms,
        },
        "desks": directory.desks.iter().map(|desk| json!({
            "desk": desk.desk, "name": desk.name, "sig": desk.sig, "kem": desk.kem,
        })).collect::<Vec<_>>(),
        "ladders": directory.ladders.iter().map(ladder).collect::<Vec<_>>(),
        "sms_number": directory.sms_number,
    })
}

pub fn make_directory(world: &mut World) -> Vec<Value> {
    let directory = &world.directory;
    vec![json!({ "inputs": describe_directory(directory.value()), "bytes": hex(directory.bytes()) })]
}

pub fn open_directory(set: &Set, vector: &Value) -> Value {
    let directory = set.directory();
    assert_eq!(directory.bytes(), unhex(&vector["bytes"]));
    describe_directory(directory.value())
}

fn describe_invite(invite: &Invite) -> Value {
    json!({
        "org": invite.org,
        "relay_url": invite.relay_url,
        "tls_root_sha256": hex(&invite.tls_root_sha256),
        "account": invite.account,
        "invite": invite.invite,
        "role": invite.role,
        "expires_at": invite.expires_at,
        "secret": hex(&invite.secret),
        "relay_token": hex(&invite.relay_token()),
        "desk_key": hex(invite.desk_key().as_bytes()),
    })
}

pub fn make_invite(world: &mut World) -> Vec<Value> {
    let invite = &world.invite;
    vec![json!({
        "inputs": describe_invite(invite.value()),
        "text": Invite::to_text(invite),
        "bytes": hex(invite.bytes()),
    })]
}

pub fn open_invite(set: &Set, vector: &Value) -> Value {
    let invite = Invite::from_text(vector["text"].as_str().expect("a text")).expect("an invite");
    let invite = invite.verify(&set.org_root().verify_key()).expect("signed by the root");
    assert_eq!(invite.bytes(), unhex(&vector["bytes"]));
    assert_eq!(Invite::to_text(&invite), vector["text"]);
    describe_invite(invite.value())
}

fn describe_registration(registration: &InviteRegistration) -> Value {
    json!({
        "org": registration.org,
        "invite": registration.invite,
        "account": registration.account,
        "role": registration.role,
        "expires_at": registration.expires_at,
        "token_hash": registration.token_hash,
    })
}

pub fn make_registration(world: &mut World) -> Vec<Value> {
    let registration = Signed::make(InviteRegistration::of(world.invite.value()), &world.org_root);
    vec![json!({ "inputs": describe_registration(registration.value()), "bytes": hex(registration.bytes()) })]
}

pub fn open_registration(set: &Set, vector: &Value) -> Value {
    let registration = Unverified::<InviteRegistration>::parse(&unhex(&vector["bytes"])).expect("a registration");
    let registration = registration.verify(&set.org_root().verify_key()).expect("signed by the root");
    let invite = Invite::from_text(set.formats["invite"][0]["text"].as_str().expect("a text")).expect("an invite");
    assert_eq!(registration.value(), &InviteRegistration::of(invite.claims()), "it goes with the invite");
    describe_registration(registration.value())
}

pub fn make_dismissal(world: &mut World) -> Vec<Value> {
    let dismissal = Dismissal { org: world.org(), invite: world.invite.value().invite };
    let dismissal = Signed::make(dismissal, &world.org_root);
    vec![json!({ "inputs": describe_dismissal(dismissal.value()), "bytes": hex(dismissal.bytes()) })]
}

pub fn open_dismissal(set: &Set, vector: &Value) -> Value {
    let dismissal = Unverified::<Dismissal>::parse(&unhex(&vector["bytes"])).expect("a dismissal");
    let dismissal = dismissal.verify(&set.org_root().verify_key()).expect("signed by the root");
    describe_dismissal(dismissal.value())
}

fn describe_dismissal(dismissal: &Dismissal) -> Value {
    json!({ "org": dismissal.org, "invite": dismissal.invite })
}

fn describe_roster(line: &RosterLine, person: &RosterPerson) -> Value {
    json!({
        "org": line.org,
        "desk": line.desk,
        "account": line.account,
        "person": {
            "name": person.name,
            "office": person.office,
            "phone": person.phone,
            "desk_key": hex(&person.desk_key),
        },
    })
}

pub fn make_roster(world: &mut World) -> Vec<Value> {
    let person = RosterPerson {
        name: "A. Voorbeeld".into(),
        office: "burgemeester".into(),
        phone: "+31 6 1234".into(),
        desk_key: *world.invite.value().desk_key().as_bytes(),
    };
    let desk = world.desk(world.desk_east.device).clone();
    let line = RosterLine::make(world.org(), &desk, world.account, &person, &mut world.rng).expect("it fits");
    let signed = Signed::make(line, &world.org_root);
    vec![json!({ "inputs": describe_roster(signed.value(), &person), "bytes": hex(signed.bytes()) })]
}

pub fn open_roster(set: &Set, vector: &Value) -> Value {
    let line = Unverified::<RosterLine>::parse(&unhex(&vector["bytes"])).expect("a roster line");
    let line = line.verify(&set.org_root().verify_key()).expect("signed by the root").into_value();
    let person = line.open(&set.device(line.desk).kem).expect("sealed to the desk");
    describe_roster(&line, &person)
}

pub fn make_enrolment(world: &mut World) -> Vec<Value> {
    let desk = world.desk(world.desk_west.device).clone();
    let desk_key = world.invite.value().desk_key();
    let enrolment = Enrolment::make(&world.mayor_phone, &desk, world.account, &desk_key, &mut world.rng);
    let enrolment = enrolment.expect("the desk's key is good");
    vec![json!({
        "inputs": {
            "device": world.mayor_phone.device,
            "desk": desk.desk,
            "account": world.account,
            "desk_key": hex(desk_key.as_bytes()),
            "identity": describe_identity(world.mayor_phone.identity().value()),
        },
        "bytes": hex(enrolment.bytes()),
    })]
}

pub fn open_enrolment(set: &Set, vector: &Value) -> Value {
    let bytes = unhex(&vector["bytes"]);
    let claims = Unverified::<Enrolment>::parse(&bytes).expect("an enrolment").claims().clone();
    let desk_key = key(&vector["inputs"]["desk_key"]);
    let identity = Enrolment::open(&bytes, &set.device(claims.desk).kem, &desk_key).expect("proved and signed");
    assert_eq!(OrgId::of(&set.org_root().verify_key()), set.directory().value().org());
    assert_eq!(claims.device, id(&vector["inputs"]["device"]));
    json!({
        "device": claims.device,
        "desk": claims.desk,
        "account": claims.account,
        "desk_key": hex(desk_key.as_bytes()),
        "identity": describe_identity(&identity),
    })
}
