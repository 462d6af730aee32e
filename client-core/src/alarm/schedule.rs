//! When to try what: no clock, no network, no disk. Given what is open and what time it is, it says what is due.

use std::collections::BTreeMap;

use baken_schemas::id::{AlarmId, NoteId, SmsContextId};
use baken_schemas::time::Timestamp;
use rand_core::CryptoRng;

/// Seconds before the next try, after one failure, two, and so on; the last one from then on, without end.
const BACKOFF_S: [i64; 8] = [1, 1, 2, 3, 5, 8, 13, 20];
/// Milliseconds before the next try of an alarm or note that was refused: 30 seconds with a fifth more. A relay that was
/// restored from a backup may not know the phone for a while, and the alarm must not wait long after it does.
const REFUSED_ALARM_MS: i64 = 25 * 1000;
/// Milliseconds before the next try of anything else that was refused.
const REFUSED_MS: i64 = 5 * 60 * 1000;
/// Milliseconds between two looks at an alarm's receipts while no human has it. The live stream is faster; this is for
/// when it is silent.
const RECEIPTS_MS: i64 = 10 * 1000;
/// The same once a human has it.
const RECEIPTS_SEEN_MS: i64 = 60 * 1000;
/// Milliseconds between two looks at the mailbox.
const MAIL_MS: i64 = 15 * 1000;
/// The most jobs of one round; the rest is due in the next.
const MAX_JOBS: usize = 32;
/// The longest anyone is told to wait before asking again, in milliseconds.
const MAX_WAIT_MS: i64 = 20 * 1000;

/// Something to ask the relay. In order of urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Job {
    /// Send this alarm.
    Alarm(AlarmId),
    /// Send what this device says of an alarm of another.
    Said(i64),
    /// Send this note: it may be the only call for help there is.
    Note(NoteId),
    /// Leave what texts need.
    SmsContext(SmsContextId),
    /// Say that this check-in is settled, before it becomes an alarm.
    Settlement(AlarmId),
    /// Hand in this check-in, or renew it.
    CheckIn(AlarmId),
    /// Send this update, by its number.
    Update(AlarmId, u64),
    /// Ask for all receipts of this alarm.
    Receipts(AlarmId),
    /// Ask for mail.
    Mail,
    /// Send a chunk of the file of this update: by far the largest, so it comes last.
    Chunk(AlarmId, u64, u32),
}

#[derive(Debug, Clone, Copy)]
struct Wait {
    since: Timestamp,
    delay_ms: i64,
    failures: usize,
}

/// What each job waits for. A job that is not in it is due.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    waits: BTreeMap<Job, Wait>,
}

/// How a try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is done, or to be looked at again after the usual time.
    Done {
        /// A human has the alarm that it is about.
        seen: bool,
    },
    /// No answer, or one that proves nothing.
    Failed,
    /// The relay said no.
    Refused,
}

impl Schedule {
    /// Which of the open jobs are due, the most urgent first. Forgets what is not open any more.
    pub(super) fn due(&mut self, open: &[Job], now: Timestamp) -> Vec<Job> {
        self.waits.retain(|job, _| open.contains(job));
        let mut due: Vec<Job> = open.iter().filter(|job| self.wait_ms(job, now) == 0).copied().collect();
        due.sort_unstable();
        due.truncate(MAX_JOBS);
        due
    }

    /// Milliseconds until the first of the open jobs is due, at most 20 seconds.
    pub(super) fn next_ms(&self, open: &[Job], now: Timestamp) -> i64 {
        open.iter().map(|job| self.wait_ms(job, now)).min().unwrap_or(MAX_WAIT_MS).min(MAX_WAIT_MS)
    }

    /// Notes how a job went.
    pub(super) fn note(&mut self, job: Job, outcome: Outcome, now: Timestamp, rng: &mut dyn CryptoRng) {
        let failures = self.waits.get(&job).map_or(0, |wait| wait.failures);
        let (delay_ms, failures) = match outcome {
            Outcome::Done { seen } => match job {
                Job::Alarm(_)
                | Job::Said(_)
                | Job::Note(_)
                | Job::SmsContext(_)
                | Job::Settlement(_)
                | Job::CheckIn(_)
                | Job::Update(..)
                | Job::Chunk(..) => {
                    self.waits.remove(&job);
                    return;
                }
                Job::Receipts(_) if seen => (RECEIPTS_SEEN_MS, 0),
                Job::Receipts(_) => (RECEIPTS_MS, 0),
                Job::Mail => (MAIL_MS, 0),
            },
            Outcome::Failed => (jittered(backoff_ms(failures), rng), failures.saturating_add(1)),
            Outcome::Refused => match job {
                Job::Alarm(_) | Job::Said(_) | Job::Note(_) | Job::Settlement(_) | Job::CheckIn(_) => {
                    (jittered(REFUSED_ALARM_MS, rng), 0)
                }
                Job::SmsContext(_) | Job::Update(..) | Job::Receipts(_) | Job::Mail | Job::Chunk(..) => {
                    (jittered(REFUSED_MS, rng), 0)
                }
            },
        };
        self.waits.insert(job, Wait { since: now, delay_ms, failures });
    }

