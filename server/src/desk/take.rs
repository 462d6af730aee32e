//! Taking mail: each piece with the cursor in one transaction, so that a crash at any point neither loses nor doubles
//! one. What this desk cannot use is noted in the audit and passed over; only alarms and notes of duress are never
//! passed over.

use baken_schemas::alarm::{Alarm, FamilyKey, Note, NoteKind, Receipt, ReceiptState, Update, check_receipt_of};
use baken_schemas::api::{Mail, MailKind};
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::org::Directory;
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::Timestamp;
use rusqlite::Connection;

use super::channels::given_up;
use super::figures::{self, Ending};
use super::opened::{self, SignatureView};
use super::orders::OutgoingOrder;
use super::probe;
use super::sms;
use super::store::watch::Overdue;
use super::store::{
    self, AlarmRow, Form, MailPosition, NewAlarm, NewDelivery, NewReceipt, NoteRow, Sending, UpdateRow,
};
use super::{Desk, DeskError, hash_of, tested};
use crate::audit;
use crate::store::Priority;

impl Desk {
    /// How far the mail has been taken.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub fn mail_position(&self) -> Result<MailPosition, DeskError> {
        self.store.read(|db| Ok(store::mail_position(db)?))
    }

    /// Takes one piece of mail at its place. A repeat has no effect.
    ///
    /// # Errors
    /// [`DeskError::Store`]: nothing was taken, and the same mail is to be brought again.
    pub async fn take_mail(&self, place: MailPosition, mail: &Mail) -> Result<(), DeskError> {
        let document = mail.document.to_vec();
        match mail.kind {
            MailKind::Alarm => self.take_alarm(place, document).await?,
            MailKind::Sms => self.take_sms(place, document).await?,
            MailKind::Update => self.take_update(place, document).await?,
            MailKind::Note => self.take_note(place, document, Standing::Present).await?,
            MailKind::NoteOfRemoved => self.take_note(place, document, Standing::Removed).await?,
            MailKind::Receipt => self.take_receipt(place, document).await?,
            MailKind::Roster => self.take_roster(place, document).await?,
            MailKind::Enrolment => self.take_enrolment(place, document).await?,
            MailKind::Silence => self.take_silence(place, document).await?,
            MailKind::Escalation => self.take_escalation(place, document).await?,
            MailKind::HandingOn => self.take_handing_on(place, document).await?,
            // Orders are for the devices of a circle.
            MailKind::Order => self.pass_over(place, "order_taken", hash_of(&document), false).await?,
            // For the device whose check-in it was; a desk gets the note alone.
            MailKind::Settlement => self.pass_over(place, "settlement_taken", hash_of(&document), false).await?,
            MailKind::Timers => self.take_timers(place, document).await?,
            MailKind::Directory => {
                let outcome = self.take_directory(&document).await;
                if let Err(DeskError::Store(error)) = outcome {
                    return Err(error.into());
                }
                self.pass_over(place, "directory_taken", hash_of(&document), outcome.is_ok()).await?;
            }
        }
        self.changed();
        Ok(())
    }

    /// Takes the organisation's directory.
    ///
    /// # Errors
    /// [`DeskError::Format`] when the root did not sign it, [`DeskError::OldDirectory`], [`DeskError::NotListed`]. The
    /// directory held before stays.
    pub async fn take_directory(&self, bytes: &[u8]) -> Result<(), DeskError> {
        let directory = Directory::verify(bytes, self.org)?;
        let found = directory.value().version;
        let held = self.directory();
        if let Some(held) = &held {
            if held.bytes() == bytes {
                return Ok(());
            }
            if held.value().version >= found {
                return Err(DeskError::OldDirectory { held: held.value().version, found });
            }
        }
        let listed = directory
            .value()
            .desk(self.keys.device)
            .is_some_and(|entry| entry.sig == self.keys.sig.verify_key() && entry.kem == self.keys.kem.public());
        if !listed {
            return Err(DeskError::NotListed);
        }
        let (document, now) = (bytes.to_vec(), self.now());
        self.store
            .write(Priority::Normal, move |db| Ok::<_, DeskError>(store::put_directory(db, found, &document, now)?))
            .await?;
        // The first directory brings the root that earlier roster lines were waiting for.
        let lines =
            if held.is_none() { self.store.read(|db| Ok::<_, DeskError>(store::rosters(db)?))? } else { Vec::new() };
        let mut known = self.known_mut();
        for line in lines {
            let trust = (self.org, &directory.value().root);
            // A line of another organisation or by another key stays out.
            let _ = known.people.add_line(&line, trust, (self.keys.device, &self.keys.kem));
        }
        known.directory = Some(directory);
        drop(known);
        self.changed();
        Ok(())
    }

    async fn take_alarm(&self, place: MailPosition, document: Vec<u8>) -> Result<(), DeskError> {
        let hash = hash_of(&document);
        let parsed = Unverified::<Alarm>::parse(&document).ok();
        let new = NewAlarm {
            alarm: parsed.as_ref().map_or_else(|| id_of(hash), |alarm| alarm.claims().header.alarm),
            hash,
            form: if parsed.is_some() { Form::Alarm } else { Form::Damaged },
            device: parsed.as_ref().map_or(DeviceId([0; 16]), |alarm| alarm.claims().header.device),
            document,
            received_at: self.now(),
            brings_key: false,
        };
        self.ring(new, Ringing::Mail(place)).await
    }

    /// Takes an alarm that came by text message. One that is no true text rings as damaged: it may be one.
    async fn take_sms(&self, place: MailPosition, document: Vec<u8>) -> Result<(), DeskError> {
        let read = sms::read(&document);
        let hash = read.as_ref().map_or_else(|| hash_of(&document), |read| read.text.hash());
        let new = NewAlarm {
            alarm: read.as_ref().map_or_else(|| id_of(hash), |read| read.alarm),
            hash,
            form: if read.is_some() { Form::Sms } else { Form::Damaged },
            device: read.as_ref().map_or(DeviceId([0; 16]), |read| read.context.claims().header.device),
            document,
            received_at: self.now(),
            brings_key: false,
        };
        self.ring(new, Ringing::Mail(place)).await
    }

    /// Keeps something that rings, with its receipt and deliveries.
    pub(super) async fn ring(&self, mut new: NewAlarm, ringing: Ringing) -> Result<(), DeskError> {
        let row = row_of(&new);
        let opened = self.open_row(&row, &self.known());
        if let Ringing::Mail(place) = ringing
            && probe::is_probe(&new, &opened)
        {
            return self.answer_probe(place, new).await;
        }
        new.brings_key = opened.body().is_some_and(|body| body.card_key.is_some());
        // What somebody else made up under a check-in's id does not stand for it.
        let believed = new.form == Form::Alarm && opened.signature != SignatureView::Mismatch;
        let shown = self.store.read(|db| Ok::<_, DeskError>(store::alarm::find(db, new.alarm)?))?;
        let shredded = self.store.read(|db| Ok::<_, DeskError>(store::keeping::shredded(db, new.alarm)?))?;
        let order = match &shown {
            // It is over, and its content was destroyed: what its own device brings of it once more says nothing new.
            Some(shown)
                if shredded.is_some() && opened.signature == SignatureView::Proven && shown.hash != new.hash =>
            {
                Precedence::JoinsBehind(shown.hash)
            }
            shown => self.precedence(shown.as_ref(), &new, opened.signature),
        };
        let behind = match order {
            Precedence::Only if matches!(new.form, Form::Alarm | Form::Sms) => {
                self.folds_behind(new.device, &opened)?
            }
            _ => None,
        };
        let deliveries = if order.is_silent() {
            Vec::new()
        } else {
            self.deliveries_for(&row, &opened, ReceiptState::Received, None)
        };
        let (keys, now, mut rng) = (self.keys.clone(), self.now(), self.fork_rng());
        let counted = (figures::kind_word(opened.kind()), figures::month_of(now));
        let tester = tested::tester(new.device, &opened, &self.known());
        let received = ReceiptToMake { state: ReceiptState::Received, at: now, sending: sending_of(new.form) };
        self.store
            .write(Priority::Alarm, move |db| {
                if !ringing.is_new(db, now)? {
                    return Ok(());
                }
                if believed {
                    store::watch::end(db, new.alarm, new.device)?;
                }
                if !store::alarm::add(db, &new, &SymmetricKey::make(&mut rng))? {
                    // Handed over again: perhaps the relay never got the receipt. It gets the same one.
                    return Ok::<_, DeskError>(store::receipt::send_again(db, new.hash, now)?);
                }
                // Closed since the look, it would hide what it no longer stands for.
                let behind = match behind {
                    Some(entry) if store::incident::is_open_entry(db, entry)? => Some(entry),
                    _ => None,
                };
                if let Some(entry) = behind {
                    store::incident::fold(db, new.alarm, entry)?;
                }
                match order {
                    Precedence::Only => {}
                    Precedence::Before(older) => {
                        store::alarm::supersede(db, older)?;
                        store::figure::move_to(db, older, new.hash, counted.0)?;
                    }
                    Precedence::Behind => store::alarm::supersede(db, new.hash)?,
                    Precedence::Joins(older) => {
                        store::alarm::join(db, older, new.hash)?;
                        store::figure::move_to(db, older, new.hash, counted.0)?;
                    }
                    Precedence::JoinsBehind(shown) => store::alarm::join(db, new.hash, shown)?,
                }
                audit::append_for(db, now, new.device, "alarm_received", &new.alarm, order.result())?;
                if matches!(order, Precedence::Behind | Precedence::JoinsBehind(_)) {
                    return Ok(());
                }
                store::figure::add(db, new.hash, counted, now)?;
                if let Some(account) = tester {
                    store::tested::put(db, account, now)?;
                }
                let prev = store::receipt::last_own(db, new.hash)?;
                let receipt = received.make(&new, keys.device, prev);
                let signed = Receipt::make(receipt, None, &keys.sig, &mut rng)?;
                store::receipt::add(db, &received.row(&signed, Vec::new()))?;
                // Receipts of others can come before the alarm itself.
                if let Some(state) = store::alarm::stand(db, new.hash, now)? {
                    figures::count(db, new.hash, state, Ending::Unsaid, now)?;
                }
                // Of a flood machines are told once.
                if behind.is_some() { Ok(()) } else { add_deliveries(db, &deliveries) }
            })
            .await
    }

    /// Which of two documents under one id is shown. A proven one goes before an unproven one; among equals the first.
    fn precedence(&self, shown: Option<&AlarmRow>, new: &NewAlarm, signature: SignatureView) -> Precedence {
        let Some(shown) = shown.filter(|shown| shown.hash != new.hash) else { return Precedence::Only };
        let shown_signature = self.open_row(shown, &self.known()).signature;
        let both_proven = (signature, shown_signature) == (SignatureView::Proven, SignatureView::Proven);
        if both_proven && shown.device == new.device {
            // The same alarm by both ways: what came by data says more.
            match (shown.form, new.form) {
                (Form::Sms, Form::Alarm) => return Precedence::Joins(shown.hash),
                (Form::Alarm, Form::Sms) => return Precedence::JoinsBehind(shown.hash),
                _ => {}
            }
        }
        // What rang for want of a hand-over gives way to what is handed over after all, and, once it is closed, to the
        // next time that nothing is.
        let gives_way = shown.form == Form::NotHandedOver
            && (new.form == Form::Alarm || shown.state == ReceiptState::Closed)
            && signature == SignatureView::Proven;
        if gives_way || signature == SignatureView::Proven && shown_signature != SignatureView::Proven {
            Precedence::Before(shown.hash)
        } else {
            Precedence::Behind
        }
    }

    async fn take_update(&self, place: MailPosition, document: Vec<u8>) -> Result<(), DeskError> {
        let hash = hash_of(&document);
        let Ok(update) = Unverified::<Update>::parse(&document) else {
            return self.pass_over(place, "update_taken", hash, false).await;
        };
        let claims = update.claims();
        let alarm = self.store.read(|db| Ok::<_, DeskError>(store::alarm::find(db, claims.alarm)?))?;
        let row = UpdateRow {
            hash,
            alarm: claims.alarm,
            device: claims.device,
            sequence: claims.seq,
            says: alarm.is_none_or(|alarm| self.says_more_than_a_place(&alarm, &document)),
            document,
            received_at: self.now(),
        };
        self.store
            .write(Priority::Alarm, move |db| {
                if advance_mail(db, place)? {
                    store::alarm::add_update(db, &row)?;
                }
                Ok(())
            })
            .await
    }

    /// Whether an update has words or a file. Of one that cannot be opened now, nobody knows.
    fn says_more_than_a_place(&self, alarm: &AlarmRow, update: &[u8]) -> bool {
        let known = self.known();
        let opened = self.open_row(alarm, &known);
        let Some(content) = opened.content_key() else { return true };
        opened::open_update(update, &known.people, (alarm.device, content))
            .is_none_or(|(body, _)| !body.text.is_empty() || body.attachment.is_some())
    }

    async fn take_note(&self, place: MailPosition, document: Vec<u8>, by: Standing) -> Result<(), DeskError> {
        let hash = hash_of(&document);
        let Ok(note) = Unverified::<Note>::parse(&document) else {
            return self.pass_over(place, "note_taken", hash, false).await;
        };
        let device = note.claims().device;
        let opened = opened::open_note(&document, &self.known().people, &self.keys.kem);
        let about = opened.body.as_ref().and_then(|body| body.alarm);
        let duress = opened.body.as_ref().is_some_and(|body| body.duress);
        let now = self.now();
        let row = NoteRow { hash, alarm: about, device, document: document.clone(), received_at: now };
        let orders =
            opened.body.as_ref().map_or_else(Vec::new, |body| OutgoingOrder::of_note(body, device, &self.keys));
        // Whichever PIN it was, the check-in is not waited for any more: of duress this desk knows now.
        let settled = opened.body.as_ref().filter(|body| body.kind == NoteKind::Settled).and_then(|body| body.alarm);
        let settled = settled.filter(|_| opened.signature == SignatureView::Proven);
        // By another device of the same person too: theirs may be destroyed while they are safe. What nobody can tell to
        // be the same person's is waited for, and so is what a device says that was taken out: it may be stolen.
        let settled = match settled {
            Some(deposit) => {
                let watched = self.store.read(|db| Ok::<_, DeskError>(store::watch::owner(db, deposit)?))?;
                let owner = watched.unwrap_or(device);
                let believed = owner == device || by == Standing::Present;
                Some((deposit, owner)).filter(|_| believed && self.known().people.are_one_persons(owner, device))
            }
            None => None,
        };
        let note = TakenNote { row, orders, settled };
        let open_here = match about {
            Some(alarm) => {
                self.store.read(|db| Ok::<_, DeskError>(store::alarm::find(db, alarm)?))?.is_some_and(|alarm| {
                    let own = self.known().people.are_one_persons(alarm.device, device);
                    alarm.state < ReceiptState::Closed && own && !alarm.folded
                })
            }
            None => false,
        };
        // Duress rings of its own where no open alarm shows it; what cannot be opened may be that.
        if (duress || opened.body.is_none()) && !open_here {
            let new = NewAlarm {
                alarm: id_of(hash),
                hash,
                form: Form::DuressNote,
                device,
                document,
                received_at: now,
                brings_key: false,
            };
            return self.ring(new, Ringing::Note(place, note)).await;
        }
        self.store
            .write(Priority::Alarm, move |db| {
                if advance_mail(db, place)? {
                    note.keep(db, now)?;
                }
                Ok(())
            })
            .await
    }

    async fn take_receipt(&self, place: MailPosition, document: Vec<u8>) -> Result<(), DeskError> {
        let hash = hash_of(&document);
        let claimed = Unverified::<Receipt>::parse(&document).map(|receipt| receipt.claims().alarm_hash).ok();
        let row = match claimed {
            Some(claimed) => self.store.read(|db| Ok::<_, DeskError>(store::alarm::find_hash(db, claimed)?))?,
            None => None,
        };
        let family = row.as_ref().map_or_else(Vec::new, |row| self.family_of(row));
        let directory = self.directory();
        let checked = directory.as_ref().and_then(|directory| {
            let receipt = check_receipt_of(&document, directory.value(), &family).ok()?.into_value();
            let by_family = receipt.by != directory.value().relay.relay && directory.value().desk(receipt.by).is_none();
            Some((receipt, by_family))
        });
        let Some((receipt, by_family)) = checked else {
            return self.pass_over(place, "receipt_taken", hash, false).await;
        };
        // This desk's own, handed back, says nothing new.
        if receipt.by == self.keys.device {
            return self.pass_over(place, "receipt_taken", hash, true).await;
        }
        let mut deliveries = match &row {
            Some(row) if row.folded => Vec::new(),
            // What family says is shown, and nothing more: who was called here has to look all the same.
            Some(row) if !by_family => {
                let opened = self.open_row(row, &self.known());
                self.deliveries_for(row, &opened, receipt.state, None)
            }
            _ => Vec::new(),
        };
        let now = self.now();
        self.store
            .write(Priority::Alarm, move |db| {
                if !advance_mail(db, place)? {
                    return Ok(());
                }
                let row = NewReceipt {
                    hash,
                    alarm: receipt.alarm,
                    alarm_hash: receipt.alarm_hash,
                    state: receipt.state,
                    at: receipt.at,
                    own: false,
                    by_family,
                    document: document.clone(),
                    detail: Vec::new(),
                    sending: Sending::Never,
                    due_at: now,
                };
                let occasion = store::receipt::count_of(db, receipt.alarm_hash, receipt.state)?;
                if store::receipt::add(db, &row)? && !by_family {
                    let standing = store::alarm::stand(db, receipt.alarm_hash, now)?;
                    figures::count(db, receipt.alarm_hash, receipt.state, Ending::Unsaid, now)?;
                    // Another desk has it now, and watches over what follows.
                    if receipt.state.is_by_human() {
                        store::alarm::follow_by(db, receipt.alarm_hash, None)?;
                    }
                    // Only what calls people out is told each time.
                    if receipt.state == ReceiptState::Reopened {
                        // Said late, of what somebody has got further with meanwhile, it calls nobody.
                        if standing != Some(ReceiptState::Reopened) {
                            deliveries.clear();
                        }
                        deliveries.iter_mut().for_each(|delivery| delivery.occasion = occasion);
                    }
                    if receipt.state == ReceiptState::Closed {
                        store::delivery::give_up_queued(db, receipt.alarm_hash, &given_up())?;
                    }
                    add_deliveries(db, &deliveries)?;
                }
                Ok::<_, DeskError>(())
            })
            .await
    }

    /// Whose receipts count for an alarm beside desks'.
    fn family_of(&self, row: &AlarmRow) -> Vec<FamilyKey> {
        let known = self.known();
        opened::family(row, &self.open_row(row, &known), &known.people)
    }

    async fn take_roster(&self, place: MailPosition, document: Vec<u8>) -> Result<(), DeskError> {
        let hash = hash_of(&document);
        let accepted = {
            let mut known = self.known_mut();
            let root = known.directory.as_ref().map(|directory| directory.value().root);
            let us = (self.keys.device, &self.keys.kem);
            // Without a directory there is no root to check with yet: it is kept, and read again with the first one.
            root.is_none_or(|root| known.people.add_line(&document, (self.org, &root), us).is_ok())
        };
        if !accepted {
            return self.pass_over(place, "roster_taken", hash, false).await;
        }
        let now = self.now();
        self.store
            .write(Priority::Normal, move |db| {
                if advance_mail(db, place)? {
                    store::add_roster(db, hash, &document, now)?;
                }
                Ok(())
            })
            .await
    }

    async fn take_enrolment(&self, place: MailPosition, document: Vec<u8>) -> Result<(), DeskError> {
        let hash = hash_of(&document);
        let accepted = self.known_mut().people.add_enrolment(&document, &self.keys.kem);
        let (now, known) = (self.now(), accepted.is_ok());
        self.store
            .write(Priority::Normal, move |db| {
                if !advance_mail(db, place)? {
                    return Ok(());
                }
                if known {
                    store::add_enrolment(db, hash, &document, now)?;
                }
                let result = if known { "ok" } else { "not_proven" };
                audit::append(
                    db,
                    &audit::Event {
                        at: now,
                        actor: "relay",
                        act: "enrolment_taken",
                        subject: &hash.to_string(),
                        result,
                    },
                )?;
                Ok::<_, DeskError>(())
            })
            .await
    }

    /// Moves on behind something that leaves nothing but its trace.
    pub(super) async fn pass_over(
        &self,
        place: MailPosition,
        act: &'static str,
        hash: Hash,
        well: bool,
    ) -> Result<(), DeskError> {
        let now = self.now();
        if !well {
            tracing::warn!(event = "mail_passed_over", act, document = %hash);
        }
        self.store
            .write(Priority::Normal, move |db| {
                if advance_mail(db, place)? && !well {
                    let subject = hash.to_string();
                    let event = audit::Event { at: now, actor: "relay", act, subject: &subject, result: "refused" };
                    audit::append(db, &event)?;
                }
                Ok::<_, DeskError>(())
            })
            .await
    }
}

