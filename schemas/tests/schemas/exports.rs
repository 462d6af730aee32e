//! Exports: what was sealed is read back in order, and nothing that was altered, cut or put in another order is.

use baken_schemas::FormatError;
use baken_schemas::blob::{BlobRef, CHUNK_BYTES};
use baken_schemas::circle::CircleKind;
use baken_schemas::code::CodeError;
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::export::{
    ExportCode, ExportItem, ExportOpener, ExportSealer, HEAD_BYTES, PIECE_BYTES, SEALED_BYTES,
};
use baken_schemas::id::{BlobId, RecordId};
use baken_schemas::record::{MAX_VALUE_BYTES, Value};
use baken_schemas::recovery::RecoveryCode;
use baken_schemas::time::Timestamp;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use crate::world::World;

/// The file that holds these items.
pub fn seal(code: &ExportCode, items: &[ExportItem], rng: &mut ChaCha20Rng) -> Result<Vec<u8>, FormatError> {
    let (mut sealer, head) = ExportSealer::new(code, rng);
    let mut file = head.to_vec();
    for item in items {
        file.extend(sealer.push(item, rng)?);
    }
    file.extend(sealer.finish(rng)?);
    Ok(file)
}

/// The items of a file, as a reader gets them.
pub fn open(code: &ExportCode, file: &[u8]) -> Result<Vec<ExportItem>, FormatError> {
    let (head, rest) = file.split_at_checked(HEAD_BYTES).unwrap_or((file, &[]));
    let mut opener = ExportOpener::new(code, head)?;
    let mut items = Vec::new();
    let chunks: Vec<&[u8]> = if rest.is_empty() { vec![&[]] } else { rest.chunks(SEALED_BYTES).collect() };
    for (index, chunk) in chunks.iter().enumerate() {
        opener.open_chunk(chunk, index + 1 == chunks.len())?;
        while let Some(item) = opener.next_item()? {
            items.push(item);
        }
    }
    assert!(opener.is_at_end(), "a reader that gives all items is at the end");
    Ok(items)
}

/// An item of every kind.
pub fn everything(world: &mut World) -> Vec<ExportItem> {
    let rng = &mut world.rng;
    let (phone, at) = (world.mayor_phone.device, Timestamp(1_795_465_407_000));
    let file =
        BlobRef { blob: BlobId::make(rng), key: SymmetricKey::make(rng), chunks: 1, size: 6, root: Hash([7; 32]) };
    let put = |field, value, by, at, stands| ExportItem::Put { field, value, by, at, stands };
    let text = |text: &str| Value::Text(text.to_owned());
    vec![
        ExportItem::Head { made_at: at, device: phone },
        ExportItem::Circle { circle: world.circle, kind: CircleKind::Dossier, name: None, home: true },
        ExportItem::Device { device: phone, name: "Telefoon van Ans".to_owned() },
        ExportItem::Record { record: RecordId::make(rng), kind: 2, deleted: true },
        put(1, text("Sam de Boer"), Some(phone), at, true),
        put(3, text("0612345678"), Some(phone), at, false),
        put(3, Value::Empty, None, at.plus_ms(1), true),
        put(6, Value::Bool(true), Some(phone), Timestamp(-1), true),
        put(0, Value::Bool(true), Some(phone), at.plus_ms(5), true),
        ExportItem::Record { record: RecordId::make(rng), kind: 9, deleted: false },
        put(3, Value::Bytes(file.to_bytes()), Some(phone), at, true),
        put(5, Value::Int(i64::MIN), Some(phone), at, true),
        ExportItem::File { blob: file.blob, size: file.size },
        ExportItem::Bytes { bytes: b"brief!".to_vec() },
        ExportItem::NotHere { blob: BlobId::make(rng), size: 1 << 20 },
        ExportItem::File { blob: BlobId::make(rng), size: 0 },
        ExportItem::Circle {
            circle: world.circle,
            kind: CircleKind::Family,
            name: Some("Familie".to_owned()),
            home: false,
        },
        ExportItem::End { records: 2, files: 2 },
    ]
}

fn code_of(seed: u64) -> ExportCode {
    ExportCode::make(&mut ChaCha20Rng::seed_from_u64(seed))
}

/// A file of so many bytes in an export.
fn with_file(world: &mut World, size: usize) -> Vec<ExportItem> {
    let mut items = everything(world);
    items.truncate(12);
    items.push(ExportItem::File { blob: BlobId([1; 16]), size: size as u64 });
    let content: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
    items.extend(content.chunks(PIECE_BYTES).map(|piece| ExportItem::Bytes { bytes: piece.to_vec() }));
    items.push(ExportItem::End { records: 2, files: 1 });
    items
}

#[test]
fn what_was_exported_is_read_back() {
    let mut world = World::new(80);
    let code = ExportCode::make(&mut world.rng);
    let everything = everything(&mut world);
    let file = seal(&code, &everything, &mut world.rng).expect("in order");
    assert_eq!(open(&code, &file), Ok(everything));
    for size in [CHUNK_BYTES - 500, CHUNK_BYTES, 3 * CHUNK_BYTES + 1] {
        let items = with_file(&mut world, size);
        let file = seal(&code, &items, &mut world.rng).expect("in order");
        assert_eq!(open(&code, &file), Ok(items), "{size}");
    }
    assert!(matches!(open(&code_of(1), &file), Err(FormatError::Sealed { .. })));
}

