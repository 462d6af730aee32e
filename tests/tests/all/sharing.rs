//! Sharing into a case, on whole phones with a relay in this process: what goes and what stays, what is said to have been
//! shown, and what is taken back. What is confidential: `confidential.rs`.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use baken_core::agenda::Due;
use baken_core::attachment::{AttachTo, Existing, NewAttachment, Part};
use baken_core::briefing::NewBriefing;
use baken_core::pairing::PairInto;
use baken_core::record::RecordView;
use baken_core::sharing::{Change, Consent, GivenState, GivenView, Sharing, Stays};
use baken_core::{Baken, BakenError};
use baken_schemas::Language;
use baken_schemas::circle::{CircleKind, MemberRole};
use baken_schemas::id::{CircleId, RecordId};
use baken_schemas::record::Value;
use baken_schemas::rules::{Caution, May};
use baken_schemas::time::Clock as _;

use crate::town::{PIN, Town};

pub const DAY_MS: i64 = 86_400_000;
pub fn text(name: &str, text: &str) -> (String, Value) {
    (name.to_owned(), Value::Text(text.to_owned()))
}

pub fn everything(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            all += &everything(&entry.path());
        } else {
            all += &String::from_utf8_lossy(&fs::read(entry.path()).unwrap());
        }
    }
    all
}

/// A mayor with two devices, a case, and the police contact's device in it.
pub struct Case {
    pub town: Town,
    pub phone: Baken,
    pub tablet: Baken,
    pub police: Baken,
    pub case: CircleId,
}

impl Case {
    pub async fn found() -> Self {
        let mut town = Town::found().await;
        let phone = town.activated("mayor_phone").await;
        let tablet = town.paired(&phone, "mayor_tablet").await;
        let case = phone.found_circle(CircleKind::Case, "Zaak 2026-14").unwrap();
        let into = PairInto::Circle { circle: case, role: MemberRole::Member };
        let (police, _) = town.pair(&phone, "police_device", into).await;
        let case = Self { town, phone, tablet, police, case };
        case.sync().await;
        case
    }

    pub async fn sync(&self) {
        for _ in 0..2 {
            for device in [&self.phone, &self.tablet, &self.police] {
                device.sync(&self.town.network).await.unwrap();
            }
        }
    }

    pub fn sharing(&self, item: RecordId) -> Sharing {
        Sharing { item, case: self.case, without: None, attachments: Vec::new() }
    }

    pub fn given(&self, item: RecordId) -> GivenView {
        self.phone.given().unwrap().into_iter().find(|given| given.item == Some(item)).unwrap()
    }

    /// What the police contact's device has of it.
    pub fn seen(&self, copy: RecordId) -> RecordView {
        self.police.record(copy).unwrap()
    }

    fn pass(&self, ms: i64) {
        self.town.clock.advance_ms(ms);
    }
}

