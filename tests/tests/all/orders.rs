//! A lost phone that is locked or wiped from the tablet, and a phone on which a duress PIN was used, through a real
//! relay and a real desk.

use std::ops::ControlFlow;
use std::sync::Arc;

use baken_core::alarm::Round;
use baken_core::circle::{NoticeKind, NoticeView};
use baken_core::client::SignedClient;
use baken_core::pairing::PairInto;
use baken_core::sync::StuckReason;
use baken_core::{Baken, BakenError};
use baken_schemas::api::{self, Mail, MailKind, Page};
use baken_schemas::cbor;
use baken_schemas::circle::{CircleKind, MemberRole, MemberState};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{CircleId, DeviceId, IdempotencyKey};
use baken_schemas::order::{Order, OrderKind};
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::{Clock as _, Timestamp};
use baken_server::desk::run::idempotency_of;
use baken_server::desk::{Channels, Desk, DeskParts, MailPosition};
use baken_server::store::{Disk, StoreOptions};
use http::Method;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use crate::town::{PIN, Town};

const DURESS: &str = "999999";

fn device(phone: &Baken) -> DeviceId {
    phone.status().unwrap().device
}

fn home(phone: &Baken) -> CircleId {
    phone.status().unwrap().circle
}

fn state_in(phone: &Baken, circle: CircleId, other: DeviceId) -> Option<MemberState> {
    let circles = phone.circles().unwrap();
    let circle = circles.into_iter().find(|view| view.circle == circle).unwrap();
    circle.members.into_iter().find(|member| member.device == other).map(|member| member.state)
}

/// What waits at the relay, looked for at once.
async fn mail(town: &Town, phone: &Baken) -> Result<Round, BakenError> {
    phone.alarm_outbox()?.hurry();
    phone.send_alarms(&town.network).await
}

/// What `baken sync` does: mail first, then the circles.
async fn sync(town: &Town, phone: &Baken) {
    mail(town, phone).await.unwrap();
    phone.sync(&town.network).await.unwrap();
}

async fn sync_all(town: &Town, phones: &[&Baken]) {
    for _ in 0..2 {
        for phone in phones {
            sync(town, phone).await;
        }
    }
}

/// A mayor's phone and tablet that know each other.
async fn two_devices(town: &mut Town) -> (Baken, Baken) {
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    sync_all(town, &[&phone, &tablet]).await;
    (phone, tablet)
}

/// The same device after its program was killed: nobody has typed a PIN.
fn locked(town: &Town, phone: Baken, name: &str) -> Baken {
    drop(phone);
    town.phone(name)
}

/// The newest order in the relay's hands.
fn at_relay(town: &Town) -> Vec<u8> {
    let found = town.relay.store().read(|db| {
        let sql = "SELECT d.bytes FROM mail m JOIN document d ON d.document = m.document WHERE m.kind = 7
                   ORDER BY m.cursor DESC LIMIT 1";
        Ok::<_, baken_server::store::StoreError>(db.query_row(sql, [], |row| row.get(0))?)
    });
    found.unwrap()
}

/// The relay puts something into the mail of a device by itself.
async fn relay_mails(town: &mut Town, to: DeviceId, order: &[u8]) {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (document, to) = (hex(order), hex(&to.0));
    town.tamper(&format!(
        "INSERT INTO document (bytes, lasts, at) VALUES (x'{document}', 0, 0);
         INSERT INTO mail (org, recipient, kind, document, at)
             SELECT org, device, 7, last_insert_rowid(), 0 FROM device WHERE device = x'{to}';"
    ))
    .await;
}

