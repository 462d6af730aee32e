//! Desks that fall silent: the others are told, once, and told when it is back.

use baken_schemas::api::MailKind;
use baken_schemas::device::DeviceKeys;
use baken_schemas::org::Silence;
use baken_schemas::signed::Unverified;
use baken_schemas::time::{Clock as _, Timestamp};
use baken_server::relay::MAX_QUIET_MS;

use crate::relay::world::World;

async fn watch(world: &World) {
    world.relay.watch_desks(world.clock.now()).await.unwrap();
}

/// What a desk is told of others, in order.
async fn told(world: &mut World, desk: &DeviceKeys) -> Vec<Silence> {
    let key = world.directory.value().relay.sig;
    let mail = world.mail(desk, 0).await;
    let silences = mail.iter().filter(|(_, mail)| mail.kind == MailKind::Silence);
    silences
        .map(|(_, mail)| Unverified::<Silence>::parse(&mail.document).unwrap().verify(&key).unwrap().into_value())
        .collect()
}

#[tokio::test]
async fn a_desk_that_falls_silent_is_told_of_to_the_others_once_and_so_is_its_return() {
    let mut world = World::new().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    watch(&world).await;
    world.clock.advance(MAX_QUIET_MS - 1);
    assert!(told(&mut world, &second).await.is_empty());
    let heard_at = world.clock.now();
    watch(&world).await;
    // The first was never heard; the second just was.
    world.clock.advance(1);
    watch(&world).await;
    watch(&world).await;
    let silences = told(&mut world, &second).await;
    assert_eq!(silences.len(), 1);
    assert_eq!((silences[0].desk, silences[0].at), (first.device, world.clock.now()));
    assert_eq!(silences[0].since, Some(Timestamp(heard_at.0 - (MAX_QUIET_MS - 1))));

    // Its asking for mail is a sign of life; nobody tells it of itself.
    assert!(told(&mut world, &first).await.is_empty());
    watch(&world).await;
    let silences = told(&mut world, &second).await;
    assert_eq!((silences.len(), silences[1].since), (2, None));
    let audited: Vec<String> = world.audited("desk_presence").into_iter().map(|(_, result)| result).collect();
    assert_eq!(audited, ["silent", "heard"]);
}

#[tokio::test]
async fn after_a_restart_every_desk_has_its_time_again() {
    let mut world = World::new().await;
    watch(&world).await;
    world.clock.advance(10 * MAX_QUIET_MS);
    world.restart().await;
    watch(&world).await;
    assert!(world.audited("desk_presence").is_empty());
    world.clock.advance(MAX_QUIET_MS);
    watch(&world).await;
    assert_eq!(world.audited("desk_presence").len(), world.desks.len());
}