#[tokio::test]
async fn what_is_shared_is_a_copy_its_reader_says_what_was_shown_and_it_can_be_taken_back() {
    let case = Case::found().await;
    let (phone, police) = (&case.phone, &case.police);
    let fields = vec![text("what", "Brief"), text("witnesses", "De buurvrouw"), text("why", "het asielbesluit")];
    let incident = phone.create("incident", fields).unwrap();
    let new = NewAttachment { name: "brief.jpg", media_type: "image/jpeg", thumbnail: Some(b"klein") };
    let photo = b"\xff\xd8\xffeen foto\xff\xd9";
    let evidence =
        phone.add_attachment(AttachTo::Record(incident), new, &mut Cursor::new(&photo[..]), &|_| ()).unwrap();

    // Before anything goes.
    let mut sharing = Sharing { without: Some(vec!["witnesses".to_owned()]), ..case.sharing(incident) };
    let preview = phone.share_preview(&sharing).unwrap();
    assert_eq!(preview.goes.iter().map(|field| field.name).collect::<Vec<_>>(), ["what", "why"]);
    assert_eq!(preview.stays[0].why, Stays::Chosen);
    assert_eq!((preview.may, preview.again, preview.readers.len()), (May::OwnChoice, false, 1));
    assert_eq!(preview.readers[0].name.as_deref(), Some("police_device"));
    assert_eq!(preview.files.iter().map(|file| file.goes).collect::<Vec<_>>(), [false]);
    let all = phone.share_preview(&Sharing { without: Some(Vec::new()), ..sharing.clone() }).unwrap();
    let witnesses = all.goes.iter().find(|field| field.name == "witnesses").unwrap();
    assert_eq!(witnesses.caution, Some(Caution::ThirdParty));
    assert!(police.records(Some("incident")).unwrap().is_empty());

    phone.share(&sharing, Consent::NotAsked).unwrap();
    case.sync().await;
    let copy = preview.copy;
    let seen = case.seen(copy);
    assert_eq!((seen.text("what"), seen.text("witnesses")), ("Brief".to_owned(), String::new()));
    assert!(police.attachments(None).unwrap().is_empty(), "none was chosen");
    assert_eq!(police.records(Some("share")).unwrap(), [], "that is the person's own");
    let given = case.given(incident);
    assert_eq!((given.state, given.differs.len(), given.readers.len()), (GivenState::Shared, 0, 1));
    assert_eq!(given.readers[0].shown, None, "it has come, and was not shown");

    // The reader's device says that it showed it, once an hour, and again for a new version.
    assert_eq!(police.shown(&[copy]).unwrap(), 1);
    assert_eq!(police.shown(&[copy]).unwrap(), 0, "said already");
    case.sync().await;
    let shown = case.given(incident).readers[0].shown.clone().unwrap();
    assert_eq!((shown.at, shown.newest), (vec![case.town.clock.now()], true));

    // What changes at home stays at home until it is shared again; what stayed at home stays there.
    case.pass(60_000);
    phone.put(incident, vec![text("what", "Brief met kogel")]).unwrap();
    case.sync().await;
    assert_eq!(case.seen(copy).text("what"), "Brief");
    assert_eq!(case.given(incident).differs, ["what"]);
    sharing = Sharing { attachments: vec![evidence], ..case.sharing(incident) };
    let again = phone.share_preview(&sharing).unwrap();
    assert!(again.again && again.goes.iter().any(|field| (field.name, field.change) == ("what", Change::Changed)));
    phone.share(&sharing, Consent::NotAsked).unwrap();
    case.sync().await;
    let seen = case.seen(copy);
    assert_eq!((seen.text("what"), seen.text("witnesses")), ("Brief met kogel".to_owned(), String::new()));
    assert!(!case.given(incident).readers[0].shown.as_ref().unwrap().newest, "that was the version before");
    let file = police.attachments(Some(copy)).unwrap().remove(0);
    let save = case.town.folder.path().join("foto");
    police.fetch_attachment(&case.town.network, file.record, Part::File, &|_| ()).await.unwrap();
    police.save_attachment(file.record, Part::File, &save, Existing::Keep).unwrap();
    assert_eq!(fs::read(&save).unwrap(), photo);
    assert_ne!(file.root, phone.attachments(Some(incident)).unwrap()[0].root, "sealed anew, under another key");

    // Another of the person's devices shares the same: one copy. Agenda and timeline have it once.
    case.tablet.share(&case.sharing(incident), Consent::NotAsked).unwrap();
    case.sync().await;
    assert_eq!(police.records(Some("incident")).unwrap().len(), 1);
    assert_eq!(phone.timeline().unwrap().len(), 1);

    // Somebody else writes in the copy, and that shows.
    police.put(copy, vec![text("police_number", "PL0600-1")]).unwrap();
    case.sync().await;
    assert_eq!(case.given(incident).theirs, ["police_number"]);

    // Taken back: nothing of it stands, its file is gone, and nobody puts it back unseen.
    phone.withdraw(incident, case.case).unwrap();
    assert_eq!(phone.withdraw(incident, case.case).unwrap_err().code(), "not_shared_there");
    case.sync().await;
    let seen = case.seen(copy);
    assert!(seen.erased && seen.fields.iter().flat_map(|field| &field.values).all(|value| value.value == Value::Empty));
    assert!(matches!(police.restore(copy).unwrap_err(), BakenError::Erased { .. }));
    let there = police.fetch_attachment(&case.town.network, file.record, Part::File, &|_| ()).await;
    assert!(there.is_err(), "neither at the relay nor here");
    assert!(phone.attachments(Some(incident)).unwrap()[0].here, "the dossier's own stays");
    let given = case.given(incident);
    assert_eq!((given.state, given.withdrawn_at), (GivenState::Withdrawn, Some(case.town.clock.now())));
    assert_eq!(given.readers[0].shown.as_ref().map(|shown| shown.at.len()), Some(1), "what was shown was shown");
    police.put(copy, vec![text("what", "ik weet het nog")]).unwrap();
    police.restore(copy).unwrap();
    case.sync().await;
    assert_eq!(case.given(incident).state, GivenState::BackAgain);

    // Shared once more it is there once more.
    phone.share(&case.sharing(incident), Consent::NotAsked).unwrap();
    case.sync().await;
    assert_eq!(
        (case.given(incident).state, case.seen(copy).text("what")),
        (GivenState::Shared, "Brief met kogel".into())
    );
}

