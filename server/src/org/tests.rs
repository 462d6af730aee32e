use baken_schemas::crypto::KemSecret;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::DeviceId;
use baken_schemas::signed::Unverified;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use super::*;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(7)
}

fn relay(rng: &mut ChaCha20Rng) -> RelayEntry {
    RelayEntry {
        relay: DeviceId::make(rng),
        sig: SigningKey::make(rng).verify_key(),
        urls: vec!["https://relay.example:8443".to_owned()],
        tls_roots: vec![b"a root".to_vec().into()],
        operator_reads_alarms: false,
    }
}

fn desk(name: &str, rng: &mut ChaCha20Rng) -> (DeskEntry, KemSecret) {
    let keys = DeviceKeys::make(rng);
    let entry =
        DeskEntry { desk: keys.device, name: name.to_owned(), sig: keys.sig.verify_key(), kem: keys.kem.public() };
    (entry, keys.kem)
}

fn mayor() -> Invitee {
    Invitee {
        name: "Ans Testma".to_owned(),
        office: "burgemeester".to_owned(),
        phone: "+31 6 0000 0001".to_owned(),
        role: InviteRole::OfficeHolder,
    }
}

fn roster_of(documents: &[Vec<u8>], root: &VerifyKey, kem: &KemSecret) -> Option<RosterPerson> {
    documents
        .iter()
        .filter_map(|document| Unverified::<RosterLine>::parse(document).ok())
        .find_map(|line| line.verify(root).unwrap().value().open(kem).ok())
}

#[test]
fn the_usual_ladder_calls_the_first_desk_and_then_all() {
    let mut rng = rng();
    let mut org = Organisation::make("Gemeente Voorbeeld", &mut rng).unwrap();
    let (east, west) = (desk("Oost", &mut rng).0, desk("West", &mut rng).0);
    let change = DirectoryChange {
        relay: Some(relay(&mut rng)),
        desks: vec![east.clone(), west.clone()],
        ..DirectoryChange::default()
    };
    let documents = org.sign_directory(change, Timestamp(1), &mut rng).unwrap();
    let directory = Directory::verify(&documents[0], org.org()).unwrap().into_value();
    assert_eq!((directory.version, documents.len()), (1, 1));
    let rungs = &directory.ladders[0].rungs;
    assert_eq!((&rungs[0].responders, rungs[0].wait_s), (&vec![east.desk], 10));
    assert_eq!((&rungs[1].responders, rungs[1].wait_s), (&vec![east.desk, west.desk], 40));
}

#[test]
fn a_ladder_keeps_its_id_and_its_version_rises_only_with_a_change() {
    let mut rng = rng();
    let mut org = Organisation::make("Gemeente Voorbeeld", &mut rng).unwrap();
    let east = desk("Meldkamer Oost", &mut rng).0;
    let mut sign = |spec: &str, first: bool| {
        let change = DirectoryChange {
            relay: first.then(|| relay(&mut rng)),
            desks: if first { vec![east.clone()] } else { Vec::new() },
            ladders: vec![spec.parse().unwrap()],
            ..DirectoryChange::default()
        };
        org.sign_directory(change, Timestamp(1), &mut rng).unwrap();
        let directory = org.directory.clone().unwrap().into_value();
        (directory.version, directory.ladders[0].ladder, directory.ladders[0].version)
    };
    let first = sign("Standaard=Meldkamer Oost:10", true);
    let same = sign("Standaard=Meldkamer Oost:10", false);
    let changed = sign("Standaard=Meldkamer Oost:10,Meldkamer Oost:40", false);
    assert_eq!(same, (2, first.1, 1));
    assert_eq!(changed, (3, first.1, 2));
}

#[test]
fn a_ladder_for_check_ins_stays_beside_that_of_alarms_and_serves_only_those() {
    let mut rng = rng();
    let mut org = Organisation::make("Gemeente Voorbeeld", &mut rng).unwrap();
    let (east, west) = (desk("Oost", &mut rng).0, desk("West", &mut rng).0);
    let desks = vec![east.clone(), west.clone()];
    let first = DirectoryChange { relay: Some(relay(&mut rng)), desks, ..DirectoryChange::default() };
    org.sign_directory(first, Timestamp(1), &mut rng).unwrap();
    let alarms = org.directory.clone().unwrap().value().ladders[0].clone();
    let of_use =
        |org: &Organisation, serves| org.directory.clone().unwrap().value().ladder_for(serves).cloned().unwrap();
    assert_eq!(of_use(&org, LadderUse::CheckIns), alarms, "without one for check-ins that of alarms serves");
    let spec: LadderSpec = "Thuis=West:60".parse().unwrap();
    let second = DirectoryChange { ladders: vec![spec.for_check_ins()], ..DirectoryChange::default() };
    org.sign_directory(second, Timestamp(2), &mut rng).unwrap();
    assert_eq!(of_use(&org, LadderUse::Alarms), alarms, "that of alarms is as it was");
    assert_eq!(of_use(&org, LadderUse::CheckIns).responders(), [west.desk]);
    org.sign_directory(DirectoryChange::default(), Timestamp(3), &mut rng).unwrap();
    assert_eq!(of_use(&org, LadderUse::CheckIns).responders(), [west.desk], "and both stay");
}

