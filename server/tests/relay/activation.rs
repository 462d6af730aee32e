//! Becoming a device: invites, further devices, and who is refused.

use baken_schemas::api::{self, Activated};
use baken_schemas::cbor;
use baken_schemas::crypto::SigningKey;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::IdempotencyKey;
use baken_schemas::org::{InviteRegistration, OrgId};
use baken_schemas::request::RequestKey;
use baken_schemas::signed::Signed;

use crate::relay::world::{World, directory};

#[tokio::test]
async fn an_invite_makes_one_device_of_its_account_and_no_second() {
    let mut world = World::new().await;
    let invite = world.invite().await;
    let phone = DeviceKeys::make(&mut world.rng);
    let answer = world.use_invite(&invite, &phone).await.ok();
    let activated: Activated = cbor::from_slice(&answer, "activated").unwrap();
    assert_eq!(activated.account, invite.account);
    // The answer was lost and the phone tries again, under another idempotency key.
    assert_eq!(world.use_invite(&invite, &phone).await.ok(), answer);
    let thief = DeviceKeys::make(&mut world.rng);
    world.use_invite(&invite, &thief).await.is(409, "invite_used");
    world.call(&thief, "GET", api::MAIL, &[]).await.is(401, "unknown_device");
    world.call(&phone, "GET", api::MAIL, &[]).await.ok();
}

#[tokio::test]
async fn an_expired_unknown_or_guessed_invite_is_refused() {
    let mut world = World::new().await;
    let phone = DeviceKeys::make(&mut world.rng);
    let mut invite = world.invite().await;
    let secret = invite.secret;
    invite.secret[0] ^= 1;
    world.use_invite(&invite, &phone).await.is(403, "invite_unknown");
    invite.secret = secret;
    world.clock.advance(3_600_001);
    world.use_invite(&invite, &phone).await.is(410, "invite_expired");
    invite.invite.0[0] ^= 1;
    world.use_invite(&invite, &phone).await.is(403, "invite_unknown");
    world.call(&phone, "GET", api::MAIL, &[]).await.is(401, "unknown_device");
}

#[tokio::test]
async fn documents_of_strange_roots_are_refused() {
    let mut world = World::new().await;
    let stranger = SigningKey::make(&mut world.rng);
    let other = directory(&world.relay_keys, &stranger, &world.desks, 1, &mut world.rng);
    world.publish(other.bytes()).await.is(404, "unknown_org");
    // A registration for this organisation, signed by another root.
    let invite = world.invite().await;
    let mut registration = InviteRegistration::of(&invite);
    registration.invite.0[0] ^= 1;
    world.publish(Signed::make(registration.clone(), &stranger).bytes()).await.is(422, "bad_signature");
    registration.org = OrgId::of(&stranger.verify_key());
    world.publish(Signed::make(registration, &stranger).bytes()).await.is(404, "unknown_org");
    world.publish(b"nothing of ours").await.is(422, "malformed");
}

#[tokio::test]
async fn i6_a_directory_only_goes_up_and_must_name_this_relay() {
    let mut world = World::new().await;
    let org = world.directory.value().org();
    let path = api::DIRECTORY.replace("{org}", &org.to_string());
    world.publish(world.directory.bytes()).await.ok();
    let same_version = directory(&world.relay_keys, &world.root, &world.desks, 1, &mut world.rng);
    world.publish(same_version.bytes()).await.is(409, "older_version");
    let newer = directory(&world.relay_keys, &world.root, &world.desks, 2, &mut world.rng);
    world.publish(newer.bytes()).await.ok();
    assert_eq!(world.plain("GET", &path, &[]).await.ok(), newer.bytes());
    world.publish(world.directory.bytes()).await.ok();
    assert_eq!(world.plain("GET", &path, &[]).await.ok(), newer.bytes());
    let other_relay = DeviceKeys::make(&mut world.rng);
    let elsewhere = directory(&other_relay, &world.root, &world.desks, 3, &mut world.rng);
    world.publish(elsewhere.bytes()).await.is(422, "other_relay");
    world.restart().await;
    assert_eq!(world.plain("GET", &path, &[]).await.ok(), newer.bytes());
}

