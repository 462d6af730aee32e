//! `baken incident`: writing down, with the vault locked too; reporting, joining and handing over. All of it works offline.

use baken_core::incident::pack::{PackFor, Packed, verify};
use baken_core::incident::{TimelineItem, label};
use baken_core::record::RecordView;
use baken_core::transport::http::Dates;
use baken_core::{Baken, BakenError, attachment::Part};
use baken_schemas::id::RecordId;
use baken_schemas::local_time::local;
use baken_schemas::record::words::THREAT_SOURCE;
use baken_schemas::record::{Value, kind_named};
use baken_schemas::time::Timestamp;
use serde_json::json;

use super::attach::outside;
use super::record::find_record;
use super::{find, prompt, read_stdin, short};
use crate::args::{AddArgs, Arguments, IncidentCommand, PackArgs, Reader, ReportArgs, YesNo};
use crate::failure::{End, Failure};
use crate::moment::past;
use crate::output::Output;
use crate::phone::{Phone, clock};
use crate::text::{self, Text};
use crate::value::{field_name, fields, record_json, to_text};

/// The most characters of an incident in a list.
const MAX_CELL_CHARS: usize = 60;

pub async fn run(arguments: &Arguments, command: &IncidentCommand, out: &Output) -> Result<End, Failure> {
    match command {
        IncidentCommand::Verify { folder } => return check(folder, out),
        IncidentCommand::Note { what, at, place, source } => {
            return note(arguments, (what, at.as_ref(), place.as_ref(), source.as_ref()), out);
        }
        _ => {}
    }
    let phone = Phone::unlocked(arguments, out)?;
    let baken = &phone.baken;
    match command {
        IncidentCommand::Verify { .. } | IncidentCommand::Note { .. } => {}
        IncidentCommand::Add(args) => add(baken, args, out)?,
        IncidentCommand::List => list(baken, out)?,
        IncidentCommand::Show { incident } => show(baken, find_incident(baken, incident)?, out)?,
        IncidentCommand::Timeline => {
            let items = baken.timeline()?;
            timeline(&items, out);
            baken.shown(&items.iter().map(|item| item.record).collect::<Vec<_>>())?;
        }
        IncidentCommand::Link { from, to, why } => {
            let link = baken.link(find_incident(baken, from)?, find_incident(baken, to)?, why)?;
            out.json(&json!({"record": link}));
            out.line(text::LINKED.of(out.language));
        }
        IncidentCommand::Report(args) => report(baken, args, out)?,
        IncidentCommand::Pack(args) => pack(&phone, args, out).await?,
    }
    Ok(End::Done)
}

/// What was noted: what, when, where and from whom, as it was typed.
type Noted<'a> = (&'a String, Option<&'a String>, Option<&'a String>, Option<&'a String>);

/// Notes an incident without a PIN, and never opens the vault; it becomes a record when that is opened next.
fn note(arguments: &Arguments, (what, at, place, source): Noted<'_>, out: &Output) -> Result<End, Failure> {
    let kind = kind_named("incident").ok_or(BakenError::UnknownKind)?;
    let at = at.cloned().unwrap_or_else(|| clock().now().to_rfc3339());
    let named = [("what", Some(what)), ("happened_at", Some(&at)), ("place", place), ("source", source)];
    let typed: Vec<String> = named.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))).collect();
    let waiting = Phone::open(arguments)?.baken.note_incident(fields(kind, &typed)?)?;
    out.json(&json!({"noted": true, "waiting": waiting}));
    out.line(text::NOTED.of(out.language));
    Ok(End::Done)
}

/// The incident or signal whose id begins so.
pub(super) fn find_incident(baken: &Baken, typed: &str) -> Result<RecordId, Failure> {
    if typed.parse::<RecordId>().is_ok() {
        return find_record(baken, typed);
    }
    let ids: Vec<RecordId> = baken.timeline()?.iter().map(|item| item.record).collect();
    find(&ids, typed, BakenError::NoSuchIncident.into())
}

fn add(baken: &Baken, args: &AddArgs, out: &Output) -> Result<(), Failure> {
    let asks = args.what.is_none();
    let ask = |given: &Option<String>, question: Text| match given {
        Some(text) => Ok(text.clone()),
        None if asks => {
            prompt(question.of(out.language), out)?;
            Ok(read_stdin(true)?.trim().to_owned())
        }
        None => Ok::<_, Failure>(String::new()),
    };
    let what = ask(&args.what, text::ASK_WHAT)?;
    if what.is_empty() {
        return Err(Failure::Input("what_missing"));
    }
    let when = ask(&args.when, text::ASK_WHEN)?;
    let at = moment_or_now(Some(when.as_str()).filter(|when| !when.is_empty()))?;
    let mut fields = vec![("what", what)];
    fields.push(("place", ask(&args.place, text::ASK_WHERE)?));
    fields.push(("who", ask(&args.who, text::ASK_WHO)?));
    fields.push(("with_what", ask(&args.with_what, text::ASK_WITH_WHAT)?));
    fields.push(("how", ask(&args.how, text::ASK_HOW)?));
    fields.push(("why", ask(&args.why, text::ASK_WHY)?));
    fields.push(("threat_source", threat_source(&ask(&args.threat_source, text::ASK_THREAT_SOURCE)?)?));
    fields.push(("witnesses", args.witnesses.clone().unwrap_or_default()));
    let said = fields.into_iter().filter(|(_, text)| !text.is_empty());
    let mut fields: Vec<(String, Value)> = said.map(|(name, text)| (name.to_owned(), Value::Text(text))).collect();
    fields.push(("happened_at".to_owned(), Value::Int(at.0)));
    let record = baken.create("incident", fields)?;
    out.json(&json!({"record": record}));
    out.line(text::MADE.with(out.language, &[&short(record)]));
    out.line(text::INCIDENT_NEXT.with(out.language, &[&short(record), &short(record), &short(record)]));
    Ok(())
}

