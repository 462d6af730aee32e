//! The phone app's files, served from a folder with the headers that hold it together: nothing inline, nothing from
//! elsewhere, and no connection but to the relays that are named.
//!
//! It belongs on an origin of its own, away from relay and desk: who serves the code can change it. It has no state, no
//! keys and no log of who came.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
    REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;

/// The most files of a build, and the most bytes of all: some hundred times what it has.
const MAX_FILES: usize = 1_000;
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The files of a build, in memory.
#[derive(Debug)]
pub struct AppFiles {
    files: BTreeMap<String, (&'static str, Bytes)>,
    policy: HeaderValue,
}

/// Why a folder cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// It cannot be read.
    #[error("the folder of the app cannot be read")]
    Disk(#[from] std::io::Error),
    /// It has no `index.html`: nothing was built there.
    #[error("there is no built app in this folder")]
    NotBuilt,
    /// Something in it is neither a file nor a folder: what it leads to is not the app's.
    #[error("{} is no file: copy the built app here, without links", .0.display())]
    Link(PathBuf),
    /// It is no build of the app.
    #[error("the folder has more than an app has")]
    TooLarge,
    /// Others than this machine are to be served without a certificate.
    #[error("without a certificate only this machine can be served")]
    NoCertificate,
    /// A relay is not `https://host` or `https://host:port`.
    #[error("a relay's address is not of the form https://host:port")]
    Relay,
}

impl AppFiles {
    /// Reads a build. `relays` are the origins that the app may connect to.
    ///
    /// # Errors
    /// [`AppError`].
    pub fn read(folder: &Path, relays: &[String]) -> Result<Self, AppError> {
        let mut files = BTreeMap::new();
        let mut left = MAX_BYTES;
        read_folder(folder, "", &mut files, &mut left)?;
        if !files.contains_key("/index.html") {
            return Err(AppError::NotBuilt);
        }
        let is_origin = |relay: &String| {
            let host = relay.strip_prefix("https://").unwrap_or_default();
            !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:-[]".contains(&byte))
        };
        if !relays.iter().all(is_origin) {
            return Err(AppError::Relay);
        }
        let policy = format!(
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self' \
             blob:; manifest-src 'self'; connect-src 'self' {}; form-action 'none'; frame-ancestors 'none'; base-uri \
             'none'; require-trusted-types-for 'script'; trusted-types baken",
            relays.join(" ")
        );
        let policy = HeaderValue::from_str(&policy).map_err(|_| AppError::Relay)?;
        Ok(Self { files, policy })
    }

    /// The routes.
    pub fn router(self) -> Router {
        Router::new().fallback(answer).with_state(Arc::new(self))
    }
}

fn read_folder(
    folder: &Path,
    at: &str,
    files: &mut BTreeMap<String, (&'static str, Bytes)>,
    left: &mut u64,
) -> Result<(), AppError> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{at}/{name}");
        if entry.file_type()?.is_dir() {
            read_folder(&entry.path(), &path, files, left)?;
            continue;
        }
        if !entry.file_type()?.is_file() {
            return Err(AppError::Link(entry.path()));
        }
        *left = left.checked_sub(entry.metadata()?.len()).ok_or(AppError::TooLarge)?;
        if files.len() >= MAX_FILES {
            return Err(AppError::TooLarge);
        }
        let bytes = Bytes::from(std::fs::read(entry.path())?);
        files.insert(path, (media_type(&name), bytes));
    }
    Ok(())
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

async fn answer(State(app): State<Arc<AppFiles>>, method: Method, uri: Uri, asked: HeaderMap) -> Response {
    if !matches!(method, Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let path = if uri.path() == "/" { "/index.html" } else { uri.path() };
    let takes = asked.get(ACCEPT_ENCODING).and_then(|takes| takes.to_str().ok()).unwrap_or_default();
    let takes_brotli = takes.split(',').any(|name| name.trim() == "br");
    let mut response = match app.files.get(path) {
        Some((media_type, bytes)) => {
            let mut headers = HeaderMap::new();
            let compressed = app.files.get(&format!("{path}.br")).filter(|_| takes_brotli);
            if compressed.is_some() {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("br"));
            }
            headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
            let bytes = compressed.map_or(bytes, |(_, bytes)| bytes);
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
            // What has its hash in its name never changes.
            let kept = if path.starts_with("/assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
            (headers, bytes.clone()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, app.policy.clone());
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "geolocation=(self), camera=(self), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt as _;

    #[test]
    fn only_a_build_is_served_and_only_to_relays_by_https() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(AppFiles::read(folder.path(), &[]), Err(AppError::NotBuilt)));
        std::fs::write(folder.path().join("index.html"), "<!doctype html>").unwrap();
        for relay in ["http://relay.example", "https://", "https://a;script-src *", "https://a/b"] {
            assert!(matches!(AppFiles::read(folder.path(), &[relay.to_owned()]), Err(AppError::Relay)), "{relay}");
        }
        assert!(AppFiles::read(folder.path(), &["https://relay.example:8443".to_owned()]).is_ok());
    }

    #[test]
    fn a_link_out_of_the_folder_is_refused_by_name() {
        let (folder, secret) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
        std::fs::write(folder.path().join("index.html"), "<!doctype html>").unwrap();
        std::fs::create_dir(folder.path().join("assets")).unwrap();
        let link = folder.path().join("assets").join("x.js");
        std::os::unix::fs::symlink(secret.path(), &link).unwrap();
        assert!(matches!(AppFiles::read(folder.path(), &[]), Err(AppError::Link(path)) if path == link));
    }

    #[tokio::test]
    async fn what_was_compressed_goes_so_to_who_takes_it() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("index.html", "page"), ("sw.js", "script"), ("sw.js.br", "squeezed")] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let app = AppFiles::read(folder.path(), &["https://relay.example".to_owned()]).unwrap().router();
        for (takes, said) in [("gzip, br", "squeezed"), ("gzip", "script"), ("", "script")] {
            let request = Request::get("/sw.js").header(ACCEPT_ENCODING, takes).body(Body::empty()).unwrap();
            let answer = app.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.headers().contains_key(CONTENT_ENCODING), said == "squeezed", "{takes}");
            assert_eq!(answer.headers()[CONTENT_TYPE], "text/javascript; charset=utf-8");
            assert_eq!(axum::body::to_bytes(answer.into_body(), 100).await.unwrap(), said);
        }
    }

    #[tokio::test]
    async fn every_answer_keeps_other_origins_and_inline_scripts_out() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("index.html"), "<!doctype html>").unwrap();
        let app = AppFiles::read(folder.path(), &["https://relay.example".to_owned()]).unwrap().router();
        for (path, status) in [("/", 200), ("/nothing", 404), ("/../index.html", 404)] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let answer = app.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{path}");
            let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.contains("connect-src 'self' https://relay.example;"));
            assert!(policy.starts_with("default-src 'none'; script-src 'self' 'wasm-unsafe-eval';"));
            assert!(!policy.contains("unsafe-inline") && policy.contains("require-trusted-types-for 'script'"));
        }
    }
}
