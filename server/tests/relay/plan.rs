//! The organisation's plan at the relay: for its advisers alone, no write lost, bounded; and readiness, by consent.

use baken_schemas::adviser::{
    Function, Item, Line, MAX_LINES, Number, OrgReadiness, Plan, PlanChange, PlanChanged, Readiness, ReadinessReport,
    Ready, Role, State, Step, Term, Theme,
};
use baken_schemas::api;
use baken_schemas::cbor;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AccountId, IdempotencyKey, LineId};
use baken_schemas::org::{Invite, InviteRegistration, InviteRole};
use baken_schemas::signed::Signed;
use baken_server::store::StoreError;
use rusqlite::params;

use super::world::{Answer, World};

impl World {
    /// An invite of a role, registered with the relay.
    pub async fn invite_as(&mut self, role: InviteRole) -> Invite {
        let invite = Invite { role, ..self.invite().await };
        let other = Invite { invite: baken_schemas::id::InviteId::make(&mut self.rng), ..invite };
        self.publish(Signed::make(InviteRegistration::of(&other), &self.root).bytes()).await.ok();
        other
    }

    async fn adviser(&mut self) -> DeviceKeys {
        let keys = DeviceKeys::make(&mut self.rng);
        let invite = self.invite_as(InviteRole::Adviser).await;
        self.use_invite(&invite, &keys).await.ok();
        keys
    }

    pub async fn plan(&mut self, adviser: &DeviceKeys) -> Plan {
        let body = self.call(adviser, "GET", api::PLAN, &[]).await.ok();
        cbor::from_slice(&body, "a plan").unwrap()
    }

    pub async fn change(&mut self, adviser: &DeviceKeys, id: LineId, expected: u64, line: Option<Line>) -> Answer {
        let path = api::PLAN_LINE.replace("{line}", &id.to_string());
        self.call(adviser, "PUT", &path, &cbor::to_vec(&PlanChange { expected, line })).await
    }

    pub async fn ready(&mut self, phone: &DeviceKeys, consents: bool, ready: Ready) -> Answer {
        let report = ReadinessReport { consents, readiness: Readiness::of(|_| ready) };
        self.call(phone, "PUT", api::READINESS, &cbor::to_vec(&report)).await
    }

    async fn shared_with(&mut self, adviser: &DeviceKeys) -> Vec<(AccountId, Ready)> {
        let body = self.call(adviser, "GET", api::READINESS, &[]).await.ok();
        let readiness: OrgReadiness = cbor::from_slice(&body, "readiness").unwrap();
        readiness.people.iter().map(|person| (person.account, person.readiness.step(Step::Contacts))).collect()
    }
}

pub fn item(title: &str) -> Line {
    let title = title.parse().unwrap();
    Line::Item(Item { theme: Theme::Continuity, title, state: State::Open, owner: None, due: None })
}

fn version(answer: Answer) -> u64 {
    cbor::from_slice::<PlanChanged>(&answer.ok(), "a change").unwrap().version
}

#[tokio::test]
async fn two_advisers_see_one_plan_and_neither_writes_over_the_other() {
    let mut world = World::new().await;
    let (one, other) = (world.adviser().await, world.adviser().await);
    let id = LineId([7; 16]);
    let first = version(world.change(&one, id, 0, Some(item("Noodstroom"))).await);
    let seen = world.plan(&other).await;
    assert_eq!((seen.lines[0].version, seen.lines[0].by), (first, one.device));
    let second = version(world.change(&other, id, first, Some(item("Noodstroom en water"))).await);
    // The first adviser still has what was there before.
    world.change(&one, id, first, Some(item("Iets anders"))).await.is(409, "plan_changed");
    world.change(&one, id, first, None).await.is(409, "plan_changed");
    world.change(&one, id, 0, Some(item("Iets anders"))).await.is(409, "plan_changed");
    let plan = world.plan(&one).await;
    assert_eq!((plan.version, &plan.lines[0].line), (second, &item("Noodstroom en water")));
    // Taken away and written again, it has no version that it had before.
    version(world.change(&one, id, second, None).await);
    assert_eq!(world.plan(&other).await.lines, []);
    world.change(&other, id, second, Some(item("Terug"))).await.is(409, "plan_changed");
    assert!(version(world.change(&other, id, 0, Some(item("Terug"))).await) > second);
    assert_eq!(world.audited("plan_changed").len(), 3);
    assert_eq!(world.audited("plan_line_removed").len(), 1);
}

#[tokio::test]
async fn a_repeat_of_a_change_whose_answer_was_lost_has_no_second_effect() {
    let mut world = World::new().await;
    let adviser = world.adviser().await;
    let (once, path) = (IdempotencyKey([3; 16]), api::PLAN_LINE.replace("{line}", &LineId([7; 16]).to_string()));
    let body = cbor::to_vec(&PlanChange { expected: 0, line: Some(item("Noodstroom")) });
    let first = version(world.call_once(&adviser, ("PUT", &path), &body, once).await);
    assert_eq!(version(world.call_once(&adviser, ("PUT", &path), &body, once).await), first);
    assert_eq!(world.plan(&adviser).await.version, first);
}

