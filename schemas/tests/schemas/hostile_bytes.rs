//! Bytes from anyone, into every reader: no panic, no second form of the same value, no memory out of proportion.

use baken_schemas::alarm::{
    Alarm, AlarmFamily, Card, DepositReceipt, DepositTimers, Escalation, FamilyResponder, HandingOn, Note, Raise,
    Receipt, Settlement, SmsAlarm, SmsContext, SmsHandover, SmsText, Timeline, Update,
};
use baken_schemas::api::{
    Activated, Activation, BlobChunks, CircleUsage, Deposit, Documents, EntriesStored, EntryBatch, LiveEvent, Mail,
    Page, Publication, Recovery,
};
use baken_schemas::audit::{AuditAnswer, AuditHead};
use baken_schemas::blob::{BlobRef, CHUNK_BYTES, chunks_of, is_sealed_len, leaf, root};
use baken_schemas::cbor;
use baken_schemas::check_up::Lock;
use baken_schemas::checkpoint::CheckpointPart;
use baken_schemas::circle::{LogHead, LogRecord, Membership};
use baken_schemas::crypto::{SymmetricKey, Wrapped};
use baken_schemas::device::Identity;
use baken_schemas::edition::signed::{Bundle, Countersigned, EditionHead, EditionName, EditionRoot, Manifest, accept};
use baken_schemas::entry::{Entry, EntryBody, EntryHeader};
use baken_schemas::export::{ExportCode, ExportItem, ExportOpener};
use baken_schemas::id::{BlobId, CircleId};
use baken_schemas::order::Order;
use baken_schemas::org::{Directory, Dismissal, Enrolment, Invite, InviteRegistration, RosterLine, Silence};
use baken_schemas::pack::PackStatement;
use baken_schemas::pairing::{Grant, Hello};
use baken_schemas::record::{Value, decode_changes};
use baken_schemas::recovery::{RecoveryClaim, RecoveryContent, RecoverySheet, SealedRoot};
use baken_schemas::signed::{Document, Unverified, label_of};
use minicbor::{Decode, Encode};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use crate::cases::{self, COUNT};