#[tokio::test]
async fn a_lost_locked_phone_is_wiped_from_the_tablet() {
    let mut town = Town::found().await;
    let (phone, tablet) = two_devices(&mut town).await;
    let lost = device(&phone);
    let phone = locked(&town, phone, "mayor_phone");
    let wrong = tablet.order(&town.network, lost, OrderKind::Wipe, "000000").await;
    assert_eq!(wrong.unwrap_err().code(), "wrong_pin");
    town.clock.advance_ms(2000);
    tablet.order(&town.network, lost, OrderKind::Wipe, PIN).await.unwrap();
    let given = tablet.orders().unwrap();
    assert_eq!((given.len(), given[0].device, given[0].kind), (1, lost, OrderKind::Wipe));
    assert!(given[0].handed_at.is_some());

    assert!(matches!(mail(&town, &phone).await, Err(BakenError::WipedFromAfar)));
    let left: Vec<_> = std::fs::read_dir(town.folder.path().join("mayor_phone"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "vault.lock")
        .collect();
    assert!(left.is_empty(), "{left:?}");
    // From then on it is a device that was never activated.
    for phone in [phone, town.phone("mayor_phone"), town.phone("never_activated")] {
        assert!(!phone.is_activated());
        assert!(matches!(phone.unlock(PIN), Err(BakenError::NotActivated)));
        assert!(matches!(mail(&town, &phone).await, Err(BakenError::NotActivated)));
    }
}

#[tokio::test]
async fn a_wipe_reaches_a_phone_that_was_taken_out_and_one_whose_vault_is_open() {
    for taken_out in [true, false] {
        let mut town = Town::found().await;
        let (phone, tablet) = two_devices(&mut town).await;
        if taken_out {
            tablet.remove_device(&town.network, home(&tablet), device(&phone), PIN).await.unwrap();
            phone.sync(&town.network).await.unwrap();
        }
        // Without a connection the order waits, and goes with the next sync.
        town.network.connect(None);
        let offline = tablet.order(&town.network, device(&phone), OrderKind::Wipe, PIN).await;
        assert!(matches!(offline, Err(BakenError::NotReached)));
        assert_eq!(tablet.orders().unwrap()[0].handed_at, None);
        town.network.connect(Some(town.relay.router()));
        tablet.sync(&town.network).await.unwrap();
        assert!(tablet.orders().unwrap()[0].handed_at.is_some());

        assert!(phone.is_unlocked());
        let mut told = 0;
        let mut tell = |_: &Round| {
            told += 1;
            ControlFlow::Continue(())
        };
        phone.alarm_outbox().unwrap().hurry();
        let followed = phone.follow_alarms(&town.network, &mut tell).await;
        assert!(matches!(followed, Err(BakenError::WipedFromAfar)));
        assert!(told == 0 && !phone.is_unlocked() && !phone.is_activated());
    }
}

#[tokio::test]
async fn a_lock_closes_an_open_vault_and_stops_no_alarm() {
    let mut town = Town::found().await;
    let (phone, tablet) = two_devices(&mut town).await;
    tablet.order(&town.network, device(&phone), OrderKind::Lock, PIN).await.unwrap();
    let round = mail(&town, &phone).await.unwrap();
    assert_eq!(round.orders, [OrderKind::Lock]);
    assert!(!phone.is_unlocked());
    assert!(matches!(phone.sync(&town.network).await, Err(BakenError::Locked)));
    mail(&town, &phone).await.unwrap();
    phone.unlock(PIN).unwrap();
    sync(&town, &phone).await;
    assert!(phone.is_unlocked(), "it was one order");
}

#[tokio::test]
async fn a_relay_that_replays_or_invents_an_order_achieves_nothing() {
    let mut town = Town::found().await;
    let (phone, tablet) = two_devices(&mut town).await;
    tablet.order(&town.network, device(&phone), OrderKind::Lock, PIN).await.unwrap();
    let lock = at_relay(&town);
    mail(&town, &phone).await.unwrap();
    phone.unlock(PIN).unwrap();
    relay_mails(&mut town, device(&phone), &lock).await;
    // One that the relay makes itself, in the tablet's name, and one that was given about another device.
    let claims = *Unverified::<Order>::parse(&lock).unwrap().claims();
    let wipe = Order { kind: OrderKind::Wipe, number: claims.number + 1, ..claims };
    let invented = Signed::make(wipe, &town.relay_keys.sig);
    relay_mails(&mut town, device(&phone), invented.bytes()).await;
    phone.order(&town.network, device(&tablet), OrderKind::Wipe, PIN).await.unwrap();
    let for_tablet = at_relay(&town);
    relay_mails(&mut town, device(&phone), &for_tablet).await;
    let round = mail(&town, &phone).await.unwrap();
    assert!(round.orders.is_empty());
    assert_eq!(round.refused, ["order_forged", "unknown_author"]);
    assert!(phone.is_unlocked() && phone.is_activated());
}

#[tokio::test]
async fn an_order_by_a_removed_owner_or_a_guest_achieves_nothing() {
    let mut town = Town::found().await;
    let (phone, tablet) = two_devices(&mut town).await;
    let family = phone.found_circle(CircleKind::Family, "Thuis").unwrap();
    phone.sync(&town.network).await.unwrap();
    let into = PairInto::Circle { circle: family, role: MemberRole::Viewer };
    let (guest, _) = town.pair(&phone, "partner_phone", into).await;
    sync_all(&town, &[&guest, &phone, &tablet]).await;
    let by_guest = guest.order(&town.network, device(&phone), OrderKind::Wipe, PIN).await;
    assert!(matches!(by_guest, Err(BakenError::NotOwner)));
    // Nor does anybody order a guest's phone: it is another person's.
    let to_guest = phone.order(&town.network, device(&guest), OrderKind::Wipe, PIN).await;
    assert!(matches!(to_guest, Err(BakenError::NoSuchDevice)));

    // The tablet is stolen: what it gives once it is out stays at the relay's door, and counts nowhere if let through.
    tablet.order(&town.network, device(&phone), OrderKind::Lock, PIN).await.unwrap();
    let given = at_relay(&town);
    phone.remove_device(&town.network, home(&phone), device(&tablet), PIN).await.unwrap();
    phone.sync(&town.network).await.unwrap();
    let late = tablet.order(&town.network, device(&phone), OrderKind::Wipe, PIN).await;
    assert!(matches!(late, Err(BakenError::Refused { status: 403, .. })));
    relay_mails(&mut town, device(&phone), &given).await;
    let round = mail(&town, &phone).await.unwrap();
    assert_eq!((round.orders.len(), &round.refused[..]), (0, &["unknown_author", "unknown_author"][..]));
    assert!(phone.is_unlocked());
}

/// The desk that the phones' notes go to.
struct Site<'a> {
    desk: Desk,
    keys: DeviceKeys,
    town: &'a Town,
}

