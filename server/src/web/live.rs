//! The console's live stream: `change` when something changed, `tick` when nothing did, so that a page whose stream has
//! died can tell and say so. No content travels here; the page asks again for what it shows.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;

use crate::desk::officers::Token;
use crate::web::Console;
use crate::web::guard::InSession;

/// How often a quiet stream says that it lives.
const TICK: Duration = Duration::from_secs(5);

struct Stream {
    console: Console,
    token: Token,
    changes: tokio::sync::watch::Receiver<u64>,
    first: bool,
    _place: OwnedSemaphorePermit,
}

/// `GET /live`. A locked console hears it too: it goes on ringing.
pub async fn live(State(console): State<Console>, InSession { token, .. }: InSession) -> Response {
    let Ok(place) = Arc::clone(&console.streams).try_acquire_owned() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let changes = console.desk.changes();
    let start = Stream { console, token, changes, first: true, _place: place };
    Sse::new(stream::unfold(start, next)).into_response()
}

async fn next(mut stream: Stream) -> Option<(Result<Event, Infallible>, Stream)> {
    if std::mem::take(&mut stream.first) {
        return Some((Ok(Event::default().event("tick").data("0")), stream));
    }
    let mut stop = stream.console.stop.clone();
    let name = tokio::select! {
        changed = stream.changes.changed() => { changed.ok()?; "change" }
        changed = stream.console.link.changed() => { changed.ok()?; "change" }
        () = tokio::time::sleep(TICK) => "tick",
        _ = stop.wait_for(|stop| *stop) => return None,
    };
    // A session that ended ends its stream; the page then finds out that it must log in.
    stream.console.desk.session(&stream.token).ok().flatten()?;
    let revision = stream.changes.borrow_and_update().to_string();
    Some((Ok(Event::default().event(name).data(revision)), stream))
}
