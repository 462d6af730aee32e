//! What the targets share: bytes are read as they come, and inside a frame that is right, so that a fuzzer need not
//! guess a label or a checksum before it gets anywhere. What is taken must be written again as the same bytes.

pub mod story;
#[path = "../../tests/schemas/world.rs"]
pub mod world;

use baken_schemas::cbor;
use baken_schemas::signed::{Document, Unverified, label_of};
use baken_schemas::text;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

/// Reads a structure, and expects that it has one form.
pub fn one_form<T: Encode<()> + for<'b> Decode<'b, ()>>(data: &[u8]) {
    if let Ok(value) = cbor::from_slice::<T>(data, "it") {
        assert_eq!(cbor::to_vec(&value), data);
    }
}

/// Reads a signed document: as it travels, and with `data` as what was signed.
pub fn document<T: Document>(data: &[u8]) {
    let _ = label_of(data);
    let _ = Unverified::<T>::parse(data);
    let enveloped = cbor::to_vec(&(T::LABEL, ByteVec::from(data.to_vec()), ByteVec::from(vec![0; 64])));
    let _ = Unverified::<T>::parse(&enveloped);
    one_form::<T>(data);
}

/// Reads a text: as it was typed, and with `data` as its content. `read` gives the text of what it read.
pub fn texts(prefix: &str, data: &[u8], read: impl Fn(&str) -> Option<String>) {
    if let Ok(typed) = std::str::from_utf8(data) {
        let _ = read(typed);
    }
    let framed = text::encode(prefix, data);
    if let Some(again) = read(&framed) {
        assert_eq!(again, framed);
    }
}
