//! An adviser is dismissed: by the root alone, from the next request on, for good; and their call for help is still taken.

use baken_schemas::adviser::{Plan, PlanChange, Ready};
use baken_schemas::alarm::{ReceiptState, check_receipt};
use baken_schemas::api::{self, MailKind};
use baken_schemas::cbor;
use baken_schemas::crypto::SigningKey;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{IdempotencyKey, InviteId, LineId};
use baken_schemas::org::{Dismissal, Invite, InviteRegistration, InviteRole, OrgId};
use baken_schemas::signed::Signed;

use super::plan::item;
use super::world::{World, directory};

impl World {
    fn dismissal(&self, invite: &Invite) -> Signed<Dismissal> {
        Signed::make(Dismissal { org: invite.org, invite: invite.invite }, &self.root)
    }

    async fn joined(&mut self, role: InviteRole) -> (DeviceKeys, Invite) {
        let keys = DeviceKeys::make(&mut self.rng);
        let invite = self.invite_as(role).await;
        self.use_invite(&invite, &keys).await.ok();
        (keys, invite)
    }
}

#[tokio::test]
async fn a_dismissed_adviser_is_kept_from_the_plan_for_good_and_nobody_else_is() {
    let mut world = World::new().await;
    let ((one, invite), (other, _)) =
        (world.joined(InviteRole::Adviser).await, world.joined(InviteRole::Adviser).await);
    let line = LineId([7; 16]);
    let (once, path) = (IdempotencyKey([3; 16]), api::PLAN_LINE.replace("{line}", &line.to_string()));
    let change = cbor::to_vec(&PlanChange { expected: 0, line: Some(item("Noodstroom")) });
    world.call_once(&one, ("PUT", &path), &change, once).await.ok();
    let dismissal = world.dismissal(&invite);
    world.publish(dismissal.bytes()).await.ok();
    for restarted in [false, true] {
        world.call(&one, "GET", api::PLAN, &[]).await.is(403, "dismissed");
        world.change(&one, line, 1, None).await.is(403, "dismissed");
        world.call(&one, "GET", api::READINESS, &[]).await.is(403, "dismissed");
        // Nor an answer that was given before, nor as a person who says how ready they are.
        world.call_once(&one, ("PUT", &path), &change, once).await.is(403, "dismissed");
        world.ready(&one, true, Ready::Done).await.is(403, "not_allowed");
        // What the adviser wrote is the organisation's, and stays.
        assert_eq!(world.plan(&other).await.lines.len(), 1);
        if !restarted {
            world.restart().await;
        }
    }
    // Once more changes nothing, whoever sends it.
    world.publish(dismissal.bytes()).await.ok();
    assert_eq!(world.audited("adviser_dismissed"), [(invite.invite.to_string(), "ok".to_owned())]);
    // The same invite makes no adviser again; a new one does, for other keys.
    world.use_invite(&invite, &one).await.is(403, "dismissed");
    world.publish(Signed::make(InviteRegistration::of(&invite), &world.root).bytes()).await.ok();
    world.call(&one, "GET", api::PLAN, &[]).await.is(403, "dismissed");
    let (again, _) = world.joined(InviteRole::Adviser).await;
    assert_eq!(world.plan(&again).await.lines.len(), 1);
}

#[tokio::test]
async fn an_invite_that_waits_is_void_whichever_of_the_two_documents_comes_first() {
    let mut world = World::new().await;
    let waiting = world.invite_as(InviteRole::Adviser).await;
    world.publish(world.dismissal(&waiting).bytes()).await.ok();
    let unheard = Invite { invite: InviteId::make(&mut world.rng), ..waiting.clone() };
    world.publish(world.dismissal(&unheard).bytes()).await.ok();
    world.publish(Signed::make(InviteRegistration::of(&unheard), &world.root).bytes()).await.ok();
    let keys = DeviceKeys::make(&mut world.rng);
    for mut invite in [waiting, unheard] {
        world.use_invite(&invite, &keys).await.is(403, "dismissed");
        world.call(&keys, "GET", api::PLAN, &[]).await.is(401, "unknown_device");
        // Who has not got it learns nothing of it.
        invite.secret[0] ^= 1;
        world.use_invite(&invite, &keys).await.is(403, "invite_unknown");
    }
}

#[tokio::test]
async fn only_an_advisers_own_root_dismisses_and_it_dismisses_nobody_else() {
    let mut world = World::new().await;
    let (adviser, invite) = world.joined(InviteRole::Adviser).await;
    let stranger = SigningKey::make(&mut world.rng);
    let named = Dismissal { org: invite.org, invite: invite.invite };
    world.publish(Signed::make(named, &stranger).bytes()).await.is(422, "bad_signature");
    let elsewhere = Dismissal { org: OrgId::of(&stranger.verify_key()), ..named };
    world.publish(Signed::make(elsewhere, &stranger).bytes()).await.is(404, "unknown_org");
    // Another organisation of this relay, which knows the invite's id.
    world.relay.add_org(elsewhere.org).await.unwrap();
    world.publish(Signed::make(elsewhere, &stranger).bytes()).await.is(409, "no_directory");
    let other = directory(&world.relay_keys, &stranger, &world.desks, 1, &mut world.rng);
    world.publish(other.bytes()).await.ok();
    world.publish(Signed::make(elsewhere, &stranger).bytes()).await.ok();
    assert_eq!(world.plan(&adviser).await, Plan::default());
    let mut cut = world.dismissal(&invite).bytes().to_vec();
    cut.pop();
    world.publish(&cut).await.is(422, "malformed");
    assert_eq!(world.plan(&adviser).await, Plan::default());

    // A phone and a bridge, and invites of theirs that wait.
    for role in [InviteRole::OfficeHolder, InviteRole::Bridge] {
        let (phone, used) = world.joined(role).await;
        let waiting = world.invite_as(role).await;
        for invite in [&used, &waiting] {
            world.publish(world.dismissal(invite).bytes()).await.is(422, "rule_broken");
        }
        let alarm = world.alarm(&phone).0;
        world.press(&phone, &alarm).await.ok();
        let keys = DeviceKeys::make(&mut world.rng);
        world.use_invite(&waiting, &keys).await.ok();
    }
    assert_eq!(world.audited("adviser_dismissed").len(), 1, "the other organisation's, which came to nothing");
}

#[tokio::test]
async fn i1_an_alarm_of_a_dismissed_adviser_is_taken_and_handed_to_a_desk() {
    let mut world = World::new().await;
    let (adviser, invite) = world.joined(InviteRole::Adviser).await;
    world.publish(world.dismissal(&invite).bytes()).await.ok();
    let alarm = world.alarm(&adviser).0;
    let receipt = world.press(&adviser, &alarm).await.ok();
    assert_eq!(check_receipt(&receipt, world.directory.value()).unwrap().value().state, ReceiptState::Stored);
    let desk = world.desks[0].clone();
    assert_eq!(world.count(&desk, MailKind::Alarm).await, 1);
}
