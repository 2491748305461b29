//! A dry run says exactly what the real run then does.

use std::time::Duration;

use kernel::SyncConfigId;
use serde_json::json;
use syncs::{Counters, LogAction, LogEntry, Mode, SyncRun};

use crate::bed::Bed;

/// What a run said: its lines, but for ids that only a real run can know, and what it counted.
fn said(run: &SyncRun, lines: &[LogEntry]) -> (Vec<String>, Counters) {
    let line = |entry: &LogEntry| {
        let (mut record, mut remote, mut fields) = (entry.record_id, entry.remote_id.clone(), entry.fields.clone());
        match entry.action {
            LogAction::CreatedHere => record = None,
            LogAction::CreatedThere => (remote, fields) = (None, Vec::new()),
            _ => {}
        }
        fields.sort();
        format!("{:?} {record:?} {remote:?} {fields:?}", entry.action)
    };
    let mut lines: Vec<String> = lines.iter().map(line).collect();
    lines.sort();
    (lines, run.report)
}

/// Runs it dry and then in earnest; answers the lines of both, which are the same.
async fn same_twice(bed: &Bed, sync: SyncConfigId, mode: Mode) -> Vec<String> {
    let before = bed.everything_logged(sync).await.len();
    let (ours, theirs) = (bed.ours().await, bed.theirs_by_email());
    let dry = bed.run_with(sync, mode, true).await;
    assert_eq!((bed.ours().await, bed.theirs_by_email()), (ours, theirs), "it changes nothing");
    let between = bed.everything_logged(sync).await.len();
    let real = bed.run(sync, mode).await;
    let lines = bed.everything_logged(sync).await;
    let (dry, real) = (said(&dry, &lines[before..between]), said(&real, &lines[between..]));
    assert_eq!(dry.0, real.0);
    assert_eq!(dry.1, real.1, "{:#?}", dry.0);
    dry.0
}

fn count(lines: &[String], action: LogAction) -> usize {
    lines.iter().filter(|line| line.starts_with(&format!("{action:?} "))).count()
}

testkit::engines! {
    /// Pairs that meet, alike, with what only one side has, and in conflict; and what only one side has.
    async fn a_first_run_is_told_before_it_is_made(bed: Bed) {
        let config = bed.sync(json!({"conflictResolution": "manual"})).await;
        bed.add(json!({"email": "here@example.com", "lastName": "Here"})).await;
        bed.crm.add(&json!({"email": "there@example.com", "lastName": "There"}));
        for (email, ours, theirs) in [("same", json!("S"), json!("S")), ("phone", json!("1"), json!(null)), ("not", json!("1"), json!("2"))] {
            let email = format!("{email}@example.com");
            bed.add(json!({"email": email, "lastName": "Both", "phone": ours})).await;
            bed.crm.add(&json!({"email": email, "lastName": "Both", "phone": theirs, "company": "C"}));
        }
        bed.wait(Duration::from_secs(90));
        let lines = same_twice(&bed, config.id, Mode::Full).await;
        let counted = [LogAction::Linked, LogAction::CreatedThere, LogAction::CreatedHere, LogAction::UpdatedThere, LogAction::Conflict];
        assert_eq!(counted.map(|action| count(&lines, action)), [3, 1, 1, 1, 1], "{lines:#?}");
    }

    /// Edits, a conflict, and deletions of both sides.
    async fn a_later_run_is_told_before_it_is_made(bed: Bed) {
        let config = bed.sync(json!({"conflictResolution": "manual"})).await;
        for n in 0..8 {
            bed.crm.add(&json!({"email": format!("c{n}@example.com"), "lastName": "C", "phone": "0", "company": "0"}));
        }
        bed.wait(Duration::from_secs(90));
        bed.run(config.id, Mode::Full).await;
        for mode in [Mode::Incremental, Mode::Full] {
            bed.wait(Duration::from_secs(90));
            let (ours, theirs) = (bed.ours().await, bed.theirs_by_email());
            let mode_name = format!("{mode:?}");
            let first = if mode == Mode::Full { 4 } else { 0 };
            let mine = |n: usize| ours.iter().find(|(_, members)| members["email"] == format!("c{}@example.com", n + first)).unwrap().0;
            let there = |n: usize| theirs[&format!("c{}@example.com", n + first)].0.clone();
            // In conflict in one field, changed on either side in others.
            bed.edit(mine(0), json!({"phone": "1", "company": mode_name})).await;
            bed.crm.edit(&there(0), &json!({"phone": "2", "lastName": mode_name}));
            bed.crm.delete(&there(1));
            bed.delete(mine(2)).await;
            // Deleted there, and changed here: made again.
            bed.crm.delete(&there(3));
            bed.edit(mine(3), json!({"phone": mode_name})).await;
            bed.add(json!({"email": format!("{}@example.com", mode_name.to_lowercase()), "lastName": "New"})).await;
            bed.wait(Duration::from_secs(90));
            let lines = same_twice(&bed, config.id, mode).await;
            let counted = [
                LogAction::Conflict, LogAction::UpdatedHere, LogAction::UpdatedThere, LogAction::DeletedHere, LogAction::DeletedThere,
                LogAction::Resurrected, LogAction::CreatedThere,
            ];
            assert_eq!(counted.map(|action| count(&lines, action)), [1, 1, 1, 1, 1, 1, 2], "{mode:?} {lines:#?}");
        }
    }
}

