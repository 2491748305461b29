//! `cargo xtask test`: every test, on every engine.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::servers::Servers;
use crate::{runtimes, shell};

/// One run of the tests.
pub(crate) struct Run {
    profile: &'static str,
    release: bool,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    filter: Option<String>,
}

impl Run {
    /// With a profile of `.config/nextest.toml`.
    pub(crate) fn new(profile: &'static str) -> Self {
        Self { profile, release: false, arguments: Vec::new(), environment: Vec::new(), filter: None }
    }

    /// More arguments of the runner.
    pub(crate) fn arguments(mut self, arguments: Vec<String>) -> Self {
        self.arguments = arguments;
        self
    }

    /// Optimized.
    pub(crate) fn release(mut self) -> Self {
        self.release = true;
        self
    }

    /// A variable that the tests see.
    pub(crate) fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Only tests whose name contains this.
    pub(crate) fn only(mut self, part: String) -> Self {
        self.filter = Some(part);
        self
    }
}

/// Builds the binary, starts the servers, runs the tests.
pub(crate) fn run(run: &Run) -> Result<()> {
    let binary = build_binary(run.release)?;
    let servers = Servers::start()?;
    if run.arguments.is_empty() && run.filter.is_none() {
        runtimes::prepare();
    }
    let mut tests = vec![runner(run)];
    if run.arguments.is_empty() && run.filter.is_none() {
        // The examples in the documentation; nextest does not run them.
        tests.push(shell::cargo(&["test", "--quiet", "--workspace", "--doc"]));
    }
    for mut command in tests {
        servers.announce(&mut command);
        if let Some(binary) = &binary {
            command.env("TRADEWIND_BIN", binary);
        }
        command.envs(run.environment.iter().map(|(name, value)| (name, value)));
        shell::run(&mut command)?;
    }
    Ok(())
}

/// `cargo nextest`, or `cargo test` where it is not installed.
fn runner(run: &Run) -> Command {
    let selects = run.arguments.iter().any(|word| matches!(word.as_str(), "-p" | "--package" | "--workspace"));
    let mut command = if shell::succeeds(&mut shell::cargo(&["nextest", "--version"])) {
        // Ignored tests need the server's binary, which was built just before.
        let mut command = shell::cargo(&["nextest", "run", "--run-ignored", "all", "--profile", run.profile]);
        if let Some(part) = &run.filter {
            command.args(["-E", &format!("test({part})")]);
        }
        command
    } else {
        println!("cargo-nextest is not installed (cargo install --locked cargo-nextest): using cargo test");
        let mut command = shell::cargo(&["test", "--no-fail-fast", "--lib", "--bins", "--tests"]);
        command.args(&run.filter);
        command
    };
    if run.release {
        command.arg("--release");
    }
    if !selects {
        command.arg("--workspace");
    }
    command.args(&run.arguments);
    command
}

/// Builds the server that process tests run. `None` as long as the workspace has no such package.
pub(crate) fn build_binary(release: bool) -> Result<Option<PathBuf>> {
    let metadata = shell::metadata()?;
    if !metadata.packages.iter().any(|package| package.name.as_str() == "tradewind") {
        println!("the workspace has no package tradewind: nothing to build");
        return Ok(None);
    }
    // All packages are selected so that features are the same as in the tests, and dependencies are built once.
    let mut command = shell::cargo(&["build", "--workspace", "--bin", "tradewind"]);
    if release {
        command.arg("--release");
    }
    shell::run(&mut command).context("building the server")?;
    let profile = if release { "release" } else { "debug" };
    Ok(Some(metadata.target_directory.into_std_path_buf().join(profile).join("tradewind")))
}
