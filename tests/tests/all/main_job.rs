//! The main job, with real processes: the demo's story is a test, and nobody in between can read it.

use baken_schemas::Language;
use baken_schemas::cbor;
use baken_tests::marks::{Mark, found_in_bytes, found_in_folder};
use baken_tests::story::play::{Options, PRIVATE_WORDS, play};
use baken_tests::story::town::Plan;

/// Everything that must stay with Marit's devices and the desk: her words, her officer's name, where she is, what
/// kind of alarm it is.
fn marks() -> Vec<Mark> {
    let words =
        ["Joris", "burgemeester", "Marit", "De Wit", "teruggebeld", "codewoord", "silent", "duress", "\"panic\""];
    let places = ["52.371", "4.8903", "523717500", "48903500"];
    let mut marks: Vec<Mark> = PRIVATE_WORDS.iter().chain(&words).chain(&places).map(|w| Mark::word(w)).collect();
    marks.push(Mark::bytes("the position as in an alarm", cbor::to_vec(&(523_717_500, 48_903_500))[1..].to_vec()));
    marks
}

/// A log without the time before each line: at 22:57:24.890350 a longitude of 4.8903 would seem to stand there.
fn without_times(log: &str) -> String {
    let is_time = |head: &str| {
        let Some((_, time)) = head.rsplit_once('T') else { return false };
        time.len() == "22:57:24.890350".len() && time.bytes().all(|byte| byte.is_ascii_digit() || b":.".contains(&byte))
    };
    let without = |line| match str::split_once(line, 'Z') {
        Some((head, rest)) if is_time(head) => rest,
        _ => line,
    };
    log.lines().map(without).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn i4_nothing_at_the_relay_shows_content_names_positions_or_kinds() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("zandhoven");
    let plan = Plan { data: data.clone(), log_level: "trace".to_owned(), tapped: true, programs: (None, None) };
    let options = Options { plan, language: Language::Nl, quiet: true };
    let (town, summary) = play(&options).await.expect("the story holds");

    assert!(summary.ok && summary.converged);
    assert_eq!(summary.conflicts, 1);
    assert_eq!(summary.receipts, ["stored", "received", "seen", "verified", "closed"]);
    assert!(summary.webhook >= 1);
    assert_eq!(summary.dc09, "ACK");
    assert_eq!(summary.timelines, 3);

    let captured = town.tap.as_ref().expect("the relay is tapped").captured();
    let log = std::fs::read_to_string(data.join("log/relay.log")).expect("the relay logs");
    let log = without_times(&log).into_bytes();
    // The capture and the log are really of this story, and the search finds what is there.
    assert!(found_in_bytes(&[Mark::word("/v0/alarms")], "capture", &captured).len() == 1);
    assert!(found_in_bytes(&[Mark::word("TRACE")], "log", &log).len() == 1);
    let phone = found_in_folder(&[Mark::word("BAKENVLT")], &data.join("phones")).expect("phones can be read");
    assert_eq!(phone.len(), 2);

    let marks = marks();
    assert_eq!(found_in_folder(&marks, &data.join("relay")).expect("the relay's files can be read"), [""; 0]);
    assert_eq!(found_in_bytes(&marks, "the relay's log", &log), [""; 0]);
    assert_eq!(found_in_bytes(&marks, "the traffic behind TLS", &captured), [""; 0]);
    // Nor in the files of a locked phone.
    assert_eq!(found_in_folder(&marks, &data.join("phones")).expect("phones can be read"), [""; 0]);
}

#[test]
fn a_logs_times_are_not_searched_and_everything_else_is() {
    assert_eq!(without_times("2026-11-23T22:57:24.890350Z TRACE at 4.8903Z"), " TRACE at 4.8903Z");
    assert_eq!(without_times(r#"{"timestamp":"2026-11-23T22:57:24.890350Z","level":"INFO"}"#), r#"","level":"INFO"}"#);
    assert_eq!(without_times("4.8903 to Zandhoven\nTo 4.8903Z"), "4.8903 to Zandhoven\nTo 4.8903Z");
}
