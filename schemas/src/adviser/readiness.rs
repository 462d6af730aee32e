//! How ready a person is, as their own phone found it: done, not done or not applicable for a short fixed list. It says
//! that a self-scan was had and never what was answered.

use minicbor::{Decode, Encode};
use serde::{Serialize, Serializer};

use crate::FormatError;
use crate::Language;
use crate::edition::words::tagged;

tagged! {
    /// A step of being ready.
    Step, "a step":
    /// The start pack was read.
    StartPack = "start-pack",
    /// Emergency contacts are in the dossier.
    Contacts = "contacts",
    /// The home has the police quality mark, or that is being arranged.
    HomeLabel = "home-label",
    /// A home scan was had.
    HomeScan = "home-scan",
    /// The alarm was tried within a month.
    AlarmTest = "alarm-test",
    /// A training was had.
    Training = "training",
    /// The self-scan was had.
    SelfScan = "self-scan",
}

impl Step {
    /// How many there are.
    pub const COUNT: usize = 7;

    /// What it is called.
    pub fn name(self, language: Language) -> &'static str {
        let (nl, en) = match self {
            Self::StartPack => ("Startpakket gelezen", "Start pack read"),
            Self::Contacts => ("Noodcontacten ingevuld", "Emergency contacts filled in"),
            Self::HomeLabel => ("Keurmerk voor de woning geregeld", "Quality mark of the home arranged"),
            Self::HomeScan => ("Woningscan gehad", "Home scan had"),
            Self::AlarmTest => ("Alarm getest, deze maand", "Alarm tried, this month"),
            Self::Training => ("Cursus gevolgd", "Course taken"),
            Self::SelfScan => ("Zelfscan gedaan", "Self-scan had"),
        };
        language.pick(nl, en)
    }
}

tagged! {
    /// Whether a step is done.
    Ready, "a state of a step":
    /// It is.
    Done = "done",
    /// It is not.
    NotDone = "not",
    /// It does not apply to this person.
    NotApplicable = "na",
}

impl Ready {
    /// What it is called.
    pub fn name(self, language: Language) -> &'static str {
        let (nl, en) = match self {
            Self::Done => ("klaar", "done"),
            Self::NotDone => ("nog niet", "not yet"),
            Self::NotApplicable => ("n.v.t.", "n/a"),
        };
        language.pick(nl, en)
    }
}

/// A word for every [`Step`], in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Readiness(#[n(0)] [Ready; Step::COUNT]);

impl Readiness {
    /// What holds of each step.
    pub fn of(ready: impl FnMut(Step) -> Ready) -> Self {
        let mut steps = [Ready::NotDone; Step::COUNT];
        let found = Step::ALL.iter().copied().map(ready);
        steps.iter_mut().zip(found).for_each(|(step, found)| *step = found);
        Self(steps)
    }

    /// What holds of a step.
    pub fn step(&self, step: Step) -> Ready {
        self.steps().find(|(other, _)| *other == step).map_or(Ready::NotDone, |(_, ready)| ready)
    }

    /// Every step with what holds of it.
    pub fn steps(&self) -> impl Iterator<Item = (Step, Ready)> {
        Step::ALL.iter().copied().zip(self.0)
    }

    /// Reads what [`crate::cbor::to_vec`] wrote of it.
    ///
    /// # Errors
    /// [`FormatError::Malformed`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, FormatError> {
        crate::cbor::from_slice(bytes, "readiness")
    }
}

impl Serialize for Readiness {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.steps())
    }
}

impl schemars::JsonSchema for Readiness {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Readiness".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let ready = generator.subschema_for::<Ready>();
        let steps: serde_json::Map<_, _> =
            Step::TAGS.iter().map(|tag| ((*tag).to_owned(), ready.clone().to_value())).collect();
        schemars::json_schema!({
            "type": "object",
            "description": "what holds of each step",
            "properties": steps,
            "required": Step::TAGS,
            "additionalProperties": false,
        })
    }
}
