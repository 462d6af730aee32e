//! Coming back with the recovery code: the sealed root, and the claim that the root signs.

use baken_schemas::api::{self, Activated, Recovery};
use baken_schemas::cbor;
use baken_schemas::circle::{CircleKind, Operation};
use baken_schemas::crypto::{Hash, SigningKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AccountId, CircleId};
use baken_schemas::recovery::{RecoveryClaim, RecoveryCode, RecoveryContent, SealedRoot};
use baken_schemas::signed::Signed;

use crate::relay::circles::{Circle, batch, cut, member, page};
use crate::relay::world::{Answer, World};

/// A phone, its account and its dossier.
struct Story {
    world: World,
    account: AccountId,
    phone: DeviceKeys,
    circle: Circle,
}

impl Story {
    async fn new() -> Self {
        let mut world = World::new().await;
        let (account, phone) = activated(&mut world).await;
        let circle = Circle::found(&mut world, &phone).await;
        Self { world, account, phone, circle }
    }

    /// The dossier's root, sealed under a code.
    fn sealed(&mut self, code: &RecoveryCode) -> Vec<u8> {
        sealed(&mut self.world, self.account, code, &self.circle.root.clone(), self.circle.circle)
    }

    /// A new device claims an account by a root.
    async fn claim(&mut self, keys: &DeviceKeys, claim: &Signed<RecoveryClaim>) -> Answer {
        let identity = keys.identity().bytes().to_vec().into();
        let body = cbor::to_vec(&Recovery { identity, claim: claim.bytes().to_vec().into() });
        self.world.call(keys, "POST", api::RECOVER, &body).await
    }

    /// The claim as it must be.
    fn good_claim(&self, keys: &DeviceKeys) -> Signed<RecoveryClaim> {
        RecoveryClaim::make(self.account, self.circle.circle, keys.identity().value(), &self.circle.root)
    }
}

async fn activated(world: &mut World) -> (AccountId, DeviceKeys) {
    let (invite, phone) = (world.invite().await, DeviceKeys::make(&mut world.rng));
    world.use_invite(&invite, &phone).await.ok();
    (invite.account, phone)
}

fn sealed(world: &mut World, account: AccountId, code: &RecoveryCode, root: &SigningKey, circle: CircleId) -> Vec<u8> {
    let content = RecoveryContent { root: *root.to_bytes(), circle };
    Signed::make(code.seal_root(account, &content, &mut world.rng), root).bytes().to_vec()
}

fn named(name: Hash) -> String {
    api::SEALED_ROOT_NAMED.replace("{name}", &name.to_string())
}

#[tokio::test]
async fn the_sealed_root_lies_under_its_codes_name_and_the_newest_replaces_it_for_good() {
    let mut story = Story::new().await;
    let (account, phone) = (story.account, story.phone.clone());
    let [old, new] = [0; 2].map(|_| RecoveryCode::make(&mut story.world.rng));
    let (of_old, of_new) = (story.sealed(&old), story.sealed(&new));
    story.world.call(&phone, "PUT", api::SEALED_ROOT, &of_old).await.ok();
    story.world.call(&phone, "PUT", api::SEALED_ROOT, &of_old).await.ok();
    let found = story.world.plain("GET", &named(old.name(account)), &[]).await.ok();
    assert_eq!(SealedRoot::open(&found, account, &old).unwrap().circle, story.circle.circle);
    story.world.call(&phone, "PUT", api::SEALED_ROOT, &of_new).await.ok();
    story.world.restart().await;
    assert_eq!(story.world.plain("GET", &named(new.name(account)), &[]).await.ok(), of_new);
    story.world.plain("GET", &named(old.name(account)), &[]).await.is(404, "not_found");
    // A code that somebody saw was replaced for that: it does not come back.
    story.world.call(&phone, "PUT", api::SEALED_ROOT, &of_old).await.is(409, "older_version");
    assert_eq!(story.world.audited("sealed_root_kept").len(), 2);
    assert_eq!(story.world.audited("sealed_root_read"), vec![(account.to_string(), "ok".to_owned()); 2]);
}

