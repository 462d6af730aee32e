//! `baken briefing`: what the police contact or adviser says, and what was promised and not heard.

use baken_core::briefing::{BriefingView, NewBriefing};
use baken_schemas::local_time::local;
use serde_json::json;

use super::circle::{circle_name, device_name, find_circle};
use super::short;
use crate::args::{Arguments, BriefingCommand};
use crate::failure::{End, Failure};
use crate::moment;
use crate::output::{Colour, Output};
use crate::phone::{Phone, clock};
use crate::text::sharing as text;

pub fn run(arguments: &Arguments, command: &BriefingCommand, out: &Output) -> Result<End, Failure> {
    let baken = Phone::unlocked(arguments, out)?.baken;
    let circles = baken.circles()?;
    match command {
        BriefingCommand::Add { circle, told, no_news: _, by, next } => {
            let circle = find_circle(&circles, circle.as_deref().unwrap_or("dossier"))?;
            let read = |typed: &String| moment::moment(typed, clock().now()).ok_or(Failure::Input("value_not_time"));
            let new = NewBriefing { told: told.clone(), by: by.clone(), next: next.as_ref().map(read).transpose()? };
            let record = baken.brief(circle.circle, new)?;
            out.json(&json!({"record": record, "circle": circle.circle}));
            out.line(text::BRIEFED.of(out.language));
        }
        BriefingCommand::List => {
            let briefings = baken.briefings()?;
            out.json(&json!({"briefings": briefings}));
            for view in &briefings {
                let circle = circles.iter().find(|circle| circle.circle == view.circle);
                tell(view, &circle.map(|circle| circle_name(circle, out.language)).unwrap_or_default(), out);
            }
            baken.shown(&briefings.iter().map(|view| view.record).collect::<Vec<_>>())?;
        }
    }
    Ok(End::Done)
}

fn tell(view: &BriefingView, circle: &str, out: &Output) {
    let lang = out.language;
    let from = match (&view.device_name, view.device) {
        (name, Some(device)) => device_name(name.as_deref(), device),
        (_, None) => String::new(),
    };
    let from = if view.by.is_empty() { from } else { format!("{} ({from})", view.by) };
    let at = view.at.map(local).unwrap_or_default();
    out.line(format!("{at}  {circle}  {}  {}", text::TOLD_BY.with(lang, &[&from]), short(view.record)));
    out.line(format!("  {}", if view.no_news { text::NO_NEWS.of(lang) } else { &view.told }));
    match view.next {
        Some(next) if view.missed => {
            out.line(format!("  {}", out.paint(Colour::Yellow, &text::MISSED.with(lang, &[&local(next)]))));
        }
        Some(next) => out.line(format!("  {}", text::NEXT.with(lang, &[&local(next)]))),
        None => {}
    }
}
