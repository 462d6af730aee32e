//! Relay and desk in one process, for trying out: every phone is told what that means.

use baken_tests::story::phone::PIN;
use baken_tests::story::process::{Process, Programs, free_port, run};
use baken_tests::story::town::{last_json, text_of};
use serde_json::Value;

async fn server(programs: &Programs, args: &[&str]) -> (i32, Value) {
    let all: Vec<&str> = std::iter::once("--json").chain(args.iter().copied()).collect();
    let (code, out, err) = run(&programs.server, &all, &[]).await.expect("it runs");
    (code, last_json(&format!("{out}{err}")).expect("it says how it ended"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_says_that_the_operator_reads_alarms_where_relay_and_desk_are_one() {
    let programs = Programs::find().expect("the programs are built");
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (org, relay, desk) = (path("org"), path("relay"), path("desk"));
    let url = |port: u16| format!("https://127.0.0.1:{port}");
    let (relay_url, console_url) = (url(free_port().unwrap()), url(free_port().unwrap()));
    let (relay_entry, desk_entry) = (path("relay/relay.cbor"), path("desk/desk.cbor"));

    let (_, made) = server(&programs, &["org", "init", "--data", &org, "--name", "Gemeente"]).await;
    let org_id = text_of(&made, "org").unwrap();
    let init = ["init", "relay", "--data", &relay, "--url", &relay_url, "--org", &org_id, "--operator-reads-alarms"];
    assert_eq!(server(&programs, &init).await.0, 0);
    let init = ["init", "desk", "--data", &desk, "--name", "Meldkamer", "--url", &console_url];
    let init = [&init[..], &["--relay", &relay_entry, "--org", &org_id]].concat();
    assert_eq!(server(&programs, &init).await.0, 0);

    let both = folder.path().display().to_string();
    let args = ["--json", "serve", "all", "--data", &both];
    let log = folder.path().join("log");
    let mut all = Process::start("serve all", &programs.server, &args, &[], &log).expect("it starts");
    all.json_where(|line| line.get("serving").is_some()).await.expect("it serves");
    let directory = ["org", "directory", "--data", &org, "--relay", &relay_entry, "--desk", &desk_entry, "--publish"];
    assert_eq!(server(&programs, &directory).await.0, 0);
    let invite =
        ["org", "invite", "--data", &org, "--name", "A", "--office", "raadslid", "--phone", "0600000000", "--publish"];
    let (_, invite) = server(&programs, &invite).await;

    let home = path("phone");
    for command in [&["activate", &text_of(&invite, "invite").unwrap()][..], &["status"]] {
        let args = [&["--json", "--home", &home][..], command].concat();
        let (code, out, err) = run(&programs.phone, &args, &[("BAKEN_PIN", PIN)]).await.expect("it runs");
        assert_eq!(code, 0, "{out}{err}");
        assert_eq!(last_json(&out).unwrap()["operator_reads_alarms"], true, "{}", command[0]);
    }
}
