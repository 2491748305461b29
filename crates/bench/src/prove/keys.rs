//! Many keys: those that are used cost what they cost among few, memory is bounded by the cache, and a key that nobody has used for long
//! costs one read.

use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::load::{Budget, Traffic, closed};
use crate::measure::sides::{self, Side, alternate};
use crate::process::resident;
use crate::progress;
use crate::report::{Row, megabytes, per_second, thousands};
use crate::server::Place;
use crate::setup::Rig;
use crate::wire::{Reply, write_request};

const CREATE: &str = "/api/v1/api-keys";
const VERIFY: &str = "/api/v1/api-keys/verify";
/// Verification among many keys reaches this share of verification among few.
const LEAST: f64 = 0.90;
/// What the second half of the cold keys may add to the memory, when the first half has filled the cache.
const MOST_GROWTH: u64 = 20_000_000;
/// The cache's bound: so many keys fill it, and as many again must not make it larger.
const FILL: usize = 150_000;

/// Settings.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Keys of the large table.
    pub keys: usize,
    /// Keys that are used, of either table; those of the small one are all.
    pub hot: usize,
    /// How both are asked.
    pub asked: sides::Config,
}

impl Config {
    /// 5,000 keys, 200 of them in use.
    pub fn ci() -> Self {
        Self { keys: 5000, hot: 200, asked: sides::Config { callers: 8, run: Duration::from_secs(1), rounds: 1 } }
    }

    /// A million keys, 1,000 of them in use.
    pub fn full() -> Self {
        Self { keys: 1_000_000, hot: 1000, asked: sides::Config::default() }
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Keys of the large table.
    pub keys: usize,
    /// Verifications a second among them, and among the few.
    pub rates: (f64, f64),
    /// First verifications of keys a second.
    pub cold: f64,
    /// Resident memory with the hot keys in use, with the cache full, and after all cold keys.
    pub memory: [u64; 3],
}

impl Report {
    /// Whether both bounds held. Memory is only judged where there are keys enough to fill the cache twice.
    pub fn is_met(&self) -> bool {
        self.rates.0 >= LEAST * self.rates.1 && (self.keys < 2 * FILL || self.growth() <= MOST_GROWTH)
    }

    fn growth(&self) -> u64 {
        self.memory[2].saturating_sub(self.memory[1])
    }

    /// For the report.
    pub fn rows(&self) -> Vec<Row> {
        let what = format!("verifications a second, 1,000 keys in use of {}", thousands(self.keys as u64));
        let growth = "memory, all cold keys over a full cache";
        vec![
            Row::share(what, self.rates.0, self.rates.1, LEAST),
            Row::information("first use of a key", per_second(self.cold)).against(per_second(self.rates.0), self.cold / self.rates.0),
            Row::information("memory, hot keys in use", megabytes(self.memory[0])),
            Row::information("memory, cache full", megabytes(self.memory[1])),
            Row::bound(growth, megabytes(self.growth()), format!("< {}", megabytes(MOST_GROWTH)), self.growth() <= MOST_GROWTH),
        ]
    }
}

/// Runs the proof.
pub async fn run(place: &Place, config: &Config) -> Result<Report> {
    let (small, few) = filled(place, config.hot).await?;
    let (large, many) = filled(place, config.keys).await?;
    // Spread over the whole table, not those that were made last.
    let hot: Vec<&String> = many.iter().step_by(many.len() / config.hot).take(config.hot).collect();
    let ours = Side::new("among many", large.server.address(), Verifies::of(&large, hot.into_iter()));
    let theirs = Side::new("among few", small.server.address(), Verifies::of(&small, few.iter()));
    let runs = alternate(&ours, &theirs, &config.asked).await?;
    let pid = large.server.pid()?;
    let mut memory = [resident(pid)?; 3];
    let fill = FILL.min(many.len() / 2);
    let begin = verify_each(&large, &many[..fill], config).await?;
    memory[1] = resident(pid)?;
    let rest = verify_each(&large, &many[fill..], config).await?;
    memory[2] = resident(pid)?;
    let rates = (sides::rate(&runs.ours), sides::rate(&runs.theirs));
    Ok(Report { keys: many.len(), rates, cold: begin.min(rest), memory })
}

/// A server with so many keys.
async fn filled(place: &Place, keys: usize) -> Result<(Rig, Vec<String>)> {
    let rig = Rig::start(place).await?;
    rig.raise_limits().await?;
    let makes = std::sync::Arc::new(Makes::of(&rig));
    let budget = Budget { count: keys as u64, time: Duration::from_secs(3600) };
    closed(rig.server.address(), 64, budget, std::sync::Arc::clone(&makes)).await.all_good().context("making keys")?;
    progress::say(format!("{} keys made", thousands(keys as u64)));
    let made = std::mem::take(&mut *makes.made.lock().expect("no judge of an answer panics"));
    Ok((rig, made))
}

/// Verifies each key once; how many a second.
async fn verify_each(rig: &Rig, keys: &[String], config: &Config) -> Result<f64> {
    let traffic = std::sync::Arc::new(Verifies::of(rig, keys.iter()));
    let budget = Budget { count: keys.len() as u64, time: Duration::from_secs(3600) };
    let outcome = closed(rig.server.address(), config.asked.callers, budget, traffic).await.all_good().context("verifying cold keys")?;
    Ok(outcome.rate())
}

/// Makes keys of a client, and keeps them.
struct Makes {
    request: Vec<u8>,
    made: Mutex<Vec<String>>,
}

impl Makes {
    fn of(rig: &Rig) -> Self {
        let body = json!({"clientId": rig.client, "name": "One of many"}).to_string();
        Self { request: request(rig, CREATE, body.as_bytes()), made: Mutex::default() }
    }
}

impl Traffic for Makes {
    fn request(&self, _index: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.request);
    }

    fn answered(&self, _index: u64, _due: u64, _at: u64, reply: &Reply<'_>) -> bool {
        let made: Option<Value> = serde_json::from_slice(reply.body).ok().filter(|_| reply.status == 201);
        let Some(key) = made.and_then(|made| made["key"].as_str().map(str::to_owned)) else { return false };
        self.made.lock().expect("no judge of an answer panics").push(key);
        true
    }
}

/// Verifies one key after the other.
struct Verifies(Vec<Vec<u8>>);

impl Verifies {
    fn of<'a>(rig: &Rig, keys: impl Iterator<Item = &'a String>) -> Self {
        Self(keys.map(|key| request(rig, VERIFY, json!({ "key": key }).to_string().as_bytes())).collect())
    }
}

impl Traffic for Verifies {
    fn request(&self, index: u64, out: &mut Vec<u8>) {
        let at = usize::try_from(index).unwrap_or(0) % self.0.len();
        out.extend_from_slice(&self.0[at]);
    }

    fn answered(&self, _index: u64, _due: u64, _at: u64, reply: &Reply<'_>) -> bool {
        reply.status == 200 && reply.body.windows(7).any(|part| part == b"\"VALID\"")
    }
}

fn request(rig: &Rig, path: &str, body: &[u8]) -> Vec<u8> {
    let bearer = format!("Bearer {}", rig.service_key);
    let headers = [("authorization", bearer.as_str()), ("tradewind-tenant", rig.tenant.as_str())];
    let mut out = Vec::new();
    write_request(&mut out, "POST", path, &headers, Some(body));
    out
}
