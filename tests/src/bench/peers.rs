//! Automerge, Loro and Yrs on the same workload as the core: one document, a map of records, each a map of fields.
//!
//! Durable means here as there: the change is appended to a file and fdatasync has returned.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::core::{Aside, Contestant, FIELDS, RECORDS, field_name, record_name};

/// Automerge.
pub struct Automerge {
    doc: automerge::AutoCommit,
    records: Vec<automerge::ObjId>,
    log: Option<File>,
}

impl Automerge {
    fn find_records(doc: &automerge::AutoCommit) -> Result<Vec<automerge::ObjId>> {
        use automerge::ReadDoc as _;
        (0..RECORDS)
            .map(|record| {
                doc.get(automerge::ROOT, record_name(record))?.map(|(_, id)| id).context("every record is there")
            })
            .collect()
    }
}

impl Contestant for Automerge {
    const NAME: &'static str = "automerge";

    fn fill(value: &dyn Fn(usize, usize) -> String) -> Result<Self> {
        use automerge::transaction::Transactable as _;
        let mut doc = automerge::AutoCommit::new();
        let mut records = Vec::new();
        for record in 0..RECORDS {
            let id = doc.put_object(automerge::ROOT, record_name(record), automerge::ObjType::Map)?;
            for field in 0..FIELDS {
                doc.put(&id, field_name(field), value(record, field))?;
            }
            records.push(id);
        }
        doc.commit();
        Ok(Self { doc, records, log: None })
    }

    fn save(&mut self, folder: &Path) -> Result<()> {
        std::fs::write(folder.join("automerge"), self.doc.save())?;
        self.log = Some(File::create(folder.join("automerge.log"))?);
        Ok(())
    }

    fn open(folder: &Path) -> Result<Self> {
        let doc = automerge::AutoCommit::load(&std::fs::read(folder.join("automerge"))?)?;
        Ok(Self { doc, records: Vec::new(), log: None })
    }

    fn read(&mut self, record: usize) -> Result<usize> {
        use automerge::ReadDoc as _;
        let (_, id) = self.doc.get(automerge::ROOT, record_name(record))?.context("the record is there")?;
        Ok(self.doc.map_range(&id, ..).count())
    }

    fn edit(&mut self, record: usize, field: usize, value: String, durable: bool) -> Result<()> {
        use automerge::transaction::Transactable as _;
        if self.records.is_empty() {
            self.records = Self::find_records(&self.doc)?;
        }
        self.doc.put(&self.records[record], field_name(field), value)?;
        self.doc.commit();
        if durable {
            let change = self.doc.save_incremental();
            append(self.log.as_mut(), &change)?;
        }
        Ok(())
    }

    fn remote_edits(&mut self, edits: &[(usize, usize, String)]) -> Result<Vec<u8>> {
        use automerge::transaction::Transactable as _;
        let mut other = self.doc.fork();
        let heads = other.get_heads();
        let records = Self::find_records(&other)?;
        for (record, field, value) in edits {
            other.put(&records[*record], field_name(*field), value.clone())?;
            other.commit();
        }
        let mut bytes = Vec::new();
        for change in other.get_changes(&heads) {
            let mut change = change.clone();
            bytes.extend_from_slice(&change.bytes());
        }
        Ok(bytes)
    }

    fn apply(&mut self, update: &[u8]) -> Result<Aside> {
        self.doc.load_incremental(update)?;
        append(self.log.as_mut(), update)?;
        Ok(Aside { cpu: std::time::Duration::ZERO, bytes: update.len() as u64 })
    }
}

/// Loro.
pub struct Loro {
    doc: loro::LoroDoc,
    log: Option<File>,
}

impl Loro {
    fn record(&self, record: usize) -> Result<loro::LoroMap> {
        let value = self.doc.get_map("records").get(&record_name(record)).context("the record is there")?;
        value.into_container().ok().and_then(|container| container.into_map().ok()).context("a record is a map")
    }
}

impl Contestant for Loro {
    const NAME: &'static str = "loro";

    fn fill(value: &dyn Fn(usize, usize) -> String) -> Result<Self> {
        let doc = loro::LoroDoc::new();
        let records = doc.get_map("records");
        for record in 0..RECORDS {
            let map = records.insert_container(&record_name(record), loro::LoroMap::new())?;
            for field in 0..FIELDS {
                map.insert(&field_name(field), value(record, field))?;
            }
        }
        doc.commit();
        Ok(Self { doc, log: None })
    }

    fn save(&mut self, folder: &Path) -> Result<()> {
        std::fs::write(folder.join("loro"), self.doc.export(loro::ExportMode::Snapshot)?)?;
        self.log = Some(File::create(folder.join("loro.log"))?);
        Ok(())
    }

    fn open(folder: &Path) -> Result<Self> {
        let doc = loro::LoroDoc::new();
        doc.import(&std::fs::read(folder.join("loro"))?)?;
        Ok(Self { doc, log: None })
    }

    fn read(&mut self, record: usize) -> Result<usize> {
        Ok(self.record(record)?.len())
    }

