//! What a verified log amounts to: who is in, who waits, which epoch holds. Values in, values out; every device and the
//! relay come to the same answer.

use super::{
    CircleKind, Cut, Epoch, LogHead, LogRecord, MAX_MEMBERS, Member, MemberRole, MemberState, Operation, Readers,
};
use crate::FormatError;
use crate::crypto::{Hash, KemPublic, SigningKey, VerifyKey};
use crate::entry::MAX_WRITERS;
use crate::id::{CircleId, DeviceId};
use crate::signed::{Signed, Unverified};

/// Places among all writers that only a recovery takes: nobody can fill a circle up against its root.
const KEPT_FOR_RECOVERY: usize = 64;

/// A member and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Standing {
    member: Member,
    state: MemberState,
    /// Where the writing of a viewer ended that was a member before.
    written: u64,
    /// Was frozen when it was removed: an objection of its own leads no further than back there.
    frozen: bool,
}

impl Standing {
    fn new(member: &Member, state: MemberState) -> Self {
        Self { member: member.clone(), state, written: 0, frozen: false }
    }

    fn is_active(&self) -> bool {
        self.state == MemberState::Active
    }

    fn is_active_owner(&self) -> bool {
        self.is_active() && self.member.role == MemberRole::Owner
    }

    /// The last entry that counts by itself; `None` when all do.
    fn cut(&self) -> Option<u64> {
        match self.state {
            MemberState::Proposed { .. } => Some(0),
            MemberState::Frozen { cut } | MemberState::Leaving { cut } | MemberState::Gone { cut } => Some(cut),
            MemberState::Active if self.member.role == MemberRole::Viewer => Some(self.written),
            MemberState::Active => None,
        }
    }

    /// Where its writing ends by a record that says `counter`. What did not count before does not come to count by it.
    fn cut_at(&self, counter: u64) -> u64 {
        self.cut().map_or(counter, |cut| cut.min(counter))
    }
}

/// A circle's membership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    circle: CircleId,
    kind: CircleKind,
    root: VerifyKey,
    recovery: Option<KemPublic>,
    /// Everyone there ever was, by slot.
    standings: Vec<Standing>,
    /// The slots that each epoch was wrapped to, from epoch 1.
    readers: Vec<Vec<u16>>,
    /// Who reads or is recovered has changed since the last epoch.
    owes_epoch: bool,
    head: LogHead,
}

/// The parts of a broken rule's error.
fn rule(rule: &'static str) -> FormatError {
    FormatError::Rule { what: "a membership record", rule }
}

/// With a key that nothing can be wrapped to in the circle, nobody could make a further epoch.
fn check_kem(kem: &KemPublic) -> Result<(), FormatError> {
    if kem.is_valid() { Ok(()) } else { Err(rule("epochs can be wrapped to its key")) }
}

impl Membership {
    /// Makes the first record of a new circle. `signer` is the root for a dossier, else the first device's key.
    pub fn found(
        circle: CircleId,
        kind: CircleKind,
        root: VerifyKey,
        recovery: Option<KemPublic>,
        first: Member,
        signer: &SigningKey,
    ) -> (Self, Signed<LogRecord>) {
        let author = first.device;
        let operation = Operation::Genesis { root, kind, first: first.clone(), recovery: recovery.clone() };
        let signed = Signed::make(LogRecord { circle, seq: 0, prev: Hash::ZERO, author, operation }, signer);
        let head = LogHead { seq: 0, hash: signed.hash() };
        (Self::of_one(circle, kind, root, recovery, first, head), signed)
    }

    fn of_one(
        circle: CircleId,
        kind: CircleKind,
        root: VerifyKey,
        recovery: Option<KemPublic>,
        first: Member,
        head: LogHead,
    ) -> Self {
        let standings = vec![Standing::new(&first, MemberState::Active)];
        Self { circle, kind, root, recovery, standings, readers: Vec::new(), owes_epoch: true, head }
    }

