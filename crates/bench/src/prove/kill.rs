//! Nothing accepted is lost: the server is killed with `kill -9` again and again while events are published under ids of the client's
//! choice, which repeats each until it gets a 2xx. Afterwards every event that got one must have arrived.
//!
//! The kills are spread over the events: kill `i` of `k` comes after a random one of the `i`-th `k`-th of them was accepted and a
//! random moment more, so that it hits any point of a group commit or of a delivery; about every fourth comes while the server starts.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use kernel::{Ambient, Entropy};

use crate::clock;
use crate::ledger::Ledger;
use crate::load::excerpt;
use crate::measure::books;
use crate::progress;
use crate::receiver::Receiver;
use crate::report::{Row, milliseconds, thousands};
use crate::server::Place;
use crate::setup::{MEASURED, Rig};
use crate::traffic::Publisher;
use crate::wire::Wire;

/// Settings.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// How often to kill.
    pub kills: u64,
    /// Events in all.
    pub events: u64,
    /// Publishers.
    pub callers: usize,
    /// Chooses the moments. The same seed chooses the same, as far as real processes allow.
    pub seed: u64,
    /// The whole proof ends within this; what has not arrived then is lost.
    pub patience: Duration,
}

impl Config {
    /// 20 kills in 20,000 events.
    pub fn ci() -> Self {
        let seed = u64::from_le_bytes(Ambient::system().bytes());
        Self { kills: 20, events: 20_000, callers: 32, seed, patience: Duration::from_secs(300) }
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Kills that hit a running process.
    pub kills: u64,
    /// Of these, kills within 150 ms of a start, most of them before the server was ready.
    pub kills_at_start: u64,
    /// Events that got a 2xx.
    pub accepted: u64,
    /// Of these, events that arrived.
    pub delivered: u64,
    /// Of these, events that did not.
    pub lost: u64,
    /// The ids of some of them.
    pub lost_ids: Vec<String>,
    /// Deliveries of events that had arrived before.
    pub duplicates: u64,
    /// Publications that were repeated because no answer came.
    pub repeats: u64,
    /// From the last start to the last arrival.
    pub caught_up: Duration,
    /// The seed.
    pub seed: u64,
}

impl Report {
    /// As rows with a verdict.
    pub fn rows(&self) -> Vec<Row> {
        let lost = format!("{} of {}", thousands(self.lost), thousands(self.accepted));
        vec![
            Row::bound(format!("lost after {} × kill -9", thousands(self.kills)), lost, "0", self.lost == 0),
            Row::information("delivered more than once", thousands(self.duplicates)),
            Row::information("of the kills, within 150 ms of a start", thousands(self.kills_at_start)),
            Row::information("publications repeated by the client", thousands(self.repeats)),
            Row::information("last start to last arrival", milliseconds(self.caught_up)),
            Row::information("seed", self.seed.to_string()),
        ]
    }
}

/// Runs the proof. An error means that it could not be carried out; a loss is in the report.
pub async fn run(place: &Place, config: &Config) -> Result<Report> {
    ensure!(config.kills > 0 && config.events >= config.kills, "a proof needs kills, and an event for each");
    let started = clock::now_ns();
    let left = || config.patience.saturating_sub(clock::since(started));
    let mut rig = Rig::start(place).await?;
    let ledger = books("kill", config.events)?;
    let receiver = Receiver::start(ledger.clone())?;
    rig.subscribe(&receiver.url(), &[MEASURED]).await?;
    let crowd = Crowd::start(&rig, &ledger, config, started);
    let chance = Chance(kernel::chance::SeededEntropy::new(config.seed));
    let mut killer = Killer { chance, kills: 0, at_start: 0 };
    for round in 0..config.kills {
        killer.strike(&mut rig, &crowd, config, round, left()).await?;
        if (round + 1).is_multiple_of(100) {
            progress::say(format!("{} kills, {} accepted, {} arrived", round + 1, ledger.accepted(), ledger.unique()));
        }
    }
    let last_start = clock::now_ns();
    rig.server.start_ready().await?;
    let repeats = crowd.finish(left()).await?;
    ledger.wait_for(ledger.accepted(), left()).await;
    let (lost, lost_ids) = ledger.lost(5);
    let (accepted, duplicates, caught_up) = (ledger.accepted(), ledger.duplicates(), ledger.span_since(last_start));
    let (kills, kills_at_start) = (killer.kills, killer.at_start);
    Ok(Report {
        kills,
        kills_at_start,
        accepted,
        delivered: accepted - lost,
        lost,
        lost_ids,
        duplicates,
        repeats,
        caught_up,
        seed: config.seed,
    })
}

struct Chance(kernel::chance::SeededEntropy);

impl Chance {
    fn below(&self, bound: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes).checked_rem(bound).unwrap_or(0)
    }
}

struct Killer {
    chance: Chance,
    kills: u64,
    at_start: u64,
}

