//! The delivery's reference: a bare HTTP client that posts the same bodies to the same receiver, in a process of its own. It stores
//! nothing and looks nothing up. Two kinds: [`Kind::Client`] is what a program without a queue would be; [`Kind::Raw`] the most that this
//! machine can send.

mod mould;
mod wire;

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::receiver::Capture;
use mould::Mould;
use wire::Poster;

/// How to post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// hyper-util's pooling client; every body is signed when it is sent.
    Client,
    /// Connections held by hand, one per sender; a signature that was made before is sent again and again.
    Raw,
}

/// What to post.
#[derive(Clone, Debug)]
pub struct Config {
    /// How.
    pub kind: Kind,
    /// The receiver.
    pub to: SocketAddr,
    /// How many posts.
    pub count: u64,
    /// How many at a time, each on its own connection.
    pub in_flight: usize,
    /// What the ids begin with.
    pub prefix: String,
    /// No new post begins after this.
    pub time: Duration,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Posted {
    /// Posts with a 2xx.
    pub good: u64,
    /// All others.
    pub failed: u64,
    /// From the first post to the last answer.
    pub nanoseconds: u64,
}

impl Posted {
    /// Good posts a second.
    #[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    pub fn rate(&self) -> f64 {
        self.good as f64 / Duration::from_nanos(self.nanoseconds).as_secs_f64().max(1e-9)
    }
}

/// Runs the reference as a child process of `tool` and waits for it.
pub async fn run_child(tool: &Path, config: &Config, template: &Capture) -> Result<Posted> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("template.json");
    std::fs::write(&file, serde_json::to_vec(template)?)?;
    let mut command = Command::new(tool);
    command.arg("post").arg("--template").arg(&file);
    command.args(["--kind", if config.kind == Kind::Client { "client" } else { "raw" }]);
    command.args(["--to", &config.to.to_string(), "--prefix", &config.prefix, "--count", &config.count.to_string()]);
    command.args(["--in-flight", &config.in_flight.to_string(), "--seconds", &config.time.as_secs().to_string()]);
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = tokio::task::spawn_blocking(move || command.output()).await?.context("running `bench post`")?;
    ensure!(output.status.success(), "`bench post` ended with {}", output.status);
    serde_json::from_slice(&output.stdout).context("`bench post` prints its result as JSON")
}

/// Posts until count or time is spent.
pub async fn run(config: &Config, template: &Capture) -> Result<Posted> {
    ensure!(config.to.ip().is_loopback(), "{} is not a loopback address", config.to);
    let mould = Arc::new(Mould::new(template, config.to)?);
    let (next, good, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let start = clock::now_ns();
    let tasks: Vec<_> = Poster::several(config.kind, config.to, config.in_flight.max(1))
        .into_iter()
        .map(|mut poster| {
            let (config, mould, next, good, failed) = (config.clone(), mould.clone(), next.clone(), good.clone(), failed.clone());
            tokio::spawn(async move {
                while clock::since(start) < config.time {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= config.count {
                        break;
                    }
                    let posted = poster.post(&mould, &format!("{}{index}", config.prefix)).await;
                    let counter = if posted.is_ok() { &good } else { &failed };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await?;
    }
    let nanoseconds = u64::try_from(clock::since(start).as_nanos())?;
    Ok(Posted { good: good.load(Ordering::Relaxed), failed: failed.load(Ordering::Relaxed), nanoseconds })
}
