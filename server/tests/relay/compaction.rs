//! Old entries go once a checkpoint covers them and everybody has them; nothing else ever does.

use baken_schemas::api;
use baken_schemas::circle::{CircleKind, MemberRole, Operation};
use baken_schemas::device::DeviceKeys;
use baken_schemas::entry::{Entry, EntryKind};

use crate::relay::circles::{Circle, batch, cut, member};
use crate::relay::world::World;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A dossier of a phone and a tablet, both owners, with entries of the phone's.
struct Story {
    world: World,
    circle: Circle,
    phone: DeviceKeys,
    tablet: DeviceKeys,
    /// The phone's chain so far.
    chain: Vec<Entry>,
}

impl Story {
    async fn with_entries(count: usize) -> Self {
        let mut world = World::new().await;
        let phone = world.phone().await;
        let tablet = world.device_of(&phone).await;
        let mut circle = Circle::found(&mut world, &phone).await;
        circle.add(&mut world, &phone, &tablet, MemberRole::Owner).await;
        let mut story = Self { world, circle, phone, tablet, chain: Vec::new() };
        for _ in 0..count {
            story.write(EntryKind::Changes).await;
        }
        story
    }

    /// The phone writes one more.
    async fn write(&mut self, kind: EntryKind) {
        let next = self.circle.entry_of(&mut self.world, &self.phone, self.chain.last(), kind);
        self.circle.send(&mut self.world, &self.phone, &[&next]).await;
        self.chain.push(next);
    }

    /// The phone writes a checkpoint.
    async fn checkpoint(&mut self, of: u16) {
        for part in 0..of {
            self.write(EntryKind::Checkpoint { part, of }).await;
        }
    }

    /// The cursors that are left.
    async fn left(&mut self) -> Vec<u64> {
        let page = self.circle.page(&mut self.world, &self.phone, 0).await;
        page.items.iter().map(|item| item.cursor).collect()
    }

    async fn floor(&mut self) -> u64 {
        self.circle.page(&mut self.world, &self.phone, 0).await.floor
    }

    /// A device says up to where it has everything.
    async fn acknowledge(&mut self, keys: &DeviceKeys, cursor: u64) {
        self.circle.page(&mut self.world, keys, cursor).await;
    }

    async fn both_acknowledge(&mut self, cursor: u64) {
        let (phone, tablet) = (self.phone.clone(), self.tablet.clone());
        self.acknowledge(&phone, cursor).await;
        self.acknowledge(&tablet, cursor).await;
    }
}

#[tokio::test]
async fn entries_go_once_a_checkpoint_covers_them_and_everybody_has_them() {
    let mut story = Story::with_entries(5).await;
    let cursors = story.left().await;
    story.both_acknowledge(cursors[3]).await;
    story.world.sweep().await;
    assert_eq!(story.left().await.len(), 5, "dropped without a checkpoint");
    story.checkpoint(3).await;
    story.world.sweep().await;
    let left = story.left().await;
    assert_eq!((left.len(), left[0]), (4, cursors[4]), "one that is not covered, and three parts");
    assert_eq!(story.floor().await, cursors[3]);
    // A device that is new begins at the floor, with the checkpoint behind it.
    let laptop = story.world.device_of(&story.phone.clone()).await;
    let (phone, tablet) = (story.phone.clone(), story.tablet.clone());
    story.circle.record(&mut story.world, &phone, Operation::Add { member: member(&laptop) }).await;
    story.circle.record(&mut story.world, &tablet, Operation::Confirm { device: laptop.device }).await;
    let page = story.circle.page(&mut story.world, &laptop, 0).await;
    assert_eq!((page.floor, page.items.len(), page.items[0].cursor), (cursors[3], 4, cursors[4]));
    let circle = story.circle.circle.to_string();
    assert_eq!(story.world.audited("entries_dropped"), [(circle, format!("floor_{}", cursors[3]))]);
}

