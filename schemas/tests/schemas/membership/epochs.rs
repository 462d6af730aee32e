//! Epochs and recovery: whom a key is for, what it opens, and what the root alone may do.

use super::*;

#[test]
fn an_epoch_is_the_next_and_wrapped_to_all() {
    let mut world = World::new(53);
    let mut circle = world.circle();
    let (author, sig) = (world.mayor_phone.device, world.mayor_phone.sig.clone());
    let (membership, id) = (circle.membership.clone(), world.circle);
    let members = membership.readers();
    let stranger = member(&DeviceKeys::make(&mut world.rng));
    let reversed: Vec<_> = members.iter().rev().copied().collect();
    let extra = [&members[..], &[&stranger]].concat();
    let doubled = [&members[..], &members[..1]].concat();
    let (key, recovery) = (circle.epoch_key.clone(), membership.recovery());
    let mut made = |number, members: &[&Member], recovery, before| {
        Epoch::make(id, number, Readers { members, recovery }, before, &mut world.rng).expect("good keys").0
    };
    for (number, wrapped_to, why) in [
        (2, &members[..1], "not wrapped to all"),
        (2, &members[1..], "not wrapped to its author"),
        (2, &extra[..], "wrapped to a stranger too"),
        (2, &doubled[..], "wrapped to one twice"),
        (2, &reversed[..], "in another order"),
        (2, &[], "wrapped to nobody"),
        (1, &members[..], "the same number again"),
        (3, &members[..], "a skipped number"),
        (u32::MAX, &members[..], "the last number there is"),
    ] {
        let epoch = made(number, wrapped_to, recovery, Some(&key));
        let record = membership.next(author, Operation::Epoch { epoch }, &sig).into_value();
        refused(&mut circle.membership, &record, &sig, why);
    }
    let good = made(2, &members, recovery, Some(&key));
    let changed = |change: &dyn Fn(&mut Epoch)| {
        let mut epoch = good.clone();
        change(&mut epoch);
        epoch
    };
    for (epoch, why) in [
        (made(2, &members, None, Some(&key)), "not wrapped to the recovery key"),
        (made(2, &members, recovery, None), "without the key before"),
        (changed(&|epoch| epoch.before.push(0)), "a longer key before"),
        (changed(&|epoch| epoch.wraps[1].wrapped.ciphertext.push(0)), "a longer wrap"),
        (changed(&|epoch| epoch.wraps[0].wrapped.encapsulated.truncate(1119)), "a shorter encapsulation"),
        (changed(&|epoch| epoch.recovery.as_mut().expect("it has one").ciphertext.clear()), "an empty wrap"),
    ] {
        let record = membership.next(author, Operation::Epoch { epoch }, &sig).into_value();
        refused(&mut circle.membership, &record, &sig, why);
    }
    let record = membership.next(author, Operation::Epoch { epoch: good }, &sig);
    assert!(circle.membership.apply(record.bytes()).is_ok());

    // A circle without a recovery code wraps to none, and its first epoch has none before.
    let first = member(&world.mayor_phone);
    let (membership, _) =
        Membership::found(id, CircleKind::Family, world.account_root.verify_key(), None, first.clone(), &sig);
    for (recovery, before, fits) in [(None, None, true), (None, Some(&key), false), (recovery, None, false)] {
        let epoch = made(1, &[&first], recovery, before);
        let record = membership.next(author, Operation::Epoch { epoch }, &sig);
        assert_eq!(membership.clone().apply(record.bytes()).is_ok(), fits);
    }
}

