//! What an owner's device owes its circles, done at every sync: start an epoch when somebody came or went, let in or
//! out for good what has waited for a day, keep all of one person's devices in that person's circles, freeze those on
//! which a duress PIN was used.
//!
//! A day is counted from when this very device first saw what waits, so that neither a relay that hides a record for a
//! day nor a clock set wrong elsewhere takes anybody the time to object.

use baken_schemas::api::{self, Page};
use baken_schemas::circle::{CircleKind, Member, MemberRole, MemberState, Operation};
use baken_schemas::id::{CircleId, DeviceId, IdempotencyKey};
use baken_schemas::record::kind_named;
use http::Method;

use crate::circle::{Circle, freeze, log};
use crate::client::{SignedClient, path_with};
use crate::record::all_views;
use crate::record::store::About;
use crate::{Baken, BakenError};

/// How long an owner may object.
pub(super) const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// The most duties done in one sync.
const MAX_DUTIES: usize = 64;
/// The most pages of a membership log.
const MAX_LOG_PAGES: usize = 64;

impl Baken {
    /// Whether this device is in a circle, by its log.
    pub(crate) fn is_active_in(&self, circle: CircleId) -> Result<bool, BakenError> {
        self.with_vault(|open| Ok(open.circles.get(circle)?.membership().is_active(open.keys.device)))
    }

    /// Whether this device may write in a circle now.
    pub(crate) fn may_write_in(&self, circle: CircleId) -> Result<bool, BakenError> {
        self.with_vault(|open| {
            let circle = open.circles.get(circle)?;
            Ok(circle.membership().may_write(open.keys.device) && circle.current_epoch().is_some())
        })
    }

    /// Every circle of this device, its own first.
    pub(crate) fn circle_ids(&self) -> Result<Vec<CircleId>, BakenError> {
        self.with_vault(|open| Ok(open.circles.all().map(Circle::id).collect()))
    }

    /// Does what this device owes a circle, until it owes nothing.
    pub(crate) async fn do_duties(&self, client: &SignedClient<'_>, circle: CircleId) -> Result<(), BakenError> {
        for _ in 0..MAX_DUTIES {
            let Some(duty) = self.next_duty(circle)? else { return Ok(()) };
            match duty {
                Duty::Remove(device) => self.remove_member(client, circle, device).await?,
                Duty::Freeze(device) => self.freeze_member(client, circle, device).await?,
                Duty::Record(operation) => {
                    let make = |circle: &Circle, keys: &_| Ok(Some(circle.record((*operation).clone(), keys)));
                    match self.append(client, circle, make).await {
                        // A relay that was filled again counts its day from then. It is owed again at the next sync.
                        Err(BakenError::Refused { code, .. }) if code == "day_not_over" => return Ok(()),
                        done => done?,
                    }
                }
                Duty::Epoch => {
                    self.append(client, circle, |circle, keys| {
                        if !circle.membership().owes_epoch() {
                            return Ok(None);
                        }
                        self.context.with_rng(|rng| circle.epoch_record(keys, rng)).map(Some)
                    })
                    .await?;
                }
            }
        }
        Ok(())
    }

    /// The orders by which other devices froze themselves; none before there is an outbox.
    pub(super) fn freezes_heard(&self) -> Result<Vec<freeze::Heard>, BakenError> {
        self.outbox_if_there()?.map_or(Ok(Vec::new()), |outbox| outbox.freezes_heard())
    }

    fn next_duty(&self, circle: CircleId) -> Result<Option<Duty>, BakenError> {
        let now = self.context.now();
        let heard = self.freezes_heard()?;
        self.with_vault(|open| {
            let (connection, device) = (&open.vault.connection, open.keys.device);
            let home = open.circles.home();
            let circle = open.circles.get(circle)?;
            let membership = circle.membership();
            if !membership.is_owner(device) {
                return Ok(None);
            }
            // A person's own devices are in all of that person's circles.
            let is_own = membership.root() == home.membership().root() && membership.kind() != CircleKind::Dossier;
            if (is_own || circle.id() == home.id())
                && let Some(frozen) = freeze::due(connection, home, circle, &heard)?
            {
                return Ok(Some(Duty::Freeze(frozen)));
            }
            if is_own && let Some(duty) = own_devices(home, circle) {
                return Ok(Some(duty));
            }
            for (member, state) in membership.members() {
                let seen = log::observed(connection, circle.row(), member.device)?;
                let waited = seen.is_some_and(|seen| now.since_ms(seen) >= DAY_MS);
                match state {
                    // Whose proposer was taken out meanwhile stays outside, unless somebody lets it in by hand.
                    MemberState::Proposed { by }
                        if waited
                            && membership.is_owner(by)
                            && (by != device || !membership.has_other_owner(device)) =>
                    {
                        return Ok(Some(Duty::Record(Box::new(Operation::Confirm { device: member.device }))));
                    }
                    MemberState::Leaving { .. } if waited => {
                        return Ok(Some(Duty::Record(Box::new(Operation::Finish { device: member.device }))));
                    }
                    _ => {}
                }
            }
            let can = membership.epoch() == 0 || circle.epoch_key(membership.epoch()).is_some();
            Ok((membership.owes_epoch() && can).then_some(Duty::Epoch))
        })
    }

