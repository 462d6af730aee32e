//! Why a command did not do what it was to do: an exit code, a stable code, and a sentence in both languages that says
//! what to do about it. Here every error of the library becomes one.

use baken_schemas::FormatError;
use baken_schemas::edition::signed::EditionError;

use crate::app::AppError;
use crate::audit::AuditError;
use crate::bridge::{BridgeError, ButtonsError};
use crate::desk::duty::RosterError;
use crate::desk::officers::OfficerError;
use crate::desk::{ChannelsError, DeskError, OpenError};
use crate::exit;
use crate::folder::FolderError;
use crate::join::JoinError;
use crate::org::OrgError;
use crate::relay_client::RelayError;
use crate::store::StoreError;
use crate::tls::TlsError;

/// Why a command ended without success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The process's exit code.
    pub exit: i32,
    /// A stable code.
    pub code: &'static str,
    /// In Dutch.
    pub nl: String,
    /// In English.
    pub en: String,
}

impl Failure {
    /// A failure with its words.
    pub fn new(exit: i32, code: &'static str, nl: impl Into<String>, en: impl Into<String>) -> Self {
        Self { exit, code, nl: nl.into(), en: en.into() }
    }

    /// What there was to say has been said; only the exit code is left.
    pub fn said(exit: i32) -> Self {
        Self::new(exit, "", "", "")
    }

    /// Something given cannot be used.
    pub fn bad_input(code: &'static str, nl: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(exit::BAD_INPUT, code, nl, en)
    }

    /// Something that was not foreseen; the cause is said as it is.
    pub fn unexpected(code: &'static str, cause: &dyn std::fmt::Display) -> Self {
        Self::new(exit::UNEXPECTED, code, format!("Onverwacht: {cause}"), format!("Unexpected: {cause}"))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::unexpected("io", &error)
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        let en = error.to_string();
        match &error {
            FolderError::InUse(dir) => {
                let nl = format!(
                    "De map {} is in gebruik door een andere baken-server. Stop die eerst, of kies een eigen map.",
                    dir.display()
                );
                Self::new(exit::FOLDER_IN_USE, "folder_in_use", nl, en)
            }
            FolderError::Missing(path) => {
                let nl = format!("{} ontbreekt. Richt de map eerst in met `baken-server init`.", path.display());
                Self::bad_input("not_set_up", nl, en)
            }
            FolderError::Exists(path) => {
                let nl = format!("{} bestaat al: deze map is al ingericht. Kies een andere.", path.display());
                Self::bad_input("already_set_up", nl, en)
            }
            FolderError::Damaged { path, why } => {
                let nl = format!("{} is niet leesbaar: {why}", path.display());
                Self::bad_input("damaged_file", nl, en)
            }
            FolderError::Io { path, source } => {
                let nl = format!("{} kan niet worden gebruikt: {source}", path.display());
                Self::bad_input("folder_unusable", nl, en)
            }
        }
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        let en = error.to_string();
        let (nl, mend) = match &error {
            AppError::Disk(_) => ("De map met de app kan niet worden gelezen.", "look at --files"),
            AppError::NotBuilt => (
                "In deze map staat geen gebouwde app. Bouw hem met `cargo xtask web`.",
                "build it with `cargo xtask web`",
            ),
            AppError::Link(_) => {
                ("In de map met de app staat een verwijzing in plaats van een bestand.", "look at --files")
            }
            AppError::TooLarge => (
                "In deze map staat meer dan een app. Kies de map die `cargo xtask web` maakte.",
                "name the folder that `cargo xtask web` made",
            ),
            AppError::NoCertificate => (
                "Zonder certificaat wordt alleen deze machine bediend. Geef --certificate en --key.",
                "give --certificate and --key",
            ),
            AppError::Relay => ("Een adres bij --relay is niet van de vorm https://host:poort.", "look at --relay"),
        };
        Self::bad_input("app", nl, format!("{en}: {mend}"))
    }
}

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        let en = error.to_string();
        match error {
            TlsError::PortInUse(address) => {
                let nl = format!("{address} is in gebruik door een ander proces. Stop dat, of kies een andere poort.");
                Self::new(exit::PORT_IN_USE, "port_in_use", nl, en)
            }
            TlsError::Listen { address, source } => {
                let nl = format!("Op {address} kan niet worden geluisterd: {source}");
                Self::bad_input("cannot_listen", nl, en)
            }
            TlsError::BadUrl(url) => {
                let nl = format!("{url} is geen adres van de vorm https://host:poort");
                Self::bad_input("bad_url", nl, en)
            }
            TlsError::Certificate(why) => {
                Self::bad_input("bad_certificate", format!("Het TLS-certificaat is niet bruikbaar: {why}"), en)
            }
            TlsError::Folder(error) => error.into(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let en = error.to_string();
        match error {
            StoreError::Full => Self::new(
                exit::DISK_FAILED,
                "disk_full",
                "De schijf is vol. Maak ruimte op het volume van de datamap.",
                en,
            ),
            StoreError::Unknown | StoreError::Stopped | StoreError::Busy => Self::new(
                exit::DISK_FAILED,
                "disk_failed",
                "De schijf gaf een fout. Kijk de schijf na en start opnieuw.",
                en,
            ),
            StoreError::Damaged => Self::bad_input(
                "damaged_database",
                "De database is beschadigd. Zet de datamap terug uit een reservekopie.",
                en,
            ),
            StoreError::Newer { .. } => Self::bad_input(
                "newer_database",
                "De database is van een nieuwere versie. Gebruik het nieuwere programma.",
                en,
            ),
            StoreError::Setting { name } => Self::new(
                exit::UNEXPECTED,
                "sqlite_setting",
                format!("SQLite weigert de instelling {name}: zonder is niets veilig."),
                en,
            ),
            StoreError::OldSqlite { found } => {
                Self::new(exit::UNEXPECTED, "sqlite_too_old", format!("SQLite {found} is te oud; 3.51.3 is nodig."), en)
            }
            StoreError::Folder(source) => {
                Self::bad_input("folder_unusable", format!("De datamap kan niet worden gebruikt: {source}"), en)
            }
            StoreError::Sqlite(source) => Self::unexpected("database", &source),
        }
    }
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        let en = error.to_string();
        match error {
            AuditError::Broken { seq } => Self::bad_input(
                "audit_broken",
                format!("De keten van het logboek breekt bij regel {seq}: er is een regel veranderd of weggehaald."),
                en,
            ),
            AuditError::Store(error) => error.into(),
        }
    }
}