#[tokio::test]
async fn a_device_brings_in_another_of_its_account() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let tablet = DeviceKeys::make(&mut world.rng);
    world.call(&tablet, "GET", api::MAIL, &[]).await.is(401, "unknown_device");
    world.call(&phone, "POST", api::DEVICES, tablet.identity().bytes()).await.ok();
    world.call(&phone, "POST", api::DEVICES, tablet.identity().bytes()).await.ok();
    world.call(&tablet, "GET", api::MAIL, &[]).await.ok();
    // Nobody takes a device that is another account's, or a desk's id.
    let stranger = world.phone().await;
    world.call(&stranger, "POST", api::DEVICES, tablet.identity().bytes()).await.is(409, "device_taken");
    let mut false_desk = DeviceKeys::make(&mut world.rng);
    false_desk.device = world.desks[0].device;
    world.call(&stranger, "POST", api::DEVICES, false_desk.identity().bytes()).await.is(409, "device_taken");
    let desk = world.desks[0].clone();
    world.call(&desk, "POST", api::DEVICES, tablet.identity().bytes()).await.is(403, "not_allowed");
}

#[tokio::test]
async fn a_request_counts_only_as_it_was_signed() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    world.plain("GET", api::MAIL, &[]).await.is(401, "unsigned");
    let key = IdempotencyKey::make(&mut world.rng);
    let signed = |path: &str| World::signed(&phone, RequestKey::Sig, ("GET", path), &[], key);
    assert_eq!(world.request(signed("/v0/mail?after=0")).await.status(), 200);
    let mut other_query = signed("/v0/mail?after=0");
    *other_query.uri_mut() = "/v0/mail?after=5".parse().unwrap();
    assert_eq!(world.request(other_query).await.status(), 401);
    let mut other_body = signed("/v0/mail?after=0");
    *other_body.body_mut() = "x".into();
    assert_eq!(world.request(other_body).await.status(), 401);
    // Signed for another relay: what a hostile one could pass on.
    let mut elsewhere = signed("/v0/mail?after=0");
    elsewhere.headers_mut().insert("host", "elsewhere.example".parse().unwrap());
    assert_eq!(world.request(elsewhere).await.status(), 401);
    let impostor = DeviceKeys { device: phone.device, ..DeviceKeys::make(&mut world.rng) };
    world.call(&impostor, "GET", api::MAIL, &[]).await.is(401, "bad_signature");
    // The alarm key is good for calling, not for reading a dossier or adding devices.
    world.call_locked(&phone, "GET", api::MAIL, &[]).await.ok();
    let tablet = DeviceKeys::make(&mut world.rng);
    world.call_locked(&phone, "POST", api::DEVICES, tablet.identity().bytes()).await.is(403, "alarm_key");
}

#[tokio::test]
async fn a_repeat_gets_the_same_answer_and_the_key_no_second_request() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (tablet, other) = (DeviceKeys::make(&mut world.rng), DeviceKeys::make(&mut world.rng));
    let key = IdempotencyKey::make(&mut world.rng);
    let post = ("POST", api::DEVICES);
    world.call_once(&phone, post, tablet.identity().bytes(), key).await.ok();
    world.restart().await;
    world.call_once(&phone, post, tablet.identity().bytes(), key).await.ok();
    world.call_once(&phone, post, other.identity().bytes(), key).await.is(409, "idempotency_conflict");
    world.call(&other, "GET", api::MAIL, &[]).await.is(401, "unknown_device");
    // Kept a week.
    world.clock.advance(8 * 24 * 3_600_000);
    let now = world.relay.now();
    world.relay.sweep(now).await.unwrap();
    world.call_once(&phone, post, other.identity().bytes(), key).await.ok();
}
