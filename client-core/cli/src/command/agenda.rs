//! `baken agenda` and `baken aftercare`: what is due, and the moments after it has become quiet.

use baken_core::aftercare::AftercareFor;
use baken_core::agenda::{AgendaItem, ics};
use baken_schemas::edition::Date;
use baken_schemas::local_time::local;
use serde_json::json;

use super::short;
use crate::args::{AftercareCommand, AgendaArgs, Arguments, Whom};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::{Phone, clock};
use crate::text;

const DAY_MS: i64 = 86_400_000;

pub fn run(arguments: &Arguments, args: &AgendaArgs, out: &Output) -> Result<End, Failure> {
    let baken = Phone::unlocked(arguments, out)?.baken;
    let now = clock().now();
    let items = baken.agenda(now.plus_ms(i64::from(args.days) * DAY_MS))?;
    if let Some(file) = &args.ics {
        std::fs::write(file, ics(&items, out.language, now))?;
    }
    let entry = |item: &AgendaItem| {
        json!({"at": item.at, "due": item.due, "title": item.due.title(out.language), "record": item.record,
            "circle": item.circle, "overdue": item.overdue})
    };
    out.json(&json!({"agenda": items.iter().map(entry).collect::<Vec<_>>(), "ics": args.ics}));
    let row = |item: &AgendaItem| {
        let overdue =
            if item.overdue { out.paint(Colour::Yellow, text::OVERDUE.of(out.language)) } else { String::new() };
        vec![local(item.at), item.due.title(out.language).to_owned(), short(item.record), overdue]
    };
    let head = [text::WHEN, text::WHAT, text::RECORD, text::STATE].map(|text| text.of(out.language));
    out.table(&head, &items.iter().map(row).collect::<Vec<_>>());
    Ok(End::Done)
}

pub fn aftercare(arguments: &Arguments, command: &AftercareCommand, out: &Output) -> Result<End, Failure> {
    let AftercareCommand::Start { whom, from } = command;
    let baken = Phone::unlocked(arguments, out)?.baken;
    let whom = match whom {
        Whom::Own => AftercareFor::Own,
        Whom::Family => AftercareFor::Family,
    };
    let from = from.unwrap_or_else(|| Date::of(clock().now()));
    let started = baken.start_aftercare(whom, from, out.language)?;
    let moments = started.moments.iter().map(|(record, at)| json!({"record": record, "at": at}));
    out.json(&json!({"plan": started.plan, "circle": started.circle, "moments": moments.collect::<Vec<_>>()}));
    out.line(text::MADE.with(out.language, &[&short(started.plan)]));
    for (record, at) in &started.moments {
        out.line(format!("  {}  {}", local(*at), short(record)));
    }
    Ok(End::Done)
}
