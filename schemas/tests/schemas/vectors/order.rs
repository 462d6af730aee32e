//! Vectors of orders from one device about another, and about itself.

use baken_schemas::id::DeviceId;
use baken_schemas::order::{Order, OrderKind};
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::Timestamp;
use serde_json::{Value, json};

use super::{Set, hex, unhex};
use crate::world::World;

fn describe(order: &Order) -> Value {
    json!({
        "circle": order.circle,
        "device": order.device,
        "author": order.author,
        "kind": order.kind,
        "number": order.number,
        "made_at": order.made_at,
    })
}

/// The order that the phone prepares about itself.
pub fn freeze(world: &World) -> Signed<Order> {
    let phone = &world.mayor_phone;
    Signed::make(order(world, phone.device, phone.device, OrderKind::Freeze, 4), &phone.sig)
}

fn order(world: &World, author: DeviceId, device: DeviceId, kind: OrderKind, number: u64) -> Order {
    Order { circle: world.circle, device, author, kind, number, made_at: Timestamp(1_795_465_600_000) }
}

pub fn make_order(world: &mut World) -> Vec<Value> {
    let (phone, tablet) = (world.mayor_phone.device, world.mayor_tablet.device);
    let by_tablet = [(OrderKind::Lock, 1_795_465_600_000), (OrderKind::Wipe, u64::MAX >> 1)]
        .map(|(kind, number)| Signed::make(order(world, tablet, phone, kind, number), &world.mayor_tablet.sig));
    by_tablet
        .into_iter()
        .chain([freeze(world)])
        .map(|order| json!({ "inputs": describe(order.value()), "bytes": hex(order.bytes()) }))
        .collect()
}

pub fn open_order(set: &Set, vector: &Value) -> Value {
    let order = Unverified::<Order>::parse(&unhex(&vector["bytes"])).expect("an order");
    let sig = set.device(order.claims().author).sig.verify_key();
    describe(order.verify(&sig).expect("signed by its author").value())
}
