//! How ready this person is: done, not done or not applicable for a short fixed list, found by this phone alone.
//!
//! Nobody else is told unless the person says so with [`Baken::share_readiness`]; then their organisation's adviser sees
//! these words, and not what they rest on: that a self-scan was had, and no answer. [`Baken::withhold_readiness`] takes it
//! back, and the relay destroys what it had. The consent is this device's: what is withdrawn on one stays so on all.

use baken_schemas::adviser::{Readiness, ReadinessReport, Ready, Step};
use baken_schemas::api;
use baken_schemas::cbor;
use baken_schemas::time::Timestamp;
use http::Method;
use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::client::SignedClient;
use crate::record::RecordView;
use crate::transport::Transport;
use crate::vault::setting;
use crate::{Baken, BakenError};

/// In the vault: [`Kept`].
const READINESS: &str = "readiness";
/// How long what was said is good: then it is said again, changed or not.
const AGAIN_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Whether the person agreed that their adviser sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consent {
    /// They did not, or no longer do.
    #[default]
    #[n(0)]
    Withheld,
    /// They do, and the relay is still to be told.
    #[n(1)]
    Given,
    /// They do, and the relay has it.
    #[n(2)]
    Shared,
    /// They no longer do, and the relay is still to be told.
    #[n(3)]
    Withdrawing,
}

/// What this device keeps of it.
#[derive(Debug, Clone, Default, Encode, Decode)]
struct Kept {
    #[n(0)]
    consent: Consent,
    /// What the person said of a step, which goes before what the phone finds.
    #[n(1)]
    said: Vec<(Step, Ready)>,
    /// What the relay was told last, and when.
    #[n(2)]
    told: Option<(Readiness, Timestamp)>,
}

/// A step as its person sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StepView {
    /// The step.
    pub step: Step,
    /// Whether it is done.
    pub ready: Ready,
    /// The person said so; else the phone found it.
    pub said: bool,
}

/// How ready somebody is, and whether their adviser sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReadinessView {
    /// Every step, in order.
    pub steps: Vec<StepView>,
    /// Whether the adviser sees it.
    pub consent: Consent,
}

impl Baken {
    /// How ready this person is.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::NotActivated`].
    pub fn readiness(&self) -> Result<ReadinessView, BakenError> {
        let kept = self.kept_readiness()?;
        let mut steps = Vec::new();
        for step in Step::ALL.iter().copied() {
            let said = kept.said.iter().find(|(other, _)| *other == step).map(|(_, ready)| *ready);
            let ready = match said {
                Some(ready) => ready,
                None if self.found_done(step)? => Ready::Done,
                None => Ready::NotDone,
            };
            steps.push(StepView { step, ready, said: said.is_some() });
        }
        Ok(ReadinessView { steps, consent: kept.consent })
    }

