//! One tenant's slow functions do not keep another's waiting.

use std::time::{Duration, Instant};

use script::{Engine, Function, Party};
use serde_json::json;
use tokio::task::JoinSet;

use crate::rig::{MOMENT, engine, function};

/// What a run may wait and take while others flood the workers. It waits for nobody: places are kept for it. It shares the processors with
/// at most two runs of others, and on a busy machine with a few tests. Without turns it would wait for the whole flood: [`FLOOD`] runs of 100 ms of
/// processor time, ten seconds on two processors.
const BOUND: Duration = Duration::from_secs(2);
const FLOOD: u128 = 200;

/// Runs into the time limit, each a source of its own: none of them is known for it.
fn flood(engine: &Engine, party: impl Fn(u128) -> Party) -> JoinSet<()> {
    (0..FLOOD)
        .map(|n| {
            let (engine, party) = (engine.clone(), party(n));
            let endless = Function::new("another tenant", &format!("() => {{ for (;;) {{ {n} }} }}")).unwrap();
            async move {
                assert!(engine.call(party, &endless, "[]", MOMENT).await.is_err());
            }
        })
        .collect()
}

async fn timed(engine: &Engine, party: Party, source: &str) -> Duration {
    let began = Instant::now();
    let answer = engine.call(party, &function(source), &json!([1]).to_string(), MOMENT).await;
    assert_eq!(answer.as_deref(), Ok("2"));
    began.elapsed()
}

/// Lets the flood begin: a run of it has ended.
async fn has_begun(flood: &mut JoinSet<()>) {
    flood.join_next().await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_floods_waits_for_itself() {
    let engine = engine(4);
    let mut flood = flood(&engine, |_| Party(7));
    has_begun(&mut flood).await;
    for run in 0..20 {
        let took = timed(&engine, Party(8), "v => v + 1").await;
        assert!(took < BOUND, "run {run}: {took:?}");
    }
    let new = timed(&engine, Party(8), "v => v + 1 // never run before").await;
    assert!(new < BOUND, "{new:?}");
    assert!(flood.len() > 50, "the flood is still there: {}", flood.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tenants_slow_functions_leave_places_to_quick_ones() {
    let engine = engine(4);
    timed(&engine, Party(8), "v => v + 1").await;
    let mut flood = flood(&engine, |n| Party(100 + n));
    has_begun(&mut flood).await;
    for run in 0..20 {
        let took = timed(&engine, Party(8), "v => v + 1").await;
        assert!(took < BOUND, "run {run}: {took:?}");
    }
    assert!(flood.len() > 50, "the flood is still there: {}", flood.len());
}