#[test]
fn an_invite_checks_out_and_every_desk_learns_who_it_is_for() {
    let mut rng = rng();
    let mut org = Organisation::make("Gemeente Voorbeeld", &mut rng).unwrap();
    assert_eq!(org.invite(mayor(), Timestamp(5), &mut rng).unwrap_err(), OrgError::NoDirectory);
    let (east, east_kem) = desk("Oost", &mut rng);
    let change = DirectoryChange { relay: Some(relay(&mut rng)), desks: vec![east], ..DirectoryChange::default() };
    org.sign_directory(change, Timestamp(1), &mut rng).unwrap();

    let issued = org.invite(mayor(), Timestamp(5), &mut rng).unwrap();
    let text = Invite::to_text(&issued.invite);
    let invite = Invite::from_text(&text).unwrap().verify(&org.root()).unwrap().into_value();
    assert_eq!(invite.org, org.org());
    let registration = Unverified::<InviteRegistration>::parse(&issued.documents[0]).unwrap();
    let registration = registration.verify(&org.root()).unwrap().into_value();
    assert_eq!(registration.token_hash, InviteRegistration::token_hash(&invite.relay_token()));
    let person = roster_of(&issued.documents, &org.root(), &east_kem).unwrap();
    assert_eq!(person.name, "Ans Testma");
    assert_eq!(&person.desk_key, invite.desk_key().as_bytes());

    // A desk that comes later learns it too.
    let (west, west_kem) = desk("West", &mut rng);
    let change = DirectoryChange { desks: vec![west], ..DirectoryChange::default() };
    let documents = org.sign_directory(change, Timestamp(9), &mut rng).unwrap();
    assert_eq!(documents.len(), 2);
    assert_eq!(roster_of(&documents, &org.root(), &west_kem).unwrap().name, "Ans Testma");
}

#[test]
fn what_the_folder_holds_must_be_by_its_own_root() {
    let mut rng = rng();
    let mut org = Organisation::make("Gemeente Voorbeeld", &mut rng).unwrap();
    let change = DirectoryChange {
        relay: Some(relay(&mut rng)),
        desks: vec![desk("Oost", &mut rng).0],
        ..DirectoryChange::default()
    };
    let documents = org.sign_directory(change, Timestamp(1), &mut rng).unwrap();
    let loaded = Organisation::load(&org.seed(), org.book.clone(), Some(&documents[0])).unwrap();
    assert_eq!(loaded.org(), org.org());
    let other = Organisation::make("Gemeente Anders", &mut rng).unwrap();
    assert!(Organisation::load(&other.seed(), org.book.clone(), Some(&documents[0])).is_err());
}

#[test]
fn family_stands_on_a_rung_of_its_own_or_beside_desks_and_never_last() {
    let mut rng = rng();
    let mut org = Organisation::make("Gemeente Voorbeeld", &mut rng).unwrap();
    let desks: Vec<_> = ["Oost", "West", "Noord", "Zuid"].map(|name| desk(name, &mut rng).0).into();
    let first = DirectoryChange { relay: Some(relay(&mut rng)), desks, ..DirectoryChange::default() };
    org.sign_directory(first, Timestamp(1), &mut rng).unwrap();
    let mut sign = |org: &mut Organisation, text: &str| {
        let spec: LadderSpec = text.parse().unwrap();
        let change = DirectoryChange { ladders: vec![spec.for_check_ins()], ..DirectoryChange::default() };
        org.sign_directory(change, Timestamp(2), &mut rng).map(drop)
    };
    sign(&mut org, "Thuis=familie:120,family+Oost:60,West+Noord:30").unwrap();
    let ladder = org.directory.clone().unwrap().value().ladder_for(LadderUse::CheckIns).cloned().unwrap();
    assert_eq!((ladder.calls_family(), ladder.family_places()), (true, 1));
    assert_eq!(ladder.rungs.iter().map(|rung| rung.responders.len()).collect::<Vec<_>>(), [0, 1, 2]);
    for refused in ["Thuis=familie:120", "Thuis=Oost:5,familie:120", "Thuis=familie:5,Oost+West:5,Noord+Zuid:5"] {
        assert!(matches!(sign(&mut org, refused), Err(OrgError::Format(_))), "{refused}");
    }
}

#[test]
fn ladders_that_make_no_sense_are_refused_with_the_reason() {
    let mut rng = rng();
    let desks = [desk("Oost", &mut rng).0];
    for (text, why) in [
        ("Oost:10", "write NAME="),
        ("L=Oost", "a rung is"),
        ("L=Oost:soon", "number of seconds"),
        ("L=Oost:0", "1 to 3600"),
        ("L=+Oost:5", "one to four"),
    ] {
        let error = text.parse::<LadderSpec>().unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
    let error = "L=Zuid:5".parse::<LadderSpec>().unwrap().rungs(&desks).unwrap_err().to_string();
    assert!(error.contains("not in the directory"), "{error}");
}