impl<'a> Site<'a> {
    async fn open(town: &'a Town) -> Self {
        let keys = town.org.desks[0].clone();
        let folder = town.folder.path().join("desk");
        std::fs::create_dir_all(&folder).unwrap();
        let parts = DeskParts {
            keys: keys.clone(),
            org: town.org.directory.value().org(),
            console_url: "https://desk.test".to_owned(),
            passkeys: false,
            channels: Channels::default(),
            clock: Arc::new(town.clock.clone()),
            rng: Box::new(ChaCha20Rng::seed_from_u64(2)),
        };
        let options = StoreOptions { inline: true, ..StoreOptions::default() };
        let desk = Desk::open(&Disk::new(folder), options, parts).unwrap();
        Self { desk, keys, town }
    }

    /// Takes its mail and hands on what comes of it. How many orders that were.
    async fn work(&self) -> usize {
        let client = SignedClient::of_device(&self.town.network, &self.keys);
        let path = format!("{}?after={}", api::MAIL, self.desk.mail_position().unwrap().cursor);
        let page: Page =
            client.ask(Method::GET, &path, Vec::new(), IdempotencyKey([0; 16]), "a page of mail").await.unwrap();
        for item in &page.items {
            let mail: Mail = cbor::from_slice(&item.bytes, "a piece of mail").unwrap();
            assert_ne!(mail.kind, MailKind::Order);
            let place = MailPosition { generation: page.generation, cursor: item.cursor };
            self.desk.take_mail(place, &mail).await.unwrap();
        }
        let orders = self.desk.outgoing_orders().unwrap();
        for order in &orders {
            client.send(Method::POST, api::ORDERS, order.document.clone(), idempotency_of(order.hash)).await.unwrap();
            self.desk.order_settled(order.hash, true).await.unwrap();
        }
        orders.len()
    }
}

/// What a phone says about another device that is frozen.
fn frozen_notices(phone: &Baken, other: DeviceId) -> Vec<NoticeView> {
    let notices = phone.notices().unwrap();
    notices.into_iter().filter(|notice| notice.kind == NoticeKind::Frozen && notice.device == other).collect()
}

