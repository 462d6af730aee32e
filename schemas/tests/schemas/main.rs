//! Proof of the formats, in one binary: what was sealed opens, what was altered does not, and the bytes are the ones
//! that an independent program expects.
//!
//! Everybody in the tests is made by [`world`] from a seed, so a failure can be played again.

mod about_sizes;
mod blobs;
mod bound;
mod cases;
mod checkpoint;
mod drift;
mod editions;
mod entry_v0;
mod exports;
mod family;
mod forged;
mod hostile_bytes;
mod membership;
mod openapi;
mod pairing_and_text;
mod receipts;
mod records;
mod recovery;
mod requests;
mod rules;
mod sms;
mod timelines;
mod vectors;
mod world;
