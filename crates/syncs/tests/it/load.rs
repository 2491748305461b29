//! Many contacts: a first load that is killed again and again, then a run that touches only what changed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::json;
use syncs::{Mode, NewRun, Next, State};
use testkit::Engine;

use crate::bed::Bed;
use crate::carrier::Loss;
use crate::crm::Kind;

/// Deaths of one load.
const DEATHS: u64 = 20;

#[allow(clippy::disallowed_methods, reason = "a proof is told its size by the environment")]
fn size() -> usize {
    if std::env::var_os("TRADEWIND_FULL").is_some() { 100_000 } else { 10_000 }
}

/// Contacts as after an import, and past the lag of the vendor's searches.
async fn seeded(count: usize) -> (Bed, syncs::SyncConfig) {
    let bed = Bed::with(Engine::sqlite(), Kind::HubSpot, 11).await;
    bed.crm.vendor.act("seed", &json!({"count": count})).unwrap();
    let config = bed.sync(json!({"frequency": "manual"})).await;
    bed.wait(Duration::from_mins(5));
    (bed, config)
}

/// Every step may be the last of its node: before a call, after it, between two steps.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prove_a_load_that_is_killed_ends_the_same() {
    let count = size();
    let (bed, config) = seeded(count).await;
    let asked = NewRun { mode: Some(Mode::Full), dry_run: None };
    let run = bed.syncs.run(&bed.caller, config.id, asked).await.unwrap();
    let every = (count as u64 / 1000 / 2).max(1);
    let mut deaths = 0;
    let mut steps = 0;
    loop {
        let node = bed.node();
        let Some(mut runner) = node.runner(bed.tenant, config.id).await.unwrap() else { break };
        let dies_at = steps + 1 + bed.ambient.below(every);
        let ended = loop {
            steps += 1;
            if deaths < DEATHS && steps >= dies_at {
                let carrier = Arc::clone(&bed.carrier);
                carrier.lose([None, Some(Loss::Before), Some(Loss::After)][usize::try_from(deaths % 3).unwrap()]);
                tokio::select! {
                    biased;
                    () = carrier.lost.notified() => {}
                    _ = node.step(&mut runner) => {}
                }
                carrier.lose(None);
                deaths += 1;
                break false;
            }
            match node.step(&mut runner).await.unwrap() {
                Next::Again => {}
                Next::Later(_) | Next::Ended => break true,
            }
        };
        if ended {
            node.give_back(&runner).await.unwrap();
        }
        bed.wait(Duration::from_secs(31));
    }
    let run = bed.syncs.get_run(&bed.caller, run.id).await.unwrap();
    assert_eq!((run.status, run.report.complete, run.report.failed), (State::Completed, true, 0), "{run:?}");
    let (ours, theirs) = (bed.ours().await, bed.theirs_by_email());
    assert_eq!((ours.len(), theirs.len()), (count, count), "after {deaths} deaths in {steps} steps");
    let here: HashMap<_, _> = ours.iter().map(|(_, members)| (members["email"].as_str().unwrap(), members)).collect();
    assert!(theirs.iter().all(|(email, (_, members))| here[email.as_str()]["phone"] == members["phone"]));
    touches_only_what_changed(&bed, &config, &theirs).await;
}

/// Ten people there and ten here: as many calls as that takes, whatever else there is.
async fn touches_only_what_changed(
    bed: &Bed,
    config: &syncs::SyncConfig,
    theirs: &HashMap<String, (String, serde_json::Map<String, serde_json::Value>)>,
) {
    bed.wait(Duration::from_mins(5));
    let mut ids: Vec<&String> = theirs.values().map(|(id, _)| id).collect();
    ids.sort();
    ids.iter().take(10).for_each(|id| bed.crm.edit(id, &json!({"company": "Changed"})));
    for (id, _) in bed.ours().await.into_iter().rev().take(10) {
        bed.edit(id, json!({"phone": "changed"})).await;
    }
    bed.wait(Duration::from_mins(5));
    let (calls, writes) = (bed.carrier.calls.load(Ordering::SeqCst), bed.carrier.writes.load(Ordering::SeqCst));
    let run = bed.run(config.id, Mode::Incremental).await;
    let (calls, writes) = (bed.carrier.calls.load(Ordering::SeqCst) - calls, bed.carrier.writes.load(Ordering::SeqCst) - writes);
    assert_eq!((run.status, run.mode, run.report.updated), (State::Completed, Mode::Incremental, 20), "{run:?}");
    assert!(writes == 1 && calls <= 20, "{calls} calls, {writes} of them writes, for twenty changes");
}

/// How fast a first load is, beside the raw insertion of the same rows: printed, for whoever measures (`cargo xtask prove load`).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::disallowed_methods, reason = "it measures itself")]
async fn prove_load_beside_raw_rows() {
    let count = size();
    let (bed, config) = seeded(count).await;
    let began = Instant::now();
    let run = bed.run(config.id, Mode::Full).await;
    let load = began.elapsed();
    assert_eq!((run.status, run.report.created), (State::Completed, count as u64));
    let raw = bed.copy_raw().await;
    #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = |time: Duration| count as f64 / time.as_secs_f64();
    println!("{count} contacts: {:.0}/s loaded, {:.0}/s as raw rows, ratio {:.2}", rate(load), rate(raw), rate(load) / rate(raw));
}