    fn edit(&mut self, record: usize, field: usize, value: String, durable: bool) -> Result<()> {
        let before = durable.then(|| self.doc.oplog_vv());
        self.record(record)?.insert(&field_name(field), value)?;
        self.doc.commit();
        if let Some(before) = before {
            let change = self.doc.export(loro::ExportMode::updates(&before))?;
            append(self.log.as_mut(), &change)?;
        }
        Ok(())
    }

    fn remote_edits(&mut self, edits: &[(usize, usize, String)]) -> Result<Vec<u8>> {
        let other = Self { doc: self.doc.fork(), log: None };
        let before = other.doc.oplog_vv();
        for (record, field, value) in edits {
            other.record(*record)?.insert(&field_name(*field), value.clone())?;
            other.doc.commit();
        }
        Ok(other.doc.export(loro::ExportMode::updates(&before))?)
    }

    fn apply(&mut self, update: &[u8]) -> Result<Aside> {
        self.doc.import(update)?;
        append(self.log.as_mut(), update)?;
        Ok(Aside { cpu: std::time::Duration::ZERO, bytes: update.len() as u64 })
    }
}

/// Yrs, the Rust port of Yjs.
pub struct Yrs {
    doc: yrs::Doc,
    log: Option<File>,
}

impl Contestant for Yrs {
    const NAME: &'static str = "yrs";

    fn fill(value: &dyn Fn(usize, usize) -> String) -> Result<Self> {
        use yrs::{Map as _, Transact as _};
        let doc = yrs::Doc::new();
        let records = doc.get_or_insert_map("records");
        let mut transaction = doc.transact_mut();
        for record in 0..RECORDS {
            let fields = yrs::MapPrelim::from_iter((0..FIELDS).map(|field| (field_name(field), value(record, field))));
            records.insert(&mut transaction, record_name(record), fields);
        }
        drop(transaction);
        Ok(Self { doc, log: None })
    }

    fn save(&mut self, folder: &Path) -> Result<()> {
        use yrs::{ReadTxn as _, Transact as _};
        let state = self.doc.transact().encode_state_as_update_v1(&yrs::StateVector::default());
        std::fs::write(folder.join("yrs"), state)?;
        self.log = Some(File::create(folder.join("yrs.log"))?);
        Ok(())
    }

    fn open(folder: &Path) -> Result<Self> {
        use yrs::Transact as _;
        use yrs::updates::decoder::Decode as _;
        let doc = yrs::Doc::new();
        let update = yrs::Update::decode_v1(&std::fs::read(folder.join("yrs"))?)?;
        doc.transact_mut().apply_update(update)?;
        Ok(Self { doc, log: None })
    }

    fn read(&mut self, record: usize) -> Result<usize> {
        use yrs::{Map as _, Transact as _};
        let records = self.doc.get_or_insert_map("records");
        let transaction = self.doc.transact();
        let map = records.get(&transaction, &record_name(record)).context("the record is there")?;
        Ok(map.cast::<yrs::MapRef>().map_err(|_| anyhow::anyhow!("a record is a map"))?.len(&transaction) as usize)
    }

    fn edit(&mut self, record: usize, field: usize, value: String, durable: bool) -> Result<()> {
        use yrs::{Map as _, ReadTxn as _, Transact as _};
        let records = self.doc.get_or_insert_map("records");
        let mut transaction = self.doc.transact_mut();
        let before = durable.then(|| transaction.state_vector());
        let map = records.get(&transaction, &record_name(record)).context("the record is there")?;
        let map = map.cast::<yrs::MapRef>().map_err(|_| anyhow::anyhow!("a record is a map"))?;
        map.insert(&mut transaction, field_name(field), value);
        if let Some(before) = before {
            let change = transaction.encode_diff_v1(&before);
            append(self.log.as_mut(), &change)?;
        }
        Ok(())
    }

    fn remote_edits(&mut self, edits: &[(usize, usize, String)]) -> Result<Vec<u8>> {
        use yrs::updates::decoder::Decode as _;
        use yrs::{ReadTxn as _, Transact as _};
        let state = self.doc.transact().encode_state_as_update_v1(&yrs::StateVector::default());
        let mut other = Self { doc: yrs::Doc::new(), log: None };
        other.doc.transact_mut().apply_update(yrs::Update::decode_v1(&state)?)?;
        let before = other.doc.transact().state_vector();
        for (record, field, value) in edits {
            other.edit(*record, *field, value.clone(), false)?;
        }
        let transaction = other.doc.transact();
        Ok(transaction.encode_diff_v1(&before))
    }

    fn apply(&mut self, update: &[u8]) -> Result<Aside> {
        use yrs::Transact as _;
        use yrs::updates::decoder::Decode as _;
        self.doc.transact_mut().apply_update(yrs::Update::decode_v1(update)?)?;
        append(self.log.as_mut(), update)?;
        Ok(Aside { cpu: std::time::Duration::ZERO, bytes: update.len() as u64 })
    }
}

fn append(log: Option<&mut File>, bytes: &[u8]) -> Result<()> {
    let log = log.context("a document that is durable has its file")?;
    log.write_all(bytes)?;
    log.sync_data()?;
    Ok(())
}
