//! Blobs: what was sealed opens in its own place only, sizes show classes, and the root stands for every chunk.

use baken_schemas::FormatError;
use baken_schemas::blob::{
    BlobRef, BlobSealer, CHUNK_BYTES, MAX_BLOB_BYTES, MAX_CHUNKS, MAX_SEALED_CHUNK_BYTES, chunks_of, is_sealed_len,
    leaf, root, sealed_len,
};
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::id::BlobId;
use proptest::prelude::*;
use rand::rngs::ChaCha20Rng;

use crate::world::World;

/// A file of `size` bytes, sealed.
pub fn sealed(size: usize, rng: &mut ChaCha20Rng) -> (BlobRef, Vec<Vec<u8>>) {
    let file: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
    let mut sealer = BlobSealer::new(size as u64, rng).expect("not too large");
    let (mut at, mut chunks) = (0, Vec::new());
    while let Some((_, len)) = sealer.next_chunk() {
        chunks.push(sealer.seal(&file[at..at + len], rng).expect("the length that was asked for"));
        at += len;
    }
    assert_eq!(at, size);
    (sealer.finish().expect("all are sealed"), chunks)
}

#[test]
fn what_was_sealed_opens_to_the_file() {
    let mut world = World::new(60);
    for size in [0, 1, 252, 253, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 777] {
        let (blob, chunks) = sealed(size, &mut world.rng);
        assert_eq!(blob.check(), Ok(()));
        assert_eq!(chunks.len(), blob.chunks as usize);
        assert_eq!(blob.root, root(&chunks.iter().map(|chunk| leaf(chunk)).collect::<Vec<_>>()).expect("leaves"));
        let mut file = Vec::new();
        for (index, chunk) in (0..).zip(&chunks) {
            assert!(is_sealed_len(chunk.len()));
            file.extend_from_slice(&blob.open_chunk(index, chunk).expect("it opens"));
        }
        assert_eq!(file, (0..size).map(|at| (at % 251) as u8).collect::<Vec<_>>(), "{size} bytes");
    }
}

#[test]
fn a_chunk_opens_in_no_other_place_blob_or_number() {
    let mut world = World::new(61);
    let (blob, chunks) = sealed(3 * CHUNK_BYTES, &mut world.rng);
    let refused = |blob: &BlobRef, index| assert!(blob.open_chunk(index, &chunks[0]).is_err(), "{blob:?} {index}");
    assert!(blob.open_chunk(0, &chunks[0]).is_ok());
    for index in [1, 2, 3, u32::MAX] {
        refused(&blob, index);
    }
    refused(&BlobRef { blob: BlobId::make(&mut world.rng), ..blob.clone() }, 0);
    refused(&BlobRef { key: SymmetricKey::make(&mut world.rng), ..blob.clone() }, 0);
    // One chunk more, and the number of chunks that goes with it: the file cannot be said to go on or to end sooner.
    refused(&BlobRef { size: 4 * CHUNK_BYTES as u64, chunks: 4, ..blob.clone() }, 0);
    refused(&BlobRef { size: 2 * CHUNK_BYTES as u64, chunks: 2, ..blob.clone() }, 0);
    // Sizes within the class of the last chunk: what it holds must be all of it.
    let (small, chunks) = sealed(1000, &mut world.rng);
    for size in [990, 999, 1001, 1004] {
        let other = BlobRef { size, ..small.clone() };
        assert!(matches!(other.open_chunk(0, &chunks[0]), Err(FormatError::Rule { .. })), "{size}");
    }
}