/// A word of the list, or its number in the question.
fn threat_source(typed: &str) -> Result<String, Failure> {
    let numbered = typed.parse::<usize>().ok().and_then(|number| THREAT_SOURCE.get(number.checked_sub(1)?));
    match numbered.or_else(|| THREAT_SOURCE.iter().find(|word| **word == typed)) {
        Some(word) => Ok((*word).to_owned()),
        None if typed.is_empty() => Ok(String::new()),
        None => Err(Failure::Input("threat_source_unknown")),
    }
}

fn moment_or_now(typed: Option<&str>) -> Result<Timestamp, Failure> {
    let now = clock().now();
    typed.map_or(Ok(now), |typed| past(typed, now).ok_or(Failure::Input("value_not_time")))
}

fn report(baken: &Baken, args: &ReportArgs, out: &Output) -> Result<(), Failure> {
    let incident = find_incident(baken, &args.incident)?;
    let (at, before) = (moment_or_now(args.at.as_deref())?, baken.incident(incident)?);
    let mut fields: Vec<(String, Value)> = Vec::new();
    let mut put = |name: &str, value: Option<Value>| fields.extend(value.map(|value| (name.to_owned(), value)));
    let text = |text: &Option<String>| text.clone().map(Value::Text);
    let yes = |said: Option<YesNo>| said.map(|said| Value::Bool(said == YesNo::Yes));
    put("reported_to", text(&args.internal));
    put("reported_at", args.internal.as_ref().map(|_| Value::Int(at.0)));
    put("police", text(&args.police));
    let was_told = args.police.as_deref().is_some_and(|police| police != "none-yet");
    // Who adds a number or the VPT code later has not been to the police again.
    let is_same = args.at.is_none()
        && before.moment("police_at").is_some()
        && args.police.as_ref().is_some_and(|police| before.says("police", &Value::Text(police.clone())));
    put("police_at", (was_told && !is_same).then_some(Value::Int(at.0)));
    put("police_number", text(&args.number));
    put("police_reason", text(&args.reason));
    put("vpt_asked", yes(args.vpt));
    put("domicile_office", yes(args.domicile));
    put("told", args.told.as_ref().map(|told| Value::Text(added(&before.text("told"), told))));
    let follow_up = args.follow_up.as_deref().map(|typed| moment_or_now(Some(typed))).transpose()?;
    put("follow_up", follow_up.map(|at| Value::Int(at.0)));
    baken.put(incident, fields)?;
    out.json(&json!({"record": incident}));
    out.line(text::MADE.with(out.language, &[&short(incident)]));
    if was_told && args.vpt.is_none() {
        out.line(text::ASK_VPT.of(out.language));
    }
    Ok(())
}

/// Who was told before, and who was told now.
fn added(before: &str, now: &str) -> String {
    match before {
        "" => now.to_owned(),
        _ if before.split("; ").any(|told| told == now) => before.to_owned(),
        _ => format!("{before}; {now}"),
    }
}

fn list(baken: &Baken, out: &Output) -> Result<(), Failure> {
    let (mut records, copies) = (baken.records(Some("incident"))?, baken.shared_copies()?);
    records.retain(|record| !record.deleted && !copies.contains(&record.record));
    records.sort_by_key(|record| (std::cmp::Reverse(record.moment("happened_at")), record.record));
    out.json(&json!({"incidents": records.iter().map(record_json).collect::<Vec<_>>()}));
    let lang = out.language;
    let row = |record: &RecordView| {
        vec![
            short(record.record),
            record.moment("happened_at").map(local).unwrap_or_default(),
            cut(&record.text("what")),
            label(&record.text("threat_source"), lang).to_owned(),
            record.text("reported_to"),
            label(&record.text("police"), lang).to_owned(),
        ]
    };
    let head = [text::RECORD, text::WHEN, text::WHAT, text::SOURCE, text::REPORTED_TO, text::POLICE];
    out.table(&head.map(|text| text.of(lang)), &records.iter().map(row).collect::<Vec<_>>());
    baken.shown(&records.iter().map(|record| record.record).collect::<Vec<_>>())?;
    Ok(())
}

