//! Workers are killed at random: every job ends once, none is lost, progress never goes back.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kernel::{Ambient, Caller, JobId};
use serde_json::json;
use testkit::engines;

use crate::bed::{Bed, ask, new};

const JOBS: usize = 300;
const WORKERS: usize = 6;

/// What readers saw, and who was told that a job is done.
#[derive(Default)]
struct Seen {
    progress: Mutex<HashMap<JobId, i64>>,
    won: Mutex<HashMap<JobId, usize>>,
    lost: AtomicUsize,
}

engines! {
    /// Half of the leases are dropped on the floor, at any point; silent workers come back late and say they are done.
    async fn workers_die_and_no_job_is_lost_or_done_twice(bed: Bed) {
        for n in 0..JOBS {
            bed.jobs.create(&bed.host(), new(json!({"type": "plain", "input": {"n": n}}))).await.unwrap();
        }
        let seen = Arc::new(Seen::default());
        while bed.count("SELECT COUNT(*) FROM jobs WHERE ended_at IS NULL").await > 0 {
            let workers: Vec<_> = (0..WORKERS)
                .map(|_| {
                    let (jobs, seen) = (bed.jobs.clone(), Arc::clone(&seen));
                    tokio::spawn(async move { live(&jobs, &seen).await })
                })
                .collect();
            let mut stale = Vec::new();
            for worker in workers {
                stale.extend(worker.await.unwrap());
            }
            // The leases of the dead run out, in part.
            bed.clock.advance(Duration::from_secs(31));
            bed.jobs.look().await.unwrap();
            for lease in stale {
                late(&bed, &lease, &seen).await;
            }
        }
        let won = seen.won.lock().unwrap().clone();
        assert_eq!(won.len(), JOBS, "every job was completed");
        assert!(won.values().all(|times| *times == 1), "and once");
        assert!(seen.lost.load(Ordering::SeqCst) > 0, "some died");
        let told = bed.told().await;
        let mut ids: Vec<&str> = told.iter().map(|(_, data)| data["jobId"].as_str().unwrap()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!((told.len(), ids.len()), (JOBS, JOBS), "one event each");
        assert_eq!(bed.count("SELECT COUNT(*) FROM jobs WHERE state = 'completed' AND progress = 100").await, i64::try_from(JOBS).unwrap());
    }
}

/// A worker's life: it works until there is nothing, or until it dies. What it had then, it may come back with.
async fn live(jobs: &Arc<jobs::Jobs>, seen: &Seen) -> Vec<jobs::Lease> {
    let (chance, worker) = (Ambient::system(), Caller::system("worker", None));
    let mut left = Vec::new();
    loop {
        let leased = jobs.lease(&worker, ask(&["plain"], 4, 0)).await.unwrap().data;
        if leased.is_empty() {
            return left;
        }
        for lease in leased {
            let dies_after = chance.below(6);
            for step in 0..3_u64 {
                if step == dies_after {
                    break;
                }
                let sign = serde_json::from_value(json!({"leaseToken": lease.lease_token, "progress": chance.below(100)})).unwrap();
                if let Ok(pulse) = jobs.heartbeat(&worker, lease.id, sign).await {
                    observe(seen, lease.id, pulse.progress);
                }
            }
            if dies_after < 3 {
                seen.lost.fetch_add(1, Ordering::SeqCst);
                left.push(lease);
                continue;
            }
            done(jobs, &lease, seen).await;
        }
    }
}

async fn late(bed: &Bed, lease: &jobs::Lease, seen: &Seen) {
    if Ambient::system().below(3) == 0 {
        done(&bed.jobs, lease, seen).await;
    }
}

async fn done(jobs: &Arc<jobs::Jobs>, lease: &jobs::Lease, seen: &Seen) {
    let body = serde_json::from_value(json!({"leaseToken": lease.lease_token, "result": lease.attempt})).unwrap();
    match jobs.complete(&Caller::system("worker", None), lease.id, body).await {
        Ok(job) => {
            observe(seen, job.id, job.progress);
            *seen.won.lock().unwrap().entry(job.id).or_default() += 1;
        }
        Err(error) => assert_eq!(error.code(), "lease_lost"),
    }
}

fn observe(seen: &Seen, id: JobId, progress: i64) {
    let mut all = seen.progress.lock().unwrap();
    let before = all.insert(id, progress).unwrap_or(0);
    assert!(progress >= before, "progress went back from {before} to {progress}");
}
