//! The desk: first without sockets, brought its mail by hand as an honest or a lying relay would; then whole, against a
//! real relay over TLS.

mod acting;
mod channels;
mod check_ins;
mod console;
mod follow_ups;
mod incidents;
mod orders;
mod passing_on;
mod people;
mod probes;
mod process;
mod sms;
mod taking;
pub mod town;
mod whole;
pub mod world;
