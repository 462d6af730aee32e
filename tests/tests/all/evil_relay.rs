//! A relay that lies. Every case asks two things of the phones it lies to: that they refuse (nothing changed, nothing
//! applied by halves), and that they say the right words. Where it is possible, a third: that everything drains to one
//! state when the relay stops lying.
//!
//! The list below is the whole suite; a case is one line here and one function in the file of its class.

mod checkpoints;
mod documents;
mod entries;
mod keys;
mod log;
mod malformed;
mod relay;
mod stage;

/// Makes a test of every case, and the table of them.
macro_rules! cases {
    ($($class:literal: $file:ident { $($case:ident),+ $(,)? })+) => {
        $($(
            #[tokio::test]
            async fn $case() {
                $file::$case().await;
            }
        )+)+

        /// Each class, and its cases.
        const CASES: &[(&str, &[&str])] = &[$(($class, &[$(stringify!($case)),+])),+];
    };
}

cases! {
    "KDF downgrade": keys {
        no_answer_of_the_relay_sets_what_a_pin_costs,
    }
    "header swap": keys {
        a_header_put_in_from_another_phone_opens_nothing,
    }
    "public-key substitution": keys {
        an_offer_by_another_device_stops_the_pairing,
        an_offer_with_another_key_for_the_same_device_stops_the_pairing,
        a_hello_of_another_pairing_stops_it,
        a_grant_of_another_pairing_stops_it,
        a_directory_that_the_relay_signed_activates_nothing,
        a_circle_that_the_relay_founded_under_a_name_of_the_dossier_is_not_joined,
        a_circle_that_the_relay_founded_is_not_recovered_either,
    }
    "device injection in the log": log {
        a_device_that_the_relay_adds_to_the_log_is_in_no_circle,
        a_record_of_another_circle_is_no_record_of_this_one,
        a_new_device_refuses_a_log_in_which_a_key_was_swapped,
    }
    "log fork and equivocation": log {
        two_phones_that_are_shown_two_logs_find_out_by_each_others_entries,
    }
    "log truncation": log {
        a_log_record_that_is_held_back_is_missed_when_a_peer_names_it,
        a_new_device_refuses_a_log_that_ends_before_its_grant,
        a_removal_that_the_relay_takes_and_forgets_is_not_told_as_done,
        a_log_that_comes_twice_is_a_conflict_and_changes_nothing,
    }
    "epoch-wrap swap and replay": log {
        an_epoch_whose_wraps_were_swapped_between_devices_is_refused,
        an_epoch_record_that_comes_again_starts_no_epoch,
    }
    "object swap": entries {
        entries_of_another_circle_are_none_of_this_one,
        an_entry_moved_into_another_circle_does_not_open,
        an_entry_moved_into_another_epoch_does_not_open,
        an_entry_moved_to_another_writer_does_not_open,
        an_entry_taken_for_a_checkpoint_does_not_open,
        a_log_record_among_the_entries_is_no_entry,
    }
    "rollback, withholding, reordering, duplication": entries {
        an_entry_held_back_is_missed_named_and_taken_when_it_comes,
        entries_in_another_order_and_twice_make_the_same_state,
        a_cursor_that_runs_backwards_is_a_contradiction,
        an_old_page_again_is_a_contradiction,
        a_cursor_that_the_relay_made_up_hides_nothing_for_good,
        a_generation_that_changes_with_every_answer_is_a_contradiction,
        an_acknowledgement_of_what_was_never_made_is_the_relays_fault,
        an_entry_acknowledged_and_thrown_away_is_sent_again,
        an_empty_page_that_promises_more_ends_the_reading,
    }
    "checkpoint lies": checkpoints {
        a_checkpoint_without_one_of_its_parts_starts_nothing,
        parts_of_another_circles_checkpoint_start_nothing,
        an_old_checkpoint_again_takes_nothing_back,
        a_checkpoint_by_a_removed_device_changes_nothing,
        a_floor_that_is_a_lie_hides_nothing,
        entries_dropped_without_a_checkpoint_are_missed,
    }
    "manifest rollback, freeze and mix": documents {
        an_older_directory_again_takes_a_new_phone_nowhere,
        a_directory_of_another_organisation_is_refused,
        a_directory_with_a_flipped_bit_is_refused,
    }
    "forged receipts": documents {
        a_receipt_in_a_desks_name_says_nothing_and_shows,
    }
    "recovery blob swap": documents {
        another_accounts_root_for_this_code_is_refused,
        the_root_of_an_older_code_for_the_newer_one_is_refused,
        another_accounts_log_at_a_recovery_is_refused,
        an_answer_to_a_recovery_for_another_account_is_refused,
    }
    "malformed everything": malformed {
        garbage_for_every_answer_is_named_as_such,
        answers_cut_short_are_named_as_such,
        a_flipped_bit_in_an_entry_is_put_aside_and_the_true_one_taken,
        an_entry_padded_behind_its_end_is_put_aside,
        a_flood_of_junk_is_refused_whole,
        a_huge_item_is_put_aside,
        an_entry_by_a_writer_who_does_not_exist_waits_and_shows,
        a_refusal_full_of_words_shows_its_code_only,
        a_log_of_garbage_is_a_conflict,
        a_log_of_garbage_for_a_named_circle_holds_up_no_other,
    }
    "size and timing oracle on errors": malformed {
        a_phone_asks_the_same_whatever_is_wrong_with_an_entry,
    }
}

#[test]
fn every_class_has_its_cases() {
    let count: usize = CASES.iter().map(|(_, cases)| cases.len()).sum();
    assert!(CASES.len() >= 15 && count >= 30, "{} classes, {count} cases", CASES.len());
}