#[tokio::test]
async fn only_advisers_of_the_organisation_come_to_the_plan() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let bridge = DeviceKeys::make(&mut world.rng);
    let invite = world.invite_as(InviteRole::Bridge).await;
    world.use_invite(&invite, &bridge).await.ok();
    let adviser = world.adviser().await;
    let further = world.device_of(&adviser).await;
    let desk = world.desks[0].clone();
    for other in [&phone, &bridge, &further, &desk] {
        world.call(other, "GET", api::PLAN, &[]).await.is(403, "not_allowed");
        world.change(other, LineId([1; 16]), 0, Some(item("Nee"))).await.is(403, "not_allowed");
        world.call(other, "GET", api::READINESS, &[]).await.is(403, "not_allowed");
    }
    // An adviser says nothing of itself.
    world.ready(&adviser, true, Ready::Done).await.is(403, "not_allowed");
    assert_eq!(world.plan(&adviser).await, Plan::default());
}

#[tokio::test]
async fn what_is_no_line_or_contradicts_itself_is_refused_and_a_plan_is_bounded() {
    let mut world = World::new().await;
    let adviser = world.adviser().await;
    let path = api::PLAN_LINE.replace("{line}", &LineId([1; 16]).to_string());
    world.call(&adviser, "PUT", &path, b"no line").await.is(422, "malformed");
    let day = |text: &str| text.parse().unwrap();
    let never = Line::Term(Term { starts: day("2026-03-30"), ends: day("2026-01-01") });
    let id = never.fixed_id().unwrap();
    world.change(&adviser, id, 0, Some(never)).await.is(422, "rule_broken");
    // A function has one line: a second under another id would tell phones two numbers.
    let number: Number = "0123-456789".parse().unwrap();
    let (function, holder) = (Function::Clerk, "G. Voorbeeld".parse().unwrap());
    let role = Line::Role(Role { function, holder, number, always: false, deputy: None });
    world.change(&adviser, LineId([1; 16]), 0, Some(role.clone())).await.is(422, "rule_broken");
    world.change(&adviser, role.fixed_id().unwrap(), 0, Some(role)).await.ok();

    let org = world.directory.value().org();
    let bytes = cbor::to_vec(&item("Vol"));
    world
        .relay
        .store()
        .write::<_, StoreError>(baken_server::store::Priority::Normal, move |db| {
            for number in 1..MAX_LINES as u64 {
                let id = [&number.to_be_bytes()[..], &[9; 8]].concat();
                db.execute(
                    "INSERT INTO plan_line (org, line, version, bytes, changed_by, at) VALUES (?1, ?2, 1, ?3, ?4, 0)",
                    params![org.0.0, id, bytes, [1_u8; 16]],
                )?;
            }
            Ok(())
        })
        .await
        .unwrap();
    let plan = world.plan(&adviser).await;
    assert_eq!(plan.lines.len(), MAX_LINES);
    world.change(&adviser, LineId([1; 16]), 0, Some(item("Te veel"))).await.is(409, "too_many");
    // What is there can still be changed and removed.
    let full = plan.lines.iter().find(|line| line.line == item("Vol")).unwrap();
    world.change(&adviser, full.id, full.version, None).await.ok();
    world.change(&adviser, LineId([1; 16]), 0, Some(item("Past"))).await.ok();
}

#[tokio::test]
async fn readiness_is_there_while_its_person_agrees_and_not_a_moment_longer() {
    let mut world = World::new().await;
    let (adviser, phone) = (world.adviser().await, world.phone().await);
    let tablet = world.device_of(&phone).await;
    // Without consent nothing is taken.
    world.ready(&phone, false, Ready::Done).await.is(409, "not_shared");
    world.ready(&phone, true, Ready::NotDone).await.ok();
    world.ready(&phone, false, Ready::Done).await.ok();
    assert_eq!(world.shared_with(&adviser).await.iter().map(|(_, ready)| *ready).collect::<Vec<_>>(), [Ready::Done]);
    // Consent on one device is none on another, and withdrawn on one it is withdrawn on all.
    world.ready(&tablet, false, Ready::NotDone).await.is(409, "not_shared");
    world.call(&tablet, "DELETE", api::READINESS, &[]).await.ok();
    assert_eq!(world.shared_with(&adviser).await, []);
    world.ready(&phone, false, Ready::Done).await.is(409, "not_shared");
    world.call(&tablet, "DELETE", api::READINESS, &[]).await.ok();
    assert_eq!(world.audited("readiness_withheld").len(), 1);
    let rows = world
        .relay
        .store()
        .read(|db| Ok::<u32, StoreError>(db.query_row("SELECT count(*) FROM readiness", [], |row| row.get(0))?));
    assert_eq!(rows.unwrap(), 0);
    // A guest stands for nobody.
    let guest = world.guest_of(&phone).await;
    world.ready(&guest, true, Ready::Done).await.is(403, "not_allowed");
    // What is not said again for three months goes by itself.
    world.ready(&tablet, true, Ready::Done).await.ok();
    world.clock.advance(91 * 24 * 60 * 60 * 1000);
    world.sweep().await;
    assert_eq!(world.shared_with(&adviser).await, []);
}
