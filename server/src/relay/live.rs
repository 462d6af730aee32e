//! The live stream: server-sent events of new mail and entries, read from the store by the caller's cursors. A wake
//! makes it look at once; without one it looks every few seconds, so nothing depends on a wake. Whoever was away
//! comes back with its cursors and misses nothing.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use baken_schemas::api::{LiveEvent, MAX_CIRCLES, PAGE_BYTES};
use baken_schemas::cbor;
use baken_schemas::id::CircleId;
use baken_schemas::request::RequestKey;
use baken_schemas::time::Timestamp;
use bytes::Bytes;
use data_encoding::BASE64;
use futures_util::future::select_all;
use http::{HeaderValue, Uri, header};
use serde::Deserialize;
use tokio::sync::watch;

use crate::relay::auth::{ByAnyKey, Caller};
use crate::relay::log::head_of;
use crate::relay::problem::Refusal;
use crate::relay::wakes::Topic;
use crate::relay::{Relay, entries, mail, page, standing, taken};

/// How often a stream looks without being woken.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Looks without anything new between two signs of life: readers take a stream for dead after 45 s.
const LOOKS_A_SIGN: u32 = 3;
/// How long after mail was sent over a stream that still lives its reader has it, in milliseconds: a reader that is gone is
/// noticed sooner.
const TAKEN_AFTER_MS: i64 = 2 * 60 * 1000;

/// `?mail=CURSOR&circles=ID.CURSOR,ID.CURSOR…`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct From {
    mail: Option<u64>,
    circles: Option<String>,
}

/// `GET /v0/live`.
pub(super) async fn stream(State(relay): State<Relay>, uri: Uri, request: ByAnyKey) -> Response {
    open(relay, &uri, &request).unwrap_or_else(|refusal| refusal.into_response())
}

