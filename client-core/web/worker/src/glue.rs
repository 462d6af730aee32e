//! What JavaScript sees: two functions.

#![allow(unsafe_code, reason = "wasm-bindgen writes it around these functions")]

use std::cell::OnceCell;
use std::rc::Rc;

use baken_core::disk::{self, MountError};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::call;
use crate::phone::Phone;

thread_local! {
    /// The one device of this origin, for the life of the worker.
    static PHONE: OnceCell<Rc<Phone>> = const { OnceCell::new() };
}

/// Opens the files and the device in them. `tell` is called with the name of what has changed: `alarms` or `records`.
/// Gives `ready`, or why not: `in-use` while another tab has the files, `unsupported` with what the browser said.
#[wasm_bindgen]
pub async fn start(tell: js_sys::Function) -> String {
    if PHONE.with(|phone| phone.get().is_some()) {
        return "ready".to_owned();
    }
    match disk::mount().await {
        Ok(()) => {}
        Err(MountError::InUse) => return "in-use".to_owned(),
        Err(error) => return format!("unsupported: {error}"),
    }
    let phone = match Phone::open(tell) {
        Ok(phone) => Rc::new(phone),
        Err(error) => return format!("unsupported: {error}"),
    };
    phone.follow_alarms();
    PHONE.with(|cell| {
        let _ = cell.set(phone);
    });
    "ready".to_owned()
}

/// Answers a call: `{"ok": …}`, or `{"error": {"code", "message", …}}`.
#[wasm_bindgen]
pub async fn call(name: String, arguments: String) -> String {
    let Some(phone) = PHONE.with(|phone| phone.get().cloned()) else {
        return r#"{"error":{"code":"not_started","message":"the worker has not started"}}"#.to_owned();
    };
    call::answer(&phone, &name, &arguments).await
}
