//! The relay's own ticker: that it stands still is told to the desks, once, and that it goes on.

use baken_schemas::api::MailKind;
use baken_schemas::org::Silence;
use baken_schemas::signed::Unverified;
use baken_server::relay::STALLED_MS;

use crate::relay::world::World;

#[tokio::test]
async fn healthchecks_363_433_156_a_ticker_that_stands_still_is_told_to_every_desk() {
    let mut world = World::new().await;
    let desks = world.desks.clone();
    let look = async |world: &World| world.relay.watch_ticker(world.relay.now()).await.unwrap();
    world.clock.advance(STALLED_MS - 1);
    look(&world).await;
    assert!(world.relay.is_ready());
    world.clock.advance(1);
    for _ in 0..2 {
        look(&world).await;
    }
    assert!(!world.relay.is_ready());
    // It goes round once, and is stopped again.
    world.relay.run_ticker(std::future::ready(())).await;
    look(&world).await;
    assert!(world.relay.is_ready());
    let key = world.directory.value().relay.sig;
    for desk in &desks {
        let mail = world.mail(desk, 0).await;
        let told: Vec<Silence> = mail
            .iter()
            .filter(|(_, mail)| mail.kind == MailKind::Silence)
            .map(|(_, mail)| Unverified::<Silence>::parse(&mail.document).unwrap().verify(&key).unwrap().into_value())
            .collect();
        assert_eq!(
            told.iter().map(|said| (said.desk, said.since.is_some())).collect::<Vec<_>>(),
            [(world.relay_keys.device, true), (world.relay_keys.device, false)]
        );
    }
    let results: Vec<String> = world.audited("ticker").into_iter().map(|(_, result)| result).collect();
    assert_eq!(results, ["stalled", "runs"]);
}