/// Whether a device is in its account's dossier, as the relay has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is, or its account has none.
    Present,
    /// It was taken out.
    Removed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Precedence {
    /// There is nothing else under this id.
    Only,
    /// The new one is shown instead of this.
    Before(Hash),
    /// The new one is kept and not shown.
    Behind,
    /// The new one is the same alarm by the better way: it is shown in place of this, as far as this had got.
    Joins(Hash),
    /// The new one is the same alarm by the lesser way, and says nothing new beside this.
    JoinsBehind(Hash),
}

impl Precedence {
    /// Whether nobody is told: the alarm rings already.
    fn is_silent(self) -> bool {
        matches!(self, Self::Behind | Self::Joins(_) | Self::JoinsBehind(_))
    }

    /// How the audit says it.
    fn result(self) -> &'static str {
        match self {
            Self::Only | Self::Before(_) => "ok",
            Self::Behind => "other_bytes",
            Self::Joins(_) | Self::JoinsBehind(_) => "joined",
        }
    }
}

/// A receipt of this desk, before it is signed.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReceiptToMake {
    pub state: ReceiptState,
    pub at: Timestamp,
    pub sending: Sending,
}

impl ReceiptToMake {
    pub(super) fn make(self, alarm: &NewAlarm, by: DeviceId, prev: Hash) -> Receipt {
        Receipt {
            alarm: alarm.alarm,
            alarm_hash: alarm.hash,
            state: self.state,
            at: self.at,
            by,
            prev,
            detail: Vec::new(),
        }
    }

