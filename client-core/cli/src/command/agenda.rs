//! `baken agenda` and `baken aftercare`: what is due, and the moments after it has become quiet.

use baken_core::aftercare::AftercareFor;
use baken_core::agenda::{AgendaItem, ics};
use baken_core::record::RecordView;
use baken_schemas::edition::Date;
use baken_schemas::local_time::local;
use baken_schemas::record::kind_named;
use serde_json::json;

use super::record::find_record;
use super::short;
use crate::args::{AftercareCommand, AgendaArgs, Arguments, Whom};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::{Phone, clock};
use crate::text;

const DAY_MS: i64 = 86_400_000;

pub fn run(arguments: &Arguments, args: &AgendaArgs, out: &Output) -> Result<End, Failure> {
    let baken = Phone::unlocked(arguments, out)?.baken;
    if let Some(typed) = &args.done {
        let record = find_record(&baken, typed)?;
        baken.finish(record, args.outcome.as_deref())?;
        out.json(&json!({"record": record, "done": true}));
        out.line(text::FINISHED.with(out.language, &[&short(record)]));
        return Ok(End::Done);
    }
    let now = clock().now();
    let items = baken.agenda(now.plus_ms(i64::from(args.days) * DAY_MS))?;
    if let Some(file) = &args.ics {
        std::fs::write(file, ics(&items, out.language, now))?;
    }
    // What it is about is the person's own, and shown only when asked for.
    let about =
        |item: &AgendaItem| if args.full { baken.record(item.record).ok().map(|record| title(&record)) } else { None };
    let entry = |item: &AgendaItem| {
        json!({"at": item.at, "due": item.due, "title": item.due.title(out.language), "record": item.record,
            "circle": item.circle, "overdue": item.overdue, "about": about(item)})
    };
    out.json(&json!({"agenda": items.iter().map(entry).collect::<Vec<_>>(), "ics": args.ics}));
    let row = |item: &AgendaItem| {
        let overdue =
            if item.overdue { out.paint(Colour::Yellow, text::OVERDUE.of(out.language)) } else { String::new() };
        let said = about(item).filter(|about| !about.is_empty());
        vec![
            local(item.at),
            said.unwrap_or_else(|| item.due.title(out.language).to_owned()),
            short(item.record),
            overdue,
        ]
    };
    let head = [text::WHEN, text::WHAT, text::RECORD, text::STATE].map(|text| text.of(out.language));
    out.table(&head, &items.iter().map(row).collect::<Vec<_>>());
    if args.full {
        baken.shown(&items.iter().map(|item| item.record).collect::<Vec<_>>())?;
    }
    Ok(End::Done)
}

/// What a list shows of a record: its kind's first field.
fn title(record: &RecordView) -> String {
    let spec = record.kind_name.and_then(kind_named);
    spec.and_then(|spec| spec.fields.first()).map(|field| record.text(field.name)).unwrap_or_default()
}

pub fn aftercare(arguments: &Arguments, command: &AftercareCommand, out: &Output) -> Result<End, Failure> {
    let AftercareCommand::Start { whom, from, helper } = command;
    let baken = Phone::unlocked(arguments, out)?.baken;
    let whom = match whom {
        Whom::Own => AftercareFor::Own,
        Whom::Family => AftercareFor::Family,
    };
    let from = from.unwrap_or_else(|| Date::of(clock().now()));
    let started = baken.start_aftercare(whom, from, out.language)?;
    if let Some(helper) = helper {
        baken.choose_helper(started.plan, helper)?;
    }
    let moments = started.moments.iter().map(|(record, at)| json!({"record": record, "at": at}));
    out.json(&json!({"plan": started.plan, "circle": started.circle, "moments": moments.collect::<Vec<_>>()}));
    out.line(text::MADE.with(out.language, &[&short(started.plan)]));
    for (record, at) in &started.moments {
        out.line(format!("  {}  {}", local(*at), short(record)));
    }
    Ok(End::Done)
}
