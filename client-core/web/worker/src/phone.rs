//! The device of this origin: its core, the way to its relay, and what runs beside the calls.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use baken_core::home::Home;
use baken_core::key_store::FileKeyStore;
use baken_core::pairing::{PairingAccept, PairingStart};
use baken_core::sync::Followed;
use baken_core::transport::web::{HttpTransport, SetupError};
use baken_core::{Baken, BakenError, Context};
use baken_schemas::time::{Clock, Timestamp};
use rand::SeedableRng as _;
use rand::rngs::{ChaCha20Rng, SysRng};
use tokio::sync::mpsc;
use wasm_bindgen_futures::spawn_local;

/// Where the device lies among the origin's files.
const HOME: &str = "/phone";
/// News that may wait for the page; more of the same says nothing more.
const NEWS_IN_FLIGHT: usize = 16;

/// The browser's clock.
struct BrowserClock;

impl Clock for BrowserClock {
    fn now(&self) -> Timestamp {
        #[allow(clippy::cast_possible_truncation, reason = "milliseconds of this era fit 53 bits")]
        Timestamp(js_sys::Date::now() as i64)
    }
}

/// The clock, for whoever needs it beside the core.
pub(crate) fn now() -> Timestamp {
    BrowserClock.now()
}

/// The device, and what a screen has begun with it.
pub(crate) struct Phone {
    pub(crate) baken: Rc<Baken>,
    news: mpsc::Sender<&'static str>,
    follows_alarms: Rc<Cell<bool>>,
    follows_records: Rc<Cell<bool>>,
    /// A pairing under way: of this device into another's account, or of another into this one's.
    joining: RefCell<Option<(PairingStart, HttpTransport)>>,
    pub(crate) accepting: RefCell<Option<PairingAccept>>,
}

impl Phone {
    /// Opens the device, locked. `tell` is called with each piece of news.
    pub(crate) fn open(tell: js_sys::Function) -> Result<Self, String> {
        let home = Home::open(Path::new(HOME)).map_err(|error| error.to_string())?;
        let rng = ChaCha20Rng::try_from_rng(&mut SysRng).map_err(|error| error.to_string())?;
        let key_store = Arc::new(FileKeyStore::new(home.platform_key()));
        let context = Context::new(Arc::new(BrowserClock), Box::new(rng), key_store);
        let (news, mut incoming) = mpsc::channel::<&'static str>(NEWS_IN_FLIGHT);
        spawn_local(async move {
            while let Some(news) = incoming.recv().await {
                // A page that is gone hears nothing.
                let _ = tell.call1(&wasm_bindgen::JsValue::NULL, &news.into());
            }
        });
        Ok(Self {
            baken: Rc::new(Baken::open(home, context)),
            news,
            follows_alarms: Rc::default(),
            follows_records: Rc::default(),
            joining: RefCell::default(),
            accepting: RefCell::default(),
        })
    }

    /// The way to the relay of the verified directory.
    pub(crate) fn relay(&self) -> Result<HttpTransport, BakenError> {
        HttpTransport::to_relay(&self.baken.directory()?.relay).map_err(unusable)
    }

    /// The way to a relay that an invite or a code names.
    pub(crate) fn relay_at(&self, url: &str) -> Result<HttpTransport, BakenError> {
        HttpTransport::new(url).map_err(unusable)
    }

    /// Sends alarms and listens to what becomes of them, from now on, with the vault locked or not.
    pub(crate) fn follow_alarms(&self) {
        if !self.baken.is_activated() || self.follows_alarms.replace(true) {
            return;
        }
        let (baken, news, follows) = (self.baken.clone(), self.news.clone(), self.follows_alarms.clone());
        spawn_local(async move {
            // Where the relay is may change: then the way is made anew.
            while let Ok(directory) = baken.directory()
                && let Ok(relay) = HttpTransport::to_relay(&directory.relay)
            {
                let tell_news = news.clone();
                let mut tell = move |round: &baken_core::alarm::Round| {
                    let _ = tell_news.try_send("alarms");
                    if round.new_directory { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                };
                if baken.follow_alarms(&relay, &mut tell).await.is_err() {
                    break;
                }
            }
            follows.set(false);
            let _ = news.try_send("alarms");
        });
    }

    /// Sends edits and takes in those of other devices, until the vault is locked.
    pub(crate) fn follow_records(&self) {
        let Ok(relay) = self.relay() else { return };
        if self.follows_records.replace(true) {
            return;
        }
        let (baken, news, follows) = (self.baken.clone(), self.news.clone(), self.follows_records.clone());
        spawn_local(async move {
            let tell_news = news.clone();
            let mut tell = move |_: &Followed| {
                let _ = tell_news.try_send("records");
                ControlFlow::Continue(())
            };
            let _ = baken.follow(&relay, &mut tell).await;
            follows.set(false);
            let _ = news.try_send("records");
        });
    }

    /// Keeps a pairing of this device for its next step.
    pub(crate) fn begin_joining(&self, start: PairingStart, relay: HttpTransport) {
        *self.joining.borrow_mut() = Some((start, relay));
    }

    /// The pairing of this device, for one step.
    pub(crate) fn take_joining(&self) -> Option<(PairingStart, HttpTransport)> {
        self.joining.borrow_mut().take()
    }

    /// Tells the page that records have changed here.
    pub(crate) fn tell_records(&self) {
        let _ = self.news.try_send("records");
    }
}

fn unusable(_: SetupError) -> BakenError {
    BakenError::NotReached
}
