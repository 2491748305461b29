//! GraphQL's reference: PostGraphile (npm), over plain tables with the same data in the same database.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::clock;
use crate::process::{Guarded, free_port};
use crate::setup::fetch;

/// What is installed.
const PACKAGE: &str = "postgraphile@^4.14";
/// How long it may take to read the schema.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running PostGraphile; it ends with this value.
#[derive(Debug)]
pub struct PostGraphile {
    process: Guarded,
    /// Where it listens.
    pub address: SocketAddr,
    _directory: TempDir,
}

impl PostGraphile {
    /// Installs it beside the run, starts it over `schema` of `database`, and waits until `query` has an answer without errors.
    pub async fn start(database: &str, schema: &str, query: &Value) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("tradewind-postgraphile-").tempdir()?;
        let cli = install(directory.path())?;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let mut command = Command::new("node");
        let port = address.port().to_string();
        command.arg(cli).args([
            "-c",
            database,
            "-s",
            schema,
            "-n",
            "127.0.0.1",
            "-p",
            &port,
            "-q",
            "/graphql",
            "--disable-query-log",
            "--disable-graphiql",
        ]);
        let process = Guarded::spawn(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()))?;
        let mut started = Self { process, address, _directory: directory };
        started.wait(query).await?;
        Ok(started)
    }

    async fn wait(&mut self, query: &Value) -> Result<()> {
        let start = clock::now_ns();
        let mut last = "no connection".to_owned();
        while clock::since(start) < PATIENCE {
            ensure!(self.process.ended()?.is_none(), "PostGraphile ended");
            match fetch(self.address, "POST", "/graphql", &[("content-type", "application/json")], Some(query)).await {
                Ok(answer) => {
                    let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                    if answer.status == 200 && value.get("errors").is_none() {
                        return Ok(());
                    }
                    last = format!("{} {value}", answer.status);
                }
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("PostGraphile does not answer: {last}")
    }
}

fn install(directory: &Path) -> Result<PathBuf> {
    std::fs::write(directory.join("package.json"), r#"{"name": "reference", "private": true}"#)?;
    let mut command = Command::new("npm");
    command.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", PACKAGE]).current_dir(directory);
    let output = command.output().context("npm is missing: PostGraphile cannot be installed")?;
    ensure!(output.status.success(), "npm: {}", String::from_utf8_lossy(&output.stderr));
    Ok(directory.join("node_modules/postgraphile/cli.js"))
}