#[tokio::test]
async fn i7_no_reader_has_files_destroyed_by_what_was_taken_back() {
    let case = Case::found().await;
    let (phone, police) = (&case.phone, &case.police);
    let add = |to, name: &str| {
        let new = NewAttachment { name, media_type: "image/jpeg", thumbnail: None };
        phone.add_attachment(to, new, &mut Cursor::new(name.as_bytes()), &|_| ()).unwrap()
    };
    let mut copies = Vec::new();
    for what in ["Brief", "Kogel"] {
        let incident = phone.create("incident", vec![text("what", what)]).unwrap();
        let photo = add(AttachTo::Record(incident), what);
        let sharing = Sharing { attachments: vec![photo], ..case.sharing(incident) };
        copies.push((incident, phone.share(&sharing, Consent::NotAsked).unwrap().copy));
    }
    let [(taken_back, gone), (_, stays)] = copies[..] else { panic!("two") };
    let by_hand = add(AttachTo::Circle(case.case), "Foto");
    case.sync().await;
    let file = |of| phone.attachments(Some(of)).unwrap().remove(0).record;
    let (gone_file, stays_file) = (file(gone), file(stays));
    phone.withdraw(taken_back, case.case).unwrap();
    case.sync().await;

    for file in [stays_file, by_hand] {
        police.put(file, vec![("of".to_owned(), Value::Bytes(gone.0.to_vec()))]).unwrap();
        police.delete(file).unwrap();
    }
    case.sync().await;
    for file in [stays_file, by_hand] {
        let shown = phone.attachments(None).unwrap().into_iter().find(|view| view.record == file).unwrap();
        assert!(shown.deleted && shown.here);
        police.restore(file).unwrap();
        case.sync().await;
        police.fetch_attachment(&case.town.network, file, Part::File, &|_| ()).await.unwrap();
    }
    assert!(police.fetch_attachment(&case.town.network, gone_file, Part::File, &|_| ()).await.is_err());
}

#[tokio::test]
async fn what_cannot_be_shared_is_refused_and_nothing_goes() {
    let case = Case::found().await;
    let phone = &case.phone;
    let code = |error: BakenError| error.code().to_owned();
    let refused = |item, case| {
        let sharing = Sharing { item, case, without: None, attachments: Vec::new() };
        code(phone.share(&sharing, Consent::Given).unwrap_err())
    };
    let home = phone.create("home", vec![text("address", "Lindelaan 12")]).unwrap();
    let incident = phone.create("incident", vec![text("what", "Brief")]).unwrap();
    let family = phone.found_circle(CircleKind::Family, "Thuis").unwrap();
    let dossier = phone.status().unwrap().circle;
    assert_eq!(refused(home, case.case), "not_shared");
    assert_eq!(refused(incident, family), "not_shared", "what is for the family is written there");
    assert_eq!(refused(incident, dossier), "not_shared");
    assert_eq!(refused(RecordId([9; 16]), case.case), "no_such_record");
    assert_eq!(refused(incident, CircleId([9; 16])), "no_such_circle");
    let wrong = Sharing { without: Some(vec!["weather".to_owned()]), ..case.sharing(incident) };
    assert_eq!(code(phone.share(&wrong, Consent::NotAsked).unwrap_err()), "unknown_field");
    let wrong = Sharing { attachments: vec![incident], ..case.sharing(incident) };
    assert_eq!(code(phone.share(&wrong, Consent::NotAsked).unwrap_err()), "no_such_attachment");
    assert_eq!(code(case.police.share(&case.sharing(incident), Consent::NotAsked).unwrap_err()), "no_such_record");
    // Two values: which of them would they see?
    case.sync().await;
    phone.put(incident, vec![text("place", "thuis")]).unwrap();
    case.tablet.put(incident, vec![text("place", "kantoor")]).unwrap();
    case.sync().await;
    assert_eq!(refused(incident, case.case), "in_conflict");
    phone.delete(incident).unwrap();
    assert_eq!(refused(incident, case.case), "no_such_record");
    case.sync().await;
    assert!(case.police.records(Some("incident")).unwrap().is_empty());
    assert!(phone.given().unwrap().is_empty());
}

