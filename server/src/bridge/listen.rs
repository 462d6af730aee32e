//! What the bridge answers a button's dialler.

use std::net::SocketAddr;
use std::sync::Arc;

use baken_schemas::crypto::Hash;

use super::{Bridge, BridgeError, Taken};
use crate::audit;
use crate::dc09::Account;
use crate::dc09::receiver::{Answer, Handler, Known, Received, Refusal};
use crate::store::Priority;

/// Takes a receiver's messages to a bridge.
#[derive(Debug, Clone)]
pub struct ButtonHandler(Arc<Bridge>);

impl ButtonHandler {
    /// For a bridge.
    pub fn new(bridge: Arc<Bridge>) -> Self {
        Self(bridge)
    }
}

impl Handler for ButtonHandler {
    async fn known(&self, account: &Account) -> Known {
        match self.0.buttons.get(account).map(|button| &button.key) {
            None => Known::No,
            Some(None) => Known::Plain,
            Some(Some(key)) => Known::Enciphered(key.clone()),
        }
    }

    /// `ACK` once the relay has the alarm. When that takes longer than a sender waits, this is cut off and the sender hears
    /// nothing; the alarm is on disk and goes on its way all the same.
    async fn received(&self, received: Received) -> Answer {
        let taken = match self.0.take(&received.message, received.over).await {
            Ok(taken) => taken,
            Err(error) => {
                tracing::error!(event = "button_not_taken", why = %error);
                return Answer::Silence;
            }
        };
        match taken {
            Taken::Nothing => Answer::Ack,
            Taken::NotUnderstood => {
                tracing::warn!(event = "button_not_understood");
                Answer::Duh
            }
            Taken::Alarm(number) => match self.0.wait_until_stored(number).await {
                Ok(()) => Answer::Ack,
                Err(error) => {
                    tracing::error!(event = "button_not_stored", why = %error);
                    Answer::Silence
                }
            },
        }
    }

    async fn refused(&self, refusal: Refusal, peer: SocketAddr) {
        let code = refusal.code();
        self.0.count_refused(code);
        tracing::warn!(event = "button_refused", code, %peer);
        // Noise from a line must not fill the audit: only what names a button that is known goes in.
        let account = match &refusal {
            Refusal::Downgraded(account)
            | Refusal::NotOpened(account)
            | Refusal::OutOfTime { account, .. }
            | Refusal::Unanswered(account) => account,
            _ => return,
        };
        let (now, device) = (self.0.clock.now(), self.0.keys.device);
        if !self.0.strangers.may_be_noted(now) {
            return;
        }
        let subject = Hash::of("baken/button-account/v0", &[account.as_str().as_bytes()]);
        let noted = self.0.store.write(Priority::Normal, move |db| {
            audit::append_for(db, now, device, "button_refused", &subject, code)?;
            Ok::<_, BridgeError>(())
        });
        if let Err(error) = noted.await {
            tracing::error!(event = "audit_failed", why = %error);
        }
    }
}
