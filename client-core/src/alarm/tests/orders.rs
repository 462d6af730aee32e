//! Orders that come to a phone whose vault is locked.

use baken_schemas::api::MailKind;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::CircleId;
use baken_schemas::order::{Order, OrderKind};
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;

use super::stage::{Stage, StageRelay, live_mail};
use crate::alarm::{OrderAuthor, OrderKeys, OrdersDue};

#[tokio::test]
async fn an_order_counts_once_and_by_an_owner_that_the_locked_phone_knew() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let [tablet, frozen, stranger] = std::array::from_fn(|_| stage.stranger());
    let (circle, own) = (CircleId([1; 16]), stage.setup().device);
    let order = |author: &DeviceKeys, kind, number| {
        let order = Order { circle, device: own, author: author.device, kind, number, made_at: Timestamp(0) };
        Signed::make(order, &author.sig)
    };
    let mut authors = [(&tablet, true), (&frozen, false)]
        .map(|(keys, active)| OrderAuthor {
            device: keys.device,
            sig: keys.sig.verify_key(),
            active,
            name: String::new(),
        })
        .to_vec();
    authors.sort_unstable();
    let keys = OrderKeys { dossier: Some(circle), authors, freeze: Vec::new() };
    // Before the first sync this phone knows nobody.
    relay.mails(MailKind::Order, order(&tablet, OrderKind::Wipe, 1).bytes());
    assert_eq!(stage.deliver(&relay).await.refused, ["unknown_author"]);
    stage.phone.keep_order_keys(&keys).unwrap();
    assert_eq!(stage.phone.order_keys().unwrap(), keys);

    let about = |device| Signed::make(Order { device, ..*order(&tablet, OrderKind::Wipe, 2).value() }, &tablet.sig);
    let elsewhere = Order { circle: CircleId([2; 16]), ..*order(&tablet, OrderKind::Wipe, 2).value() };
    let forged = Signed::make(*order(&tablet, OrderKind::Wipe, 2).value(), &stranger.sig);
    for (document, reason) in [
        (order(&stranger, OrderKind::Wipe, 2), "unknown_author"),
        (Signed::make(elsewhere, &tablet.sig), "unknown_author"),
        (forged, "order_forged"),
        (order(&frozen, OrderKind::Wipe, 2), "not_entitled"),
        (about(stranger.device), "not_entitled"),
    ] {
        relay.mails(MailKind::Order, document.bytes());
        stage.phone.hurry();
        let round = stage.deliver(&relay).await;
        assert_eq!((round.refused, round.orders.len()), (vec![reason], 0));
    }
    assert_eq!(stage.phone.orders_due().unwrap(), OrdersDue::default());

    let lock = order(&tablet, OrderKind::Lock, 7);
    relay.mails(MailKind::Order, lock.bytes());
    stage.phone.hurry();
    assert_eq!(stage.deliver(&relay).await.orders, [OrderKind::Lock]);
    assert_eq!(stage.phone.orders_due().unwrap(), OrdersDue { lock: true, wipe: false });
    stage.phone.lift_lock().unwrap();
    // Brought again, or an older one that was held back, does nothing. Nor does it when its author comes back.
    stage.phone.keep_order_keys(&OrderKeys { authors: Vec::new(), dossier: Some(circle), freeze: Vec::new() }).unwrap();
    stage.phone.keep_order_keys(&keys).unwrap();
    for document in [&lock, &order(&tablet, OrderKind::Wipe, 6), &order(&tablet, OrderKind::Wipe, 7)] {
        relay.mails(MailKind::Order, document.bytes());
        stage.phone.hurry();
        let round = stage.deliver(&relay).await;
        assert!(round.orders.is_empty() && round.refused.is_empty());
    }
    assert_eq!(stage.phone.orders_due().unwrap(), OrdersDue::default());
    // The live stream brings one as well as a page does.
    let wipe = order(&tablet, OrderKind::Wipe, 8);
    let round = stage.phone.take_event(&live_mail(10_000, MailKind::Order, wipe.bytes()), &stage.context).unwrap();
    assert_eq!(round.orders, [OrderKind::Wipe]);
    assert!(stage.phone.orders_due().unwrap().wipe);
}
