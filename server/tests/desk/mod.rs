//! The desk: first without sockets, brought its mail by hand as an honest or a lying relay would; then whole, against a
//! real relay over TLS.

mod acting;
mod channels;
mod check_ins;
mod complaints;
mod console;
mod follow_ups;
mod incidents;
mod keeping;
mod orders;
mod passing_on;
mod passkeys;
mod people;
mod probes;
mod process;
mod push;
mod shift;
mod sms;
mod taking;
mod tested;
pub mod town;
mod warnings;
mod whole;
pub mod world;