/// More than one step's worth of everything: what earlier steps would have done is known to the later ones.
#[tokio::test]
async fn many_are_told_as_few_are() {
    let bed = <Bed as testkit::Bed>::open(testkit::Engine::sqlite()).await;
    let config = bed.sync(json!({"conflictResolution": "manual"})).await;
    for n in 0..130 {
        let email = format!("m{n}@example.com");
        bed.add(json!({"email": email, "lastName": "M", "phone": "1"})).await;
        bed.crm.add(&json!({"email": email, "lastName": "M", "phone": if n % 2 == 0 { "1" } else { "2" }}));
        bed.add(json!({"email": format!("h{n}@example.com"), "lastName": "H"})).await;
    }
    bed.wait(Duration::from_secs(90));
    let lines = same_twice(&bed, config.id, Mode::Full).await;
    let counted = [LogAction::Linked, LogAction::Conflict, LogAction::CreatedThere, LogAction::UpdatedThere];
    assert_eq!(counted.map(|action| count(&lines, action)), [130, 65, 130, 0]);
    bed.wait(Duration::from_secs(90));
    assert!(same_twice(&bed, config.id, Mode::Full).await.is_empty());
}

/// A node dies in the middle of a dry run: the next one tells everything, and nothing twice.
#[tokio::test]
async fn a_dry_run_that_is_dropped_begins_anew() {
    let bed = <Bed as testkit::Bed>::open(testkit::Engine::sqlite()).await;
    let config = bed.sync(json!({})).await;
    bed.add(json!({"email": "both@example.com", "lastName": "Both"})).await;
    bed.crm.add(&json!({"email": "both@example.com", "lastName": "Both"}));
    bed.wait(Duration::from_secs(90));
    let asked = syncs::NewRun { mode: Some(Mode::Full), dry_run: Some(true) };
    let run = bed.syncs.run(&bed.caller, config.id, asked).await.unwrap();
    let mut runner = bed.syncs.runner(bed.tenant, config.id).await.unwrap().unwrap();
    bed.syncs.step(&mut runner).await.unwrap();
    assert_eq!(bed.everything_logged(config.id).await.len(), 1, "it is dropped after the pair met");
    drop(runner);
    bed.wait(Duration::from_secs(31));
    bed.drive(config.id).await;
    let run = bed.syncs.get_run(&bed.caller, run.id).await.unwrap();
    assert_eq!(
        (run.status, run.report.created, run.report.seen, bed.log(&run).await),
        (syncs::State::Completed, 0, 1, vec![LogAction::Linked])
    );
}