    pub(super) fn row(self, signed: &Signed<Receipt>, detail: Vec<u8>) -> NewReceipt {
        NewReceipt {
            hash: signed.hash(),
            alarm: signed.value().alarm,
            alarm_hash: signed.value().alarm_hash,
            state: self.state,
            at: self.at,
            own: true,
            by_family: false,
            document: signed.bytes().to_vec(),
            detail,
            sending: self.sending,
            due_at: self.at,
        }
    }
}

/// Only what the relay knows as an alarm gets receipts there.
pub(super) fn sending_of(form: Form) -> Sending {
    if matches!(form, Form::Alarm | Form::Sms) { Sending::Due } else { Sending::Never }
}

pub(super) fn add_deliveries(db: &Connection, deliveries: &[NewDelivery]) -> Result<(), DeskError> {
    for delivery in deliveries {
        store::delivery::add(db, delivery)?;
    }
    Ok(())
}

/// A note, what is to be handed to the relay because of it, and the check-in that it settles.
pub(super) struct TakenNote {
    row: NoteRow,
    orders: Vec<OutgoingOrder>,
    /// With the device whose it is.
    settled: Option<(AlarmId, DeviceId)>,
}

impl TakenNote {
    /// Keeps the note and, once, what comes of it.
    fn keep(&self, db: &Connection, now: Timestamp) -> Result<(), DeskError> {
        let device = self.row.device;
        if let Some((deposit, owner)) = self.settled {
            store::watch::settle(db, deposit, owner, now)?;
        }
        if !store::alarm::add_note(db, &self.row)? {
            return Ok(());
        }
        for order in &self.orders {
            if store::order::add(db, order, now)? {
                audit::append_for(db, now, device, order.kind.act(), &device, "ok")?;
            }
        }
        Ok(())
    }
}