/// Who is given the newest key reads back to the first epoch; an old key opens nothing newer.
#[test]
fn the_newest_key_opens_all_before_and_no_key_opens_what_is_later() {
    let mut world = World::new(71);
    let [partner, laptop] = [(); 2].map(|()| DeviceKeys::make(&mut world.rng));
    let mut circle = world.circle();
    let phone = world.mayor_phone.clone();
    let mut keys = vec![circle.epoch_key.clone()];
    circle.take(&phone, Operation::Add { member: with_role(&partner, MemberRole::Member) });
    circle.start_epoch(&phone, &mut world.rng);
    keys.push(circle.epoch_key.clone());
    circle.remove(&phone, partner.device, 0, &mut world);
    keys.push(circle.epoch_key.clone());
    circle.take(&phone, Operation::Add { member: with_role(&laptop, MemberRole::Member) });
    circle.start_epoch(&phone, &mut world.rng);
    keys.push(circle.epoch_key.clone());

    let epochs: Vec<Epoch> = circle
        .records
        .iter()
        .filter_map(|record| match &record.value().operation {
            Operation::Epoch { epoch } | Operation::Remove { epoch, .. } => Some(epoch.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(epochs.len(), 4);
    let recovery = world.code.kem(world.account);
    for newest in [
        epochs[3].open(world.circle, laptop.device, &laptop.kem),
        epochs[3].open(world.circle, phone.device, &phone.kem),
        epochs[3].open_recovery(world.circle, &recovery),
    ] {
        let mut key = newest.expect("opens").expect("wrapped to it");
        for (epoch, expected) in epochs.iter().zip(&keys).rev() {
            assert_eq!(key, *expected);
            assert_eq!(epoch.check(&key), Ok(()));
            match epoch.open_before(world.circle, &key).expect("sealed under this one") {
                Some(before) => key = before,
                None => assert_eq!(epoch.number, 1),
            }
        }
    }
    // The removed one had the second epoch: it opens the first with it, and neither the third nor the fourth.
    let held = epochs[1].open(world.circle, partner.device, &partner.kem).expect("opens").expect("was in");
    assert_eq!(epochs[1].open_before(world.circle, &held), Ok(Some(keys[0].clone())));
    for later in &epochs[2..] {
        assert_eq!(later.open(world.circle, partner.device, &partner.kem), Ok(None));
        assert!(later.open_before(world.circle, &held).is_err() && later.check(&held).is_err());
        for wrap in &later.wraps {
            let in_its_name = later.open(world.circle, wrap.recipient, &partner.kem);
            assert!(matches!(in_its_name, Err(FormatError::Sealed { .. })));
        }
        assert!(matches!(later.open_recovery(world.circle, &partner.kem), Err(FormatError::Sealed { .. })));
    }
    // A sealed key moved to another epoch or circle does not open.
    let mut moved = epochs[2].clone();
    moved.number = 4;
    assert!(moved.open_before(world.circle, &keys[2]).is_err());
    assert!(epochs[2].open_before(CircleId([1; 16]), &keys[2]).is_err());
}

#[test]
fn the_root_alone_recovers_and_takes_lost_ones_out() {
    let mut world = World::new(72);
    let [new_phone, proposed, partner] = [(); 3].map(|()| DeviceKeys::make(&mut world.rng));
    let mut circle = world.circle();
    let (phone, tablet, root) = (world.mayor_phone.clone(), world.mayor_tablet.clone(), world.account_root.clone());
    circle.take(&phone, Operation::Add { member: member(&proposed) });
    circle.take(&phone, Operation::Add { member: with_role(&partner, MemberRole::Viewer) });
    let lost = vec![cut(&phone, 40), cut(&tablet, 3), cut(&proposed, 7), cut(&partner, 7)];
    let recovered = |circle: &Circle, member: &Member, lost: &[Cut], world: &mut World| {
        let readers = circle.membership.recovered(member, lost).expect("the rules allow it");
        let (epoch, key) = circle.epoch_for(&readers, &mut world.rng);
        (Operation::Recover { member: member.clone(), lost: lost.to_vec(), epoch }, key)
    };
    let (good, key) = recovered(&circle, &member(&new_phone), &lost, &mut world);

    let now = circle.membership.clone();
    let membership = &mut circle.membership;
    let by = |author: DeviceId, operation: &Operation| now.next(author, operation.clone(), &root).into_value();
    let record = by(new_phone.device, &good);
    refused(membership, &record, &new_phone.sig, "the new device's own key");
    refused(membership, &record, &phone.sig, "an owner's key");
    refused(membership, &by(phone.device, &good), &root, "brought in by another");
    let Operation::Recover { epoch, .. } = &good else { panic!("a recovery") };
    let changed = |member: &Member, lost: &[Cut]| Operation::Recover {
        member: member.clone(),
        lost: lost.to_vec(),
        epoch: epoch.clone(),
    };
    let viewer = changed(&with_role(&new_phone, MemberRole::Viewer), &lost);
    refused(membership, &by(new_phone.device, &viewer), &root, "comes in as a viewer");
    let fewer = changed(&member(&new_phone), &lost[1..]);
    refused(membership, &by(new_phone.device, &fewer), &root, "an epoch for fewer than stay");
    let strange = [&lost[..], &[Cut { device: DeviceId([9; 16]), counter: 0 }]].concat();
    let strange = changed(&member(&new_phone), &strange);
    refused(membership, &by(new_phone.device, &strange), &root, "a lost one that was never in");
    let again = changed(&member(&tablet), &lost);
    refused(membership, &by(tablet.device, &again), &root, "a device that was in");
    let unusable = Member { kem: KemPublic([0xff; 1216]), ..member(&new_phone) };
    refused(membership, &by(new_phone.device, &changed(&unusable, &lost)), &root, "a key of no use");

    circle.take_by_root(new_phone.device, good, &root);
    circle.epoch_key = key;
    assert_eq!(circle.state(&phone), Some(MemberState::Gone { cut: 40 }));
    assert_eq!(circle.state(&tablet), Some(MemberState::Gone { cut: 3 }));
    assert_eq!(circle.state(&proposed), Some(MemberState::Gone { cut: 0 }), "what never counted does not now");
    assert_eq!(circle.state(&partner), Some(MemberState::Gone { cut: 0 }));
    assert!(circle.membership.is_owner(new_phone.device) && !circle.membership.owes_epoch());
    assert_eq!(circle.membership.readers().len(), 1);
    circle.refuses(&phone, freeze(&new_phone, 0), "a lost one");
    circle.refuses(&phone, veto(&phone), "objects too late");

    // Without anybody lost: a device more, beside the others.
    let tablet = DeviceKeys::make(&mut world.rng);
    let (more, _) = recovered(&circle, &member(&tablet), &[], &mut world);
    circle.take_by_root(tablet.device, more, &root);
    assert_eq!(circle.membership.readers().len(), 2);
    assert_eq!(circle.replayed(), circle.membership);
}

#[test]
fn the_root_alone_gives_another_recovery_key() {
    let mut world = World::new(73);
    let partner = DeviceKeys::make(&mut world.rng);
    let mut circle = world.circle();
    let (phone, root) = (world.mayor_phone.clone(), world.account_root.clone());
    circle.take(&phone, Operation::Add { member: with_role(&partner, MemberRole::Member) });
    circle.start_epoch(&phone, &mut world.rng);
    let code = RecoveryCode::make(&mut world.rng);
    let kem = code.kem(world.account);
    let named = Operation::RecoveryKey { kem: kem.public() };
    circle.refuses(&phone, named.clone(), "an owner's key");
    let Circle { membership, .. } = &mut circle;
    let record = membership.next(partner.device, named.clone(), &root).into_value();
    refused(membership, &record, &root, "in the name of a member");
    let record = membership.next(DeviceId([9; 16]), named.clone(), &root).into_value();
    refused(membership, &record, &root, "in the name of nobody");
    let unusable = Operation::RecoveryKey { kem: KemPublic([0xff; 1216]) };
    let record = membership.next(phone.device, unusable, &root).into_value();
    refused(membership, &record, &root, "a key that nothing can be wrapped to");

    circle.take_by_root(phone.device, named, &root);
    assert!(circle.membership.owes_epoch());
    circle.start_epoch(&phone, &mut world.rng);
    let epoch = epoch_of(&circle);
    assert_eq!(epoch.open_recovery(world.circle, &kem), Ok(Some(circle.epoch_key.clone())));
    let old = world.code.kem(world.account);
    assert!(matches!(epoch.open_recovery(world.circle, &old), Err(FormatError::Sealed { .. })), "the old paper");
}
