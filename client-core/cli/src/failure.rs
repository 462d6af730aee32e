//! How a command can fail: the core's errors, and the command line's own. Each has a stable code and an exit code.

use baken_core::BakenError;
use baken_core::transport::http::SetupError;
use baken_schemas::Language;

use crate::text;

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// The core's.
    Core(BakenError),
    /// The network could not be set up from what the device knows.
    Setup(SetupError),
    /// Something typed cannot be used; a stable code of `text`.
    Input(&'static str),
    /// There is no PIN and nobody to ask.
    PinMissing,
    /// Reading or writing outside the vault.
    Io(std::io::Error),
}

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Done.
    Done,
    /// Kept, not sent; or what was waited for did not come in time.
    NotReached,
    /// Refused by the relay.
    Refused,
    /// Not trustworthy.
    Untrustworthy,
}

impl End {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::NotReached => 6,
            Self::Refused => 7,
            Self::Untrustworthy => 8,
        }
    }

    /// What the last error of asking means for something that is not there yet.
    pub fn of_waiting(error: Option<&BakenError>) -> Self {
        match error.map(core_exit_code) {
            Some(7) => Self::Refused,
            Some(8) => Self::Untrustworthy,
            _ => Self::NotReached,
        }
    }
}

impl Failure {
    /// A stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Core(error) => error.code(),
            Self::Setup(SetupError::Url) => "relay_url",
            Self::Setup(SetupError::Roots) => "relay_roots",
            Self::Setup(SetupError::Client) => "client",
            Self::Input(code) => code,
            Self::PinMissing => "pin_missing",
            Self::Io(_) => "io",
        }
    }

    /// What went wrong, in the reader's language.
    pub fn message(&self, language: Language) -> String {
        match self {
            Self::Core(error) => text::core_message(error, language),
            Self::Io(error) => format!("{} ({error})", text::own_failure(self.code(), language).0),
            other => text::own_failure(other.code(), language).0.to_owned(),
        }
    }

    /// What the reader can do.
    pub fn help(&self, language: Language) -> &'static str {
        match self {
            Self::Core(error) => text::core_help(error, language),
            other => text::own_failure(other.code(), language).1,
        }
    }

    /// The exit code, see `--help`.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Core(error) => core_exit_code(error),
            Self::Input(_) => 3,
            Self::Setup(SetupError::Url) => 3,
            Self::Setup(SetupError::Roots) => 8,
            Self::PinMissing => 2,
            Self::Setup(SetupError::Client) | Self::Io(_) => 1,
        }
    }
}

fn core_exit_code(error: &BakenError) -> u8 {
    use BakenError as E;
    match error {
        E::InviteInvalid(_)
        | E::InviteRole
        | E::PairingCodeInvalid(_)
        | E::PairingExpired
        | E::PairingDigits { .. }
        | E::NoSuchCircle
        | E::NoSuchGuidance
        | E::NotForAudience
        | E::OfficeElsewhere(_)
        | E::NoSuchQuestion
        | E::NotAnAnswer
        | E::ScanGate
        | E::NoTip
        | E::NoReview
        | E::NotATask
        | E::OfficeNotHeld
        | E::OfficeHeld
        | E::NoSuchDevice
        | E::NotShared
        | E::Confidential { .. }
        | E::NotSharedThere
        | E::BriefingEmpty
        | E::NotOwner
        | E::NotFamily
        | E::NotAgreed
        | E::FamilyFull
        | E::MayNotWrite
        | E::RecoveryCode(_)
        | E::RecoverySheet(_)
        | E::RecoveryUnknown
        | E::NoRoot
        | E::RootElsewhere
        | E::NoRecoveryCode
        | E::PinRefused
        | E::PinTaken
        | E::TooManyDuressPins
        | E::NotActivated
        | E::WipedFromAfar
        | E::AlreadyActivated
        | E::UnknownKind
        | E::UnknownField
        | E::ValueRefused
        | E::UnknownWord { .. }
        | E::NoSuchIncident
        | E::SameRecord
        | E::NoFamilyCircle
        | E::NoSuchRecord
        | E::InConflict
        | E::OwnDeletions
        | E::LastDevice
        | E::OtherDossier
        | E::NotAllSent
        | E::Erased { .. }
        | E::NoConflict
        | E::NoSuchAlarm
        | E::NoTimeline
        | E::NoAlarmText
        | E::NoSuchCheckIn
        | E::CheckInTime
        | E::CheckInText
        | E::CheckInOver
        | E::TooManyCheckIns
        | E::AttachmentTooLarge
        | E::AttachmentChanged
        | E::AttachmentNotHere
        | E::AttachmentNotThere
        | E::NoInbox
        | E::InboxFull
        | E::NotAPhotoOrSound
        | E::AlarmAttachmentTooLarge
        | E::NoSuchAttachment
        | E::FileExists
        | E::ExportCode(_)
        | E::ExportInvalid(_) => 3,
        E::LockWrong | E::WrongPin { .. } | E::TooSoon { .. } | E::Locked | E::PinNeeded | E::BiometricRefused => 4,
        E::VaultDamaged { .. } | E::VaultNewer { .. } | E::VaultOlder { .. } | E::KeyStoreLost | E::NotEncrypting => 5,
        E::NotReached | E::NoEpochKey => 6,
        E::Travelling => 9,
        E::Refused { .. } => 7,
        E::Untrusted
        | E::OutOfDate
        | E::WrongRoot
        | E::DirectoryInvalid(_)
        | E::EditionRefused(_)
        | E::PairingBroken(_)
        | E::BadAnswer(_)
        | E::AttachmentDamaged { .. }
        | E::PackDamaged { .. }
        | E::NotTrustworthy { .. } => 8,
        E::HomeInUse | E::Disk(_) | E::DiskFull | E::Database(_) | E::NoLadder | E::Format(_) => 1,
    }
}

impl From<BakenError> for Failure {
    fn from(error: BakenError) -> Self {
        Self::Core(error)
    }
}

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Self {
        Self::Setup(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}