impl Killer {
    /// Starts the server (the first round finds it running) and kills it: at a random moment of its share of the events or, one time in
    /// four, within 150 ms of the start.
    async fn strike(&mut self, rig: &mut Rig, crowd: &Crowd, config: &Config, round: u64, left: Duration) -> Result<()> {
        let (first, end) = (config.events * round / config.kills, config.events * (round + 1) / config.kills);
        let mark = first + self.chance.below(end - first);
        let (delay, at_start) = (Duration::from_micros(self.chance.below(20_000)), round > 0 && self.chance.below(4) == 0);
        if round > 0 {
            rig.server.start().context("starting after a kill")?;
        }
        if at_start {
            tokio::time::sleep(Duration::from_micros(self.chance.below(150_000))).await;
            self.at_start += 1;
        } else {
            rig.server.answers("/health/ready", None, left).await?;
            crowd.accepted(mark, left).await.with_context(|| format!("before kill {}; log: {}", round + 1, rig.server.log_tail()))?;
            tokio::time::sleep(delay).await;
        }
        self.kills += 1;
        rig.server.kill()
    }
}

/// The publishers.
struct Crowd {
    ledger: Arc<Ledger>,
    tasks: Vec<tokio::task::JoinHandle<Result<()>>>,
    repeats: Arc<AtomicU64>,
}

impl Crowd {
    fn start(rig: &Rig, ledger: &Arc<Ledger>, config: &Config, started: u64) -> Self {
        let (next, repeats) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let publisher = Publisher::new(rig, MEASURED);
        let tasks = (0..config.callers.max(1)).map(|_| {
            let mut client = Client {
                to: rig.server.address(),
                wire: None,
                publisher: publisher.clone(),
                ledger: ledger.clone(),
                repeats: repeats.clone(),
                recent: VecDeque::new(),
            };
            let (next, config) = (next.clone(), *config);
            tokio::spawn(async move {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= config.events || clock::since(started) > config.patience {
                        return Ok(());
                    }
                    client.insist(index, started, config.patience).await?;
                }
            })
        });
        Self { ledger: ledger.clone(), tasks: tasks.collect(), repeats }
    }

    /// Waits until `count` events are accepted. Error: a publisher gave up, or `patience` ended.
    async fn accepted(&self, count: u64, patience: Duration) -> Result<()> {
        let start = clock::now_ns();
        while self.ledger.accepted() < count {
            ensure!(clock::since(start) < patience, "{} of {count} events accepted after {patience:?}", self.ledger.accepted());
            // Publishers end early only with an error, which `finish` would report much later.
            ensure!(!self.tasks.iter().all(tokio::task::JoinHandle::is_finished), "every publisher has ended");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    /// Waits until all events are accepted; how many publications were repeated.
    async fn finish(self, patience: Duration) -> Result<u64> {
        for task in self.tasks {
            let ended = tokio::time::timeout(patience, task).await;
            ended.context("the publishers did not finish in time")?.context("a publisher panicked")??;
        }
        Ok(self.repeats.load(Ordering::Relaxed))
    }
}

/// A client as its author should write it: the same id until there is an answer.
struct Client {
    to: SocketAddr,
    wire: Option<Wire>,
    publisher: Publisher,
    ledger: Arc<Ledger>,
    repeats: Arc<AtomicU64>,
    recent: VecDeque<u64>,
}

impl Client {
    /// Publishes event `index` until it is accepted. Error: it is refused for good, or `patience` ends.
    async fn insist(&mut self, index: u64, started: u64, patience: Duration) -> Result<()> {
        let mut request = Vec::new();
        self.publisher.one(&self.ledger, index, &mut request);
        let due = clock::now_ns();
        while clock::since(started) < patience {
            match self.attempt(&request).await {
                Ok((202, _)) => {
                    self.ledger.accept(index, due, clock::now_ns());
                    self.recent.push_back(index);
                    return self.ask_again().await;
                }
                // Overloaded, shutting down, or the first attempt with this id is still under way.
                Ok((409 | 429 | 500..=599, _)) => {}
                Ok((status, body)) => bail!("event {index} was refused: {status} {body}"),
                Err(_) => self.wire = None,
            }
            self.repeats.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        bail!("event {index} was not accepted within {patience:?}")
    }

    /// Every hundredth time publishes an event again that was accepted a while ago, as a client does which missed the answer. It
    /// must be accepted like the first time, and a delivery of it must not be made anew (it would be counted as a duplicate).
    async fn ask_again(&mut self) -> Result<()> {
        if self.recent.len() < 100 {
            return Ok(());
        }
        let index = self.recent.pop_front().expect("a hundred are there");
        self.recent.clear();
        let mut request = Vec::new();
        self.publisher.one(&self.ledger, index, &mut request);
        match self.attempt(&request).await {
            Ok((status, body)) if (400..500).contains(&status) && ![409, 429].contains(&status) => {
                bail!("event {index}, accepted before, was refused: {status} {body}")
            }
            Ok(_) => Ok(()),
            Err(_) => {
                self.wire = None;
                Ok(())
            }
        }
    }

    async fn attempt(&mut self, request: &[u8]) -> std::io::Result<(u16, String)> {
        let wire = match &mut self.wire {
            Some(wire) => wire,
            none => none.insert(Wire::connect(self.to).await?),
        };
        let reply = wire.exchange(request).await?;
        let answer = (reply.status, if reply.status == 202 { String::new() } else { excerpt(reply.body) });
        if reply.close {
            self.wire = None;
        }
        Ok(answer)
    }
}
