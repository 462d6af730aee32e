//! The organisation's plan, for its advisers: one line at a time, and none over what another has written meanwhile.
//!
//! The relay reads these lines, so that what is no line of a plan is refused here and not only where it was typed.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use baken_schemas::FormatError;
use baken_schemas::adviser::{Line, MAX_LINES, Plan, PlanChange, PlanChanged, PlanLine};
use baken_schemas::cbor;
use baken_schemas::id::{DeviceId, LineId};
use baken_schemas::org::OrgId;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::audit;
use crate::relay::Relay;
use crate::relay::auth::{BySig, Phone};
use crate::relay::once::{Answer, Done};
use crate::relay::page;
use crate::relay::problem::Refusal;
use crate::store::Priority;

/// `GET /v0/plan`.
pub(super) async fn fetch(State(relay): State<Relay>, request: BySig) -> Response {
    read(&relay, &request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn read(relay: &Relay, request: &BySig) -> Result<Answer, Refusal> {
    let adviser = request.caller.adviser()?;
    let plan = relay.store().read_page(move |db| plan_of(db, adviser.org)).await?;
    Ok(Answer(cbor::to_vec(&plan)))
}

/// `PUT /v0/plan/{line}`.
pub(super) async fn put(State(relay): State<Relay>, Path(line): Path<String>, request: BySig) -> Response {
    take(&relay, &line, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, line: &str, request: BySig) -> Result<Answer, Refusal> {
    let adviser = request.caller.adviser()?;
    let id: LineId = page::id(line)?;
    let change: PlanChange = cbor::from_slice(&request.body, "a change of a plan")?;
    if let Some(line) = &change.line {
        line.check()?;
        if line.fixed_id().is_some_and(|fixed| fixed != id) {
            let rule = "this line has an id of its own: another one would be a second of it";
            return Err(FormatError::Rule { what: "a line of a plan", rule }.into());
        }
    }
    let now = relay.now();
    relay.once(request.write, Priority::Normal, move |db| store(db, &adviser, id, &change, now)).await
}

fn store(db: &Connection, adviser: &Phone, id: LineId, change: &PlanChange, now: Timestamp) -> Result<Done, Refusal> {
    let org = adviser.org.0.0;
    let there: Option<u64> = db
        .prepare_cached("SELECT version FROM plan_line WHERE org = ?1 AND line = ?2")?
        .query_row(params![org, id.0], |row| row.get(0))
        .optional()?;
    if there.unwrap_or(0) != change.expected {
        return Err(Refusal::PlanChanged);
    }
    let lines: usize =
        db.prepare_cached("SELECT count(*) FROM plan_line WHERE org = ?1")?.query_row([org], |row| row.get(0))?;
    if there.is_none() && change.line.is_some() && lines >= MAX_LINES {
        return Err(Refusal::TooMany);
    }
    let version: u64 = db
        .prepare_cached(
            "INSERT INTO plan (org, version) VALUES (?1, 1)
             ON CONFLICT DO UPDATE SET version = version + 1 RETURNING version",
        )?
        .query_row([org], |row| row.get(0))?;
    let act = if let Some(line) = &change.line {
        db.prepare_cached(
            "INSERT INTO plan_line (org, line, version, bytes, changed_by, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET version = ?3, bytes = ?4, changed_by = ?5, at = ?6",
        )?
        .execute(params![org, id.0, version, cbor::to_vec(line), adviser.device.0, now.0])?;
        "plan_changed"
    } else {
        db.prepare_cached("DELETE FROM plan_line WHERE org = ?1 AND line = ?2")?.execute(params![org, id.0])?;
        "plan_line_removed"
    };
    audit::append_for(db, now, adviser.device, act, &id, "ok")?;
    Ok(Done { answer: cbor::to_vec(&PlanChanged { version }), ..Done::default() })
}

fn plan_of(db: &Connection, org: OrgId) -> Result<Plan, Refusal> {
    let version = db
        .prepare_cached("SELECT version FROM plan WHERE org = ?1")?
        .query_row([org.0.0], |row| row.get(0))
        .optional()?
        .unwrap_or(0);
    let mut statement = db.prepare_cached(
        "SELECT line, version, bytes, changed_by, at FROM plan_line WHERE org = ?1 ORDER BY line LIMIT ?2",
    )?;
    let mut rows = statement.query(params![org.0.0, MAX_LINES])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(2)?;
        lines.push(PlanLine {
            id: LineId(row.get(0)?),
            version: row.get(1)?,
            line: cbor::from_slice::<Line>(&bytes, "a line of a plan")?,
            by: DeviceId(row.get(3)?),
            at: Timestamp(row.get(4)?),
        });
    }
    Ok(Plan { version, lines })
}
