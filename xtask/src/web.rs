//! `cargo xtask web`: the phone app as static files in `client-core/web/app/dist`.
//!
//! Three programs in a row: cargo makes the worker for WebAssembly, wasm-bindgen's own library writes the JavaScript
//! around it, and Vite puts it together with the screens. The worker has a target folder of its own, so that the two
//! kinds of build do not throw each other's work away.

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::workspace::{self, Profile};
use crate::{setup, step};

/// Sets up, builds, and says where the files are.
///
/// # Errors
/// What is missing and how to get it, or that a program failed.
pub fn run() -> Result<ExitCode> {
    eprintln!("== set-up");
    setup::for_web()?;
    eprintln!("== build");
    let started = step::now();
    build(|command| {
        let status = command.stdout(Stdio::from(std::io::stderr())).status().context("cannot start a program")?;
        Ok(status.success())
    })?;
    eprintln!("   ok in {:.1} s", started.elapsed().as_secs_f64());
    println!("{}", dist().display());
    eprintln!("serve it: baken-server serve app --files client-core/web/app/dist --relay https://YOUR-RELAY");
    Ok(ExitCode::SUCCESS)
}

/// The built files.
pub fn dist() -> PathBuf {
    app().join("dist")
}

/// The app's folder.
fn app() -> PathBuf {
    workspace::root().join("client-core/web/app")
}

/// Builds it, each program run by `run`, which says whether it went well.
///
/// # Errors
/// What failed.
pub fn build(mut run: impl FnMut(&mut Command) -> Result<bool>) -> Result<()> {
    let target = workspace::root().join("target/web");
    let mut cargo = workspace::cargo(["build", "--package", "baken-web", "--profile", "web", "--target", setup::WASM]);
    if workspace::is_ci() {
        cargo.arg("--locked");
    }
    // SQLCipher is C: cc finds the compiler by these names.
    cargo
        .arg("--target-dir")
        .arg(&target)
        .envs([("CC_wasm32_unknown_unknown", "clang"), ("AR_wasm32_unknown_unknown", "llvm-ar")]);
    must(&mut run, &mut cargo, "the worker could not be built")?;
    let mut generator = workspace::cargo(["build", "--package", "baken-web-bindgen"]);
    if workspace::is_ci() {
        generator.arg("--locked");
    }
    must(&mut run, &mut generator, "the generator of the worker's JavaScript could not be built")?;
    let mut bind = workspace::program(workspace::bin_dir(Profile::Dev)?.join("baken-web-bindgen"));
    bind.arg(target.join(setup::WASM).join("web/baken_web.wasm")).arg(app().join("src/generated"));
    must(&mut run, &mut bind, "the worker's JavaScript could not be made")?;
    for script in ["check", "build"] {
        let mut npm = workspace::program("npm");
        npm.args(["run", "--silent", script]).current_dir(app());
        must(&mut run, &mut npm, "the screens could not be built")?;
    }
    Ok(())
}

fn must(run: &mut impl FnMut(&mut Command) -> Result<bool>, command: &mut Command, what: &str) -> Result<()> {
    if run(command)? { Ok(()) } else { bail!("{what}; the messages are above") }
}