impl From<FormatError> for Failure {
    fn from(error: FormatError) -> Self {
        let nl = format!("Het document kan niet worden gebruikt: {error}");
        Self::bad_input(error.code(), nl, error.to_string())
    }
}

impl From<EditionError> for Failure {
    fn from(error: EditionError) -> Self {
        let en = error.to_string();
        let nl = match &error {
            EditionError::Format(error) => return error.clone().into(),
            EditionError::Signatures { found, needed } => {
                format!("Getekend door {found} van de uitgevers; {needed} zijn nodig. Teken met meer sleutels.")
            }
            EditionError::OtherEdition => "Het hoort bij een andere uitgave of laag.".to_owned(),
            EditionError::RootOrder { expected, found } => {
                format!("De wortels volgen niet op elkaar: {expected} werd verwacht, {found} gevonden.")
            }
            EditionError::Rollback { held, offered } => format!("Versie {offered} is ouder dan {held}, die er al is."),
            EditionError::TwoOfOneVersion(version) => {
                format!("Er zijn twee verschillende uitgaven met versie {version}. Verhoog version in edition.toml.")
            }
            EditionError::File(path) => format!("Het bestand {path} ontbreekt of is niet wat getekend is."),
            EditionError::Source(findings) => {
                findings.first().map(|finding| finding.told(baken_schemas::Language::Nl)).unwrap_or_default()
            }
            EditionError::EmergencyNumber(id) => format!("Het raakt het landelijke noodnummer {id}."),
        };
        Self::bad_input(error.code(), nl, en)
    }
}

impl From<OrgError> for Failure {
    fn from(error: OrgError) -> Self {
        let en = error.to_string();
        let code = match &error {
            OrgError::UnknownPerson => "unknown_person",
            OrgError::NoAdviser => "not_adviser",
            OrgError::Ambiguous => "ambiguous",
            _ => "org_refused",
        };
        let nl = match &error {
            OrgError::Text { .. } => "Een naam, functie of nummer is leeg of te lang.".to_owned(),
            OrgError::Ladder { why } => format!("De ladder kan niet worden gebruikt: {why}"),
            OrgError::NoDirectory => {
                "Teken eerst een adreslijst: `org directory --relay relay.cbor --desk desk.cbor`".to_owned()
            }
            OrgError::BareRelay => "De gegevens van de relay noemen geen adres of TLS-wortel.".to_owned(),
            OrgError::Full => "Dit boek is vol.".to_owned(),
            OrgError::UnknownPerson => {
                "Onder deze naam of dit account is niemand uitgenodigd: kijk met `org people`.".to_owned()
            }
            OrgError::NoAdviser => "Dit is geen adviseur. Alleen adviseurs kunnen worden ontheven: een alarm van een \
                                    telefoon of bridge wordt nooit geweigerd."
                .to_owned(),
            OrgError::Ambiguous => "Meer adviseurs heten zo. Geef het account dat `org people` laat zien.".to_owned(),
            OrgError::Format(error) => return error.clone().into(),
        };
        Self::bad_input(code, nl, en)
    }
}