#[tokio::test]
async fn a_root_that_the_dossier_does_not_name_seals_nothing() {
    let mut story = Story::new().await;
    let (account, phone, circle) = (story.account, story.phone.clone(), story.circle.circle);
    let code = RecoveryCode::make(&mut story.world.rng);
    let good = story.sealed(&code);
    let other_root = SigningKey::make(&mut story.world.rng);
    let by_other_root = sealed(&mut story.world, account, &code, &other_root, circle);
    story.world.call(&phone, "PUT", api::SEALED_ROOT, &by_other_root).await.is(403, "not_the_root");
    // Nor the root of another circle of the account, though the account's own device founded it.
    let family = Circle::found_as(&mut story.world, &phone, CircleKind::Family).await;
    let by_family = sealed(&mut story.world, account, &code, &family.root, family.circle);
    story.world.call(&phone, "PUT", api::SEALED_ROOT, &by_family).await.is(403, "not_the_root");
    // Nor another account's, whichever device brings it.
    let (their_account, stranger) = account_with_dossier(&mut story.world).await;
    story.world.call(&stranger, "PUT", api::SEALED_ROOT, &good).await.is(403, "not_the_root");
    let for_them = sealed(&mut story.world, their_account, &code, &story.circle.root.clone(), circle);
    story.world.call(&stranger, "PUT", api::SEALED_ROOT, &for_them).await.is(403, "not_the_root");
    // An account without a dossier has no root.
    let (without, newcomer) = activated(&mut story.world).await;
    let early = sealed(&mut story.world, without, &code, &other_root, circle);
    story.world.call(&newcomer, "PUT", api::SEALED_ROOT, &early).await.is(403, "not_the_root");
    story.world.plain("PUT", api::SEALED_ROOT, &good).await.is(401, "unsigned");
    story.world.call_locked(&phone, "PUT", api::SEALED_ROOT, &good).await.is(403, "alarm_key");
    story.world.plain("GET", &named(code.name(account)), &[]).await.is(404, "not_found");
}

async fn account_with_dossier(world: &mut World) -> (AccountId, DeviceKeys) {
    let (account, phone) = activated(world).await;
    Circle::found(world, &phone).await;
    (account, phone)
}

#[tokio::test]
async fn nobody_takes_the_name_of_anothers_sealed_root() {
    let mut story = Story::new().await;
    let code = RecoveryCode::make(&mut story.world.rng);
    let good = story.sealed(&code);
    story.world.call(&story.phone.clone(), "PUT", api::SEALED_ROOT, &good).await.ok();
    let (their_account, stranger) = activated(&mut story.world).await;
    let theirs = Circle::found(&mut story.world, &stranger).await;
    let name = code.name(story.account);
    let squatting = SealedRoot { account: their_account, name, sealed: vec![1] };
    let squatting = Signed::make(squatting, &theirs.root);
    story.world.call(&stranger, "PUT", api::SEALED_ROOT, squatting.bytes()).await.is(409, "conflict");
    assert_eq!(story.world.plain("GET", &named(name), &[]).await.ok(), good);
}

#[tokio::test]
async fn whoever_has_no_name_learns_nothing_and_not_often() {
    let mut story = Story::new().await;
    let code = RecoveryCode::make(&mut story.world.rng);
    let good = story.sealed(&code);
    story.world.call(&story.phone.clone(), "PUT", api::SEALED_ROOT, &good).await.ok();
    let name = code.name(story.account).to_string();
    let (unknown, cut_off) = ("0".repeat(64), &name[..62]);
    let mut answers = Vec::new();
    for wrong in [&unknown, cut_off, "nonsense", &format!("{name}0"), &story.account.to_string()] {
        let answer = story.world.plain("GET", &api::SEALED_ROOT_NAMED.replace("{name}", wrong), &[]).await;
        answer.is(404, "not_found");
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "one refusal is not like the others");
    let mut refused = 0;
    for _ in 0..20 {
        let answer = story.world.plain("GET", &api::SEALED_ROOT_NAMED.replace("{name}", &name), &[]).await;
        if answer.status == 200 {
            continue;
        }
        answer.is(429, "too_often");
        refused += 1;
    }
    assert_eq!(refused, 5, "twenty a minute, five of which were guesses");
    story.world.clock.advance(60_000);
    story.world.plain("GET", &api::SEALED_ROOT_NAMED.replace("{name}", &name), &[]).await.ok();
}

