//! The relay against its HTTP API, driven without sockets and by a clock that stands still.

mod activation;
mod alarms;
mod blobs;
pub mod circles;
mod ladder;
mod live;
mod openapi;
mod pairing;
pub mod world;
