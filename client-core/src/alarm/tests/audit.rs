//! The relay's audit: its heads only go up and each goes on from the last, or the phone says so.

use baken_schemas::audit::{AuditAnswer, AuditHead, leaf, node, prove, root};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::signed::Signed;
use baken_schemas::time::Clock as _;

use super::stage::{Mood, Stage, StageRelay};
use crate::BakenError;

/// Rows of an audit; from `changed` on they are not what they were.
struct Rows {
    changed: u64,
}

impl Rows {
    fn perfect(&self, level: u32, index: u64) -> Result<Hash, BakenError> {
        if level == 0 {
            let rewritten = index >= self.changed;
            return Ok(leaf(Hash::of("row", &[&index.to_be_bytes(), &[u8::from(rewritten)]])));
        }
        Ok(node(self.perfect(level - 1, index * 2)?, self.perfect(level - 1, index * 2 + 1)?))
    }

    /// What a relay with these rows answers.
    fn answer(&self, keys: &DeviceKeys, stage: &Stage, (from, size): (u64, u64)) -> Vec<u8> {
        let mut over = |level, index| self.perfect(level, index);
        let tree = root((0, size), &mut over).unwrap();
        let head = AuditHead { relay: stage.relay.device, size, root: tree, at: stage.clock.now() };
        let path = prove((from, size), &mut over).unwrap();
        let head = Signed::make(head, &keys.sig).bytes().to_vec().into();
        cbor::to_vec(&AuditAnswer { head, path })
    }
}

const HONEST: Rows = Rows { changed: u64::MAX };

async fn ask(stage: &Stage, relay: &StageRelay, answer: Vec<u8>) {
    relay.audit(answer);
    stage.clock.pass_s(3_600);
    stage.phone.hurry();
    stage.deliver(relay).await;
}

#[tokio::test]
async fn i6_heads_of_the_audit_go_up_and_a_history_that_is_written_anew_is_said() {
    let mut stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    assert_eq!(stage.phone.audit().unwrap(), None);
    for (from, size) in [(0, 5), (5, 5), (5, 70), (70, 71)] {
        ask(&stage, &relay, HONEST.answer(&stage.relay, &stage, (from, size))).await;
        let view = stage.phone.audit().unwrap().unwrap();
        assert_eq!((view.size, view.rewritten), (size, None));
    }
    let held = stage.phone.audit().unwrap().unwrap();
    // Row 40 is another now, and the relay proves its own tree as well as it can.
    let rewritten = Rows { changed: 40 };
    ask(&stage, &relay, rewritten.answer(&stage.relay, &stage, (71, 80))).await;
    stage.restart_phone();
    let view = stage.phone.audit().unwrap().unwrap();
    let found = view.rewritten.clone().unwrap();
    assert_eq!((found.held_size, found.told_size, view.size, view.root), (71, 80, 71, held.root));
    // It stays said, whatever comes after.
    ask(&stage, &relay, HONEST.answer(&stage.relay, &stage, (71, 90))).await;
    let view = stage.phone.audit().unwrap().unwrap();
    assert_eq!((view.size, view.rewritten), (90, Some(found)));
}

#[tokio::test]
async fn i6_a_history_with_its_end_cut_off_is_one_that_is_written_anew() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    ask(&stage, &relay, HONEST.answer(&stage.relay, &stage, (0, 20))).await;
    ask(&stage, &relay, HONEST.answer(&stage.relay, &stage, (20, 12))).await;
    let found = stage.phone.audit().unwrap().unwrap().rewritten.unwrap();
    assert_eq!((found.held_size, found.told_size), (20, 12));
}

#[tokio::test]
async fn a_head_that_the_relay_did_not_sign_and_a_relay_without_heads_change_nothing() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    ask(&stage, &relay, HONEST.answer(&stage.east, &stage, (0, 20))).await;
    assert_eq!((stage.phone.audit().unwrap(), stage.phone.refused_documents().unwrap()), (None, 1));
    ask(&stage, &relay, b"no answer".to_vec()).await;
    assert_eq!(stage.phone.audit().unwrap(), None);
    // Asked once an hour, and not by every round.
    ask(&stage, &relay, HONEST.answer(&stage.relay, &stage, (0, 20))).await;
    relay.audit(HONEST.answer(&stage.relay, &stage, (20, 30)));
    stage.deliver(&relay).await;
    assert_eq!(stage.phone.audit().unwrap().unwrap().size, 20);
    relay.be(Mood::Down);
    stage.clock.pass_s(3_600);
    stage.deliver(&relay).await;
    assert_eq!(stage.phone.audit().unwrap().unwrap().size, 20);
}
