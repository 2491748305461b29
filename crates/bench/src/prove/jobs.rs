//! Jobs: workers that are killed at random lose none and do none twice; and how many whole cycles (enqueue, lease, complete) four workers do
//! a second, fed by four callers, against raw inserts of one row each by four callers into the same store, in turns.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use dispatch::{Dispatch, Options};
use events::Events;
use jobs::{Around, Completion, Jobs, LeaseRequest, NewJob};
use kernel::{Ambient, Caller, JobId, Scope, Secret, TenantId};
use records::Records;
use serde_json::{Value, json};
use store::{Config as StoreConfig, Database, Home, MasterKey, Migration, Store};
use web::outbound::{Client, ClientConfig, UrlPolicy};

use crate::clock;
use crate::progress;
use crate::report::{Row, median, per_second, thousands};

/// Cycles reach this share of the raw rate.
const LEAST: f64 = 0.25;
/// Workers, callers that start jobs, and callers of raw inserts.
const WORKERS: usize = 4;
/// Jobs that a worker takes at a time.
const LEASED: u32 = 8;
const BLUEPRINT: &str = r#"
name = "bench"
default_tier = "basic"
[product]
title = "Bench"
[[tiers]]
name = "basic"
[[jobs]]
name = "work"
input = { type = "object" }
lease_seconds = 1
[[jobs]]
name = "cycle"
input = { type = "object" }
"#;
const RAW: &str = "-- tenant
CREATE TABLE raw_jobs (tenant_id TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (tenant_id, id));
";

/// Settings.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Jobs whose workers are killed.
    pub chaos: usize,
    /// Cycles of a round.
    pub cycles: u64,
    /// Rounds: the median counts.
    pub rounds: usize,
}

impl Config {
    /// 200 jobs, 500 cycles.
    pub fn ci() -> Self {
        Self { chaos: 200, cycles: 500, rounds: 1 }
    }

    /// 5,000 jobs, 10,000 cycles.
    pub fn full() -> Self {
        Self { chaos: 5000, cycles: 10_000, rounds: 5 }
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Jobs of the chaos.
    pub jobs: usize,
    /// Leases that were dropped on the floor.
    pub killed: usize,
    /// Jobs that were completed, and those that were so more than once, or whose progress went back.
    pub completed: usize,
    /// Jobs of which two workers were told that they had completed them.
    pub twice: usize,
    /// How often progress went back.
    pub backwards: usize,
    /// Cycles a second.
    pub cycles: f64,
    /// Raw rows a second.
    pub raw: f64,
}

impl Report {
    /// Whether everything held.
    pub fn is_met(&self) -> bool {
        self.completed == self.jobs && self.twice == 0 && self.backwards == 0 && self.cycles >= LEAST * self.raw
    }