    /// Joins those circles of this person that another of their devices founded: the dossier names them.
    pub(crate) async fn join_own_circles(&self, client: &SignedClient<'_>) -> Result<(), BakenError> {
        let kind = kind_named("circle").map(|kind| kind.number);
        let named: Vec<CircleId> = self.with_settled_about(About::kinds(kind), |open| {
            let home = open.circles.home();
            if home.membership().kind() != CircleKind::Dossier || !home.membership().is_active(open.keys.device) {
                return Ok(Vec::new());
            }
            let views = all_views(&open.vault.connection, home, kind)?;
            let ids = views.iter().map(|view| CircleId(view.record.0));
            Ok(ids.filter(|id| open.circles.get(*id).is_err()).collect())
        })?;
        let mut failed = None;
        for id in named {
            let log = match self.fetch_log(client, id).await {
                Ok(log) => log,
                // Not handed to the relay yet, or not for this device.
                Err(BakenError::Refused { .. }) => continue,
                Err(error) => return Err(error),
            };
            match self.join_named(id, &log) {
                Ok(true) => self.recover_circle(client, id).await?,
                Ok(false) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Takes a circle that the dossier names, if its log is this account's and has this device or is to be recovered.
    /// Says whether it did.
    fn join_named(&self, id: CircleId, records: &[Vec<u8>]) -> Result<bool, BakenError> {
        let Some((genesis, rest)) = records.split_first() else { return Ok(false) };
        let recovers = self.is_recovering()?;
        self.with_vault(|open| {
            let not_named = |error| match error {
                BakenError::Format(_) => {
                    BakenError::NotTrustworthy { what: "its membership log is not of a circle that the dossier names" }
                }
                other => other,
            };
            let tx = open.vault.connection.transaction()?;
            let mut circle = Circle::join(&tx, id, genesis, &open.keys).map_err(not_named)?;
            for record in rest {
                circle.apply(&tx, record, &open.keys).map_err(not_named)?;
            }
            // The first record of such a circle only says its root: anybody can write one. It counts if an owner of
            // the dossier signed it.
            let home = open.circles.home().membership();
            let founder = circle.membership().writer(0);
            let known = founder.and_then(|founder| home.member(founder.device).map(|member| (founder, member)));
            let founded = known.is_some_and(|(founder, member)| {
                home.was_owner(member.device) && (founder.sig, &founder.kem) == (member.sig, &member.kem)
            });
            let ours = founded && circle.membership().root() == home.root();
            if !ours {
                return Err(BakenError::NotTrustworthy {
                    what: "its membership log of a circle that the dossier names was not founded by this account",
                });
            }
            let takes = circle.membership().is_active(open.keys.device) || recovers;
            if takes {
                tx.commit()?;
                open.circles.add(circle);
            }
            Ok(takes)
        })
    }

    /// The relay's membership log of a circle, from its first record.
    pub(crate) async fn fetch_log(
        &self,
        client: &SignedClient<'_>,
        circle: CircleId,
    ) -> Result<Vec<Vec<u8>>, BakenError> {
        let path = path_with(api::LOG, circle)?;
        let (mut log, mut after): (Vec<Vec<u8>>, Option<u64>) = (Vec::new(), None);
        for _ in 0..MAX_LOG_PAGES {
            let query = after.map(|seq| format!("?after={seq}")).unwrap_or_default();
            let key = self.context.with_rng(|rng| IdempotencyKey::make(rng));
            let page: Page = client.ask(Method::GET, &format!("{path}{query}"), Vec::new(), key, "a page").await?;
            log.extend(page.items.iter().map(|item| item.bytes.to_vec()));
            after = page.items.last().map(|item| item.cursor).or(after);
            if !page.more || page.items.is_empty() {
                break;
            }
        }
        Ok(log)
    }
}

/// Something that this device owes a circle.
enum Duty {
    Record(Box<Operation>),
    Remove(DeviceId),
    Freeze(DeviceId),
    Epoch,
}

/// A device that is in the dossier and not in the person's other circle, or the other way round.
fn own_devices(home: &Circle, circle: &Circle) -> Option<Duty> {
    let membership = circle.membership();
    for (member, state) in home.membership().members() {
        let here = membership.state(member.device);
        match (state, here) {
            (MemberState::Active, None) => {
                let member = Member { role: MemberRole::Owner, ..member.clone() };
                return Some(Duty::Record(Box::new(Operation::Add { member })));
            }
            (MemberState::Leaving { .. } | MemberState::Gone { .. }, Some(MemberState::Active)) => {
                return Some(Duty::Remove(member.device));
            }
            // An owner who objected is back in both.
            (MemberState::Active, Some(MemberState::Leaving { .. })) => {
                return Some(Duty::Record(Box::new(Operation::Veto { device: member.device })));
            }
            _ => {}
        }
    }
    None
}