fn open(relay: Relay, uri: &Uri, request: &ByAnyKey) -> Result<Response, Refusal> {
    let from: From = page::query(uri)?;
    let circles = match from.circles {
        None => Vec::new(),
        Some(_) if request.key == RequestKey::Alarm => return Err(Refusal::AlarmKey),
        Some(circles) => circles_of(&relay, &request.caller, &circles)?,
    };
    let device = request.caller.device();
    if let Some(after) = from.mail {
        relay.taken().note(device, after, relay.store().read(taken::newest)?);
    }
    let live = Live {
        woken: relay.wakes().subscribe(Topic::Mail(device)),
        stopping: relay.stopping(),
        caller: request.caller.clone(),
        mail: from.mail,
        circles,
        sent: None,
        quiet: LOOKS_A_SIGN,
        relay,
    };
    let events = futures_util::stream::unfold(live, |mut live| async move {
        live.next().await.map(|events| (Ok::<_, Infallible>(events), live))
    });
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// What a stream tells of a circle.
struct InCircle {
    circle: CircleId,
    entries: u64,
    /// The last number of the log that was told.
    log: Option<u64>,
    woken: watch::Receiver<()>,
}

/// The circles that a query names, each once, with their cursors.
fn circles_of(relay: &Relay, caller: &Caller, named: &str) -> Result<Vec<InCircle>, Refusal> {
    let device = caller.phone()?.device;
    let named: Vec<(CircleId, u64)> = named.split(',').map(circle_of).collect::<Result<_, _>>()?;
    let once: BTreeSet<CircleId> = named.iter().map(|(circle, _)| *circle).collect();
    if named.len() > MAX_CIRCLES || once.len() < named.len() {
        return Err(Refusal::BadAddress);
    }
    let now = relay.now();
    for circle in once {
        let standing = relay.store().read(|db| standing::reader(db, circle, device))?;
        // A sign of life; what it keeps it says when it asks for a page.
        relay.acknowledged().note((circle, device), &standing, 0, now);
    }
    let open = |(circle, entries)| {
        let woken = relay.wakes().subscribe(Topic::Circle(circle));
        InCircle { circle, entries, log: None, woken }
    };
    Ok(named.into_iter().map(open).collect())
}

/// Reads `ID.CURSOR`.
fn circle_of(named: &str) -> Result<(CircleId, u64), Refusal> {
    let (circle, cursor) = named.split_once('.').ok_or(Refusal::BadAddress)?;
    Ok((page::id(circle)?, cursor.parse().map_err(|_| Refusal::BadAddress)?))
}

/// An open stream.
struct Live {
    relay: Relay,
    caller: Caller,
    /// `None` when the caller asked for no mail.
    mail: Option<u64>,
    /// The newest mail that was sent some time ago, and when.
    sent: Option<(Timestamp, u64)>,
    circles: Vec<InCircle>,
    woken: watch::Receiver<()>,
    stopping: watch::Receiver<bool>,
    /// Looks since something was sent.
    quiet: u32,
}

impl Live {
    /// The next events, as they are sent; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            // Taken before looking: what comes while looking wakes again.
            self.woken.mark_unchanged();
            self.circles.iter_mut().for_each(|circle| circle.woken.mark_unchanged());
            let found = self.look().await.ok()?;
            if !found.is_empty() {
                self.quiet = 0;
                return Some(found.into());
            }
            if self.quiet >= LOOKS_A_SIGN {
                self.quiet = 0;
                return Some(Bytes::from_static(b": here\n\n"));
            }
            self.quiet += 1;
            let in_circles = self.circles.iter_mut().map(|circle| Box::pin(circle.woken.changed()));
            let in_circles: Vec<_> = in_circles.collect();
            let in_a_circle = async {
                if in_circles.is_empty() {
                    return std::future::pending().await;
                }
                select_all(in_circles).await.0
            };
            tokio::select! {
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
                woken = self.woken.changed() => woken.ok()?,
                woken = in_a_circle => woken.ok()?,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Notes what the reader has by now: of what was sent up to `cursor`, that which was sent long enough ago.
    fn note_taken(&mut self, cursor: u64) -> Result<(), Refusal> {
        let now = self.relay.now();
        match self.sent {
            Some((at, sent)) if now.since_ms(at) >= TAKEN_AFTER_MS => {
                let newest = self.relay.store().read(taken::newest)?;
                self.relay.taken().note(self.caller.device(), sent, newest);
                self.sent = None;
            }
            Some(_) => {}
            None => self.sent = Some((now, cursor)),
        }
        Ok(())
    }

    /// One page of what is new, each event in turn.
    async fn look(&mut self) -> Result<String, Refusal> {
        if *self.stopping.borrow() {
            return Err(Refusal::NotFound);
        }
        // A stream lasts for days; a directory may drop its desk, or another organisation take it on, meanwhile.
        self.caller = self.caller.renewed(&self.relay).ok_or(Refusal::UnknownDevice)?;
        self.relay.presence().note(&self.caller, self.relay.now());
        let mut out = String::new();
        let device = self.caller.device();
        if let Some(after) = self.mail {
            let orgs = self.caller.orgs();
            let found = self.relay.store().read(|db| mail::read(db, device, &orgs, after))?;
            for (cursor, mail) in found.mail {
                self.mail = Some(cursor);
                write_event(&mut out, "mail", cursor, &LiveEvent::Mail { cursor, mail });
            }
            self.note_taken(after)?;
        }
        for circle in &mut self.circles {
            // What does not fit now is found by the next look, which follows at once.
            if out.len() > PAGE_BYTES {
                break;
            }
            let (id, after) = (circle.circle, circle.entries);
            let (page, head) = self.relay.store().read(|db| {
                // Meanwhile a circle may take the device out: its stream ends.
                standing::reader(db, id, device)?;
                Ok::<_, Refusal>((entries::read(db, id, after, 0)?, head_of(db, id)?))
            })?;
            if let Some(head) = head.filter(|head| circle.log.is_none_or(|told| head.seq > told)) {
                circle.log = Some(head.seq);
                write_event(&mut out, "log", head.seq, &LiveEvent::Log { circle: id, seq: head.seq });
            }
            for item in page.items {
                circle.entries = item.cursor;
                let event = LiveEvent::Entry { circle: id, cursor: item.cursor, entry: item.bytes };
                write_event(&mut out, "entry", item.cursor, &event);
            }
        }
        Ok(out)
    }
}

fn write_event(out: &mut String, name: &str, cursor: u64, event: &LiveEvent) {
    out.push_str(&format!("id: {name}.{cursor}\nevent: {name}\ndata: "));
    BASE64.encode_append(&cbor::to_vec(event), out);
    out.push_str("\n\n");
}