    /// As rows with a verdict.
    pub fn rows(&self) -> Vec<Row> {
        let whole = |n: usize| thousands(n as u64);
        let name = format!("{} jobs, {} leases lost", whole(self.jobs), whole(self.killed));
        vec![
            Row::bound(format!("{name}: completed"), whole(self.completed), whole(self.jobs), self.completed == self.jobs),
            Row::bound(format!("{name}: completed twice"), whole(self.twice), "0", self.twice == 0),
            Row::bound(format!("{name}: progress went back"), whole(self.backwards), "0", self.backwards == 0),
            Row::information("raw rows, one a transaction, 4 callers", per_second(self.raw)),
            Row::share("job cycles (enqueue, lease, complete), 4 workers", self.cycles, self.raw, LEAST),
        ]
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(error: kernel::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:?}")
}

/// Runs the proof on SQLite in temporary directories, or on a PostgreSQL database.
pub async fn run(postgres: Option<&str>, config: &Config) -> Result<Report> {
    let directory = tempfile::tempdir()?;
    let bed = Bed::open(postgres, directory.path()).await?;
    let (killed, completed, twice, backwards) = bed.chaos(config.chaos).await?;
    progress::say(format!("{completed} of {} jobs completed, {killed} leases lost", config.chaos));
    let (mut ours, mut raws) = (Vec::new(), Vec::new());
    for _ in 0..config.rounds {
        raws.push(bed.raw(config.cycles).await?);
        ours.push(bed.cycles(config.cycles).await?);
    }
    bed.jobs.close();
    bed.dispatch.drain(Duration::from_secs(1)).await;
    Ok(Report { jobs: config.chaos, killed, completed, twice, backwards, cycles: median(&ours), raw: median(&raws) })
}

/// A store with jobs over it.
struct Bed {
    store: Store,
    jobs: Arc<Jobs>,
    dispatch: Arc<Dispatch>,
    /// One for each worker, as partners are.
    tenants: Vec<TenantId>,
}

/// What the workers of the chaos saw.
#[derive(Default)]
struct Seen {
    progress: HashMap<JobId, i64>,
    completed: HashMap<JobId, usize>,
    backwards: usize,
}

impl Bed {
    async fn open(postgres: Option<&str>, directory: &Path) -> Result<Self> {
        let ambient = Ambient::system();
        let database = postgres.map_or_else(|| Database::Sqlite(directory.to_owned()), |url| Database::Postgres(url.to_owned()));
        let raw = [Migration { feature: "raw_jobs", version: 1, home: Home::State, sql: RAW }];
        let migrations = [events::MIGRATIONS, dispatch::MIGRATIONS, records::MIGRATIONS, jobs::MIGRATIONS, &raw].concat();
        let opened = StoreConfig::new(database, MasterKey::generate(&ambient), ambient.clone(), migrations);
        let store = Store::open(opened).await.map_err(failed)?;
        let blueprint = Arc::new(blueprint::parse(BLUEPRINT, "bench").map_err(|faults| anyhow::anyhow!("{faults}"))?);
        let outbound = Client::new(ClientConfig::new(UrlPolicy { allow_http: true, allow_networks: Vec::new() }))?;
        let dispatch = Dispatch::new(store.clone(), ambient.clone(), Vec::new(), Options::default()).await.map_err(failed)?;
        let events = Events::new(store.clone(), ambient.clone(), &blueprint, Arc::new(|_, _, _| Ok(true))).map_err(failed)?;
        let records = Records::new(store.clone(), ambient.clone(), &blueprint, Arc::clone(&events)).map_err(failed)?;
        let around = Around { events, records, dispatch: Arc::clone(&dispatch), outbound, secret: Secret::new(vec![0; 32]) };
        let jobs = Jobs::new(store.clone(), ambient.clone(), &blueprint, around).map_err(failed)?;
        jobs.start();
        Ok(Self { store, jobs, dispatch, tenants: (0..WORKERS).map(|_| ambient.id()).collect() })
    }