#[tokio::test]
async fn duress_on_the_phone_freezes_it_on_the_tablet_and_lifted_it_stays_lifted() {
    let mut town = Town::found().await;
    let (phone, tablet) = two_devices(&mut town).await;
    let laptop = town.paired_with(&phone, &tablet, "laptop").await;
    let family = phone.found_circle(CircleKind::Family, "Thuis").unwrap();
    phone.add_duress_pin(PIN, DURESS).unwrap();
    sync_all(&town, &[&phone, &tablet, &laptop]).await;
    let site = Site::open(&town).await;
    assert_eq!(site.work().await, 0, "every unlocking until here was an ordinary one");
    let (own, all) = (device(&phone), [home(&phone), family]);

    // A duress PIN is typed; the phone sends what it sends at every unlocking, and the desk does the rest.
    town.clock.advance_ms(60_000);
    phone.unlock(DURESS).unwrap();
    mail(&town, &phone).await.unwrap();
    assert_eq!(site.work().await, 1);
    let heard_at = town.clock.now();
    sync(&town, &tablet).await;
    for circle in all {
        assert!(matches!(state_in(&tablet, circle, own), Some(MemberState::Frozen { .. })));
    }
    // The laptop, which finds it done, says so too.
    sync(&town, &laptop).await;
    for other in [&tablet, &laptop] {
        let notices = frozen_notices(other, own);
        assert_eq!(notices.len(), 2);
        assert!(notices.iter().all(|notice| notice.duress_heard_at == Some(heard_at)));
    }
    // Nothing of it shows in the decoy; with its own PIN the phone says that it is frozen.
    assert!(phone.notices().unwrap().is_empty());
    town.clock.advance_ms(60_000);
    phone.unlock(PIN).unwrap();
    sync(&town, &phone).await;
    assert_eq!(phone.status().unwrap().stuck_because, Some(StuckReason::NotInCircle));
    assert!(frozen_notices(&phone, own).iter().all(|notice| notice.this && notice.duress_heard_at.is_none()));

    // It is safe: the tablet lets it back in, everywhere.
    for notice in frozen_notices(&tablet, own) {
        tablet.veto(&town.network, notice.circle, own).await.unwrap();
    }
    // The laptop was away, and the relay brings the order once more to both.
    let freeze = at_relay(&town);
    drop(site);
    relay_mails(&mut town, device(&tablet), &freeze).await;
    relay_mails(&mut town, device(&laptop), &freeze).await;
    sync_all(&town, &[&laptop, &tablet, &phone]).await;
    for circle in all {
        assert_eq!(state_in(&tablet, circle, own), Some(MemberState::Active));
    }
    assert!(frozen_notices(&laptop, own).is_empty());
    assert_eq!(phone.status().unwrap().stuck_because, None);

    // Used again after the phone was opened with its own PIN, it is another order.
    let site = Site::open(&town).await;
    town.clock.advance_ms(60_000);
    phone.unlock(DURESS).unwrap();
    mail(&town, &phone).await.unwrap();
    assert_eq!(site.work().await, 1);
    sync(&town, &laptop).await;
    assert!(matches!(state_in(&laptop, all[0], own), Some(MemberState::Frozen { .. })));
}

#[tokio::test]
async fn a_relay_that_invents_a_freeze_achieves_nothing() {
    let mut town = Town::found().await;
    let (phone, tablet) = two_devices(&mut town).await;
    let (circle, own) = (home(&phone), device(&phone));
    // The relay makes one by itself.
    let order = Order { circle, device: own, author: own, kind: OrderKind::Freeze, number: 1, made_at: Timestamp(0) };
    let invented = Signed::make(order, &town.relay_keys.sig);
    relay_mails(&mut town, device(&tablet), invented.bytes()).await;
    let round = mail(&town, &tablet).await.unwrap();
    assert_eq!((round.orders.len(), &round.refused[..]), (0, &["order_forged"][..]));
    tablet.sync(&town.network).await.unwrap();
    assert_eq!(state_in(&tablet, circle, own), Some(MemberState::Active));
}