#[tokio::test]
async fn compaction_never_drops_what_an_active_member_has_not_acknowledged() {
    let mut story = Story::with_entries(6).await;
    let cursors = story.left().await;
    let (phone, tablet) = (story.phone.clone(), story.tablet.clone());
    story.acknowledge(&phone, cursors[5]).await;
    story.checkpoint(1).await;
    story.world.sweep().await;
    assert_eq!(story.floor().await, 0, "the tablet has said nothing yet");
    story.acknowledge(&tablet, cursors[1]).await;
    // Nor does asking from the start again take back what it said.
    story.acknowledge(&tablet, 0).await;
    story.world.sweep().await;
    assert_eq!(story.left().await[0], cursors[2]);
    // A device that comes in holds the floor from the start.
    let viewer = story.world.guest_of(&phone).await;
    story.circle.add(&mut story.world, &phone, &viewer, MemberRole::Viewer).await;
    story.acknowledge(&tablet, cursors[5]).await;
    story.world.sweep().await;
    assert_eq!(story.floor().await, cursors[1]);
    story.acknowledge(&viewer, cursors[4]).await;
    story.world.sweep().await;
    assert_eq!(story.left().await[0], cursors[5]);
    // A device that is out does not hold it.
    story.circle.remove(&mut story.world, &phone, &viewer, 0).await;
    story.world.sweep().await;
    assert_eq!(story.floor().await, cursors[5]);
}

#[tokio::test]
async fn what_its_author_acknowledged_after_the_first_part_is_not_covered() {
    let mut story = Story::with_entries(4).await;
    let cursors = story.left().await;
    story.both_acknowledge(cursors[1]).await;
    story.write(EntryKind::Checkpoint { part: 0, of: 2 }).await;
    story.both_acknowledge(cursors[3]).await;
    story.world.sweep().await;
    story.write(EntryKind::Checkpoint { part: 1, of: 2 }).await;
    story.world.sweep().await;
    assert_eq!(story.left().await[0], cursors[2]);
}

#[tokio::test]
async fn half_a_checkpoint_or_one_with_something_between_drops_nothing() {
    let mut story = Story::with_entries(3).await;
    let cursors = story.left().await;
    story.both_acknowledge(cursors[2]).await;
    let part = |part, of| EntryKind::Checkpoint { part, of };
    for kind in [part(0, 3), part(1, 3), EntryKind::Changes, part(2, 3), part(1, 2), part(0, 2), part(1, 3), part(1, 2)]
    {
        story.write(kind).await;
        story.world.sweep().await;
        assert_eq!(story.floor().await, 0, "{kind:?}");
    }
    // A restart between two parts is no gap.
    story.write(part(0, 2)).await;
    story.world.restart().await;
    story.both_acknowledge(cursors[2]).await;
    story.write(part(1, 2)).await;
    story.world.sweep().await;
    assert_eq!(story.floor().await, cursors[2]);
}

#[tokio::test]
async fn a_checkpoint_by_a_member_who_is_no_owner_is_refused() {
    let mut story = Story::with_entries(1).await;
    let (phone, member) = (story.phone.clone(), story.world.guest_of(&story.phone.clone()).await);
    story.circle.add(&mut story.world, &phone, &member, MemberRole::Member).await;
    let changes = story.circle.entry(&mut story.world, &member, None);
    let kind = EntryKind::Checkpoint { part: 0, of: 1 };
    let checkpoint = story.circle.entry_of(&mut story.world, &member, Some(&changes), kind);
    let path = story.circle.path(api::ENTRIES);
    let both = batch(&[&changes, &checkpoint]);
    story.world.call(&member, "POST", &path, &both).await.is(422, "rule_broken");
    assert_eq!(story.left().await.len(), 1, "half a batch was kept");
    story.circle.send(&mut story.world, &member, &[&changes]).await;
}

