//! `cargo xtask pkg` and the runner of the wasm tests: wasm-bindgen's tools, called as libraries. And `cargo xtask xdr-types`,
//! which writes what [`xdr`] generates.
//!
//! Not here: what to build and when. `pkg-config/x.mjs` decides that; cargo calls the test runner (`.cargo/config.toml`).

mod xdr;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use wasm_bindgen_cli_support::Bindgen;

const USAGE: &str = "usage: cargo xtask <command>

  pkg WASM NAME                  writes NAME.js and NAME_bg.wasm into target/pkg
  xdr-types                      writes the layouts of XDR values, from the definitions in stellar-xdr
  wbg-test-runner WASM [ARGS]    runs a wasm test binary in a browser (feature `runner`)";

fn main() -> ExitCode {
    match run(env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Vec<String>) -> Result<()> {
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["pkg", wasm, name] => pkg(Path::new(wasm), name),
        ["xdr-types"] => {
            let text = xdr::generated(&root()).map_err(|error| anyhow!(error))?;
            Ok(std::fs::write(root().join(xdr::place()), text)?)
        }
        ["wbg-test-runner", ..] => test_runner::run(args),
        _ => bail!("{USAGE}"),
    }
}

/// One `web` output serves every host: those without `fetch` of a file pass the module themselves.
fn pkg(wasm: &Path, name: &str) -> Result<()> {
    let out = root().join("target/pkg");
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(wasm)
        .out_name(name)
        .web(true)?
        .typescript(true)
        // Bundlers follow every `new URL('….wasm', import.meta.url)` they see: which entry has one is www/lib's to say.
        .omit_default_module_path(true)
        // After a crash the package makes a fresh instance with it, instead of asking for a new process or page.
        .reset_state_function(true)
        .remove_name_section(true)
        .remove_producers_section(true);
    bindgen.generate(&out).with_context(|| format!("no bindings for {}", wasm.display()))
}

/// The repository, as this crate's manifest lies two folders below it.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[cfg(feature = "runner")]
mod test_runner {
    use std::ffi::OsString;
    use std::process::{Command, exit};
    use std::{env, fs};

    use anyhow::{Context, Result, bail};

    /// wasm-bindgen refuses to choose between two environments; asking for one that is not the default takes the default away.
    const DEFAULT: &str = "WASM_BINDGEN_USE_BROWSER";
    const CHOICES: [&str; 3] = ["WASM_BINDGEN_USE_DEDICATED_WORKER", "WASM_BINDGEN_USE_SHARED_WORKER", "WASM_BINDGEN_USE_SERVICE_WORKER"];
    /// What `wasm_bindgen_test_configure!` leaves in the binary; it wins over the environment without a word.
    const PINNED: &[u8] = b"__wasm_bindgen_test_unstable";

    pub(super) fn run(args: Vec<String>) -> Result<()> {
        if !CHOICES.iter().any(|choice| env::var_os(choice).is_some()) {
            return Ok(wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(args)?);
        }
        let wasm = args.get(1).context("no wasm file given")?;
        if fs::read(wasm)?.windows(PINNED.len()).any(|window| window == PINNED) {
            bail!("{wasm} says itself where it runs: take wasm_bindgen_test_configure! out of the test file");
        }
        if env::var_os(DEFAULT).is_none() {
            return Ok(wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(args)?);
        }
        // Its own environment is the one thing a process cannot change safely.
        let args: Vec<OsString> = args.into_iter().map(OsString::from).collect();
        let status = Command::new(env::current_exe()?).args(args).env_remove(DEFAULT).status()?;
        exit(status.code().unwrap_or(1));
    }
}

#[cfg(not(feature = "runner"))]
mod test_runner {
    use anyhow::{Result, bail};

    pub(super) fn run(_: Vec<String>) -> Result<()> {
        bail!("this xtask was built without its test runner: add `--features runner`")
    }
}