impl From<RelayError> for Failure {
    fn from(error: RelayError) -> Self {
        let en = error.to_string();
        match error {
            RelayError::Unreachable => Self::new(
                exit::NOT_REACHED,
                "relay_not_reached",
                "De relay is niet bereikbaar. Wat te sturen was, is bewaard; probeer het opnieuw.",
                "The relay could not be reached. What was to be sent is kept; try again.",
            ),
            RelayError::BadAddress => Self::bad_input("bad_url", "Het adres van de relay klopt niet.", en),
            RelayError::Untrusted => Self::bad_input(
                "relay_not_trusted",
                "De server die antwoordde is niet de relay waar de organisatie voor instaat.",
                en,
            ),
            RelayError::Refused { status, code } => {
                Self::bad_input("relay_refused", format!("De relay weigerde het: {code} ({status})"), en)
            }
            RelayError::TooLarge | RelayError::Format(_) => Self::unexpected("relay_answer", &en),
        }
    }
}

impl From<OfficerError> for Failure {
    fn from(error: OfficerError) -> Self {
        let en = error.to_string();
        let nl = match error {
            OfficerError::Name => "Een naam heeft 1 tot 60 tekens.",
            OfficerError::Exists => {
                "Er is al een medewerker met deze naam. Een nieuwe inloglink: `officer link --name NAAM`."
            }
            OfficerError::Unknown => "Er is geen medewerker met deze naam. Kijk met `officer list`.",
            OfficerError::Full => "Deze meldkamer heeft het hoogste aantal medewerkers.",
            OfficerError::Folder(error) => return error.into(),
        };
        Self::bad_input("officer_refused", nl, en)
    }
}

impl From<ChannelsError> for Failure {
    fn from(error: ChannelsError) -> Self {
        let en = error.to_string();
        match error {
            ChannelsError::Folder(error) => error.into(),
            ChannelsError::Roster(error) => error.into(),
            ChannelsError::Entry { channel, why } => {
                Self::bad_input("bad_channel", format!("desk.toml, {channel}: {why}"), en)
            }
        }
    }
}

impl From<RosterError> for Failure {
    fn from(error: RosterError) -> Self {
        let en = error.to_string();
        match error {
            RosterError::Folder(error) => error.into(),
            RosterError::None => Self::bad_input(
                "no_roster",
                "Deze meldkamer heeft geen rooster. Maak er een: `baken-server duty set --data MAP roster.toml`.",
                en,
            ),
            RosterError::Wrong(why) => {
                Self::bad_input("bad_roster", format!("Het rooster kan niet worden gebruikt: {why}"), en)
            }
        }
    }
}

impl From<DeskError> for Failure {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Store(error) => error.into(),
            DeskError::Format(error) => error.into(),
            DeskError::Relay(error) => error.into(),
            other => Self::unexpected("desk", &other),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Desk(error) => error.into(),
            OpenError::Folder(error) => error.into(),
            OpenError::Channels(error) => error.into(),
        }
    }
}

impl From<BridgeError> for Failure {
    fn from(error: BridgeError) -> Self {
        match error {
            BridgeError::Store(error) => error.into(),
            BridgeError::Format(error) => error.into(),
            BridgeError::Relay(error) => error.into(),
            BridgeError::NoLadder => Self::unexpected("no_ladder", &error),
        }
    }
}

impl From<ButtonsError> for Failure {
    fn from(error: ButtonsError) -> Self {
        let en = error.to_string();
        match error {
            ButtonsError::Folder(error) => error.into(),
            ButtonsError::Sms(why) => Self::bad_input("bad_gateway", format!("bridge.toml, [sms]: {why}"), en),
            ButtonsError::Entry { number, why } => {
                Self::bad_input("bad_button", format!("bridge.toml, knop {number}: {why}"), en)
            }
        }
    }
}

impl From<JoinError> for Failure {
    fn from(error: JoinError) -> Self {
        let en = error.to_string();
        match error {
            JoinError::Format(error) => error.into(),
            JoinError::Relay(error) => error.into(),
            JoinError::OtherRole { wanted } => Self::bad_input(
                "invite_role",
                format!("Deze uitnodiging is voor iets anders. Vraag er een die met `--role {wanted}` is gemaakt."),
                en,
            ),
            JoinError::Expired => {
                Self::bad_input("invite_expired", "Deze uitnodiging is verlopen. Vraag om een nieuwe.", en)
            }
        }
    }
}
