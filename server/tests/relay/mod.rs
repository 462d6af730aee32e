//! The relay against its HTTP API, driven without sockets and by a clock that stands still.

mod activation;
mod alarms;
mod audit_heads;
mod blobs;
pub mod circles;
mod clearing;
mod compaction;
mod deposits;
mod dismissal;
mod editions;
mod family;
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
mod plan;
mod presence;
mod pulse;
mod recovery;
mod sms;
pub mod world;
