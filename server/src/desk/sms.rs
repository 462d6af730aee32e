//! An alarm that came as a text message: opened like any other, with the context that its phone left beforehand.
//!
//! What proves it: the context is signed by the phone, and the text opens under the context's key, which nobody has but the
//! phone and the responders. The bridge's signature says which way it came, and no more.

use baken_schemas::alarm::{AlarmBody, ContentKey, SmsAlarm, SmsContext, SmsHandover, SmsText};
use baken_schemas::cbor;
use baken_schemas::crypto::KemSecret;
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::signed::Unverified;

use super::opened::{Opened, SignatureView, Unopened};
use super::people::People;

/// A text that the relay handed over.
pub(super) struct Read {
    pub context: Unverified<SmsContext>,
    pub by_bridge: Unverified<SmsAlarm>,
    pub text: SmsText,
    pub alarm: AlarmId,
}

/// Reads what was handed over; `None` when it is no text of the context that came along.
pub(super) fn read(document: &[u8]) -> Option<Read> {
    let handover: SmsHandover = cbor::from_slice(document, "a text message").ok()?;
    let context = Unverified::<SmsContext>::parse(&handover.context).ok()?;
    let by_bridge = Unverified::<SmsAlarm>::parse(&handover.alarm).ok()?;
    let text = SmsText::from_bytes(&by_bridge.claims().text).ok()?;
    let alarm = text.alarm(context.claims()).ok()?;
    Some(Read { context, by_bridge, text, alarm })
}

/// Opens it.
pub(super) fn open(document: &[u8], people: &People, (desk, kem): (DeviceId, &KemSecret)) -> Opened {
    let Some(read) = read(document) else {
        return Opened { signature: SignatureView::None, content: Err(Unopened::Unreadable) };
    };
    let content = content(&read, people, (desk, kem));
    let signed = match people.sender(read.context.claims().header.device) {
        None => SignatureView::UnknownDevice,
        Some(sender) if read.context.clone().verify(&sender.identity.alarm).is_ok() => SignatureView::Proven,
        Some(_) => SignatureView::Mismatch,
    };
    // A relay has the context too, and could put any bytes behind it: only what opens is the phone's.
    let signature = if signed == SignatureView::Proven && content.is_err() { SignatureView::Mismatch } else { signed };
    Opened { signature, content: content.map(|(body, key)| (body, Some(key))) }
}

fn content(
    read: &Read,
    people: &People,
    (desk, kem): (DeviceId, &KemSecret),
) -> Result<(AlarmBody, ContentKey), Unopened> {
    let keys = read.context.claims().open(desk, kem).map_err(|_| Unopened::CannotOpen)?.ok_or(Unopened::NotForUs)?;
    let (body, key) = read.text.open(&keys).map_err(|_| Unopened::CannotOpen)?;
    let bridge = people
        .sender(read.by_bridge.claims().bridge)
        .filter(|sender| read.by_bridge.clone().verify(&sender.identity.alarm).is_ok())
        .map_or("", |sender| &sender.person.name);
    Ok((body.into_alarm_body(bridge), key))
}