/// Streams that end just before, at and behind the end of a chunk.
#[test]
fn a_stream_that_fills_its_chunks_just_so_is_read_back() {
    let mut world = World::new(81);
    let code = ExportCode::make(&mut world.rng);
    let around = |size: usize, world: &mut World| {
        let items = with_file(world, size);
        let file = seal(&code, &items, &mut world.rng).expect("in order");
        assert_eq!(open(&code, &file), Ok(items), "{size}");
        (file.len() - HEAD_BYTES).div_ceil(SEALED_BYTES)
    };
    let chunks: Vec<usize> = (CHUNK_BYTES - 700..CHUNK_BYTES - 200).map(|size| around(size, &mut world)).collect();
    assert_eq!((chunks.first(), chunks.last()), (Some(&1), Some(&2)), "the edge lies between");
    assert!(chunks.is_sorted());
}

#[test]
fn a_file_that_was_altered_cut_or_put_together_anew_is_refused() {
    let mut world = World::new(82);
    let code = ExportCode::make(&mut world.rng);
    let items = with_file(&mut world, 3 * CHUNK_BYTES);
    let file = seal(&code, &items, &mut world.rng).expect("in order");
    let other = seal(&code, &items, &mut world.rng).expect("in order");
    let (head, rest) = file.split_at(HEAD_BYTES);
    let chunks: Vec<&[u8]> = rest.chunks(SEALED_BYTES).collect();
    let put_together = |chunks: &[&[u8]]| [head, &chunks.concat()].concat();
    assert_eq!(put_together(&chunks), file);
    let refused = |name: &str, file: &[u8]| assert!(open(&code, file).is_err(), "{name}");
    for cut in (0..chunks.len()).map(|count| HEAD_BYTES + count * SEALED_BYTES).chain([5, file.len() - 1]) {
        refused("cut", &file[..cut]);
    }
    refused("swapped", &put_together(&[chunks[1], chunks[0], chunks[2], chunks[3]]));
    refused("repeated", &put_together(&[chunks[0], chunks[0], chunks[1], chunks[2], chunks[3]]));
    refused("left out", &put_together(&[chunks[0], chunks[2], chunks[3]]));
    refused(
        "of another export",
        &put_together(&[&other[HEAD_BYTES..][..SEALED_BYTES], chunks[1], chunks[2], chunks[3]]),
    );
    refused("longer", &[&file[..], &[0]].concat());
    refused("longer by a chunk", &[&file[..], chunks[3]].concat());
    // No chunk but the last can stand for the last, whatever is in it.
    let mut opener = ExportOpener::new(&code, head).expect("a head");
    assert!(matches!(opener.open_chunk(chunks[0], true), Err(FormatError::Sealed { .. })));
    let small = seal(&code, &everything(&mut world), &mut world.rng).expect("in order");
    for at in 0..small.len() {
        let mut altered = small.clone();
        altered[at] ^= 1;
        refused("a flipped bit", &altered);
    }
}

#[test]
fn items_out_of_order_are_neither_written_nor_read() {
    let mut world = World::new(83);
    let code = ExportCode::make(&mut world.rng);
    let good = everything(&mut world);
    let end = good.last().expect("an end").clone();
    let mut wrong: Vec<Vec<ExportItem>> = Vec::new();
    for at in 0..good.len() {
        // A device or a record more is another export; the rest has one place.
        let left_out: Vec<ExportItem> =
            good.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, item)| item.clone()).collect();
        if !matches!(good[at], ExportItem::Device { .. } | ExportItem::Put { .. } | ExportItem::NotHere { .. })
            && at != good.len() - 2
        {
            wrong.push(left_out);
        }
    }
    wrong.push([&good[..], &[end][..]].concat());
    wrong.push([&good[..1], &good[..]].concat());
    let mut swapped = good.clone();
    swapped.swap(12, 13);
    wrong.push(swapped);
    let mut long = good.clone();
    long[13] = ExportItem::Bytes { bytes: vec![0; 7] };
    wrong.push(long);
    let mut large = good.clone();
    large[4] = ExportItem::Put {
        field: 1,
        value: Value::Text("x".repeat(MAX_VALUE_BYTES)),
        by: None,
        at: Timestamp(0),
        stands: true,
    };
    wrong.push(large);
    for items in &wrong {
        assert!(seal(&code, items, &mut world.rng).is_err(), "{items:?}");
    }
    assert!(wrong.len() > 12);
}

#[test]
fn a_code_for_something_else_is_refused_as_a_whole_and_a_wrong_letter_by_its_group() {
    let recovery = RecoveryCode::make(&mut ChaCha20Rng::seed_from_u64(5)).to_text();
    assert_eq!(ExportCode::from_text(&recovery), Err(CodeError::Whole));
    let code = code_of(5).to_text();
    assert_eq!(ExportCode::from_text(&code.to_lowercase()), Ok(code_of(5)));
    for (at, right) in code.char_indices().filter(|(_, char)| *char != '-') {
        let wrong = if right == '7' { '8' } else { '7' };
        let typed = format!("{}{wrong}{}", &code[..at], &code[at + 1..]);
        assert_eq!(ExportCode::from_text(&typed), Err(CodeError::Group { group: at / 6 + 1 }), "{typed}");
    }
}

#[test]
fn another_kind_of_file_and_a_newer_version_are_told_apart() {
    let code = code_of(1);
    let head = |bytes: &[u8]| ExportOpener::new(&code, bytes).map(drop);
    let good = [&b"BAKEN-EXPORT\0"[..], &[1; 16]].concat();
    assert_eq!(head(&good), Ok(()));
    let newer = [&b"BAKEN-EXPORT\x01"[..], &[1; 16]].concat();
    assert!(matches!(head(&newer), Err(FormatError::WrongDocument { .. })));
    for bytes in [&b""[..], b"%PDF-1.7", &good[..28], &[&good[..], &[0]].concat()] {
        assert!(matches!(head(bytes), Err(FormatError::Malformed { .. })), "{bytes:?}");
    }
}
