//! For the organisation's register of incidents, in the shape of the municipal register (GIR) and the police's form
//! (PIF): the seven W's. No evidence, no witnesses, nobody who was told, and no name of who did it unless asked for.

use std::path::Path;

use baken_schemas::Language;
use baken_schemas::id::RecordId;
use baken_schemas::local_time::local;
use serde_json::{Map, Value as Json};

use super::{Packed, row, write};
use crate::incident::label;
use crate::record::RecordView;
use crate::{Baken, BakenError};

impl Baken {
    pub(super) fn pack_for_register(
        &self,
        incident: RecordId,
        name_person: bool,
        folder: &Path,
    ) -> Result<Packed, BakenError> {
        let fields = fields(&self.incident(incident)?, name_person);
        let object: Map<String, Json> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
        let json = serde_json::json!({"format": "baken-register", "version": 0, "incident": object});
        let csv = row(fields.iter().map(|(name, _)| *name)) + &row(fields.iter().map(|(_, value)| value.as_str()));
        let files = vec![
            write(folder, "register.json", format!("{json:#}\n").as_bytes())?,
            write(folder, "register.csv", csv.as_bytes())?,
        ];
        Ok(Packed { files, ..Packed::default() })
    }
}

/// What a register takes: this list, and nothing beside it.
fn fields(record: &RecordView, name_person: bool) -> Vec<(&'static str, String)> {
    let text = |name| record.text(name);
    let word = |name| label(&record.text(name), Language::Nl).to_owned();
    let moment = |name| record.moment(name).map(local).unwrap_or_default();
    let when = record.moment("happened_at").or_else(|| record.moment("seen_at"));
    let yes = |name| if record.is(name) { "ja" } else { "nee" }.to_owned();
    vec![
        // Perpetrators' data are data on offences: the kind of person, unless the register may name them.
        ("wie", if name_person { text("who") } else { word("threat_source") }),
        ("wat", text("what")),
        ("waar", text("place")),
        ("waarmee", text("with_what")),
        ("op_welke_wijze", text("how")),
        ("wanneer", when.map(local).unwrap_or_default()),
        ("waarom", text("why")),
        ("bron", word("threat_source")),
        ("intern_gemeld_op", moment("reported_at")),
        ("politie", word("police")),
        ("politie_nummer", text("police_number")),
        ("politie_op", moment("police_at")),
        ("vpt_code_gevraagd", yes("vpt_asked")),
        ("domicilie_organisatie", yes("domicile_office")),
    ]
}
