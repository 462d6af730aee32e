//! Where things lie in this workspace, and how cargo is called in it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

/// The folder that holds the workspace's `Cargo.toml`.
pub fn root() -> &'static Path {
    // Fixed at compile time: a moved checkout builds xtask again, since its path is part of cargo's fingerprint.
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The folder for what set-up installs; never committed.
pub fn baken_dir() -> PathBuf {
    root().join(".baken")
}

/// Where cargo puts binaries of a profile, wherever the user's settings have put the target folder.
pub fn bin_dir(profile: Profile) -> Result<PathBuf> {
    let own = env::current_exe().context("cannot tell where this program lies")?;
    let debug = own.parent().context("this program lies in no folder")?;
    Ok(match profile {
        Profile::Dev => debug.to_path_buf(),
        Profile::Release => debug.with_file_name("release"),
    })
}

/// A cargo profile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Dev,
    Release,
}

/// Whether a CI system runs this. It then must not change `Cargo.lock`.
pub fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// `cargo ARGUMENTS`, in the workspace's root, without input.
pub fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// A program in the workspace's root, without input and without the variables that `cargo run` sets about xtask
/// itself: build scripts that watch them (aws-lc-sys, openssl-sys) would build for minutes again.
pub fn program(name: impl Into<OsString>) -> Command {
    let mut command = Command::new(name.into());
    command.current_dir(root()).stdin(Stdio::null()).env("CARGO_TERM_COLOR", "never");
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(&name);
        }
    }
    command
}

/// The folder on `PATH` (or among the usual folders of system tools) that holds a program.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}
