//! How the desk reaches people through machines: what a delivery can come to, and when it is tried again.
//!
//! A channel hands a message to another machine. What comes back is that machine's word, and it is kept as that: nothing
//! here can say that a person has seen an alarm ([`Outcome::Delivered`] is a receipt of a machine, invariant I2). A machine
//! on the way, such as a mail server, has a message handed over to it and no more ([`Outcome::HandedOver`]).
//!
//! Each delivery has an id of its own that stays the same over all its tries (`webhook-id`, the DC-09 sequence), so that
//! the far side can tell a repeat. Which deliveries there are, and who holds them, is the desk's store's business.

mod address;
mod client;
mod mail;
mod outcome;
mod push;
mod retry;
pub mod sms;
mod webhook;

pub use client::HttpError;
pub use mail::{Encryption, Letter, Login, Mail, MailConfig, MailError, read_mail_address};
pub use outcome::{MachineAnswer, Outcome, Why};
pub use push::{Push, PushConfig, PushError, Urgency, VapidKey};
pub use retry::RetrySchedule;
pub use webhook::{Webhook, WebhookConfig, WebhookError, WebhookId, WebhookSecret};
