//! `cargo xtask bench`: the load generator on release builds.

use anyhow::Result;

use crate::shell;

/// Builds, then hands over to `bench` with these arguments; it finds the server through `TRADEWIND_BIN`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    shell::run(&mut shell::cargo(&["build", "--release", "--package", "tradewind", "--package", "bench"]))?;
    let release = shell::metadata()?.target_directory.into_std_path_buf().join("release");
    let mut command = std::process::Command::new(release.join("bench"));
    shell::run(command.args(arguments).env("TRADEWIND_BIN", release.join("tradewind")).current_dir(shell::root()))
}
