//! What a vendor was asked to call us by, and the day's run, end with the sync that wanted them.

use std::time::Duration;

use connectors::{Body, Call, Carrier as _, Target};
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use syncs::{Mode, State, SyncConfig};
use testkit::Engine;

use crate::bed::Bed;
use crate::crm::Kind;

/// The addresses that Pipedrive's account calls, as it says itself.
async fn called(bed: &Bed) -> Vec<String> {
    let call = Call {
        method: Method::GET,
        target: Target::Path("/api/v1/webhooks".to_owned()),
        query: Vec::new(),
        headers: HeaderMap::new(),
        body: Body::Empty,
        cost: 1,
        repeatable: true,
    };
    let answer: Value = serde_json::from_slice(&bed.carrier.send(call).await.unwrap().body).unwrap();
    answer["data"].as_array().unwrap().iter().map(|hook| hook["subscription_url"].as_str().unwrap().to_owned()).collect()
}

async fn nobody_is_called(bed: &Bed) {
    testkit::wait::until("the vendor to be asked to call no more", Duration::from_secs(10), || async {
        called(bed).await.is_empty().then_some(())
    })
    .await;
}

async fn patch(bed: &Bed, config: &SyncConfig, patch: Value) {
    bed.syncs.update_config(&bed.caller, config.id, serde_json::from_value(patch).unwrap()).await.unwrap();
}

/// A realtime sync has its vendor call; switched off it does not, switched on again it does, deleted it does not.
#[tokio::test]
async fn a_vendor_calls_only_for_syncs_that_are_on() {
    let bed = Bed::with(Engine::sqlite(), Kind::Pipedrive, 7).await;
    let config = bed.sync(json!({"frequency": "realtime"})).await;
    assert!(called(&bed).await.is_empty());
    bed.run(config.id, Mode::Full).await;
    assert_eq!(called(&bed).await, [crate::bed::INBOUND]);
    bed.run(config.id, Mode::Full).await;
    assert_eq!(called(&bed).await.len(), 1, "it was asked already");
    patch(&bed, &config, json!({"enabled": false})).await;
    nobody_is_called(&bed).await;
    bed.run(config.id, Mode::Full).await;
    assert!(called(&bed).await.is_empty(), "a run by hand of a sync that is off does not ask");
    patch(&bed, &config, json!({"enabled": true})).await;
    bed.run(config.id, Mode::Full).await;
    assert_eq!(called(&bed).await.len(), 1);
    patch(&bed, &config, json!({"frequency": "hourly"})).await;
    nobody_is_called(&bed).await;
    patch(&bed, &config, json!({"frequency": "realtime"})).await;
    bed.run(config.id, Mode::Full).await;
    assert_eq!(called(&bed).await.len(), 1);
    bed.syncs.delete_config(&bed.caller, config.id).await.unwrap();
    nobody_is_called(&bed).await;
}

/// The day's run of a sync that is switched off has ended when the answer is there, also under a node that is at it, and none begins.
#[tokio::test]
async fn the_days_run_ends_with_the_switch() {
    let bed = <Bed as testkit::Bed>::open(Engine::sqlite()).await;
    let config = bed.sync(json!({"frequency": "realtime"})).await;
    bed.run(config.id, Mode::Full).await;
    let mut runner = bed.syncs.realtime_runner(bed.tenant, config.id).await.unwrap().unwrap();
    let run = runner.run();
    assert_eq!(bed.syncs.get_run(&bed.caller, run.id).await.unwrap().status, State::Running);
    patch(&bed, &config, json!({"enabled": false})).await;
    let ended = bed.syncs.get_run(&bed.caller, run.id).await.unwrap();
    assert_eq!((ended.status, ended.completed_at.is_some()), (State::Cancelled, true));
    assert_eq!(bed.syncs.drive(&mut runner).await.unwrap_err().code(), "sync_taken_over");
    bed.syncs.give_back(&runner).await.unwrap();
    assert!(bed.syncs.realtime_runner(bed.tenant, config.id).await.unwrap().is_none());
}