/// Reads as every type there is. What is taken must be written again as the same bytes.
fn read_as_everything(bytes: &[u8]) {
    fn document<T: Document>(bytes: &[u8]) {
        let _ = Unverified::<T>::parse(bytes);
        plain::<T>(bytes);
    }
    fn plain<T: Encode<()> + for<'b> Decode<'b, ()>>(bytes: &[u8]) {
        if let Ok(value) = cbor::from_slice::<T>(bytes, "it") {
            assert_eq!(cbor::to_vec(&value), bytes);
        }
    }
    fn countersigned<T: Document>(bytes: &[u8]) {
        if let Ok(document) = Countersigned::<T>::parse(bytes) {
            assert_eq!(document.to_bytes(), bytes);
        }
        plain::<T>(bytes);
    }
    document::<Alarm>(bytes);
    document::<Update>(bytes);
    document::<Note>(bytes);
    document::<Card>(bytes);
    document::<Receipt>(bytes);
    document::<HandingOn>(bytes);
    document::<SmsContext>(bytes);
    document::<SmsAlarm>(bytes);
    plain::<SmsHandover>(bytes);
    if let Ok(text) = SmsText::from_bytes(bytes) {
        assert_eq!(text.to_bytes(), bytes);
        assert_eq!(SmsText::from_text(&text.to_text()), Ok(text));
    }
    let _ = SmsText::from_text(&String::from_utf8_lossy(bytes));
    document::<Order>(bytes);
    document::<PackStatement>(bytes);
    let _ = Lock::from_bytes(bytes);
    document::<DepositTimers>(bytes);
    document::<Settlement>(bytes);
    document::<Raise>(bytes);
    document::<Escalation>(bytes);
    document::<FamilyResponder>(bytes);
    document::<AlarmFamily>(bytes);
    document::<DepositReceipt>(bytes);
    document::<Directory>(bytes);
    countersigned::<EditionRoot>(bytes);
    countersigned::<Manifest>(bytes);
    plain::<EditionHead>(bytes);
    plain::<Publication>(bytes);
    if let Ok(bundle) = Bundle::parse(bytes) {
        assert_eq!(cbor::to_vec(&bundle), bytes);
        let _ = bundle.texts();
    }
    let anchor = EditionRoot { edition: EditionName::National, version: 0, keys: Vec::new(), threshold: 1 };
    let head = EditionHead { roots: vec![bytes.to_vec().into()], manifest: bytes.to_vec().into() };
    assert!(accept(&anchor, None, &head).is_err());
    document::<Silence>(bytes);
    document::<AuditHead>(bytes);
    plain::<AuditAnswer>(bytes);
    document::<Invite>(bytes);
    document::<InviteRegistration>(bytes);
    document::<Dismissal>(bytes);
    document::<RosterLine>(bytes);
    document::<Enrolment>(bytes);
    document::<Identity>(bytes);
    document::<LogRecord>(bytes);
    document::<SealedRoot>(bytes);
    document::<RecoveryClaim>(bytes);
    plain::<RecoveryContent>(bytes);
    plain::<RecoverySheet>(bytes);
    plain::<Activated>(bytes);
    plain::<Recovery>(bytes);
    plain::<Activation>(bytes);
    plain::<Deposit>(bytes);
    plain::<EntryBatch>(bytes);
    plain::<EntriesStored>(bytes);
    plain::<Page>(bytes);
    plain::<Documents>(bytes);
    plain::<Mail>(bytes);
    plain::<LiveEvent>(bytes);
    plain::<BlobChunks>(bytes);
    plain::<CircleUsage>(bytes);
    plain::<LogHead>(bytes);
    plain::<Wrapped>(bytes);
    plain::<Hello>(bytes);
    plain::<Grant>(bytes);
    plain::<EntryHeader>(bytes);
    plain::<EntryBody>(bytes);
    plain::<Value>(bytes);
    plain::<BlobRef>(bytes);
    plain::<ExportItem>(bytes);
    plain::<Timeline>(bytes);
    if let Ok(timeline) = Timeline::parse(bytes) {
        let _ = timeline.prove(None);
    }
    let code = ExportCode::make(&mut ChaCha20Rng::seed_from_u64(3));
    assert!(ExportOpener::new(&code, bytes).is_err());
    let head = [&b"BAKEN-EXPORT\0"[..], &[1; 16]].concat();
    for last in [true, false] {
        let mut opener = ExportOpener::new(&code, &head).expect("a head");
        assert!(opener.open_chunk(bytes, last).is_err());
    }
    if let Ok(blob) = BlobRef::from_bytes(bytes) {
        assert_eq!((blob.check(), blob.to_bytes()), (Ok(()), bytes.to_vec()));
    }
    let key = SymmetricKey::make(&mut ChaCha20Rng::seed_from_u64(3));
    let _ = label_of(bytes);
    let _ = is_sealed_len(bytes.len());
    for (size, index) in [(0, 0), (bytes.len() as u64, 0), (CHUNK_BYTES as u64 + 1, 1), (u64::MAX, u32::MAX)] {
        let chunks = chunks_of(size).unwrap_or(u32::MAX);
        let blob = BlobRef { blob: BlobId([1; 16]), key: key.clone(), chunks, size, root: leaf(bytes) };
        assert!(blob.open_chunk(index, bytes).is_err());
    }
    assert_eq!(root(&[leaf(bytes)]), Some(leaf(bytes)));
    for schema in 0..3 {
        let _ = decode_changes(schema, bytes);
    }
    if let Ok(part) = CheckpointPart::from_bytes(bytes) {
        assert_eq!(part.to_bytes(), bytes);
    }
    let _ = Membership::start(CircleId([0; 16]), bytes);
    if let Ok(entry) = Entry::parse(bytes) {
        assert_eq!(entry.bytes(), bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_refused_quietly(bytes in prop::collection::vec(any::<u8>(), 0..2048)) {
        read_as_everything(&bytes);
    }

    /// Heads of CBOR items are rare in random bytes; these are nothing but heads.
    #[test]
    fn arbitrary_heads_are_refused_quietly(
        bytes in prop::collection::vec(
            prop_oneof![0x80_u8..0x9c, 0x40_u8..0x60, Just(0xff), Just(0xf6), Just(0x5f), Just(0x9f), 0_u8..0x20], 0..64),
    ) {
        read_as_everything(&bytes);
    }

    #[test]
    fn damaged_documents_are_read_quietly(
        which in 0..COUNT,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        thread_local!(static CASES: Vec<Vec<u8>> =
            cases::all(8).into_iter().map(|case| case.instances.into_iter().next().unwrap_or_default()).collect());
        let mut bytes = CASES.with(|cases| cases[which].clone());
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        read_as_everything(&bytes);
    }
}

/// A length that is a lie costs nothing: memory is taken as items come, not as they are announced.
#[test]
fn an_announced_length_is_not_believed() {
    for head in [0x9b_u8, 0x5b, 0x7b, 0xbb] {
        for len in [u64::MAX, u64::MAX / 2, 1 << 40, 1 << 32] {
            let announced = [&[head][..], &len.to_be_bytes()].concat();
            read_as_everything(&announced);
            read_as_everything(&[&[0x82][..], &announced].concat());
            read_as_everything(&[&[0x81][..], &announced].concat());
            read_as_everything(&[&[0x83, 0x60, 0x40][..], &announced].concat());
        }
    }
    // A million levels of nesting in a value of a newer version.
    read_as_everything(&vec![0x81; 1_000_000]);
    read_as_everything(&[vec![0x81; 1_000_000], vec![0x01]].concat());
    read_as_everything(&vec![0xc1; 1_000_000]);
}

#[test]
fn other_forms_of_the_same_value_are_refused() {
    type Pair = (u64, String);
    let good = [0x82, 0x01, 0x61, b'a'];
    assert_eq!(cbor::from_slice::<Pair>(&good, "it"), Ok((1, "a".to_owned())));
    for (name, bytes) in [
        ("an integer in two bytes", &[0x82, 0x18, 0x01, 0x61, b'a'][..]),
        ("an integer in nine bytes", &[0x82, 0x1b, 0, 0, 0, 0, 0, 0, 0, 1, 0x61, b'a']),
        ("an array's length in two bytes", &[0x98, 0x02, 0x01, 0x61, b'a']),
        ("a text's length in two bytes", &[0x82, 0x01, 0x78, 0x01, b'a']),
        ("an array of indefinite length", &[0x9f, 0x01, 0x61, b'a', 0xff]),
        ("a text of indefinite length", &[0x82, 0x01, 0x7f, 0x61, b'a', 0xff]),
        ("a float", &[0x82, 0xf9, 0x3c, 0x00, 0x61, b'a']),
        ("a byte behind the end", &[0x82, 0x01, 0x61, b'a', 0x00]),
        ("a field more", &[0x83, 0x01, 0x61, b'a', 0x00]),
        ("a field less", &[0x81, 0x01]),
        ("a tag", &[0x82, 0xc1, 0x01, 0x61, b'a']),
        ("no UTF-8", &[0x82, 0x01, 0x61, 0xff]),
        ("nothing", &[]),
    ] {
        assert!(cbor::from_slice::<Pair>(bytes, "it").is_err(), "{name}");
    }
    // A structure with a field more than it has: a derive would skip it.
    let header = [0x83, 0x00, 0x58];
    assert!(cbor::from_slice::<LogHead>(&header, "it").is_err());
    let head = LogHead { seq: 1, hash: baken_schemas::crypto::Hash([1; 32]) };
    let mut longer = cbor::to_vec(&head);
    longer[0] += 1;
    longer.push(0xf6);
    assert!(cbor::from_slice::<LogHead>(&longer, "it").is_err(), "an unknown field");
}

/// A value of a newer version is kept unread, so its form is checked without a second encoding.
#[test]
fn newer_values_have_one_form_too() {
    for (name, item, deterministic) in [
        ("an array", &[0x82, 0x01, 0x61, b'a'][..], true),
        ("a tagged integer", &[0xc1, 0x1a, 0, 1, 0, 0], true),
        ("an integer past 64 bits signed", &[0x1b, 255, 0, 0, 0, 0, 0, 0, 0], true),
        ("truths in an array", &[0x83, 0xf4, 0xf5, 0xf6], true),
        ("an array of indefinite length", &[0x9f, 0x01, 0xff], false),
        ("a text of indefinite length", &[0x7f, 0x61, b'a', 0xff], false),
        ("bytes of indefinite length", &[0x5f, 0x41, b'a', 0xff], false),
        ("a long integer in an array", &[0x81, 0x18, 0x01], false),
        ("a long length in an array", &[0x81, 0x58, 0x01, 0x00], false),
        ("a float in an array", &[0x81, 0xf9, 0x3c, 0x00], false),
        ("a map", &[0xa1, 0x01, 0x02], false),
        ("undefined", &[0xf7], false),
        ("a lone end", &[0xff], false),
        ("a simple value", &[0xf8, 0x20], false),
        ("a tag without a value", &[0xc1], false),
        ("a long tag", &[0xd8, 0x01, 0x01], false),
        ("no UTF-8 in an array", &[0x81, 0x61, 0xff], false),
        ("a reserved head", &[0x1c], false),
    ] {
        let read = cbor::from_slice::<Value>(item, "it");
        assert_eq!(read.is_ok(), deterministic, "{name}");
        assert_eq!(cbor::item_len(item).is_some_and(|len| len == item.len()), deterministic, "{name}");
    }
}
