//! Where a terminal is: what a command says, such as `termux-location`.

use async_trait::async_trait;
use baken_core::alarm::Locator;
use baken_schemas::alarm::{Fix, Position};
use serde_json::Value as Json;
use tokio::process::Command;

use super::alarm::fix;

/// A command of the shell that prints where this device is.
pub struct LocateCommand(pub String);

#[async_trait]
impl Locator for LocateCommand {
    async fn locate(&self) -> Option<(Position, Option<u8>)> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(&self.0).stdin(std::process::Stdio::null()).kill_on_drop(true);
        let output = command.output().await.ok()?;
        Some((read(&String::from_utf8_lossy(&output.stdout))?, None))
    }
}

/// Reads `LATITUDE,LONGITUDE,ACCURACY_M[,AGE_S]`, or JSON with `latitude`, `longitude` and `accuracy` (in metres).
fn read(printed: &str) -> Option<Position> {
    let printed = printed.trim();
    let of_json = || {
        let found: Json = serde_json::from_str(printed).ok()?;
        let number = |name: &str| found.get(name)?.as_f64();
        Some(format!("{},{},{:.0}", number("latitude")?, number("longitude")?, number("accuracy")?.max(0.0)))
    };
    let text = if printed.starts_with('{') { of_json()? } else { printed.to_owned() };
    match fix(Some(&text)).ok()? {
        Fix::At(position) => Some(position),
        Fix::Absent(_) => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn both_ways_of_printing_a_place_are_read_and_nothing_else_is() {
        let place = read("52.3702,4.8952,12\n").unwrap();
        assert_eq!((place.latitude_e7, place.longitude_e7, place.accuracy_m), (523_702_000, 48_952_000, 12));
        let json =
            r#"{"latitude": 52.3702, "longitude": 4.8952, "altitude": 0.0, "accuracy": 11.7, "provider": "gps"}"#;
        assert_eq!(read(json).unwrap(), place);
        for other in ["", "{}", "{\"latitude\": 52.0}", "no fix", "52.3,4.8", "91,4.8,1", "{\"latitude\":\"52\"}"] {
            assert!(read(other).is_none(), "{other}");
        }
    }

    #[tokio::test]
    async fn a_command_that_fails_says_nothing() {
        assert!(LocateCommand("exit 1".to_owned()).locate().await.is_none());
        assert!(LocateCommand("echo 52.1,4.2,9,3".to_owned()).locate().await.is_some());
    }
}
