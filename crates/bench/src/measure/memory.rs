//! Memory when idle and under load, and the time from start to the first answer.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use super::{ARRIVAL, books, warm_up};
use crate::clock;
use crate::load::{Budget, closed};
use crate::process::resident;
use crate::receiver::Receiver;
use crate::report::{Row, median, megabytes, milliseconds};
use crate::server::Place;
use crate::setup::{MEASURED, Rig};
use crate::traffic::{Publisher, Singles};

/// What idle memory stays below, in bytes.
const IDLE: u64 = 40_000_000;
/// What the first answer comes within.
const FIRST_ANSWER: Duration = Duration::from_millis(300);
/// After this long without work a server is idle: background tasks have had their first turns.
const SETTLING: Duration = Duration::from_secs(3);

/// Settings.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Starts on the existing database.
    pub starts: usize,
    /// Events of the load.
    pub events: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { starts: 5, events: 50_000 }
    }
}

/// Measures.
pub async fn run(place: &Place, config: &Config) -> Result<Vec<Row>> {
    let mut rig = Rig::start(place).await?;
    let receiver = Receiver::start(books("none", 0)?)?;
    rig.subscribe(&receiver.url(), &["*"]).await?;
    warm_up(&rig, &receiver).await?;
    let key = rig.key().await?;
    let mut starts = Vec::new();
    for _ in 0..config.starts.max(1) {
        rig.server.stop().await?;
        let begun = clock::now_ns();
        rig.server.start()?;
        rig.server.answers("/api/v1/rate-limits", Some(&key), Duration::from_secs(60)).await?;
        starts.push(clock::since(begun));
    }
    tokio::time::sleep(SETTLING).await;
    let idle = resident(rig.server.pid()?)?;
    let loaded = under_load(&rig, &receiver, config.events).await?;
    tokio::time::sleep(SETTLING).await;
    let after = resident(rig.server.pid()?)?;
    let first = median(&starts);
    Ok(vec![
        Row::bound("memory, idle", megabytes(idle), "< 40 MB", idle < IDLE),
        Row::information("memory, greatest while delivering", megabytes(loaded)),
        Row::information("memory, idle after that", megabytes(after)),
        Row::bound("start to first answer, existing database", milliseconds(first), "< 300 ms", first < FIRST_ANSWER),
    ])
}

/// The greatest resident memory while events are published and delivered.
async fn under_load(rig: &Rig, receiver: &Receiver, events: u64) -> Result<u64> {
    let ledger = books("load", events)?;
    receiver.count_into(ledger.clone());
    let watch = Watch::start(rig.server.pid()?);
    let traffic = Arc::new(Singles { publisher: Publisher::new(rig, MEASURED), ledger: ledger.clone() });
    let budget = Budget { count: events, time: Duration::from_secs(120) };
    closed(rig.server.address(), 64, budget, traffic).await.all_good()?;
    ledger.wait_for(ledger.accepted(), ARRIVAL).await;
    Ok(watch.greatest().await)
}

/// Looks at a process's memory every 20 ms until it is asked for the greatest value.
#[derive(Debug)]
pub(crate) struct Watch {
    stop: tokio::sync::oneshot::Sender<()>,
    task: tokio::task::JoinHandle<u64>,
}

impl Watch {
    pub(crate) fn start(pid: u32) -> Self {
        let (stop, mut stopped) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(async move {
            let mut greatest = 0;
            loop {
                // A process that has ended has no memory; its end is noticed by whoever talks to it.
                greatest = greatest.max(resident(pid).unwrap_or(0));
                if tokio::time::timeout(Duration::from_millis(20), &mut stopped).await.is_ok() {
                    return greatest;
                }
            }
        });
        Self { stop, task }
    }

    pub(crate) async fn greatest(self) -> u64 {
        // The task may have ended with the runtime; then its value below is what counts.
        let _ = self.stop.send(());
        self.task.await.expect("the watch does not panic")
    }
}
