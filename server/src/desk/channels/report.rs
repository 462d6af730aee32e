//! What gateways report about SMS later. A report is believed only with the gateway's signature or secret, and moves only
//! the row it names.

use super::Tried;
use crate::channel::sms::{Callback, Fate, Report};
use crate::channel::{MachineAnswer, Why};
use crate::desk::config::Means;
use crate::desk::{Desk, DeskError, store};
use crate::store::Priority;

impl Desk {
    /// Takes a callback that came in for a channel; `false` when it is not proven to be its gateway's.
    ///
    /// # Errors
    /// [`DeskError::Store`]: the gateway is to report again.
    pub async fn take_callback(&self, name: &str, callback: &Callback<'_>) -> Result<bool, DeskError> {
        let Some(channel) = self.channels.find(name) else { return Ok(false) };
        let Means::Sms(sms) = &channel.means else { return Ok(false) };
        let Some(reports) = sms.read_callback(callback) else { return Ok(false) };
        for report in reports {
            self.take_report(&channel.name, report).await?;
        }
        Ok(true)
    }

    async fn take_report(&self, channel: &str, report: Report) -> Result<(), DeskError> {
        let now = self.now();
        let tried = match report.fate {
            Fate::OnItsWay => return Ok(()),
            Fate::Delivered => {
                let answer = MachineAnswer { by: "handset".to_owned(), answer: "delivered".to_owned(), at: now };
                Tried::Delivered(answer)
            }
            Fate::Failed { code } => Tried::Failed { why: Why::Gateway { number: code } },
        };
        let (failed, outcome, name) = (matches!(tried, Tried::Failed { .. }), tried.to_json(), channel.to_owned());
        let took = self
            .store
            .write(Priority::Normal, move |db| {
                let row = (name.as_str(), report.number, report.reference.as_str());
                Ok::<_, DeskError>(if failed {
                    store::delivery::report_failed(db, row, &outcome)?
                } else {
                    store::delivery::report_delivered(db, row, &outcome, now)?
                })
            })
            .await?;
        if took && failed {
            tracing::warn!(event = "delivery_failed", channel, last = true);
        }
        self.changed();
        Ok(())
    }
}
