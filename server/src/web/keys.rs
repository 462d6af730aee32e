//! An officer's passkeys: two to begin with, more if they like. The ceremony itself needs a script, as browsers have it.
//!
//! ```text
//! POST /api/keys/begin     {"publicKey":{…}}: what the browser asks the authenticator
//! POST /api/keys/finish    {"name":"…","credential":{…}}: {"keys":n}
//! ```

use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use baken_schemas::local_time::local;
use serde::Deserialize;
use serde_json::json;
use webauthn_rs::prelude::RegisterPublicKeyCredential;

use crate::desk::passkeys::{KEYS_NEEDED, PasskeyError, Standing};
use crate::web::Console;
use crate::web::guard::{AskedLanguage, InSession};
use crate::web::login::{locked, refused};
use crate::web::pages::{error, failed, not_found, remember, render};
use crate::web::words::Words;

#[derive(Template)]
#[template(path = "keys.html")]
struct KeysPage {
    words: &'static Words,
    officer: String,
    keys: Vec<ShownKey>,
    /// How many are still needed before the console opens.
    missing: usize,
    /// It may be changed now; otherwise a passkey is asked for first.
    proven: bool,
}

/// A passkey on the page.
struct ShownKey {
    id: String,
    name: String,
    added: String,
    used: String,
    removable: bool,
}

/// `GET /keys`.
pub async fn list(
    State(console): State<Console>,
    session: InSession,
    AskedLanguage(language): AskedLanguage,
    axum::extract::RawQuery(raw): axum::extract::RawQuery,
) -> Response {
    if session.standing == Standing::Locked {
        return locked(&console, session.officer, language);
    }
    if !console.desk.has_passkeys() {
        return not_found(AskedLanguage(language)).await;
    }
    let keys = match console.desk.keys_of(session.officer.id) {
        Ok(keys) => keys,
        Err(error) => return failed(&error, language),
    };
    let proven = match console.desk.may_change_keys(&session.token, session.officer.id) {
        Ok(proven) => proven,
        Err(error) => return failed(&error, language),
    };
    let words = Words::of(language);
    let removable = session.standing == Standing::Open && proven && keys.len() > KEYS_NEEDED;
    let page = KeysPage {
        words,
        officer: session.officer.name,
        proven,
        missing: KEYS_NEEDED.saturating_sub(keys.len()),
        keys: keys
            .into_iter()
            .map(|key| ShownKey {
                id: key.id(),
                added: local(key.added_at),
                used: key.used_at.map_or_else(|| words.key_never_used.to_owned(), local),
                name: key.name,
                removable,
            })
            .collect(),
    };
    remember(render(StatusCode::OK, &page), raw.as_deref(), language)
}

/// `POST /keys/{key}/remove`.
pub async fn remove(
    State(console): State<Console>,
    session: InSession,
    AskedLanguage(language): AskedLanguage,
    Path(key): Path<String>,
) -> Response {
    match console.desk.remove_key(&session.token, &session.officer, &key).await {
        Ok(()) => Redirect::to("/keys").into_response(),
        Err(PasskeyError::Desk(error)) => failed(&error, language),
        Err(refused) => {
            error(StatusCode::UNPROCESSABLE_ENTITY, language, |words| words.passkey_refusal(&refused).to_owned())
        }
    }
}

/// `POST /api/keys/begin`.
pub async fn begin(
    State(console): State<Console>,
    session: InSession,
    AskedLanguage(language): AskedLanguage,
) -> Response {
    match console.desk.begin_adding(&session.token, &session.officer) {
        Ok(ask) => Json(json!({ "publicKey": ask.public_key })).into_response(),
        Err(error) => refused(&error, language),
    }
}

/// What the browser sends after a touch.
#[derive(Deserialize)]
pub struct Made {
    name: String,
    credential: RegisterPublicKeyCredential,
}

/// `POST /api/keys/finish`.
pub async fn finish(
    State(console): State<Console>,
    session: InSession,
    AskedLanguage(language): AskedLanguage,
    Json(made): Json<Made>,
) -> Response {
    match console.desk.finish_adding(&session.token, &session.officer, &made.name, &made.credential).await {
        Ok(keys) => Json(json!({ "keys": keys })).into_response(),
        Err(error) => refused(&error, language),
    }
}
