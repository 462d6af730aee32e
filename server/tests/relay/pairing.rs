//! The rendezvous: three messages, a few minutes, bounded.

use baken_schemas::device::DeviceKeys;
use baken_schemas::id::RendezvousId;
use baken_schemas::pairing::MAX_MESSAGE_BYTES;

use crate::relay::world::World;

fn path(rendezvous: RendezvousId, message: &str) -> String {
    format!("/v0/pairing/{rendezvous}/{message}")
}

#[tokio::test]
async fn messages_lie_in_their_order_until_their_time_is_over() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let tablet = DeviceKeys::make(&mut world.rng);
    let rendezvous = RendezvousId::make(&mut world.rng);
    let [offer, hello, grant] = ["offer", "hello", "grant"].map(|message| path(rendezvous, message));
    world.call(&phone, "PUT", &hello, b"hello").await.is(404, "not_found");
    world.plain("PUT", &offer, tablet.identity().bytes()).await.ok();
    world.plain("PUT", &offer, tablet.identity().bytes()).await.ok();
    let other = DeviceKeys::make(&mut world.rng);
    world.plain("PUT", &offer, other.identity().bytes()).await.is(409, "conflict");
    assert_eq!(world.plain("GET", &offer, &[]).await.ok(), tablet.identity().bytes());
    // Only an enrolled device answers.
    world.plain("PUT", &hello, b"hello").await.is(401, "unsigned");
    world.call(&tablet, "PUT", &hello, b"hello").await.is(401, "unknown_device");
    world.plain("GET", &hello, &[]).await.is(404, "not_found");
    world.call(&phone, "PUT", &grant, b"grant").await.is(404, "not_found");
    world.call(&phone, "PUT", &hello, b"hello").await.ok();
    world.call(&phone, "PUT", &grant, b"grant").await.ok();
    world.call(&phone, "PUT", &grant, b"other").await.is(409, "conflict");
    assert_eq!(world.plain("GET", &grant, &[]).await.ok(), b"grant"[..]);
    world.plain("GET", &path(rendezvous, "nonsense"), &[]).await.is(404, "not_found");
    world.clock.advance(11 * 60_000);
    world.plain("GET", &offer, &[]).await.is(404, "not_found");
    world.plain("GET", &grant, &[]).await.is(404, "not_found");
}

#[tokio::test]
async fn an_offer_is_an_identity_small_and_bounded_in_number() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let tablet = DeviceKeys::make(&mut world.rng);
    let mut offer = || path(RendezvousId::make(&mut world.rng), "offer");
    let (junk, large) = (offer(), offer());
    let offers: Vec<String> = (0..20).map(|_| offer()).collect();
    world.plain("PUT", &junk, b"junk").await.is(422, "malformed");
    world.plain("PUT", &large, &[0; 2049]).await.is(413, "too_large");
    let mut refused = 0;
    for offer in &offers {
        let answer = world.plain("PUT", offer, tablet.identity().bytes()).await;
        if answer.status == 429 {
            refused += 1;
        } else {
            answer.ok();
        }
    }
    assert_eq!(refused, 2, "twenty a minute from one address, two of which were junk");
    world.clock.advance(60_000);
    world.plain("PUT", &offers[19], tablet.identity().bytes()).await.ok();
    let hello = offers[0].replace("/offer", "/hello");
    world.call(&phone, "PUT", &hello, &vec![0; MAX_MESSAGE_BYTES + 1]).await.is(413, "too_large");
}