    /// Reads the first record of a circle's log.
    ///
    /// # Errors
    /// [`FormatError`]: malformed, wrongly signed, or of another circle.
    pub fn start(circle: CircleId, bytes: &[u8]) -> Result<Self, FormatError> {
        let unverified = Unverified::<LogRecord>::parse(bytes)?;
        let Operation::Genesis { root, kind, first, recovery } = unverified.claims().operation.clone() else {
            return Err(rule("the first record starts the circle"));
        };
        check_kem(&first.kem)?;
        recovery.as_ref().map_or(Ok(()), check_kem)?;
        let signed = unverified.verify(if kind == CircleKind::Dossier { &root } else { &first.sig })?;
        let record = signed.value();
        if record.circle != circle || record.seq != 0 || record.prev != Hash::ZERO || record.author != first.device {
            return Err(rule("the first record is number 0 of this circle, by its first device"));
        }
        if first.role != MemberRole::Owner {
            return Err(rule("the first device is an owner"));
        }
        let head = LogHead { seq: 0, hash: signed.hash() };
        Ok(Self::of_one(circle, kind, root, recovery, first, head))
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// [`FormatError`]: malformed, wrongly signed, out of order, or against the rules. Nothing changes then.
    pub fn apply(&mut self, bytes: &[u8]) -> Result<Signed<LogRecord>, FormatError> {
        let unverified = Unverified::<LogRecord>::parse(bytes)?;
        let claims = unverified.claims();
        let by_root = matches!(claims.operation, Operation::Recover { .. } | Operation::RecoveryKey { .. });
        let key = if by_root {
            self.root
        } else {
            self.standing(claims.author).ok_or(rule("its author is no member"))?.member.sig
        };
        let signed = unverified.verify(&key)?;
        let record = signed.value();
        if record.circle != self.circle || record.seq != self.head.seq + 1 || record.prev != self.head.hash {
            return Err(rule("it does not follow the last record of this circle"));
        }
        // A record that is refused half-way must change nothing.
        let mut next = self.clone();
        next.operate(record)?;
        next.head = LogHead { seq: record.seq, hash: signed.hash() };
        *self = next;
        Ok(signed)
    }

    /// What a record does, its signature checked.
    fn operate(&mut self, record: &LogRecord) -> Result<(), FormatError> {
        let author = record.author;
        let owner = self.is_owner(author);
        let by_owner = || if owner { Ok(()) } else { Err(rule("only an owner in the circle may do this")) };
        match &record.operation {
            Operation::Genesis { .. } => Err(rule("a circle starts once")),
            Operation::Add { member } => {
                by_owner()?;
                if self.standings.len() >= MAX_WRITERS - KEPT_FOR_RECOVERY {
                    return Err(rule("a circle is given at most 960 devices over the years"));
                }
                let waits = member.role == MemberRole::Owner && self.kind == CircleKind::Dossier;
                self.admit(member, if waits { MemberState::Proposed { by: author } } else { MemberState::Active })
            }
            Operation::Epoch { epoch } => by_owner().and_then(|()| self.start_epoch(epoch)),
            Operation::Confirm { device } => {
                by_owner()?;
                let others = self.has_other_owner(author);
                let waiting = self.standing_mut(*device)?;
                match waiting.state {
                    MemberState::Proposed { by } if by != author || !others => waiting.state = MemberState::Active,
                    MemberState::Proposed { .. } => return Err(rule("another owner than the proposer confirms")),
                    _ => return Err(rule("the device was not proposed")),
                }
                self.owes_epoch = true;
                self.check_room()
            }
            Operation::Remove { cut, epoch } => {
                by_owner()?;
                if cut.device == author {
                    return Err(rule("who goes by itself leaves"));
                }
                let removed = self.standing_mut(cut.device)?;
                let (frozen, cut) = match removed.state {
                    MemberState::Active => (false, removed.cut_at(cut.counter)),
                    MemberState::Frozen { cut } => (true, cut),
                    _ => return Err(rule("the device is not in the circle")),
                };
                removed.frozen = frozen;
                removed.state = match removed.member.role {
                    MemberRole::Owner => MemberState::Leaving { cut },
                    MemberRole::Member | MemberRole::Viewer => MemberState::Gone { cut },
                };
                self.start_epoch(epoch)
            }
            Operation::Finish { device } => {
                by_owner()?;
                let leaving = self.standing_mut(*device)?;
                let MemberState::Leaving { cut } = leaving.state else { return Err(rule("the device is not leaving")) };
                leaving.state = MemberState::Gone { cut };
                Ok(())
            }
            Operation::Veto { device } => self.veto(author, *device),
            Operation::Freeze { cut } => {
                by_owner()?;
                let frozen = self.standing_mut(cut.device)?;
                if !frozen.is_active() {
                    return Err(rule("the device is not in the circle"));
                }
                frozen.state = MemberState::Frozen { cut: frozen.cut_at(cut.counter) };
                self.owes_epoch = true;
                Ok(())
            }
            Operation::Leave { counter } => {
                let owners = self.standings.iter().filter(|other| other.is_active_owner()).count();
                // Who may still come back needs somebody who holds the newest key.
                if owner && owners == 1 && self.within() > 1 {
                    return Err(rule("the last owner cannot leave others behind"));
                }
                let leaver = self.standing_mut(author)?;
                if !leaver.is_active() {
                    return Err(rule("its author is not in the circle"));
                }
                leaver.state = MemberState::Gone { cut: leaver.cut_at(*counter) };
                self.owes_epoch = true;
                Ok(())
            }
            Operation::Role { cut, role } => {
                by_owner()?;
                let changed = self.standing_mut(cut.device)?;
                let to = match changed.member.role {
                    MemberRole::Member => MemberRole::Viewer,
                    MemberRole::Viewer => MemberRole::Member,
                    MemberRole::Owner => MemberRole::Owner,
                };
                if !changed.is_active() || to == MemberRole::Owner || to != *role {
                    return Err(rule("a role changes between member and viewer"));
                }
                changed.member.role = to;
                changed.written = cut.counter;
                Ok(())
            }
            Operation::Recover { member, lost, epoch } => {
                if member.device != author || member.role != MemberRole::Owner {
                    return Err(rule("who recovers comes in as an owner"));
                }
                self.take_out(lost)?;
                self.admit(member, MemberState::Active)?;
                self.start_epoch(epoch)
            }
            Operation::RecoveryKey { kem } => {
                by_owner()?;
                check_kem(kem)?;
                self.recovery = Some(kem.clone());
                self.owes_epoch = true;
                Ok(())
            }
        }
    }

    fn admit(&mut self, member: &Member, state: MemberState) -> Result<(), FormatError> {
        if self.standing(member.device).is_some() {
            return Err(rule("the device is or was a member already"));
        }
        if self.standings.len() >= MAX_WRITERS {
            return Err(rule("a circle has at most 1,024 devices over the years"));
        }
        check_kem(&member.kem)?;
        self.standings.push(Standing::new(member, state));
        self.owes_epoch |= state == MemberState::Active;
        self.check_room()
    }

    /// How many are in the circle, or may be again.
    fn within(&self) -> usize {
        self.standings.iter().filter(|standing| !matches!(standing.state, MemberState::Gone { .. })).count()
    }

    fn check_room(&self) -> Result<(), FormatError> {
        if self.within() > MAX_MEMBERS { Err(rule("a circle has at most 64 devices")) } else { Ok(()) }
    }

    fn take_out(&mut self, lost: &[Cut]) -> Result<(), FormatError> {
        for cut in lost {
            let standing = self.standing_mut(cut.device)?;
            let counter = standing.cut().unwrap_or(cut.counter);
            standing.state = MemberState::Gone { cut: counter };
        }
        Ok(())
    }

    fn veto(&mut self, author: DeviceId, device: DeviceId) -> Result<(), FormatError> {
        let by_owner = self.is_owner(author);
        let has_owners = self.standings.iter().any(Standing::is_active_owner);
        let standing = self.standing_mut(device)?;
        let own = author == device && standing.member.role == MemberRole::Owner;
        standing.state = match standing.state {
            MemberState::Proposed { .. } if by_owner => MemberState::Gone { cut: 0 },
            MemberState::Leaving { cut } if own && standing.frozen => MemberState::Frozen { cut },
            MemberState::Leaving { .. } if by_owner || own => MemberState::Active,
            // Who froze itself is let back in by another, as long as there is one.
            MemberState::Frozen { .. } if by_owner || (own && !has_owners) => MemberState::Active,
            MemberState::Active | MemberState::Gone { .. } => return Err(rule("nothing waits about the device")),
            _ => return Err(rule("only an owner in the circle may do this")),
        };
        self.owes_epoch |= standing.is_active();
        self.check_room()
    }

    fn start_epoch(&mut self, epoch: &Epoch) -> Result<(), FormatError> {
        let number = self.epoch().checked_add(1).ok_or(rule("there is no further epoch"))?;
        let members = self.readers();
        if !epoch.fits(number, Readers { members: &members, recovery: self.recovery.as_ref() }) {
            return Err(rule("an epoch rises by one and is wrapped to all who read, in order"));
        }
        let slots = (0_u16..).zip(&self.standings).filter(|(_, standing)| standing.is_active()).map(|(slot, _)| slot);
        self.readers.push(slots.collect());
        self.owes_epoch = false;
        Ok(())
    }

    /// Makes the next record.
    pub fn next(&self, author: DeviceId, operation: Operation, sig: &SigningKey) -> Signed<LogRecord> {
        let record = LogRecord { circle: self.circle, seq: self.head.seq + 1, prev: self.head.hash, author, operation };
        Signed::make(record, sig)
    }

    /// This membership as it would be with one device taken out: whom the epoch of its removal is for.
    ///
    /// # Errors
    /// [`FormatError::Rule`] when it was never a member.
    pub fn without(&self, device: DeviceId) -> Result<Self, FormatError> {
        let mut without = self.clone();
        without.standing_mut(device)?.state = MemberState::Gone { cut: 0 };
        Ok(without)
    }

    /// This membership as it would be after a recovery: whom its epoch is for.
    ///
    /// # Errors
    /// [`FormatError::Rule`] as for the record itself.
    pub fn recovered(&self, member: &Member, lost: &[Cut]) -> Result<Self, FormatError> {
        let mut recovered = self.clone();
        recovered.take_out(lost)?;
        recovered.admit(member, MemberState::Active)?;
        Ok(recovered)
    }

    /// The circle.
    pub fn circle(&self) -> CircleId {
        self.circle
    }

    /// What it is for.
    pub fn kind(&self) -> CircleKind {
        self.kind
    }

    /// The account's root key.
    pub fn root(&self) -> VerifyKey {
        self.root
    }

    /// The key of the recovery code, where there is one.
    pub fn recovery(&self) -> Option<&KemPublic> {
        self.recovery.as_ref()
    }

    /// The last record.
    pub fn head(&self) -> LogHead {
        self.head
    }

    /// The current epoch; 0 before the first.
    pub fn epoch(&self) -> u32 {
        u32::try_from(self.readers.len()).unwrap_or(u32::MAX)
    }

    /// Somebody came or went since the last epoch: an owner starts the next.
    pub fn owes_epoch(&self) -> bool {
        self.owes_epoch
    }

    /// Everyone there ever was, by slot, and how they stand.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (&Member, MemberState)> {
        self.standings.iter().map(|standing| (&standing.member, standing.state))
    }