#[tokio::test]
async fn nothing_is_dropped_for_a_checkpoint_past_its_authors_cut() {
    let mut story = Story::with_entries(2).await;
    let cursors = story.left().await;
    story.both_acknowledge(cursors[1]).await;
    story.checkpoint(2).await;
    let (phone, tablet) = (story.phone.clone(), story.tablet.clone());
    // The last part does not count: the tablet never had it.
    story.circle.remove(&mut story.world, &tablet, &phone, 3).await;
    story.world.sweep().await;
    let page = story.circle.page(&mut story.world, &tablet, 0).await;
    assert_eq!((page.floor, page.items.len()), (0, 4));
}

#[tokio::test]
async fn a_device_away_for_181_days_holds_nothing_back_and_is_told_the_floor() {
    let mut story = Story::with_entries(4).await;
    let cursors = story.left().await;
    let (phone, tablet) = (story.phone.clone(), story.tablet.clone());
    story.acknowledge(&tablet, cursors[0]).await;
    story.acknowledge(&phone, cursors[3]).await;
    story.world.sweep().await;
    story.world.clock.advance(179 * DAY_MS);
    story.acknowledge(&phone, cursors[3]).await;
    story.checkpoint(1).await;
    story.world.sweep().await;
    assert_eq!(story.floor().await, cursors[0], "179 days are waited for");
    story.world.clock.advance(2 * DAY_MS);
    story.world.sweep().await;
    assert_eq!(story.floor().await, cursors[3]);
    // It comes back with where it was, and its own entries go on.
    let page = story.circle.page(&mut story.world, &tablet, cursors[0]).await;
    assert!(page.floor > cursors[0]);
    assert_eq!(page.items.iter().map(|item| item.cursor).collect::<Vec<_>>(), story.left().await);
    let own = story.circle.entry(&mut story.world, &tablet, None);
    story.circle.send(&mut story.world, &tablet, &[&own]).await;
    // From now on it is waited for again.
    let (end, first) = (*story.left().await.last().unwrap(), story.left().await[0]);
    story.acknowledge(&phone, end).await;
    story.checkpoint(1).await;
    story.world.sweep().await;
    assert_eq!(story.left().await[0], first);
}

#[tokio::test]
async fn nothing_goes_from_a_circle_in_which_nobody_was_seen_of_late() {
    let mut story = Story::with_entries(2).await;
    let cursors = story.left().await;
    story.both_acknowledge(cursors[1]).await;
    story.checkpoint(1).await;
    story.world.clock.advance(400 * DAY_MS);
    story.world.sweep().await;
    assert_eq!(story.left().await.len(), 3);
}

#[tokio::test]
async fn a_writers_chain_goes_on_after_compaction() {
    let mut story = Story::with_entries(4).await;
    let cursors = story.left().await;
    story.both_acknowledge(cursors[3]).await;
    story.checkpoint(1).await;
    story.both_acknowledge(cursors[3]).await;
    story.world.sweep().await;
    let after = story.floor().await;
    assert_eq!(after, cursors[3]);
    let path = story.circle.path(api::ENTRIES);
    let phone = story.phone.clone();
    // What is gone is answered as stored, with where the chain stands.
    let first = story.chain[0].clone();
    let stored = story.circle.send(&mut story.world, &phone, &[&first]).await;
    assert_eq!((stored.counter, stored.hash), (5, story.chain[4].hash()));
    let other_first = story.circle.entry(&mut story.world, &phone, None);
    story.circle.send(&mut story.world, &phone, &[&other_first]).await;
    // The end of the chain is known for ever, and no fork of it is taken.
    let fork = story.circle.entry(&mut story.world, &phone, Some(&story.chain[3].clone()));
    story.world.call(&phone, "POST", &path, &batch(&[&fork])).await.is(409, "entry_conflict");
    let behind_fork = story.circle.entry(&mut story.world, &phone, Some(&fork));
    story.world.call(&phone, "POST", &path, &batch(&[&behind_fork])).await.is(409, "entry_out_of_order");
    story.world.restart().await;
    story.write(EntryKind::Changes).await;
    // A whole chain may go: everything of the phone's is covered by a checkpoint of the tablet's.
    let end = *story.left().await.last().unwrap();
    story.both_acknowledge(end).await;
    let kind = EntryKind::Checkpoint { part: 0, of: 1 };
    let tablet = story.tablet.clone();
    let checkpoint = story.circle.entry_of(&mut story.world, &tablet, None, kind);
    story.circle.send(&mut story.world, &tablet, &[&checkpoint]).await;
    story.world.sweep().await;
    assert_eq!(story.left().await.len(), 1);
    let last = story.chain[5].clone();
    let stored = story.circle.send(&mut story.world, &phone, &[&last]).await;
    assert_eq!(stored.counter, 6);
    let fork = story.circle.entry(&mut story.world, &phone, Some(&story.chain[4].clone()));
    story.world.call(&phone, "POST", &path, &batch(&[&fork])).await.is(409, "entry_conflict");
    story.write(EntryKind::Changes).await;
}

