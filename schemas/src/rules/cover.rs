//! What an organisation says of its insurance, in its own signed edition: a fact for each state that some office is in.

use crate::edition::{Date, Layers, Office};
use crate::rules::Cover;

impl Cover {
    /// The fact by which an edition says so of the offices that it names.
    pub fn fact(self) -> &'static str {
        match self {
            Self::Covered => "cover-covered",
            Self::NotCovered => "cover-not-covered",
            Self::Unknown => "cover-unknown",
        }
    }
}

/// What the editions say of an office on a day; `None` where they say nothing. Who says that it covers an office and that
/// it does not has it unknown.
pub fn recorded_cover(layers: &Layers, office: Office, on: Date) -> Option<Cover> {
    let says = |cover: &Cover| {
        let fact = layers.fact(cover.fact()).map(|(_, fact)| fact);
        fact.is_some_and(|fact| fact.offices.contains(&office) && fact.holds_on(on))
    };
    let mut said = Cover::ALL.iter().copied().filter(says);
    match (said.next(), said.next()) {
        (Some(only), None) => Some(only),
        (None, _) => None,
        _ => Some(Cover::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edition::{compile, shipped};

    fn organisation(facts: &str) -> Layers {
        let about = "name = \"zandhoven\"\nlayer = \"organisation\"\nlanguages = [\"nl\"]\nexpires = \"2027-06-01\"\n";
        let files = [("edition.toml", about), ("facts.toml", facts)];
        let mut layers = Layers::new(shipped::edition().expect("the shipped edition"));
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        layers.add(compile(&files).expect("an edition"));
        layers
    }

    fn fact(cover: Cover, offices: &str) -> String {
        format!(
            "[[fact]]\nid = \"{}\"\nkind = \"text\"\nnl = \"Zo is het.\"\noffices = [{offices}]\nsource = [\"Z\"]\n\
             source_date = \"2026\"\nchecked = \"2026-11-01\"\nreview_by = \"2027-05-01\"\nvalid_from = \"2026-10-01\"\n\
             status = \"confirmed\"\n",
            cover.fact()
        )
    }

    #[test]
    fn r13_an_organisation_says_whom_its_insurance_covers() {
        let (day, before) = ("2026-11-27".parse().expect("a day"), "2026-09-01".parse().expect("a day"));
        let facts = fact(Cover::NotCovered, "\"councillor\"") + &fact(Cover::Covered, "\"mayor\", \"alderman\"");
        let layers = organisation(&facts);
        assert_eq!(recorded_cover(&layers, Office::Councillor, day), Some(Cover::NotCovered));
        assert_eq!(recorded_cover(&layers, Office::Mayor, day), Some(Cover::Covered));
        assert_eq!(recorded_cover(&layers, Office::CommitteeMember, day), None);
        assert_eq!(recorded_cover(&layers, Office::Councillor, before), None);
        let twice = fact(Cover::NotCovered, "\"councillor\"") + &fact(Cover::Covered, "\"councillor\"");
        assert_eq!(recorded_cover(&organisation(&twice), Office::Councillor, day), Some(Cover::Unknown));
    }
}