    /// Who reads from the next epoch on, in order of slot.
    pub fn readers(&self) -> Vec<&Member> {
        self.standings.iter().filter(|standing| standing.is_active()).map(|standing| &standing.member).collect()
    }

    /// A member by its device, whatever its state.
    pub fn member(&self, device: DeviceId) -> Option<&Member> {
        self.standing(device).map(|standing| &standing.member)
    }

    /// How a device stands; `None` when it was never a member.
    pub fn state(&self, device: DeviceId) -> Option<MemberState> {
        self.standing(device).map(|standing| standing.state)
    }

    /// Whether it is an owner, in the circle.
    pub fn is_owner(&self, device: DeviceId) -> bool {
        self.standing(device).is_some_and(Standing::is_active_owner)
    }

    /// Whether it is an owner, or was one when it was taken out.
    pub fn was_owner(&self, device: DeviceId) -> bool {
        self.standing(device).is_some_and(|standing| {
            standing.member.role == MemberRole::Owner && !matches!(standing.state, MemberState::Proposed { .. })
        })
    }

    /// Whether another owner than this one is in the circle, or may come back: one who could object. Freezing or
    /// removing them leaves nobody free to decide alone.
    pub fn has_other_owner(&self, device: DeviceId) -> bool {
        self.standings.iter().any(|other| {
            let may_be_in = !matches!(other.state, MemberState::Proposed { .. } | MemberState::Gone { .. });
            may_be_in && other.member.role == MemberRole::Owner && other.member.device != device
        })
    }

