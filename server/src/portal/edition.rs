//! The organisation's own layer of guidance: its source on this machine, looked over, built, and signed where the root is.

use std::path::{Path as FsPath, PathBuf};

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::cli::Failure;
use crate::folder::{Access, read_whole, write_whole};
use crate::portal::commands::Heard;
use crate::portal::guard::Visit;
use crate::portal::{Frame, done, refused, refused_with, render};

/// The most files of a source that are listed.
const MAX_FILES: usize = 500;
/// How deep folders of a source lie.
const MAX_DEPTH: usize = 4;
/// The largest file that is edited here, in bytes.
const MAX_FILE_BYTES: usize = 128 * 1024;

#[derive(Template)]
#[template(path = "portal/edition.html")]
struct EditionPage {
    frame: Frame,
    folder: String,
    files: Vec<String>,
    /// The file that is looked at; empty without one.
    open: String,
    text: String,
    /// What was found wrong, in the words of the check.
    findings: Vec<String>,
    /// What differs from what was built last.
    changes: Vec<String>,
    has_built: bool,
}

/// Which file.
#[derive(Deserialize)]
pub(super) struct Which {
    file: Option<String>,
}

/// Every text of a source, by its path from the source's folder.
fn files_in(folder: &FsPath) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![(folder.to_owned(), 0)]);
    while let Some((dir, depth)) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&dir) else { continue };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())).take(MAX_FILES) {
            let Ok(name) = path.strip_prefix(folder) else { continue };
            if path.is_dir() && depth < MAX_DEPTH {
                folders.push((path.clone(), depth + 1));
            } else if is_text(&path) && found.len() < MAX_FILES {
                found.push(name.display().to_string());
            }
        }
    }
    found.sort();
    found
}

fn is_text(path: &FsPath) -> bool {
    path.extension().is_some_and(|ending| ending == "md" || ending == "toml")
}

impl Visit {
    fn source(&self) -> &PathBuf {
        &self.portal.folders.edition
    }

    /// A file of the source, as a form named it: below its folder and nowhere else.
    fn file(&self, name: &str) -> Option<PathBuf> {
        let plain = |part: std::path::Component<'_>| matches!(part, std::path::Component::Normal(_));
        let name = FsPath::new(name);
        (is_text(name) && name.components().count() <= MAX_DEPTH && name.components().all(plain))
            .then(|| self.source().join(name))
    }

    fn built(&self) -> PathBuf {
        self.source().with_extension("edition")
    }

    async fn check(&self) -> Result<Heard, Failure> {
        let folder = self.source().display().to_string();
        self.plain_command(&["edition", "check"], &[], &[&folder]).await
    }
}

fn lines(outcome: Result<Heard, Failure>, visit: &Visit) -> Vec<String> {
    let text = match outcome {
        Ok(heard) => heard.text,
        Err(failure) => visit.language.pick(&failure.nl, &failure.en).to_owned(),
    };
    text.lines().map(str::to_owned).collect()
}

/// `GET /edition`.
pub(super) async fn show(visit: Visit, Query(which): Query<Which>) -> Response {
    let (source, built) = (visit.source().clone(), visit.built());
    let files = files_in(&source);
    let open = which.file.unwrap_or_default();
    let text = match visit.file(&open).map(|path| read_whole(&path)) {
        Some(Ok(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        _ => String::new(),
    };
    let (mut findings, mut changes) = (Vec::new(), Vec::new());
    if !files.is_empty() {
        findings = lines(visit.check().await, &visit);
        if built.is_file() {
            let (old, new) = (built.display().to_string(), source.display().to_string());
            changes = lines(visit.plain_command(&["edition", "diff"], &[], &[&old, &new]).await, &visit);
            // The first line names the versions; alone, it says that nothing differs.
            changes.truncate(if changes.len() > 1 { changes.len() } else { 0 });
        }
    }
    let organisation = visit.directory().map(|directory| directory.name).unwrap_or_default();
    let page = EditionPage {
        folder: source.display().to_string(),
        files,
        open,
        text,
        findings,
        changes,
        has_built: built.is_file(),
        frame: visit.frame(&organisation, "/edition?"),
    };
    render(StatusCode::OK, &page)
}

/// The fields of every form of the page.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Filled {
    file: String,
    text: String,
}

/// `POST /edition/{act}`.
pub(super) async fn act(visit: Visit, Path(act): Path<String>, Form(form): Form<Filled>) -> Response {
    let (source, built) = (visit.source().display().to_string(), visit.built().display().to_string());
    let outcome = match act.as_str() {
        "export" => visit.command(&["org", "role", "export"], &[("edition", &source)]).await,
        "keep" => return keep(&visit, &form).await,
        "build" => build(&visit, &source, &built).await,
        "publish" => publish(&visit, &built).await,
        _ => return refused_with(&visit, StatusCode::NOT_FOUND, visit.words().not_found),
    };
    done(&visit, "/edition", outcome)
}

async fn keep(visit: &Visit, form: &Filled) -> Response {
    let Some(path) = visit.file(&form.file).filter(|_| form.text.len() <= MAX_FILE_BYTES) else {
        return refused_with(visit, StatusCode::UNPROCESSABLE_ENTITY, visit.words().file_refused);
    };
    let _alone = visit.portal.alone.lock().await;
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(Failure::from);
    let text = form.text.replace("\r\n", "\n");
    let kept = made.and_then(|()| Ok(write_whole(&path, text.as_bytes(), Access::Open)?));
    match kept {
        Ok(()) => {
            visit.portal.inside().said = Some(format!("{} {}", visit.words().file_kept, form.file));
            Redirect::to("/edition").into_response()
        }
        Err(failure) => refused(visit, &failure),
    }
}

async fn build(visit: &Visit, source: &str, built: &str) -> Result<Heard, Failure> {
    let org = visit.directory()?.org().to_string();
    let heard = visit.plain_command(&["edition", "build"], &[("org", &org), ("out", built)], &[source]).await?;
    let Some(root) = visit.portal.root() else { return Ok(heard) };
    // Signed where the root lies; elsewhere the file waits for its keeper.
    let key = root.join("root.key").display().to_string();
    let signed = visit.plain_command(&["edition", "sign"], &[("key", &key)], &[built]).await?;
    Ok(Heard { text: format!("{}\n{}", heard.text, signed.text), ..signed })
}

async fn publish(visit: &Visit, built: &str) -> Result<Heard, Failure> {
    let folder = visit.portal.root().unwrap_or(&visit.portal.folders.adviser);
    let directory = folder.join("directory.cbor").display().to_string();
    visit.plain_command(&["edition", "publish"], &[("directory", &directory)], &[built]).await
}
