//! The one error of the core. Everything a method can refuse or fail at is here, with a stable code and what to do.
//!
//! No variant carries content, names or paths: an error may end up in a log. Texts for screens, in Dutch and English,
//! belong to the command line and the apps, which go by [`BakenError::code`].

use baken_schemas::FormatError;
use baken_schemas::code::CodeError;
use baken_schemas::edition::signed::EditionError;
use baken_schemas::rules::{May, SituationError};
use baken_schemas::time::Timestamp;

use crate::transport::TransportError;

/// Why something was refused or did not work.
#[derive(Debug, thiserror::Error)]
pub enum BakenError {
    /// The PIN opens no slot of the vault.
    #[error("wrong PIN; the next try is possible in {wait_ms} ms")]
    WrongPin {
        /// How long the next try has to wait, in milliseconds.
        wait_ms: i64,
    },
    /// Tried again before the wait after a wrong PIN was over.
    #[error("too soon after a wrong PIN; {wait_ms} ms to wait")]
    TooSoon {
        /// What is left to wait, in milliseconds.
        wait_ms: i64,
    },
    /// A new PIN that is too short or too long.
    #[error("a PIN has 6 to 64 characters")]
    PinRefused,
    /// A PIN that cannot be used since another one is the same.
    #[error("this PIN cannot be used; choose another one")]
    PinTaken,
    /// There are as many duress PINs as there can be.
    #[error("there is no room for a further duress PIN")]
    TooManyDuressPins,
    /// A biometric key may not be used now: too long ago, too many failures, or none was set up.
    #[error("the PIN is needed")]
    PinNeeded,
    /// The platform did not give its biometric key, or gave another one.
    #[error("the finger or face was not recognised")]
    BiometricRefused,
    /// A file of the vault was altered or cut.
    #[error("the vault is damaged: {part}")]
    VaultDamaged {
        /// Which part.
        part: &'static str,
    },
    /// A newer program made the vault.
    #[error("the vault was made by a newer version of Baken ({found}, this program knows {known})")]
    VaultNewer {
        /// The version found.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// A preview of this program made the vault, in a format that was never frozen.
    #[error("the vault was made by a preview version of Baken ({found})")]
    VaultOlder {
        /// The version found.
        found: u32,
    },
    /// The secret of the platform's key store is gone while a vault that needs it is there.
    #[error("the key of this device's key store is missing or damaged")]
    KeyStoreLost,
    /// The program was built without the encrypted database.
    #[error("this program was built without database encryption and refuses to write")]
    NotEncrypting,
    /// The vault is locked.
    #[error("the vault is locked")]
    Locked,
    /// There is no vault in this folder.
    #[error("this device is not activated")]
    NotActivated,
    /// Another device of this person had this one wiped, just now.
    #[error("another device of yours had this one wiped: everything on it is destroyed")]
    WipedFromAfar,
    /// There is one already.
    #[error("this device is activated already")]
    AlreadyActivated,
    /// Another process has the vault open.
    #[error("another process has this vault open")]
    HomeInUse,
    /// Reading or writing a file failed.
    #[error("a file of the home folder could not be read or written")]
    Disk(#[source] std::io::Error),
    /// There is no room left for what must be kept.
    #[error("the disk is full")]
    DiskFull,
    /// The database refused.
    #[error("the database failed")]
    Database(#[source] rusqlite::Error),
    /// The text is no invite, was mistyped, or is not signed by the organisation it names.
    #[error("the invite cannot be used")]
    InviteInvalid(#[source] FormatError),
    /// The invite is for a bridge.
    #[error("the invite is for another kind of device")]
    InviteRole,
    /// The relay's certificate root is not the one of the invite.
    #[error("the relay's root certificate is not the one the invite names")]
    WrongRoot,
    /// The directory is not signed by the organisation, or older than the one known.
    #[error("the organisation's directory cannot be trusted")]
    DirectoryInvalid(#[source] FormatError),
    /// The text is no pairing code or was mistyped.
    #[error("the pairing code cannot be used")]
    PairingCodeInvalid(#[source] FormatError),
    /// The five minutes of a pairing code are over.
    #[error("the pairing code has expired")]
    PairingExpired,
    /// The six digits do not match.
    #[error("the six digits do not match; {left} tries left")]
    PairingDigits {
        /// Tries left; at 0 the pairing is over.
        left: u32,
    },
    /// Something a pairing peer or the relay sent does not fit this pairing.
    #[error("the pairing was stopped: what came in does not belong to it")]
    PairingBroken(#[source] FormatError),
    /// No chapter, card or fact of this id.
    #[error("no such chapter, card or fact")]
    NoSuchGuidance,
    /// It is for others to read.
    #[error("this is written for another audience")]
    NotForAudience,
    /// An office that is not one of that kind of organisation.
    #[error("{0}")]
    OfficeElsewhere(SituationError),
    /// The self-scan has no question of this number.
    #[error("the self-scan has no such question")]
    NoSuchQuestion,
    /// A question of the self-scan that always applies.
    #[error("\"not applicable\" is no answer to this question")]
    NotAnAnswer,
    /// The self-scan asks first whether there is danger.
    #[error("the self-scan begins with its first question: are you in danger or threatened now")]
    ScanGate,
    /// The answer to this question gives no tip.
    #[error("there is no tip for this question")]
    NoTip,
    /// The four questions were not begun.
    #[error("the four questions were not begun yet")]
    NoReview,
    /// A record that cannot be marked as done.
    #[error("this is no task, appointment or measure")]
    NotATask,
    /// An office that is not written down as one's own.
    #[error("this office is not written down in the dossier")]
    OfficeNotHeld,
    /// An office that is written down already.
    #[error("this office is in the profile already")]
    OfficeHeld,
    /// An edition that is not to be believed.
    #[error("the edition was not taken")]
    EditionRefused(#[source] EditionError),
    /// No circle of this id on this device.
    #[error("no such circle")]
    NoSuchCircle,
    /// The circle is of a kind that does not share such records.
    #[error("such records are not shared in this kind of circle")]
    NotShared,
    /// A confidential measure, or something that tells of one, would leave this person's devices (R11).
    #[error("this tells of a confidential measure: {may}")]
    Confidential {
        /// [`May::Never`], or [`May::AsDecided`]: then it goes once the person says that it was so decided.
        may: May,
    },
    /// The record is not shared in this case, or not any more.
    #[error("this is not shared in that case")]
    NotSharedThere,
    /// A briefing that says neither what is new nor that nothing is.
    #[error("a briefing says what is new, or that nothing is, and a next moment lies ahead")]
    BriefingEmpty,
    /// This device may only read the circle, is not in it yet, or not any more.
    #[error("this device cannot write in the circle")]
    MayNotWrite,
    /// Only an owner of the circle can do this.
    #[error("this device is no owner of the circle")]
    NotOwner,
    /// This device is no guest's in a family circle.
    #[error("this device is not a guest's in a family circle")]
    NotFamily,
    /// The holder of the device has not agreed to be called in alarms.
    #[error("the holder of this device has not agreed to be called in alarms")]
    NotAgreed,
    /// As many are called as the ladder has places for.
    #[error("as many of the family are called as the ladder has places for")]
    FamilyFull,
    /// No device of this id in the circle.
    #[error("no such device in the circle")]
    NoSuchDevice,
    /// The key of the newest epoch has not come to this device.
    #[error("this device does not have the circle's newest key")]
    NoEpochKey,
    /// The typed recovery code holds a mistake.
    #[error("the recovery code cannot be used: {0}")]
    RecoveryCode(#[source] CodeError),
    /// The text of the recovery sheet was mistyped, or is none.
    #[error("the recovery sheet cannot be used")]
    RecoverySheet(#[source] FormatError),
    /// The relay has nothing for this code: it is another account's, or a newer code replaced it.
    #[error("the relay has nothing that this recovery code opens")]
    RecoveryUnknown,
    /// The account's root is not on this device: the recovery code holds it.
    #[error("the account's root is not on this device")]
    NoRoot,
    /// The account's root is on the device that was activated, until the recovery code is printed there.
    #[error("the recovery code is first printed on the device that was activated")]
    RootElsewhere,
    /// The account's root would go with what is taken off this phone.
    #[error("no recovery code was printed yet, and this phone holds what it is made of")]
    NoRecoveryCode,
    /// The text names no kind of record.
    #[error("no such kind of record")]
    UnknownKind,
    /// The kind has no such field.
    #[error("the kind of record has no such field")]
    UnknownField,
    /// A value of the wrong type or too long.
    #[error("the value does not fit the field")]
    ValueRefused,
    /// A text that is none of the words of the field.
    #[error("{field} takes one of: {}", words.join(", "))]
    UnknownWord {
        /// The field.
        field: &'static str,
        /// Its words.
        words: &'static [&'static str],
    },
    /// No incident or signal of this id.
    #[error("no such incident or signal")]
    NoSuchIncident,
    /// Something was to be joined to itself.
    #[error("both are the same")]
    SameRecord,
    /// A hand-over pack is not what was signed.
    #[error("the pack is not what was signed: {what}")]
    PackDamaged {
        /// What is wrong.
        what: String,
    },
    /// The passphrase opens no lock.
    #[error("the passphrase does not open it")]
    LockWrong,
    /// There is no family circle to write it in.
    #[error("there is no family circle")]
    NoFamilyCircle,
    /// No record of this id.
    #[error("no such record")]
    NoSuchRecord,
    /// The field has no conflict to resolve, or not this value.
    #[error("the field has no such conflict")]
    NoConflict,
    /// The field has more than one value; a plain put would settle that by accident.
    #[error("the field is in conflict")]
    InConflict,
    /// Deletions of this very device: they have its word already, and wait for another's.
    #[error("a device does not confirm its own deletions")]
    OwnDeletions,
    /// The record was deleted long ago and emptied.
    #[error("the record was erased; its history has the values until {}", values_until.to_rfc3339())]
    Erased {
        /// Until when this device keeps its history.
        values_until: Timestamp,
    },
    /// The dossier is not on this phone: it travels.
    #[error("the dossier is not on this phone while it travels")]
    Travelling,
    /// The phone comes back into the dossier that it left, and no other.
    #[error("this phone comes back into its own dossier, and was paired with another")]
    OtherDossier,
    /// No other device of the person has the dossier.
    #[error("no other device of yours has the dossier")]
    LastDevice,
    /// Something was written here that the relay does not have.
    #[error("not everything that was written here is sent")]
    NotAllSent,
    /// The file is larger than an attachment may be.
    #[error("an attachment has at most 200 MiB")]
    AttachmentTooLarge,
    /// The file changed while it was read; nothing of it was kept.
    #[error("the file changed while it was read")]
    AttachmentChanged,
    /// Not all of the attachment is on this device.
    #[error("the attachment is not whole on this device")]
    AttachmentNotHere,
    /// Not all of the attachment is at the relay: it is still being sent, or was deleted.
    #[error("the attachment is not whole at the relay")]
    AttachmentNotThere,
    /// What lies here or came from the relay is not the attachment that the record names. Nothing of it is shown.
    #[error("the attachment is damaged: {part}")]
    AttachmentDamaged {
        /// What is wrong.
        part: &'static str,
    },
    /// The file's first bytes are of no kind that a desk can show.
    #[error("the file is no photo (JPEG, PNG, WebP) and no sound (Ogg, M4A, MP3, WAV)")]
    NotAPhotoOrSound,
    /// The file is larger than what can go along with an alarm.
    #[error("what goes along with an alarm has at most 2 MiB")]
    AlarmAttachmentTooLarge,
    /// The vault was not opened yet by a version that has an inbox.
    #[error("nothing can be noted here before the dossier was opened once")]
    NoInbox,
    /// Too much waits for the vault to be opened.
    #[error("as many notes wait here as there is room for")]
    InboxFull,
    /// The record is no attachment, or has no such file.
    #[error("no such attachment")]
    NoSuchAttachment,
    /// There is a file where one is to be written.
    #[error("there is a file of this name already")]
    FileExists,
    /// The typed code of an export holds a mistake.
    #[error("the code of the export cannot be used: {0}")]
    ExportCode(#[source] CodeError),
    /// The file is no export, was altered or cut, or the code is another one's. Nothing of it was taken.
    #[error("the export cannot be read")]
    ExportInvalid(#[source] FormatError),
    /// No such alarm.
    #[error("no such alarm")]
    NoSuchAlarm,
    /// What was raised of a check-in lies at the desk, not here.
    #[error("the desk has this alarm's timeline, not this device")]
    NoTimeline,
    /// The organisation takes no alarms by text message, or this one was pressed before that was prepared.
    #[error("this alarm cannot be sent as a text message")]
    NoAlarmText,
    /// There is no check-in or rule of that kind here.
    #[error("there is no such check-in")]
    NoSuchCheckIn,
    /// A check-in is due in one minute to seven days, allows as much silence, and has a grace of an hour at most.
    #[error("a check-in is due in one minute to seven days, with a grace of an hour at most")]
    CheckInTime,
    /// More words than fit an alarm.
    #[error("a check-in has at most 1,600 bytes of text")]
    CheckInText,
    /// It was settled, or is an alarm already.
    #[error("the check-in is over")]
    CheckInOver,
    /// As many are open as there can be.
    #[error("there are too many check-ins; settle or end some first")]
    TooManyCheckIns,
    /// The directory offers no ladder an alarm could climb.
    #[error("the organisation's directory has no ladder for an alarm")]
    NoLadder,
    /// No answer came. What was asked may have taken effect; it will be asked again with the same key.
    #[error("the relay could not be reached")]
    NotReached,
    /// The server that answered is not the relay of the invite.
    #[error("the server that answered is not the relay this phone was given")]
    Untrusted,
    /// The certificate is from the right root, but not valid at this device's time.
    #[error("the relay's certificate is not valid at this device's date and time")]
    OutOfDate,
    /// The relay answered with a problem.
    #[error("the relay refused: {code} ({status})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The relay's stable code, cut to lower case letters, digits and `_`.
        code: String,
    },
    /// The relay answered something that the protocol does not allow.
    #[error("the relay's answer cannot be read")]
    BadAnswer(#[source] FormatError),
    /// What the relay handed over contradicts what devices of the circle have signed.
    #[error("the relay cannot be trusted: {what}")]
    NotTrustworthy {
        /// What contradicts.
        what: &'static str,
    },
    /// A rule of a format was broken by what this device was to make or read.
    #[error(transparent)]
    Format(#[from] FormatError),
}

impl BakenError {
    /// A stable code, for programs.
    pub fn code(&self) -> &str {
        match self {
            Self::WrongPin { .. } => "wrong_pin",
            Self::TooSoon { .. } => "too_soon",
            Self::PinRefused => "pin_refused",
            Self::PinTaken => "pin_taken",
            Self::NoSuchGuidance => "no_such_guidance",
            Self::NotForAudience => "not_for_audience",
            Self::OfficeElsewhere(_) => "office_elsewhere",
            Self::NoSuchQuestion => "no_such_question",
            Self::NotAnAnswer => "not_an_answer",
            Self::ScanGate => "scan_gate",
            Self::NoTip => "no_tip",
            Self::NoReview => "no_review",
            Self::NotATask => "not_a_task",
            Self::OfficeNotHeld => "office_not_held",
            Self::OfficeHeld => "office_held",
            Self::EditionRefused(error) => error.code(),
            Self::TooManyDuressPins => "too_many_duress_pins",
            Self::PinNeeded => "pin_needed",
            Self::BiometricRefused => "biometric_refused",
            Self::VaultDamaged { .. } => "vault_damaged",
            Self::VaultNewer { .. } => "vault_newer",
            Self::VaultOlder { .. } => "vault_older",
            Self::KeyStoreLost => "key_store_lost",
            Self::NotEncrypting => "not_encrypting",
            Self::Locked => "locked",
            Self::NotActivated => "not_activated",
            Self::WipedFromAfar => "wiped_from_afar",
            Self::AlreadyActivated => "already_activated",
            Self::HomeInUse => "home_in_use",
            Self::Disk(_) => "disk",
            Self::DiskFull => "disk_full",
            Self::Database(_) => "database",
            Self::InviteInvalid(_) => "invite_invalid",
            Self::InviteRole => "invite_role",
            Self::WrongRoot => "wrong_root",
            Self::DirectoryInvalid(_) => "directory_invalid",
            Self::PairingCodeInvalid(_) => "pairing_code_invalid",
            Self::PairingExpired => "pairing_expired",
            Self::PairingDigits { .. } => "pairing_digits",
            Self::PairingBroken(_) => "pairing_broken",
            Self::NoSuchCircle => "no_such_circle",
            Self::NotShared => "not_shared",
            Self::Confidential { .. } => "confidential",
            Self::NotSharedThere => "not_shared_there",
            Self::BriefingEmpty => "briefing_empty",
            Self::MayNotWrite => "may_not_write",
            Self::NotOwner => "not_owner",
            Self::NotFamily => "not_family",
            Self::NotAgreed => "not_agreed",
            Self::FamilyFull => "family_full",
            Self::NoSuchDevice => "no_such_device",
            Self::NoEpochKey => "no_epoch_key",
            Self::RecoveryCode(_) => "recovery_code",
            Self::RecoverySheet(_) => "recovery_sheet",
            Self::RecoveryUnknown => "recovery_unknown",
            Self::NoRoot => "no_root",
            Self::RootElsewhere => "root_elsewhere",
            Self::NoRecoveryCode => "no_recovery_code",
            Self::UnknownKind => "unknown_kind",
            Self::UnknownField => "unknown_field",
            Self::ValueRefused => "value_refused",
            Self::UnknownWord { .. } => "unknown_word",
            Self::NoSuchIncident => "no_such_incident",
            Self::SameRecord => "same_record",
            Self::PackDamaged { .. } => "pack_damaged",
            Self::LockWrong => "lock_wrong",
            Self::NoFamilyCircle => "no_family_circle",
            Self::NoSuchRecord => "no_such_record",
            Self::NoConflict => "no_conflict",
            Self::InConflict => "in_conflict",
            Self::OwnDeletions => "own_deletions",
            Self::Travelling => "travelling",
            Self::OtherDossier => "other_dossier",
            Self::LastDevice => "last_device",
            Self::NotAllSent => "not_all_sent",
            Self::Erased { .. } => "erased",
            Self::AttachmentTooLarge => "attachment_too_large",
            Self::AttachmentChanged => "attachment_changed",
            Self::AttachmentNotHere => "attachment_not_here",
            Self::AttachmentNotThere => "attachment_not_there",
            Self::AttachmentDamaged { .. } => "attachment_damaged",
            Self::NotAPhotoOrSound => "not_a_photo_or_sound",
            Self::AlarmAttachmentTooLarge => "alarm_attachment_too_large",
            Self::NoInbox => "no_inbox",
            Self::InboxFull => "inbox_full",
            Self::NoSuchAttachment => "no_such_attachment",
            Self::FileExists => "file_exists",
            Self::ExportCode(_) => "export_code",
            Self::ExportInvalid(_) => "export_invalid",
            Self::NoSuchAlarm => "no_such_alarm",
            Self::NoTimeline => "no_timeline",
            Self::NoAlarmText => "no_alarm_text",
            Self::NoSuchCheckIn => "no_such_check_in",
            Self::CheckInTime => "check_in_time",
            Self::CheckInText => "check_in_text",
            Self::CheckInOver => "check_in_over",
            Self::TooManyCheckIns => "too_many_check_ins",
            Self::NoLadder => "no_ladder",
            Self::NotReached => "not_reached",
            Self::Untrusted => "untrusted",
            Self::OutOfDate => "out_of_date",
            Self::Refused { code, .. } => code,
            Self::BadAnswer(_) => "bad_answer",
            Self::NotTrustworthy { .. } => "not_trustworthy",
            Self::Format(error) => error.code(),
        }
    }

    /// What the reader can do, in one English sentence.
    pub fn help(&self) -> &'static str {
        match self {
            Self::WrongPin { .. } | Self::TooSoon { .. } => "Wait, then try again; the wait grows with every miss.",
            Self::PinRefused => "Choose a PIN of 6 to 64 characters.",
            Self::PinTaken => "Choose a PIN that differs from all others of this device.",
            Self::TooManyDuressPins => "Remove them with `baken pin duress clear`, then set the ones you want.",
            Self::PinNeeded => "Type your PIN.",
            Self::BiometricRefused => "Try again, or type your PIN.",
            Self::VaultDamaged { .. } => {
                "Keep the folder as it is, and restore it from a backup or activate this device again."
            }
            Self::VaultNewer { .. } | Self::NotEncrypting => "Install the newest version of Baken.",
            Self::VaultOlder { .. } => "Open it with the version that made it, and start anew with this one.",
            Self::KeyStoreLost => "Put the key file back, or activate this device again.",
            Self::NoSuchGuidance => "Look with `baken guidance` or `baken guidance search`.",
            Self::NotForAudience => "Say for whom you read: --audience.",
            Self::OfficeElsewhere(_) => "Leave the organisation out: it follows from the office.",
            Self::NoSuchQuestion => "Look with `baken scan questions`.",
            Self::NotAnAnswer => "Answer yes, no or unknown.",
            Self::ScanGate => "Answer it: `baken scan start --gate no`, or yes when there is.",
            Self::NoTip => "Look with `baken scan result` which tips there are.",
            Self::NoReview => "Begin with `baken review start`.",
            Self::NotATask => "Look with `baken agenda` what is due.",
            Self::OfficeNotHeld => "Look which offices there are: `baken life`.",
            Self::OfficeHeld => "Name the second organisation with --organisation.",
            Self::EditionRefused(_) => "What is here stays good; tell your organisation that its server offers this.",
            Self::Locked => "Unlock with your PIN first.",
            Self::NotActivated | Self::WipedFromAfar => "Activate with an invite, or pair with your other device.",
            Self::AlreadyActivated => "Use another home folder for another device.",
            Self::HomeInUse => "Close the other program that uses this folder, then try again.",
            Self::Disk(_) => "Check that the folder exists, is writable and its disk is healthy.",
            Self::DiskFull => "Free some space; nothing was lost.",
            Self::Database(_) => "Try again; if it stays, keep the folder and report it with this code.",
            Self::InviteInvalid(_) => "Scan or paste the whole invite again, or ask for a new one.",
            Self::InviteRole => "Ask your organisation for an invite for an office-holder.",
            Self::WrongRoot | Self::DirectoryInvalid(_) => {
                "Do not go on; ask the person who gave you the invite to check the server."
            }
            Self::PairingCodeInvalid(_) => "Scan or paste the whole code again.",
            Self::PairingExpired | Self::PairingBroken(_) => "Start the pairing again on the new device.",
            Self::PairingDigits { left: 0 } => "Start the pairing again on the new device.",
            Self::PairingDigits { .. } => "Read the six digits off the new device again.",
            Self::NoSuchCircle | Self::NoSuchDevice => "List them to find the id.",
            Self::NotShared => "Write it in your dossier, or choose a kind that the circle shares.",
            Self::MayNotWrite => "Ask an owner of the circle; what you wrote before is kept.",
            Self::NotOwner => "Do this on a device of the circle's owner.",
            Self::NotFamily => "Do this on the family member's own device, after it has joined the circle.",
            Self::NotAgreed => "They agree on their own device: baken alarm responder agree; then sync both.",
            Self::FamilyFull => "Remove one first: baken alarm family list.",
            Self::NoEpochKey => "Sync again; another device of the circle has to hand this one the key.",
            Self::RecoveryCode(_) => "Compare the code with the paper, group by group.",
            Self::RecoverySheet(_) => "Scan or type the sheet's text again.",
            Self::RecoveryUnknown => "Use the newest code that was printed, and the sheet that belongs to it.",
            Self::NoRoot => "Type the recovery code that was printed before; a new one replaces it.",
            Self::RootElsewhere => "Print it there; from then on every device of yours can replace it.",
            Self::NoRecoveryCode => "Print it first, and put it in a safe: baken recovery print.",
            Self::UnknownKind => "Use one of those that `baken record kinds` lists.",
            Self::UnknownField => "Ask for the fields of the kind.",
            Self::ValueRefused => "Give a shorter value, or one of the field's type.",
            Self::UnknownWord { .. } => "Use one of its words: baken record kinds.",
            Self::NoSuchIncident => "List them with `baken incident list`.",
            Self::SameRecord => "Name two different ones.",
            Self::PackDamaged { .. } => "Do not rely on it; ask for a new one from who made it.",
            Self::LockWrong => "Type the passphrase of the check-up, which is not your PIN; nobody can get it back.",
            Self::NoFamilyCircle => "Make one first: baken circle create family --name Familie.",
            Self::CheckInTime => "Choose a time from a minute to seven days ahead.",
            Self::CheckInText => "Write less.",
            Self::CheckInOver => "Look at the list; what became an alarm is closed by a desk.",
            Self::TooManyCheckIns => "Settle or end some first.",
            Self::NoSuchRecord | Self::NoSuchAlarm | Self::NoSuchCheckIn => "List them to find the id.",
            Self::Confidential { may: May::Never } => "It stays on your own devices.",
            Self::Confidential { .. } => {
                "Ask whoever decided on it whether these readers may know; then say so with `--with-confidential`."
            }
            Self::NotSharedThere => "See what is shared with `baken share list`.",
            Self::BriefingEmpty => "Say what is new, or `--no-news`, and a next moment that lies ahead.",
            Self::NoConflict => "List the conflicts again; another device may have resolved it.",
            Self::InConflict => "Look at both values and resolve the conflict.",
            Self::OwnDeletions => "Do this on another of your devices.",
            Self::Travelling => "Bring it back with `baken travel end`, beside another device of yours.",
            Self::LastDevice => "Pair a second device first: it keeps the dossier and brings it back.",
            Self::OtherDossier => "Pair it with a device of the dossier that it travels from.",
            Self::NotAllSent => "Sync, then try again; nothing has changed.",
            Self::Erased { .. } => "Put a value of its history back first, then restore it.",
            Self::AttachmentTooLarge => "Choose a smaller file, or cut it into parts.",
            Self::AttachmentChanged => "Wait until the file is no longer written to, then add it again.",
            Self::AttachmentNotHere => "Fetch it first; what is here already is not fetched again.",
            Self::AttachmentNotThere => "Let the device that added it come online; then fetch it again.",
            Self::AttachmentDamaged { .. } => {
                "Fetch it again; if it stays, add it anew on the device that has the file, and tell your organisation."
            }
            Self::NoInbox => "Open the dossier once with your PIN, for example with `baken status`.",
            Self::InboxFull => "Open the dossier with your PIN: they become incidents, and there is room again.",
            Self::NotAPhotoOrSound => "Send another file, or say it in words with `baken alarm update --text`.",
            Self::AlarmAttachmentTooLarge => "Send a smaller photo, or a shorter recording.",
            Self::NoSuchAttachment => "List them with `baken attach list`.",
            Self::ExportCode(_) => "Compare the code with what was shown, group by group.",
            Self::ExportInvalid(_) => "Check that the code belongs to this file, and copy the whole file again.",
            Self::FileExists => "Choose another name, or say that it may be written over.",
            Self::NoTimeline => "Ask the desk for it.",
            Self::NoAlarmText => "Call 112; the alarm is sent as soon as there is a connection.",
            Self::NoLadder => "Call 112, and ask your organisation to publish a ladder.",
            Self::NotReached => "It is kept and sent as soon as there is a connection.",
            Self::Untrusted => "Do not go on with this network; nothing was sent.",
            Self::OutOfDate => "Set this device's date and time; if they are right, tell your organisation.",
            Self::Refused { code, .. } => refused_help(code),
            Self::BadAnswer(_) => "Check that the server and this program are of the same version.",
            Self::NotTrustworthy { .. } => "Compare your devices, and tell your organisation that the server lies.",
            Self::Format(_) => "Update Baken on all devices; if it stays, report it with this code.",
        }
    }
}

/// The relay's codes that a user can do something about.
fn refused_help(code: &str) -> &'static str {
    match code {
        "invite_used" => "Ask for a new invite; if it was not you who used this one, say so at once.",
        "invite_expired" | "invite_unknown" => "Ask your organisation for a new invite.",
        "unknown_device" => "Activate or pair this device again.",
        "entry_conflict" => "This device's folder was copied or restored: pair it anew.",
        "removed" => "This device gets nothing new from this circle. What was shared until then stays here.",
        "too_often" | "busy" | "stopping" => "Try again in a minute.",
        "day_not_over" => "Wait until a day has passed, or let another of your devices do it.",
        "quota_full" => "Delete attachments that are not needed any more, or ask your organisation for more room.",
        "disk_full" => "Tell your organisation that the server's disk is full.",
        _ => "Try again later; if it stays, tell your organisation this code.",
    }
}

impl From<std::io::Error> for BakenError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Disk(error),
        }
    }
}

impl From<rusqlite::Error> for BakenError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::DiskFull,
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                Self::VaultDamaged { part: "its database" }
            }
            _ => Self::Database(error),
        }
    }
}

impl From<EditionError> for BakenError {
    fn from(error: EditionError) -> Self {
        Self::EditionRefused(error)
    }
}

impl From<TransportError> for BakenError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Unreachable => Self::NotReached,
            TransportError::Untrusted => Self::Untrusted,
            TransportError::OutOfDate => Self::OutOfDate,
            TransportError::TooLarge => {
                Self::BadAnswer(FormatError::Rule { what: "an answer", rule: "longer than the protocol allows" })
            }
        }
    }
}
