//! The family's own page: what is theirs to read, whom they call, what was agreed, and how they are afterwards.
//!
//! It is drawn from the family circle and from public guidance alone: nothing of a dossier is on it, on whichever phone it
//! is shown. On a family member's phone it is all there is; on the office-holder's it shows what the family sees.

use baken_schemas::Language;
use baken_schemas::circle::CircleKind;
use baken_schemas::edition::{Audience, CardView, ContactView, FactView, Trouble};
use baken_schemas::id::CircleId;
use serde::Serialize;

use crate::device::GUEST;
use crate::guidance::ReadAs;
use crate::record::RecordView;
use crate::{Baken, BakenError};

/// Chapters written for the family, the first first.
const CHAPTERS: [&str; 6] = [
    "14-at-home-together",
    "15-talking-with-children",
    "16-support-and-aftercare",
    "10-what-you-share",
    "06-safe-home",
    "11-harder-to-find",
];
/// What the id of a card for children begins with.
const FOR_CHILDREN: &str = "child-";

/// A chapter to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChapterRef {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Why somebody of the circle chose it; empty for what every family is shown.
    pub remark: String,
}

/// The page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FamilyPage {
    /// The family circle.
    pub circle: CircleId,
    /// What it is called.
    pub name: String,
    /// What was agreed: records of kind `plan`.
    pub plans: Vec<RecordView>,
    /// The family's own contacts.
    pub contacts: Vec<RecordView>,
    /// Notes.
    pub notes: Vec<RecordView>,
    /// Whom else to call, the emergency number first.
    pub public_contacts: Vec<ContactView>,
    /// What to read: chosen by somebody of the circle first.
    pub chapters: Vec<ChapterRef>,
    /// Cards for children.
    pub children: Vec<CardView>,
    /// The other cards for the family.
    pub cards: Vec<CardView>,
    /// Aftercare of the family: its plan.
    pub aftercare: Vec<RecordView>,
    /// Its moments that are not over.
    pub moments: Vec<RecordView>,
    /// Who chooses the helper, with source and date.
    pub free_choice: Option<FactView>,
}

impl Baken {
    /// Whose guidance this device shows unless asked otherwise, with the vault locked too: a guest's that of the family.
    pub fn reads_as(&self) -> Audience {
        let account = self.alarm_outbox().and_then(|outbox| outbox.account());
        if account.is_ok_and(|account| account == GUEST) { Audience::Family } else { Audience::OfficeHolder }
    }

    /// What the family sees.
    ///
    /// # Errors
    /// [`BakenError::NoFamilyCircle`], [`BakenError::Locked`].
    pub fn family_page(&self, language: Language) -> Result<FamilyPage, BakenError> {
        let circles = self.circles()?;
        let family = circles.into_iter().find(|circle| circle.kind == CircleKind::Family);
        let family = family.ok_or(BakenError::NoFamilyCircle)?;
        let who = ReadAs { language, audience: Audience::Family, office: None };
        let guidance = self.guidance()?;
        let shared = |kind: &str| {
            let mut records = self.records(Some(kind))?;
            records.retain(|record| record.circle == family.circle && !record.deleted);
            Ok::<_, BakenError>(records)
        };
        let mut chapters = Vec::new();
        for chosen in shared("guidance")? {
            let id = chosen.text("chapter");
            // A chapter of an edition that is not here, or for others, is named and cannot be opened.
            let title = guidance.chapter(who, &id).map_or_else(|_| chosen.text("title"), |chapter| chapter.title);
            chapters.push(ChapterRef { id, title, remark: chosen.text("remark") });
        }
        let known: Vec<String> = chapters.iter().map(|chapter| chapter.id.clone()).collect();
        for id in CHAPTERS.iter().filter(|id| !known.iter().any(|known| known == *id)) {
            let chapter = guidance.chapter(who, id).ok();
            let title = chapter.map(|chapter| chapter.title);
            chapters.extend(title.map(|title| ChapterRef { id: (*id).to_owned(), title, remark: String::new() }));
        }
        let (children, cards) = guidance.cards(who).into_iter().partition(|card| card.id.starts_with(FOR_CHILDREN));
        let mut moments = shared("follow-up")?;
        moments.retain(|moment| !moment.is("done"));
        moments.sort_by_key(|moment| (moment.moment("when"), moment.record));
        let mut public_contacts = Vec::new();
        for kind in [Trouble::Danger, Trouble::Threat, Trouble::Unease, Trouble::Aftercare] {
            for contact in guidance.contacts(who, Some(kind)) {
                if !public_contacts.iter().any(|known: &ContactView| known.id == contact.id) {
                    public_contacts.push(contact);
                }
            }
        }
        Ok(FamilyPage {
            circle: family.circle,
            name: family.name.unwrap_or_default(),
            plans: shared("plan")?,
            contacts: shared("contact")?,
            notes: shared("note")?,
            public_contacts,
            chapters,
            children,
            cards,
            aftercare: shared("aftercare")?,
            moments,
            free_choice: guidance.fact(who, "free-choice").ok(),
        })
    }
}
