//! Counting tests from what the runners print: nextest's summary and libtest's result lines.
//!
//! nextest's machine-readable output is still experimental; its summary line has kept its form for years, and a form
//! we do not know counts as a failure, never as zero failed.

/// How many checks or tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Ran and passed.
    pub passed: u32,
    /// Ran and did not pass, whatever way.
    pub failed: u32,
    /// Left out. Nothing may be.
    pub skipped: u32,
}

impl Tally {
    /// One check with its outcome.
    pub fn one(passed: bool) -> Self {
        Self { passed: u32::from(passed), failed: u32::from(!passed), skipped: 0 }
    }

    /// Adds another tally to this.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// Reads nextest's summary, such as
/// `Summary [   1.234s] 10/12 tests run: 8 passed (1 slow), 1 failed, 1 timed out, 2 skipped`.
///
/// Tests that nextest meant to run and did not are failures.
pub fn nextest_summary(line: &str) -> Option<Tally> {
    let (head, counts) = line.trim().strip_prefix("Summary [")?.split_once(" run: ")?;
    let ran = head.rsplit(']').next()?.split_whitespace().next()?;
    let mut tally = Tally::default();
    if let Some((done, planned)) = ran.split_once('/') {
        tally.failed += planned.parse::<u32>().ok()?.saturating_sub(done.parse().ok()?);
    }
    for part in outside_brackets(counts).split(',') {
        let (count, state) = part.trim().split_once(' ')?;
        let count: u32 = count.parse().ok()?;
        match state.trim() {
            "passed" => tally.passed += count,
            "skipped" => tally.skipped += count,
            "flaky" | "slow" | "leaky" => {}
            // "failed", "exec failed", "timed out", and what later versions may add.
            _ => tally.failed += count,
        }
    }
    Some(tally)
}

/// Reads libtest's line, such as `test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; …`.
pub fn libtest_result(line: &str) -> Option<Tally> {
    let (_, counts) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
    let mut tally = Tally::default();
    for part in counts.split(';') {
        let mut words = part.split_whitespace();
        let (Some(count), Some(state)) = (words.next().and_then(|word| word.parse::<u32>().ok()), words.next()) else {
            continue;
        };
        match state {
            "passed" => tally.passed += count,
            "failed" => tally.failed += count,
            "ignored" => tally.skipped += count,
            _ => {}
        }
    }
    Some(tally)
}

fn outside_brackets(text: &str) -> String {
    let mut depth = 0_u32;
    text.chars()
        .filter(|character| {
            match character {
                '(' => depth += 1,
                ')' => {
                    depth = depth.saturating_sub(1);
                    return false;
                }
                _ => {}
            }
            depth == 0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextest_all_passed() {
        let line = "     Summary [   0.012s] 5 tests run: 5 passed, 0 skipped";
        assert_eq!(nextest_summary(line), Some(Tally { passed: 5, failed: 0, skipped: 0 }));
    }

    #[test]
    fn nextest_counts_every_way_to_fail() {
        let line = "Summary [  61.2s] 9 tests run: 5 passed (1 slow, 1 flaky), 2 failed, 1 timed out, 1 exec failed, 3 skipped";
        assert_eq!(nextest_summary(line), Some(Tally { passed: 5, failed: 4, skipped: 3 }));
    }

    #[test]
    fn nextest_tests_that_were_meant_to_run_and_did_not_are_failures() {
        let line = "     Summary [   1.234s] 10/12 tests run: 9 passed (2 leaky), 1 failed, 0 skipped";
        assert_eq!(nextest_summary(line), Some(Tally { passed: 9, failed: 3, skipped: 0 }));
    }

    #[test]
    fn nextest_one_test_is_singular() {
        let line = "     Summary [   0.003s] 1 test run: 1 passed, 12 skipped";
        assert_eq!(nextest_summary(line), Some(Tally { passed: 1, failed: 0, skipped: 12 }));
    }

    #[test]
    fn libtest_counts_ignored_as_skipped() {
        let line = "test result: FAILED. 5 passed; 2 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.01s";
        assert_eq!(libtest_result(line), Some(Tally { passed: 5, failed: 2, skipped: 1 }));
    }

    #[test]
    fn other_lines_are_no_results() {
        assert_eq!(nextest_summary("   Starting 5 tests across 2 binaries"), None);
        assert_eq!(libtest_result("test alarm::opens ... ok"), None);
    }
}
