//! Running commands from the workspace's root.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The workspace's root: this package is `xtask` in it.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The clone may have been moved since this was built; cargo tells a running program where it is now.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| here.to_owned(), PathBuf::from);
    here.parent().expect("xtask is a directory of the workspace").to_owned()
}

/// `cargo` with these arguments, at the root, without standard input.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root()).stdin(Stdio::null());
    // What cargo told this program about its own package is no business of other builds.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs it; the error names the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{} does not start", command.get_program().display()))?;
    if !status.success() {
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        bail!("{} {} failed: {status}", command.get_program().display(), words.join(" "));
    }
    Ok(())
}

/// Does it run and succeed, silently?
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// The workspace as cargo sees it, without its dependencies.
pub(crate) fn metadata() -> Result<cargo_metadata::Metadata> {
    cargo_metadata::MetadataCommand::new().current_dir(root()).no_deps().exec().context("cargo metadata")
}
