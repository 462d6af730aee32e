//! `baken-web-bindgen IN.wasm OUT_DIR`: wasm-bindgen's own generator as a library, so that nobody has to install a program
//! of exactly the right version. `cargo xtask web` runs it.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(wasm), Some(out)) = (arguments.next(), arguments.next()) else {
        anyhow::bail!("usage: baken-web-bindgen IN.wasm OUT_DIR");
    };
    let mut bindgen = Bindgen::new();
    bindgen.input_path(&wasm).typescript(true).out_name("baken");
    bindgen.web(true)?.generate(&out).with_context(|| format!("cannot bind {}", wasm.display()))
}