#[tokio::test]
async fn a_new_device_comes_back_by_the_root_and_takes_the_lost_ones_out() {
    let mut story = Story::new().await;
    let (account, phone) = (story.account, story.phone.clone());
    let code = RecoveryCode::make(&mut story.world.rng);
    let good = story.sealed(&code);
    story.world.call(&phone, "PUT", api::SEALED_ROOT, &good).await.ok();
    // All that is left is the paper.
    let new = DeviceKeys::make(&mut story.world.rng);
    let found = story.world.plain("GET", &named(code.name(account)), &[]).await.ok();
    let content = SealedRoot::open(&found, account, &code).unwrap();
    let claim = RecoveryClaim::make(account, content.circle, new.identity().value(), &content.root());
    let answer = story.claim(&new, &claim).await.ok();
    assert_eq!(cbor::from_slice::<Activated>(&answer, "activated").unwrap(), Activated { account });
    // The answer was lost.
    assert_eq!(story.claim(&new, &claim).await.ok(), answer);
    story.world.restart().await;
    let path = story.circle.path(api::LOG);
    let log = page(&mut story.world, &new, &path).await;
    assert_eq!(log.items.len(), 2);
    let entries = story.circle.path(api::ENTRIES);
    // It reads first, to say where the writing of the lost ones ends; what is sealed it opens by the code alone.
    story.world.call(&new, "GET", &entries, &[]).await.ok();
    let early = story.circle.entry(&mut story.world, &new, None);
    story.world.call(&new, "POST", &entries, &batch(&[&early])).await.is(403, "not_member");
    let lost = vec![cut(&phone, 0)];
    let after = story.circle.membership.recovered(&member(&new), &lost).unwrap();
    let epoch = story.circle.epoch_of(&mut story.world, &after);
    let recover = Operation::Recover { member: member(&new), lost, epoch };
    let record = story.circle.membership.next(new.device, recover.clone(), &new.sig);
    story.world.call(&new, "POST", &path, record.bytes()).await.is(422, "bad_signature");
    let record = story.circle.membership.next(new.device, recover, &content.root());
    story.world.call(&new, "POST", &path, record.bytes()).await.ok();
    story.circle.membership.apply(record.bytes()).unwrap();
    story.circle.page(&mut story.world, &new, 0).await;
    story.world.call(&phone, "GET", &entries, &[]).await.is(403, "removed");
    let tablet = DeviceKeys::make(&mut story.world.rng);
    story.world.call(&phone, "POST", api::DEVICES, tablet.identity().bytes()).await.is(403, "removed");
    let first = story.circle.entry(&mut story.world, &new, None);
    story.circle.send(&mut story.world, &new, &[&first]).await;
    story.world.device_of(&new).await;
    assert_eq!(story.world.audited("account_recovered"), [(account.to_string(), "ok".to_owned())]);
    assert_eq!(story.world.audited("circle_recovered").len(), 1);
}