fn show(baken: &Baken, incident: RecordId, out: &Output) -> Result<(), Failure> {
    let record = baken.incident(incident)?;
    let mut evidence = baken.attachments(Some(incident))?;
    evidence.retain(|view| !view.deleted);
    let timeline = baken.timeline()?;
    let item = timeline.iter().find(|item| item.record == incident);
    out.json(&json!({"incident": record_json(&record), "evidence": evidence,
        "same_perpetrator": item.map(|item| &item.same_perpetrator), "linked": item.map(|item| &item.linked)}));
    for field in &record.fields {
        let name = field_name(field.name, field.field);
        let spec = baken_schemas::record::kind_numbered(record.kind).and_then(|kind| kind.field_numbered(field.field));
        let values = field.values.iter().map(|view| match &view.value {
            Value::Text(word) if spec.is_some_and(|spec| !spec.words.is_empty()) => {
                label(word, out.language).to_owned()
            }
            Value::Bool(true) => text::YES.of(out.language).to_owned(),
            Value::Bool(false) => text::NO.of(out.language).to_owned(),
            Value::Int(ms) if spec.is_some_and(|spec| spec.holds == baken_schemas::record::FieldType::Time) => {
                local(Timestamp(*ms))
            }
            value => to_text(value, spec.map(|spec| spec.holds)),
        });
        out.line(format!("{name:<16} {}", values.collect::<Vec<_>>().join(" / ")));
    }
    for view in &evidence {
        out.line(format!("{:<16} {}  {}", text::EVIDENCE.of(out.language), short(view.record), view.name));
    }
    let same = item.into_iter().flat_map(|item| &item.same_perpetrator);
    for (name, other) in same
        .map(|other| (text::SAME_PERPETRATOR, other))
        .chain(item.into_iter().flat_map(|item| &item.linked).map(|other| (text::LINK, other)))
    {
        let what = timeline.iter().find(|item| item.record == *other).map(|item| cut(&item.what)).unwrap_or_default();
        out.line(format!("{:<16} {}  {what}", name.of(out.language), short(other)));
    }
    baken.shown(&[incident])?;
    Ok(())
}

fn timeline(items: &[TimelineItem], out: &Output) {
    out.json(&json!({"timeline": items}));
    let ids = |records: &[RecordId]| records.iter().map(short).collect::<Vec<_>>().join(" ");
    let row = |item: &TimelineItem| {
        vec![
            item.at.map(local).unwrap_or_default(),
            short(item.record),
            item.kind.to_owned(),
            cut(&item.what),
            label(&item.police, out.language).to_owned(),
            ids(&item.same_perpetrator),
            ids(&item.linked),
        ]
    };
    let head = [text::WHEN, text::RECORD, text::KIND, text::WHAT, text::POLICE, text::SAME_PERPETRATOR, text::LINK];
    out.table(&head.map(|text| text.of(out.language)), &items.iter().map(row).collect::<Vec<_>>());
}

async fn pack(phone: &Phone, args: &PackArgs, out: &Output) -> Result<(), Failure> {
    let baken = &phone.baken;
    let incident = args.incident.as_deref().map(|typed| find_incident(baken, typed)).transpose()?;
    let reader = match (args.reader, incident) {
        (Reader::Police, Some(incident)) => {
            fetch_evidence(phone, incident).await;
            PackFor::Police(incident)
        }
        (Reader::Register, Some(incident)) => PackFor::Register { incident, name_person: args.name_person },
        (Reader::Council, _) => PackFor::Council { year: args.year },
        (_, None) => return Err(BakenError::NoSuchIncident.into()),
    };
    let Packed { files, not_here, fingerprint } = baken.hand_over(reader, &args.out).map_err(outside)?;
    out.json(&json!({"out": args.out, "files": files, "not_here": not_here, "fingerprint": fingerprint}));
    let lang = out.language;
    out.line(text::PACKED.with(lang, &[&args.out.display().to_string(), &files.join(", ")]));
    if !not_here.is_empty() {
        out.line(text::PACK_NOT_HERE.with(lang, &[&not_here.len().to_string()]));
    }
    if let Some(fingerprint) = fingerprint {
        out.line(text::PACK_FINGERPRINT.with(lang, &[&fingerprint]));
    }
    out.line(text::PACK_CONFIDENTIAL.of(lang));
    Ok(())
}

/// Fetches what is not here, where the relay is reached. What does not come is said of the pack.
async fn fetch_evidence(phone: &Phone, incident: RecordId) {
    let Ok(relay) = phone.relay(Dates::Checked) else { return };
    for view in phone.baken.attachments(Some(incident)).unwrap_or_default() {
        if !view.here && !view.deleted {
            let _ = phone.baken.fetch_attachment(&relay, view.record, Part::File, &|_| ()).await;
        }
    }
}

fn check(folder: &std::path::Path, out: &Output) -> Result<End, Failure> {
    let verified = verify(folder).map_err(outside)?;
    out.json(&json!({"verified": verified}));
    let lang = out.language;
    out.line(text::PACK_VERIFIED.with(lang, &[&verified.files.to_string(), &local(verified.made_at)]));
    out.line(text::PACK_FINGERPRINT.with(lang, &[&verified.fingerprint]));
    out.line(text::PACK_PROVES.of(lang));
    Ok(End::Done)
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_CELL_CHARS).collect()
}