    /// Whether it is in the circle.
    pub fn is_active(&self, device: DeviceId) -> bool {
        self.standing(device).is_some_and(Standing::is_active)
    }

    /// Whether it may write entries now.
    pub fn may_write(&self, device: DeviceId) -> bool {
        self.standing(device).is_some_and(|standing| standing.is_active() && standing.cut().is_none())
    }

    /// A member by its writer slot.
    pub fn writer(&self, slot: u16) -> Option<&Member> {
        self.standings.get(usize::from(slot)).map(|standing| &standing.member)
    }

    /// A device's writer slot.
    pub fn slot(&self, device: DeviceId) -> Option<u16> {
        let place = self.standings.iter().position(|standing| standing.member.device == device)?;
        u16::try_from(place).ok()
    }

    /// The last entry of a writer that counts by itself; `None` when all do.
    pub fn cut(&self, slot: u16) -> Option<u64> {
        self.standings.get(usize::from(slot)).and_then(Standing::cut)
    }

    /// Whether an epoch's key was given to this writer.
    pub fn reads_epoch(&self, slot: u16, epoch: u32) -> bool {
        let readers = epoch.checked_sub(1).and_then(|index| self.readers.get(index as usize));
        readers.is_some_and(|slots| slots.binary_search(&slot).is_ok())
    }

    fn standing(&self, device: DeviceId) -> Option<&Standing> {
        self.standings.iter().find(|standing| standing.member.device == device)
    }

    fn standing_mut(&mut self, device: DeviceId) -> Result<&mut Standing, FormatError> {
        self.standings
            .iter_mut()
            .find(|standing| standing.member.device == device)
            .ok_or(rule("the device is no member"))
    }
}