#[tokio::test]
async fn a_forged_claim_enrols_nobody() {
    let mut story = Story::new().await;
    let (account, circle, root) = (story.account, story.circle.circle, story.circle.root.clone());
    let (new, other) = (DeviceKeys::make(&mut story.world.rng), DeviceKeys::make(&mut story.world.rng));
    let identity = new.identity().into_value();
    let wrong_root = SigningKey::make(&mut story.world.rng);
    let phone = story.phone.clone();
    let family = Circle::found_as(&mut story.world, &phone, CircleKind::Family).await;
    let (their_account, stranger) = activated(&mut story.world).await;
    let theirs = Circle::found(&mut story.world, &stranger).await;
    let nobody = AccountId::make(&mut story.world.rng);
    let nowhere = CircleId::make(&mut story.world.rng);
    let mut other_keys = RecoveryClaim::make(account, circle, &identity, &root).into_value();
    other_keys.fingerprint = other.identity().value().fingerprint();
    let claims = [
        RecoveryClaim::make(account, circle, &identity, &wrong_root),
        RecoveryClaim::make(account, circle, &identity, &phone.sig),
        // Of another device, though the root signed for that one.
        RecoveryClaim::make(account, circle, other.identity().value(), &root),
        Signed::make(other_keys, &root),
        // The family circle names a root of its own, and another account's dossier another.
        RecoveryClaim::make(account, family.circle, &identity, &family.root),
        RecoveryClaim::make(account, family.circle, &identity, &root),
        RecoveryClaim::make(account, theirs.circle, &identity, &theirs.root),
        RecoveryClaim::make(their_account, circle, &identity, &root),
        RecoveryClaim::make(nobody, circle, &identity, &root),
        RecoveryClaim::make(account, nowhere, &identity, &root),
    ];
    let mut answers = Vec::new();
    for claim in &claims {
        let answer = story.claim(&new, claim).await;
        answer.is(403, "not_the_root");
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "which claims come close is told");
    story.world.call(&new, "GET", api::MAIL, &[]).await.is(401, "unknown_device");
    let noted = story.world.audited("account_recovered");
    assert_eq!(noted.len(), claims.len());
    assert!(noted.iter().all(|(_, result)| result == "not_the_root"));
    // A good claim in the hands of another, or of the relay's own device and desks, is none.
    let good = story.good_claim(&new);
    story.claim(&other, &good).await.is(403, "not_the_root");
    let identity = new.identity().bytes().to_vec().into();
    let body = cbor::to_vec(&Recovery { identity, claim: good.bytes().to_vec().into() });
    story.world.call(&other, "POST", api::RECOVER, &body).await.is(401, "bad_signature");
    story.world.call_locked(&new, "POST", api::RECOVER, &body).await.is(403, "alarm_key");
    let false_desk = DeviceKeys { device: story.world.desks[0].device, ..DeviceKeys::make(&mut story.world.rng) };
    let claim = story.good_claim(&false_desk);
    story.claim(&false_desk, &claim).await.is(409, "device_taken");
    // Another account's device is not taken over, nor a guest made a device.
    let claim = story.good_claim(&stranger);
    story.claim(&stranger, &claim).await.is(409, "device_taken");
    let guest = story.world.guest_of(&phone).await;
    let claim = story.good_claim(&guest);
    story.claim(&guest, &claim).await.is(409, "device_taken");
}

#[tokio::test]
async fn strangers_do_not_fill_the_audit() {
    let mut story = Story::new().await;
    let wrong_root = SigningKey::make(&mut story.world.rng);
    for _ in 0..40 {
        let new = DeviceKeys::make(&mut story.world.rng);
        let claim = RecoveryClaim::make(story.account, story.circle.circle, new.identity().value(), &wrong_root);
        story.claim(&new, &claim).await.is(403, "not_the_root");
    }
    assert_eq!(story.world.audited("account_recovered").len(), 20);
}

#[tokio::test]
async fn a_thief_who_used_up_the_accounts_devices_does_not_keep_its_owner_out() {
    let mut story = Story::new().await;
    let phone = story.phone.clone();
    let mut enrolled = 1;
    loop {
        let sleeper = DeviceKeys::make(&mut story.world.rng);
        let answer = story.world.call(&phone, "POST", api::DEVICES, sleeper.identity().bytes()).await;
        if answer.status != 200 {
            answer.is(409, "too_many");
            break;
        }
        enrolled += 1;
    }
    assert_eq!(enrolled, 64);
    let new = DeviceKeys::make(&mut story.world.rng);
    let claim = story.good_claim(&new);
    story.claim(&new, &claim).await.ok();
}
