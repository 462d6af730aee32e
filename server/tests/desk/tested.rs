//! When each person last tested, as officers see it.

use baken_schemas::alarm::AlarmKind;
use baken_schemas::api::MailKind;
use baken_schemas::time::Clock as _;

use crate::desk::console::{Browser, desk_of};
use crate::desk::world::{MAYOR, World};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[tokio::test]
async fn the_console_shows_when_each_person_last_tested() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (_, token) = world.officer("Agent Jansen");
    world.ringing(&phone).await;
    let view = world.desk.tested().unwrap();
    assert_eq!((view[0].name.as_str(), view[0].tested_at, view[0].is_due), (MAYOR, None, true), "an alarm is no test");
    let mut browser = Browser::new(desk_of(&world));
    browser.log_in(token.reveal()).await;
    assert!(browser.get("/tests").await.text.contains("nog nooit"));
    // A test that another signed in this phone's name is none of theirs.
    let mut forger = phone.clone();
    forger.keys = baken_schemas::device::DeviceKeys { device: phone.keys.device, ..world.other.clone() };
    let forged = world.alarm(&forger, AlarmKind::Test).0;
    world.bring(MailKind::Alarm, forged.bytes()).await;
    assert_eq!(world.desk.tested().unwrap()[0].tested_at, None);
    let test = world.alarm(&phone, AlarmKind::Test).0;
    let before = world.clock.now();
    world.bring(MailKind::Alarm, test.bytes()).await;
    world.restart();
    let view = world.desk.tested().unwrap();
    assert!(view[0].tested_at.is_some_and(|at| at >= before) && !view[0].is_due);
    let page = browser.get("/tests").await.text;
    assert!(page.contains(MAYOR) && !page.contains("nog nooit") && !page.contains("tijd voor een test"), "{page}");
    world.clock.advance(36 * DAY_MS);
    assert!(world.desk.tested().unwrap()[0].is_due);
}
