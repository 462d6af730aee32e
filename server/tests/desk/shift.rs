//! What one shift leaves to the next, and duty that is handed over in the console.

use http::StatusCode;
use rand::SeedableRng as _;

use crate::desk::console::{Browser, desk_of};
use crate::desk::world::World;

const NOTE: &str = "Bel mevrouw Oosterhof om acht uur";

const ROSTER: &str = "[[person]]\nname = \"Jansen\"\nmail = \"jansen@example.nl\"\n[[person]]\nname = \"Bakker\"\n\
    phone = \"+31612345678\"\n[[shift]]\nwho = [\"Jansen\"]\nfrom = \"mon 00:00\"\nto = \"mon 00:00\"\n";

async fn officer() -> (World, Browser) {
    let mut world = World::new().await;
    let (_, token) = world.officer("Agent Jansen");
    let mut browser = Browser::new(desk_of(&world));
    browser.log_in(token.reveal()).await;
    (world, browser)
}

#[tokio::test]
async fn a_note_is_read_by_the_next_shift_lies_sealed_and_goes_after_two_weeks() {
    let (world, browser) = officer().await;
    assert_eq!(browser.post("/shift", &format!("text={}", NOTE.replace(' ', "+"))).await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.post("/shift", "text=tweede").await.status, StatusCode::SEE_OTHER);
    for empty in ["text=", "text=+++", &format!("text={}", "x".repeat(2_001))] {
        assert_eq!(browser.post("/shift", empty).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let page = browser.get("/shift").await.text;
    assert!(page.contains(NOTE) && page.find("tweede").unwrap() < page.find(NOTE).unwrap(), "the newest first: {page}");
    let file = world.dir.path().join("shift.sealed");
    assert!(!String::from_utf8_lossy(&std::fs::read(&file).unwrap()).contains("Oosterhof"));
    world.clock.advance(14 * 24 * 3_600_000);
    assert!(world.desk.shift_notes().unwrap().is_empty());
    // A file that was altered is said, and not written over.
    std::fs::write(&file, b"altered").unwrap();
    let again = login_link(&world);
    let mut browser = Browser::new(desk_of(&world));
    browser.log_in(&again).await;
    assert_eq!(browser.get("/shift").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(browser.post("/shift", "text=derde").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(std::fs::read(&file).unwrap(), b"altered");
}

/// A new link, since two weeks have ended the session.
fn login_link(world: &World) -> String {
    let mut rng = rand::rngs::ChaCha20Rng::seed_from_u64(77);
    let link = world.desk.officers().link("Agent Jansen", world.desk.now(), &mut rng).unwrap();
    link.reveal().to_owned()
}

#[tokio::test]
async fn duty_is_handed_over_to_somebody_of_the_roster_and_to_nobody_else() {
    let (world, browser) = officer().await;
    assert!(browser.get("/roster").await.text.contains("Er is geen rooster"));
    std::fs::write(world.dir.path().join("roster.toml"), ROSTER).unwrap();
    assert!(browser.get("/roster").await.text.contains("Nu dienst: Jansen"));
    for wrong in ["to=Niemand&until=2099-12-24T17:00", "to=Bakker&until=1999-12-24T17:00", "to=Bakker&until=morgen"] {
        assert_eq!(browser.post("/roster/hand-over", wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    assert_eq!(std::fs::read_to_string(world.dir.path().join("roster.toml")).unwrap(), ROSTER);
    let handed = browser.post("/roster/hand-over", "to=Bakker&until=2099-12-24T17%3A00").await;
    assert_eq!(handed.status, StatusCode::SEE_OTHER);
    assert!(browser.get("/roster").await.text.contains("Nu dienst: Bakker"));
}
