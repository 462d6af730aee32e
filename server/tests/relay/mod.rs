//! The relay against its HTTP API, driven without sockets and by a clock that stands still.

mod activation;
mod alarms;
mod blobs;
pub mod circles;
mod compaction;
mod deposits;
mod follow_ups;
mod guests;
mod handings_on;
mod ladder;
pub mod live;
mod membership;
mod migration;
pub mod openapi;
mod orders;
mod pairing;
mod presence;
mod recovery;
mod sms;
pub mod world;