    /// Makes everything due: the network came back, or a person asks.
    pub(super) fn all_due(&mut self) {
        self.waits.clear();
    }

    fn wait_ms(&self, job: &Job, now: Timestamp) -> i64 {
        let Some(wait) = self.waits.get(job) else { return 0 };
        let passed = now.since_ms(wait.since);
        // A clock that went back tells nothing about how long it has been.
        if passed < 0 { 0 } else { wait.delay_ms.saturating_sub(passed).max(0) }
    }
}

/// Milliseconds to wait after `failures` earlier ones.
pub(super) fn backoff_ms(failures: usize) -> i64 {
    let [.., longest] = BACKOFF_S;
    BACKOFF_S.get(failures).copied().unwrap_or(longest) * 1000
}

/// Give or take a fifth, so that a thousand phones do not come back in one instant.
pub(super) fn jittered(delay_ms: i64, rng: &mut dyn CryptoRng) -> i64 {
    let fifth = (delay_ms / 5).max(1);
    let spread = u64::try_from(2 * fifth + 1).unwrap_or(1);
    let draw = i64::try_from(rng.next_u64() % spread).unwrap_or_default();
    delay_ms - fifth + draw
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;
    use rand::SeedableRng as _;
    use rand::rngs::ChaCha20Rng;

    fn job(number: u8) -> Job {
        Job::Alarm(AlarmId([number; 16]))
    }

    #[test]
    fn a_waiting_alarm_is_tried_without_end_and_never_later_than_24_seconds() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (mut schedule, mut now) = (Schedule::default(), Timestamp(0));
        let open = [job(1)];
        let mut waits = Vec::new();
        for _ in 0..10_000 {
            assert_eq!(schedule.due(&open, now), open);
            schedule.note(job(1), Outcome::Failed, now, &mut rng);
            assert_eq!(schedule.due(&open, now), []);
            let start = now;
            while schedule.due(&open, now).is_empty() {
                now = now.plus_ms(schedule.next_ms(&open, now));
            }
            waits.push(now.since_ms(start));
        }
        let expected = [1, 1, 2, 3, 5, 8, 13, 20, 20, 20];
        for (wait, expected) in waits.iter().zip(expected) {
            assert!((expected * 800..=expected * 1200).contains(wait), "{wait} ms, {expected} s expected");
        }
        assert!(waits.iter().skip(8).all(|wait| (16_000..=24_000).contains(wait)));
    }

    #[test]
    fn a_refused_alarm_is_tried_again_within_30_seconds_without_end_and_holds_up_no_other() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let (mut schedule, mut now) = (Schedule::default(), Timestamp(0));
        let open = [job(1), job(2)];
        for _ in 0..1_000 {
            schedule.note(job(1), Outcome::Refused, now, &mut rng);
            assert_eq!(schedule.due(&open, now.plus_ms(1)), [job(2)]);
            now = now.plus_ms(30_000);
            assert_eq!(schedule.due(&open, now), open);
        }
    }

    #[test]
    fn a_refused_update_and_a_refused_question_wait_five_minutes() {
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let mut schedule = Schedule::default();
        let open = [Job::Update(AlarmId([1; 16]), 1), Job::Receipts(AlarmId([1; 16])), Job::Mail];
        open.iter().for_each(|job| schedule.note(*job, Outcome::Refused, Timestamp(0), &mut rng));
        assert_eq!(schedule.due(&open, Timestamp(239_000)), []);
        assert_eq!(schedule.due(&open, Timestamp(361_000)), open);
    }

    #[test]
    fn a_clock_set_back_makes_everything_due() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let mut schedule = Schedule::default();
        let now = Timestamp(1_000_000_000_000);
        schedule.note(job(1), Outcome::Refused, now, &mut rng);
        assert_eq!(schedule.due(&[job(1)], now.plus_ms(-1)), [job(1)]);
    }

    #[test]
    fn alarms_come_before_all_else_and_a_round_has_an_end() {
        let mut schedule = Schedule::default();
        let mut open = vec![Job::Mail, Job::Receipts(AlarmId([1; 16])), Job::Update(AlarmId([1; 16]), 1)];
        open.extend((0..40).map(job));
        let due = schedule.due(&open, Timestamp(0));
        assert_eq!(due.len(), MAX_JOBS);
        assert!(due.iter().all(|job| matches!(job, Job::Alarm(_))));
    }
}
