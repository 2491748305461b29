//! The authorization server's reference: npm's oidc-provider with the in-memory adapter that it comes with.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::process::{Guarded, free_port};

/// What is installed.
const PACKAGE: &str = "oidc-provider@^9.13";
const PROGRAM: &str = include_str!("oidc_provider.js");

/// A running oidc-provider with a client `bench`; it ends with this value.
#[derive(Debug)]
pub struct OidcProvider {
    _process: Guarded,
    /// Where it listens.
    pub address: SocketAddr,
    /// Good refresh tokens of its client.
    pub refresh_tokens: Vec<String>,
    _directory: TempDir,
}

impl OidcProvider {
    /// Installs it beside the run and starts it, with `count` refresh tokens of a client that proves itself by `secret`.
    pub fn start(count: usize, secret: &str) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("tradewind-oidc-provider-").tempdir()?;
        install(directory.path())?;
        let port = free_port()?;
        let mut command = Command::new("node");
        command.current_dir(directory.path()).args(["provider.js", &port.to_string(), &count.to_string(), secret]);
        let command = command.env("NODE_ENV", "production").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = Guarded::spawn(command)?;
        let out = process.child().stdout.take().context("its output is piped")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let refresh_tokens: Vec<String> = serde_json::from_str(&line).context("oidc-provider did not start")?;
        ensure!(refresh_tokens.len() == count, "oidc-provider made {} refresh tokens", refresh_tokens.len());
        Ok(Self { _process: process, address: SocketAddr::from(([127, 0, 0, 1], port)), refresh_tokens, _directory: directory })
    }
}

fn install(directory: &Path) -> Result<()> {
    std::fs::write(directory.join("package.json"), r#"{"name": "reference", "private": true, "type": "module"}"#)?;
    std::fs::write(directory.join("provider.js"), PROGRAM)?;
    let mut command = Command::new("npm");
    command.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", PACKAGE]).current_dir(directory);
    let output = command.output().context("npm is missing: oidc-provider cannot be installed")?;
    ensure!(output.status.success(), "npm: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