#[tokio::test]
async fn who_asks_from_behind_the_end_acknowledges_nothing() {
    let mut story = Story::with_entries(3).await;
    let cursors = story.left().await;
    let (phone, tablet) = (story.phone.clone(), story.tablet.clone());
    story.acknowledge(&phone, cursors[2]).await;
    story.checkpoint(1).await;
    story.acknowledge(&tablet, cursors[2] + 1000).await;
    story.acknowledge(&tablet, u64::MAX).await;
    story.world.sweep().await;
    assert_eq!(story.left().await.len(), 4);
}

#[tokio::test]
async fn a_restart_keeps_floor_acknowledgements_and_what_a_checkpoint_covers() {
    let mut story = Story::with_entries(4).await;
    let cursors = story.left().await;
    let (phone, tablet) = (story.phone.clone(), story.tablet.clone());
    story.acknowledge(&phone, cursors[3]).await;
    story.acknowledge(&tablet, cursors[1]).await;
    story.checkpoint(1).await;
    story.world.sweep().await;
    story.world.restart().await;
    assert_eq!(story.floor().await, cursors[1]);
    story.acknowledge(&tablet, cursors[3]).await;
    story.world.sweep().await;
    story.world.restart().await;
    assert_eq!(story.floor().await, cursors[3]);
    assert_eq!(story.left().await.len(), 1);
    story.write(EntryKind::Changes).await;
}

#[tokio::test]
async fn many_entries_go_over_several_sweeps_and_those_of_other_circles_stay() {
    let mut story = Story::with_entries(1).await;
    let phone = story.phone.clone();
    let other = Circle::found_as(&mut story.world, &phone, CircleKind::Family).await;
    let theirs = other.entry(&mut story.world, &phone, None);
    other.send(&mut story.world, &phone, &[&theirs]).await;
    for _ in 0..2 {
        let mut chunk: Vec<Entry> = Vec::new();
        for _ in 0..api::PAGE_ITEMS {
            let previous = chunk.last().or(story.chain.last());
            let next = story.circle.entry(&mut story.world, &phone, previous);
            chunk.push(next);
        }
        let entries: Vec<&Entry> = chunk.iter().collect();
        story.circle.send(&mut story.world, &phone, &entries).await;
        story.chain.extend(chunk);
    }
    let mut end = 0;
    while let Some(last) = story.circle.page(&mut story.world, &phone, end).await.items.last() {
        end = last.cursor;
    }
    story.both_acknowledge(end).await;
    story.checkpoint(1).await;
    let mut floor = 0;
    for _ in 0..3 {
        story.world.sweep().await;
        let now = story.floor().await;
        assert!(now > floor);
        floor = now;
    }
    assert_eq!(floor, end);
    assert_eq!(story.left().await.len(), 1);
    assert_eq!(other.page(&mut story.world, &phone, 0).await.items.len(), 1);
    // Who froze itself meanwhile is let back in, and has not lost its place.
    let tablet = story.tablet.clone();
    story.circle.record(&mut story.world, &tablet, Operation::Freeze { cut: cut(&tablet, 0) }).await;
    story.circle.record(&mut story.world, &phone, Operation::Veto { device: tablet.device }).await;
    assert_eq!(story.circle.page(&mut story.world, &tablet, end).await.items.len(), 1);
}