#[test]
fn size_and_number_of_chunks_must_agree() {
    let mut world = World::new(62);
    let (blob, chunks) = sealed(CHUNK_BYTES + 1, &mut world.rng);
    for chunks_said in [0, 1, 3, 800, u32::MAX] {
        let other = BlobRef { chunks: chunks_said, ..blob.clone() };
        assert!(other.check().is_err() && other.open_chunk(0, &chunks[0]).is_err(), "{chunks_said}");
    }
    let last = MAX_BLOB_BYTES;
    assert_eq!((chunks_of(0), chunks_of(1), chunks_of(last)), (Ok(1), Ok(1), Ok(MAX_CHUNKS)));
    for size in [last + 1, u64::MAX] {
        assert!(matches!(chunks_of(size), Err(FormatError::TooLarge { .. })));
        assert!(matches!(BlobSealer::new(size, &mut world.rng), Err(FormatError::TooLarge { .. })));
        assert!(BlobRef { size, ..blob.clone() }.open_chunk(0, &chunks[0]).is_err());
    }
}

#[test]
fn a_sealer_takes_nothing_but_the_next_chunk_and_all_of_them() {
    let mut world = World::new(63);
    let mut sealer = BlobSealer::new(CHUNK_BYTES as u64 + 5, &mut world.rng).expect("small");
    for len in [0, 5, CHUNK_BYTES - 1, CHUNK_BYTES + 1] {
        assert!(sealer.seal(&vec![0; len], &mut world.rng).is_err(), "{len}");
    }
    sealer.seal(&vec![0; CHUNK_BYTES], &mut world.rng).expect("a full chunk");
    assert_eq!(sealer.next_chunk(), Some((1, 5)));
    assert!(sealer.finish().is_err(), "the last is missing");
}

#[test]
fn sizes_of_chunks_show_a_class_and_no_more() {
    let sizes: std::collections::BTreeSet<_> = (0..=CHUNK_BYTES).step_by(7).map(sealed_len).collect();
    assert_eq!(sizes.last(), Some(&MAX_SEALED_CHUNK_BYTES));
    // Four classes an octave from 256 bytes to 256 KiB, and the full chunk.
    assert_eq!(sizes.len(), 42);
    assert!(sizes.iter().all(|len| is_sealed_len(*len)));
    assert_eq!((0..=MAX_SEALED_CHUNK_BYTES + 500_000).filter(|len| is_sealed_len(*len)).count(), sizes.len());
}

proptest! {
    /// Another leaf, another order, one more or one less: another root.
    #[test]
    fn the_root_stands_for_every_leaf_and_its_place(
        count in 1_usize..40,
        one in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
    ) {
        let leaves: Vec<Hash> = (0..count).map(|at| leaf(&[at as u8])).collect();
        let whole = root(&leaves);
        let (one, other) = (one.index(count), other.index(count));
        let mut altered = leaves.clone();
        altered[one].0[7] ^= 1;
        prop_assert_ne!(root(&altered), whole);
        let mut swapped = leaves.clone();
        swapped.swap(one, other);
        prop_assert_eq!(root(&swapped) == whole, one == other);
        prop_assert_ne!(root(&leaves[..count - 1]), whole);
        let mut longer = leaves.clone();
        longer.push(leaves[one]);
        prop_assert_ne!(root(&longer), whole);
        // Nodes are no leaves: two leaves cannot be passed off as the one above them.
        if count == 2 {
            prop_assert_ne!(root(&[leaf(&[leaves[0].0, leaves[1].0].concat())]), whole);
        }
    }
}

#[test]
fn what_a_record_holds_of_a_blob_is_read_back_and_a_contradiction_is_not() {
    let mut world = World::new(66);
    let (blob, _) = sealed(2 * CHUNK_BYTES + 1, &mut world.rng);
    assert_eq!(BlobRef::from_bytes(&blob.to_bytes()), Ok(blob.clone()));
    for wrong in [BlobRef { chunks: 2, ..blob.clone() }, BlobRef { size: u64::MAX, ..blob.clone() }] {
        assert!(BlobRef::from_bytes(&wrong.to_bytes()).is_err(), "{wrong:?}");
    }
    let bytes = blob.to_bytes();
    assert!((0..bytes.len()).all(|cut| BlobRef::from_bytes(&bytes[..cut]).is_err()));
}
