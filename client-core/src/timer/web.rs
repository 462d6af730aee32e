//! Timers of a browser. They run as tasks of their own, since what waits for them must be free to move between threads
//! elsewhere.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::oneshot;
use wasm_bindgen_futures::spawn_local;

/// It took longer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elapsed;

/// The longest a browser's timer runs, in milliseconds; past it, it would be over at once.
const LONGEST_MS: u128 = i32::MAX as u128;

/// Waits so long; for days and more, to be asked again, 24 days.
pub(crate) async fn sleep(duration: Duration) {
    let (mut done, wait) = oneshot::channel::<()>();
    let ms = u32::try_from(duration.as_millis().min(LONGEST_MS)).unwrap_or_default();
    spawn_local(async move {
        let timer = pin!(gloo_timers::future::TimeoutFuture::new(ms));
        // Whoever waited may be gone: then the timer goes too.
        let _ = select(timer, pin!(done.closed())).await;
        let _ = done.send(());
    });
    let _ = wait.await;
}

/// Runs `work` for at most so long.
pub(crate) async fn timeout<T>(duration: Duration, work: impl Future<Output = T>) -> Result<T, Elapsed> {
    match select(pin!(work), pin!(sleep(duration))).await {
        Either::Left((done, _)) => Ok(done),
        Either::Right(((), _)) => Err(Elapsed),
    }
}