    /// Raw rows a second.
    async fn raw(&self, rows: u64) -> Result<f64> {
        let (next, start) = (Arc::new(AtomicU64::new(0)), clock::now_ns());
        let writers: Vec<_> = self
            .tenants
            .iter()
            .map(|&tenant| {
                let (store, next) = (self.store.clone(), Arc::clone(&next));
                tokio::spawn(async move {
                    while next.fetch_add(1, Ordering::Relaxed) < rows {
                        let insert = move |tx: &mut store::Tx<'_>| {
                            let id = tx.ambient().id::<JobId>();
                            let sql = "INSERT INTO raw_jobs (tenant_id, id, body) VALUES (?1, ?2, ?3)";
                            tx.exec(sql, &[tenant.into(), id.into(), r#"{"n": 1, "text": "an input of ordinary size"}"#.into()])
                        };
                        store.write(Scope::system("bench"), insert).await?;
                    }
                    Ok(())
                })
            })
            .collect();
        all(writers).await?;
        Ok(rate(rows, start))
    }

    /// Whole cycles a second: four callers start jobs, each of its own tenant, one after another; four workers lease up to eight at a time and
    /// complete them one after another.
    async fn cycles(&self, cycles: u64) -> Result<f64> {
        let (next, done, start) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), clock::now_ns());
        let mut tasks = Vec::new();
        for &tenant in &self.tenants {
            let (jobs, next) = (Arc::clone(&self.jobs), Arc::clone(&next));
            tasks.push(tokio::spawn(async move {
                let host = Caller::system("bench", Some(tenant));
                while next.fetch_add(1, Ordering::Relaxed) < cycles {
                    jobs.create(&host, job("cycle", &json!({"n": 1, "text": "an input of ordinary size"}))).await?;
                }
                Ok(())
            }));
            let (jobs, done) = (Arc::clone(&self.jobs), Arc::clone(&done));
            tasks.push(tokio::spawn(async move {
                let worker = Caller::system("bench", None);
                while done.load(Ordering::Relaxed) < cycles {
                    let ask = LeaseRequest { types: vec!["cycle".to_owned()], max: Some(LEASED), wait_seconds: Some(1), worker: None };
                    for lease in jobs.lease(&worker, ask).await?.data {
                        let result = Completion { lease_token: lease.lease_token, result: json!({"ok": true}) };
                        jobs.complete(&worker, lease.id, result).await?;
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Ok(())
            }));
        }
        // Who waits for a job that does not come any more waits a second: the clock stops with the last completion.
        let finished = Arc::clone(&done);
        let watch = tokio::spawn(async move {
            let mut looks = tokio::time::interval(Duration::from_millis(1));
            while finished.load(Ordering::Relaxed) < cycles {
                looks.tick().await;
            }
            rate(cycles, start)
        });
        let all_done = all(tasks).await;
        if all_done.is_err() {
            watch.abort();
        }
        all_done?;
        Ok(watch.await?)
    }

    /// Leases lost, jobs completed, completed twice, and how often progress went back.
    async fn chaos(&self, count: usize) -> Result<(usize, usize, usize, usize)> {
        let host = Caller::system("bench", self.tenants.first().copied());
        for n in 0..count {
            self.jobs.create(&host, job("work", &json!({"n": n}))).await.map_err(failed)?;
        }
        let (seen, killed) = (Arc::new(std::sync::Mutex::new(Seen::default())), Arc::new(AtomicUsize::new(0)));
        let workers: Vec<_> = (0..WORKERS * 2)
            .map(|_| {
                let (jobs, seen, killed) = (Arc::clone(&self.jobs), Arc::clone(&seen), Arc::clone(&killed));
                tokio::spawn(async move { live(&jobs, &seen, &killed, count).await })
            })
            .collect();
        all(workers).await?;
        let (told, twice, backwards) = {
            let seen = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            (seen.completed.len(), seen.completed.values().filter(|times| **times > 1).count(), seen.backwards)
        };
        let recorded = "SELECT COUNT(*) FROM jobs WHERE state = 'completed'";
        let recorded: i64 =
            self.store.read(Scope::system("bench"), move |tx| tx.query_one(recorded, &[], |row| row.get(0))).await.map_err(failed)?;
        ensure!(usize::try_from(recorded)? == told, "{recorded} in the record, {told} told");
        Ok((killed.load(Ordering::Relaxed), told, twice, backwards))
    }
}

/// Works until every job is done; every fourth lease is dropped at some point, and a while later completed after all.
async fn live(jobs: &Arc<Jobs>, seen: &std::sync::Mutex<Seen>, killed: &AtomicUsize, count: usize) -> kernel::Result<()> {
    let (chance, worker) = (Ambient::system(), Caller::system("bench", None));
    let mut dropped = Vec::new();
    let is_done = || seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).completed.len() >= count;
    while !is_done() {
        let ask = LeaseRequest { types: vec!["work".to_owned()], max: Some(4), wait_seconds: Some(1), worker: None };
        for lease in jobs.lease(&worker, ask).await?.data {
            let sign = json!({"leaseToken": lease.lease_token, "progress": chance.below(100)});
            if let Ok(pulse) = jobs.heartbeat(&worker, lease.id, read(sign)?).await {
                observe(seen, lease.id, pulse.progress);
            }
            if chance.below(4) == 0 {
                killed.fetch_add(1, Ordering::Relaxed);
                dropped.push(lease);
            } else {
                complete(jobs, &worker, &lease, seen).await?;
            }
        }
        if chance.below(3) == 0
            && let Some(late) = dropped.pop()
        {
            complete(jobs, &worker, &late, seen).await?;
        }
    }
    Ok(())
}

async fn complete(jobs: &Arc<Jobs>, worker: &Caller, lease: &jobs::Lease, seen: &std::sync::Mutex<Seen>) -> kernel::Result<()> {
    let done = Completion { lease_token: lease.lease_token.clone(), result: Value::from(lease.attempt) };
    match jobs.complete(worker, lease.id, done).await {
        Ok(job) => {
            observe(seen, job.id, job.progress);
            *seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).completed.entry(job.id).or_default() += 1;
            Ok(())
        }
        Err(error) if error.code() == "lease_lost" => Ok(()),
        Err(error) => Err(error),
    }
}

fn observe(seen: &std::sync::Mutex<Seen>, id: JobId, progress: i64) {
    let mut seen = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let before = seen.progress.insert(id, progress).unwrap_or(0);
    if progress < before {
        seen.backwards += 1;
    }
}

fn job(kind: &str, input: &Value) -> NewJob {
    let input = input.as_object().cloned().unwrap_or_default();
    NewJob { kind: kind.to_owned(), input, ..NewJob::default() }
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> kernel::Result<T> {
    serde_json::from_value(value).map_err(kernel::Error::internal)
}

async fn all(tasks: Vec<tokio::task::JoinHandle<kernel::Result<()>>>) -> Result<()> {
    for task in tasks {
        task.await?.map_err(failed)?;
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn rate(count: u64, start: u64) -> f64 {
    count as f64 / clock::since(start).as_secs_f64()
}