/// What makes something ring.
pub(super) enum Ringing {
    /// An alarm that was handed over.
    Mail(MailPosition),
    /// A note.
    Note(MailPosition, TakenNote),
    /// A check-in that was not handed over.
    NotHandedOver(Overdue),
}

impl Ringing {
    /// Whether it has not rung before; from now on it has.
    fn is_new(&self, db: &Connection, now: Timestamp) -> Result<bool, DeskError> {
        match self {
            Self::Mail(place) => Ok(advance_mail(db, *place)?),
            Self::Note(place, note) => {
                let new = advance_mail(db, *place)?;
                if new {
                    note.keep(db, now)?;
                }
                Ok(new)
            }
            Self::NotHandedOver(overdue) => Ok(store::watch::ring(db, overdue)?),
        }
    }
}

/// Moves the cursor; `false` when this mail was taken before.
pub(super) fn advance_mail(db: &Connection, place: MailPosition) -> rusqlite::Result<bool> {
    let last = store::mail_position(db)?;
    if last.generation == place.generation && place.cursor <= last.cursor {
        return Ok(false);
    }
    store::put_mail_position(db, place)?;
    Ok(true)
}

/// The id under which something is shown that has none of its own.
pub(super) fn id_of(hash: Hash) -> AlarmId {
    let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = hash.0;
    AlarmId(id)
}

fn row_of(new: &NewAlarm) -> AlarmRow {
    AlarmRow {
        alarm: new.alarm,
        hash: new.hash,
        form: new.form,
        device: new.device,
        document: new.document.clone(),
        received_at: new.received_at,
        state: ReceiptState::Received,
        by_text: new.form == Form::Sms,
        folded: false,
    }
}