#[tokio::test]
async fn a_removed_reader_gets_nothing_new_and_a_promise_that_was_not_kept_is_shown() {
    let case = Case::found().await;
    let (phone, police) = (&case.phone, &case.police);
    let now = case.town.clock.now();
    let brief =
        |told: Option<&str>, next| NewBriefing { told: told.map(str::to_owned), by: "J. de Vries".into(), next };
    let empty = [brief(Some(" "), None), brief(None, Some(now.plus_ms(-2 * DAY_MS)))];
    for empty in empty {
        assert_eq!(police.brief(case.case, empty).unwrap_err().code(), "briefing_empty");
    }
    let promised = now.plus_ms(7 * DAY_MS);
    police.brief(case.case, brief(None, Some(promised))).unwrap();
    case.sync().await;
    let heard = phone.briefings().unwrap().remove(0);
    assert_eq!((heard.no_news, heard.next, heard.missed), (true, Some(promised), false));
    assert_eq!((heard.device_name.as_deref(), heard.by.as_str()), (Some("police_device"), "J. de Vries"));
    let due = phone.agenda(now.plus_ms(31 * DAY_MS)).unwrap();
    assert_eq!(due.iter().map(|item| (item.due, item.at)).collect::<Vec<_>>(), [(Due::Briefing, promised)]);
    assert_eq!(due[0].due.title(Language::Nl), "Belafspraak", "a lock screen says no more");

    // Nothing was heard: the person sees that, until something is.
    case.pass(7 * DAY_MS + 3_600_000);
    assert!(phone.briefings().unwrap()[0].missed);
    assert!(phone.agenda(case.town.clock.now()).unwrap()[0].overdue);
    police.brief(case.case, brief(Some("De man is aangehouden"), None)).unwrap();
    case.sync().await;
    let heard = phone.briefings().unwrap();
    assert_eq!((heard[0].told.as_str(), heard[0].missed), ("De man is aangehouden", false));
    assert!(heard[1..].iter().all(|before| !before.missed), "only the newest counts");

    // Out of the case: what it has it keeps, what comes it does not get.
    let device = police.status().unwrap().device;
    phone.remove_device(&case.town.network, case.case, device, PIN).await.unwrap();
    let incident = phone.create("incident", vec![text("what", "Daarna")]).unwrap();
    phone.share(&case.sharing(incident), Consent::NotAsked).unwrap();
    case.sync_but_police().await;
    // Told that it is out, or refused: either way nothing new comes.
    let _ = police.sync(&case.town.network).await;
    assert!(police.records(Some("incident")).unwrap().is_empty());
    assert_eq!(police.briefings().unwrap().len(), 2, "what it had");
    assert_eq!(police.brief(case.case, brief(None, None)).unwrap_err().code(), "may_not_write");
    assert!(case.given(incident).readers.is_empty(), "nobody reads it");
}

impl Case {
    async fn sync_but_police(&self) {
        for device in [&self.phone, &self.tablet, &self.phone] {
            device.sync(&self.town.network).await.unwrap();
        }
    }
}