    /// Says of a step what the phone cannot find out, or takes that back with `None`.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn say_ready(&self, step: Step, ready: Option<Ready>) -> Result<(), BakenError> {
        self.change_readiness(|kept| {
            kept.said.retain(|(other, _)| *other != step);
            kept.said.extend(ready.map(|ready| (step, ready)));
        })
    }

    /// Agrees that the organisation's adviser sees these words. The relay is told now, or by the next sync.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::NotOwner`]; [`BakenError::NotReached`] and the other ways the relay can fail:
    /// the consent is kept then.
    pub async fn share_readiness(&self, transport: &dyn Transport) -> Result<(), BakenError> {
        if self.with_vault(|open| Ok(open.account().is_none()))? {
            return Err(BakenError::NotOwner);
        }
        self.change_readiness(|kept| kept.consent = Consent::Given)?;
        let keys = self.device_keys()?;
        self.send_readiness(&SignedClient::of_device(transport, &keys)).await
    }

    /// No longer agrees. The relay destroys what it has, now or by the next sync; of every device of this person.
    ///
    /// # Errors
    /// As [`Self::share_readiness`]; what is withdrawn stays so.
    pub async fn withhold_readiness(&self, transport: &dyn Transport) -> Result<(), BakenError> {
        if self.with_vault(|open| Ok(open.account().is_none()))? {
            return Err(BakenError::NotOwner);
        }
        self.change_readiness(|kept| (kept.consent, kept.told) = (Consent::Withdrawing, None))?;
        let keys = self.device_keys()?;
        self.send_readiness(&SignedClient::of_device(transport, &keys)).await
    }

    /// Tells the relay what it is still to be told. Where nobody agreed, nothing.
    pub(crate) async fn send_readiness(&self, client: &SignedClient<'_>) -> Result<(), BakenError> {
        if self.with_vault(|open| Ok(open.account().is_none()))? {
            return Ok(());
        }
        let kept = self.kept_readiness()?;
        let once = self.context.with_rng(|rng| baken_schemas::id::IdempotencyKey::make(rng));
        match kept.consent {
            Consent::Withheld => Ok(()),
            Consent::Withdrawing => {
                client.send(Method::DELETE, api::READINESS, Vec::new(), once).await?;
                self.change_readiness(|kept| {
                    // Given anew while the answer was on its way, it stays given.
                    if kept.consent == Consent::Withdrawing {
                        kept.consent = Consent::Withheld;
                    }
                })
            }
            Consent::Given | Consent::Shared => {
                let view = self.readiness()?;
                let ready =
                    |step| view.steps.iter().find(|one| one.step == step).map_or(Ready::NotDone, |one| one.ready);
                let (readiness, now) = (Readiness::of(ready), self.context.now());
                let is_good = |(told, at): (Readiness, Timestamp)| {
                    told == readiness && (0..AGAIN_MS).contains(&now.0.saturating_sub(at.0))
                };
                if kept.consent == Consent::Shared && kept.told.is_some_and(is_good) {
                    return Ok(());
                }
                let report = ReadinessReport { consents: kept.consent == Consent::Given, readiness };
                match client.send(Method::PUT, api::READINESS, cbor::to_vec(&report), once).await {
                    Ok(_) => self.change_readiness(|kept| {
                        if kept.consent != Consent::Withdrawing {
                            (kept.consent, kept.told) = (Consent::Shared, Some((readiness, now)));
                        }
                    }),
                    // Withdrawn on another device, or given there.
                    Err(BakenError::Refused { code, .. }) if code == "not_shared" => {
                        self.change_readiness(|kept| (kept.consent, kept.told) = (Consent::Withheld, None))
                    }
                    Err(error) => Err(error),
                }
            }
        }
    }

    fn kept_readiness(&self) -> Result<Kept, BakenError> {
        self.with_vault(|open| Ok(setting::read(&open.vault.connection, READINESS)?.unwrap_or_default()))
    }

    fn change_readiness(&self, change: impl FnOnce(&mut Kept)) -> Result<(), BakenError> {
        self.with_vault(|open| {
            let connection = &open.vault.connection;
            let mut kept: Kept = setting::read(connection, READINESS)?.unwrap_or_default();
            change(&mut kept);
            setting::write(connection, READINESS, &kept)
        })
    }

    /// Whether the phone finds a step done.
    fn found_done(&self, step: Step) -> Result<bool, BakenError> {
        match step {
            // What was read only the reader knows.
            Step::StartPack => Ok(false),
            Step::Contacts => self.has_emergency_contact(),
            Step::HomeLabel => self.has_home_mark(),
            Step::HomeScan => self.home_scan_had(),
            Step::AlarmTest => self.alarm_tested_lately(),
            Step::Training => {
                let now = self.context.now();
                let had = |training: &RecordView| training.moment("done_at").is_some_and(|at| at <= now);
                Ok(self.live("training")?.iter().any(had))
            }
            Step::SelfScan => self.self_scan_had(),
        }
    }
}
