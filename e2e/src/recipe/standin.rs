//! The stand-in of MKE's bootstrapper, linked statically so that its image needs nothing else.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::command::Cmd;
use crate::paths::Paths;
use crate::talk::Talk;

/// What the stand-in is built for; naming it keeps build scripts and macros out of the static linking.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The environment variable that names a stand-in to use instead of building one.
const OTHER: &str = "LAUNCHPAD_LAB_UCP";

/// Builds the stand-in (cargo does nothing when it is up to date) and returns the binary.
pub(crate) async fn ensure(paths: &Paths, talk: Talk) -> Result<PathBuf> {
    if let Some(binary) = std::env::var_os(OTHER).filter(|binary| !binary.is_empty()) {
        return Ok(binary.into());
    }
    let target = paths.standin_target();
    let built = Cmd::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "build",
            "--quiet",
            "--release",
            "-p",
            "ucp",
            "--target",
            TARGET,
            "--target-dir",
        ])
        .arg(&target)
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .inside(&paths.root)
        .within(Duration::from_secs(1200))
        .run()
        .await
        .context("cannot build the stand-in of MKE")?;
    if built.took > Duration::from_secs(5) {
        talk.say("the stand-in of MKE is built");
    }
    let binary = target.join(TARGET).join("release/ucp");
    if !binary.is_file() {
        bail!("cargo built no `{}`", binary.display());
    }
    Ok(binary)
}
