//! Runs whose node dies in the middle of a write, and runs that are to stop in the middle of one.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use syncs::{Mode, NewRun, State, SyncConfig, SyncRun};
use testkit::Engine;

use crate::bed::Bed;
use crate::carrier::Loss;
use crate::crm::Kind;

/// Records that are to be made there.
const COUNT: usize = 30;

async fn full(kind: Kind) -> (Bed, SyncConfig, SyncRun) {
    let bed = Bed::with(Engine::sqlite(), kind, 7).await;
    let config = bed.sync(json!({"frequency": "manual"})).await;
    for n in 0..COUNT {
        bed.add(json!({"email": format!("n{n}@example.com"), "lastName": format!("N{n}"), "company": "C"})).await;
    }
    bed.wait(Duration::from_secs(90));
    let run = bed.syncs.run(&bed.caller, config.id, NewRun { mode: Some(Mode::Full), dry_run: None }).await.unwrap();
    (bed, config, run)
}

/// A node is lost while the vendor makes records: the run is not over before it is known which were made, makes the others, and none twice.
async fn dies_while_it_makes(kind: Kind, others: u64, loss: Loss) {
    let (bed, config, run) = full(kind).await;
    let node = bed.node();
    let mut runner = node.runner(bed.tenant, config.id).await.unwrap().unwrap();
    bed.carrier.lose_write(others, loss);
    tokio::select! {
        biased;
        () = bed.carrier.lost.notified() => {}
        ended = node.drive(&mut runner) => panic!("{kind:?}: {ended:?}"),
    }
    drop(runner);
    bed.wait(Duration::from_secs(31));
    let parked = bed.to_its_end(config.id).await;
    let run = bed.syncs.get_run(&bed.caller, run.id).await.unwrap();
    assert_eq!((run.status, run.report.failed), (State::Completed, 0), "{kind:?} {loss:?}: {run:?}");
    assert_eq!(bed.theirs_by_email().len(), COUNT, "{kind:?} {loss:?}: {run:?}");
    assert_eq!(bed.crm.rows().len(), COUNT, "{kind:?} {loss:?}: one was made twice");
    let object = bed.crm.connector.about().objects.iter().find(|object| object.name.eq_ignore_ascii_case(bed.crm.object())).unwrap();
    // Where the vendor knows at once, the dead node's lease was all there was to wait for.
    assert_eq!(parked == 0, object.lag_seconds == 0, "{kind:?} {loss:?}: parked {parked} times");
}

#[tokio::test]
async fn a_run_ends_when_it_is_known_what_was_made() {
    for loss in [Loss::Before, Loss::After] {
        dies_while_it_makes(Kind::HubSpot, 0, loss).await;
        dies_while_it_makes(Kind::Salesforce, 0, loss).await;
        dies_while_it_makes(Kind::Pipedrive, 14, loss).await;
    }
}

/// A run that is to stop while its vendor keeps it waiting stops within seconds, and asks for nothing more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_stops_in_the_middle_of_a_write() {
    for (how, code) in
        [("cancel", "sync_taken_over"), ("disable", "sync_taken_over"), ("delete", "sync_taken_over"), ("account", "integration_disabled")]
    {
        let (bed, config, run) = full(Kind::Pipedrive).await;
        let mut runner = bed.syncs.runner(bed.tenant, config.id).await.unwrap().unwrap();
        bed.carrier.lose_write(2, Loss::Before);
        let syncs = Arc::clone(&bed.syncs);
        let driving = tokio::spawn(async move { syncs.drive(&mut runner).await });
        bed.carrier.lost.notified().await;
        match how {
            "cancel" => drop(bed.syncs.cancel_run(&bed.caller, run.id).await.unwrap()),
            "disable" => {
                let patch = serde_json::from_value(json!({"enabled": false})).unwrap();
                bed.syncs.update_config(&bed.caller, config.id, patch).await.unwrap();
                let run = bed.syncs.get_run(&bed.caller, run.id).await.unwrap();
                assert_eq!((run.status, run.code.as_deref()), (State::Cancelled, Some("sync_disabled")));
            }
            "delete" => bed.syncs.delete_config(&bed.caller, config.id).await.unwrap(),
            _ => bed.off.store(true, Ordering::SeqCst),
        }
        let ended = tokio::time::timeout(Duration::from_secs(20), driving).await.expect("it stops").unwrap();
        assert_eq!(ended.unwrap_err().code(), code, "{how}");
        assert_eq!(bed.carrier.writes.load(Ordering::SeqCst), 3, "{how}");
    }
}
