//! Runs, step by step, against HubSpot's double.

use std::time::Duration;

use serde_json::{Value, json};
use syncs::{LogAction, Mode, State};

use crate::bed::Bed;

testkit::engines! {
    /// What is there on either side is on both afterwards, and a second run writes nothing.
    async fn both_sides_become_the_same(bed: Bed) {
        let config = bed.sync(json!({})).await;
        bed.add(json!({"email": "here@example.com", "lastName": "Here"})).await;
        bed.crm.add(&json!({"email": "there@example.com", "lastName": "There", "phone": "1"}));
        bed.add(json!({"email": "both@example.com", "lastName": "Both", "phone": "2"})).await;
        bed.crm.add(&json!({"email": "both@example.com", "lastName": "Both", "company": "C"}));
        bed.wait(Duration::from_secs(90));
        let run = bed.run(config.id, Mode::Incremental).await;
        assert_eq!((run.status, run.mode, run.report.failed, run.report.complete), (State::Completed, Mode::Full, 0, true), "{run:?}");
        let (ours, theirs) = (bed.ours_by_email().await, bed.theirs_by_email());
        assert_eq!((ours.len(), theirs.len()), (3, 3));
        assert_eq!(ours["there@example.com"]["phone"], "1");
        assert_eq!(theirs["here@example.com"].1["lastName"], "Here");
        assert_eq!((&ours["both@example.com"]["company"], &theirs["both@example.com"].1["phone"]), (&json!("C"), &json!("2")));
        bed.wait(Duration::from_secs(90));
        let before = bed.carrier.writes.load(std::sync::atomic::Ordering::SeqCst);
        let again = bed.run(config.id, Mode::Full).await;
        assert_eq!((again.status, again.report.created, again.report.updated, again.report.unchanged), (State::Completed, 0, 0, 3), "{again:?}");
        assert_eq!(bed.carrier.writes.load(std::sync::atomic::Ordering::SeqCst), before);
    }

    /// A field that both changed waits for somebody; the others go on. The decision is carried out on both sides.
    async fn a_conflict_is_left_alone_until_somebody_decides(bed: Bed) {
        let config = bed.sync(json!({})).await;
        let id = bed.add(json!({"email": "a@example.com", "lastName": "A", "phone": "0", "company": "0"})).await;
        bed.run(config.id, Mode::Full).await;
        bed.wait(Duration::from_secs(90));
        let there = bed.theirs_by_email()["a@example.com"].0.clone();
        bed.edit(id, json!({"phone": "1", "company": "1"})).await;
        bed.crm.edit(&there, &json!({"phone": "2", "lastName": "B"}));
        bed.wait(Duration::from_secs(90));
        let run = bed.run(config.id, Mode::Incremental).await;
        assert_eq!((run.status, run.report.conflicts), (State::Completed, 1), "{run:?}");
        let (ours, theirs) = (&bed.ours_by_email().await["a@example.com"], &bed.theirs_by_email()["a@example.com"].1);
        assert_eq!((&ours["phone"], &theirs["phone"]), (&json!("1"), &json!("2")));
        assert_eq!((&ours["lastName"], &theirs["company"]), (&json!("B"), &json!("1")));
        let conflicts = bed.conflicts().await;
        let found = (&conflicts[0].field, &conflicts[0].local_value, &conflicts[0].remote_value, &conflicts[0].agreed_value);
        assert_eq!(found, (&"phone".to_owned(), &json!("1"), &json!("2"), &json!("0")));
        let decision = serde_json::from_value(json!({"value": "3"})).unwrap();
        let decided = bed.syncs.resolve_conflict(&bed.caller, conflicts[0].id, decision).await.unwrap();
        assert_eq!(Some(decided.updated_at), decided.decided_at);
        bed.drive(config.id).await;
        let (ours, theirs) = (&bed.ours_by_email().await["a@example.com"], &bed.theirs_by_email()["a@example.com"].1);
        assert_eq!((&ours["phone"], &theirs["phone"]), (&json!("3"), &json!("3")));
        let again: Value = serde_json::to_value(bed.conflicts().await).unwrap();
        assert_eq!(again[0]["status"], "resolved");
    }

    /// A dry run lists what it would do, and does nothing.
    async fn a_dry_run_changes_nothing(bed: Bed) {
        let config = bed.sync(json!({})).await;
        bed.add(json!({"email": "here@example.com", "lastName": "Here"})).await;
        bed.crm.add(&json!({"email": "there@example.com", "lastName": "There"}));
        bed.wait(Duration::from_secs(90));
        let run = bed.run_with(config.id, Mode::Full, true).await;
        assert_eq!((run.status, run.report.created), (State::Completed, 2), "{run:?}");
        let log = bed.log(&run).await;
        assert!(log.contains(&LogAction::CreatedHere) && log.contains(&LogAction::CreatedThere), "{log:?}");
        assert_eq!((bed.ours().await.len(), bed.crm.rows().len()), (1, 1));
        let real = bed.run(config.id, Mode::Incremental).await;
        assert_eq!((real.mode, real.report.created), (Mode::Full, 2), "the dry run left no cursor: {real:?}");
    }

    /// Deletions go to the other side; one whose other side was edited is undone; many wait for a word.
    async fn deletions_are_verified_braked_and_undone_for_edits(bed: Bed) {
        let config = bed.sync(json!({"conflictResolution": "newest"})).await;
        for n in 0..60 {
            bed.crm.add(&json!({"email": format!("c{n}@example.com"), "lastName": "C"}));
        }
        bed.wait(Duration::from_secs(90));
        assert_eq!(bed.run(config.id, Mode::Full).await.report.created, 60);
        let theirs = bed.theirs_by_email();
        let ours = bed.ours().await;
        let mine = |email: &str| ours.iter().find(|(_, members)| members["email"] == email).unwrap().0;
        bed.crm.delete(&theirs["c0@example.com"].0);
        bed.delete(mine("c1@example.com")).await;
        bed.crm.delete(&theirs["c2@example.com"].0);
        bed.edit(mine("c2@example.com"), json!({"phone": "edited"})).await;
        bed.wait(Duration::from_secs(90));
        let run = bed.run(config.id, Mode::Incremental).await;
        assert_eq!((run.status, run.report.deleted), (State::Completed, 2), "{run:?} {:?}", bed.log(&run).await);
        let (now, there) = (bed.ours_by_email().await, bed.theirs_by_email());
        assert!(!now.contains_key("c0@example.com") && !there.contains_key("c1@example.com"));
        assert_eq!(there["c2@example.com"].1["phone"], "edited", "made again there");
        for n in 3..33 {
            bed.crm.delete(&theirs[&format!("c{n}@example.com")].0);
        }
        bed.wait(Duration::from_secs(90));
        let run = bed.run(config.id, Mode::Incremental).await;
        assert_eq!((run.status, bed.ours().await.len()), (State::AwaitingApproval, 58), "{run:?}");
        let listed = bed.syncs.pending_deletions(&bed.caller, run.id).await.unwrap();
        assert_eq!((listed.count, listed.here.len()), (30, 30));
        bed.syncs.approve_run(&bed.caller, run.id).await.unwrap();
        bed.drive(config.id).await;
        assert_eq!((bed.ours().await.len(), bed.crm.rows().len()), (28, 28));
    }

    /// The answer to a creation is lost: the record is found, not made again.
    async fn a_creation_whose_answer_is_lost_is_looked_up(bed: Bed) {
        let config = bed.sync(json!({})).await;
        bed.run(config.id, Mode::Full).await;
        bed.add(json!({"email": "a@example.com", "lastName": "A"})).await;
        bed.crm.fault("lost-answer,path=/batch/create,times=1");
        let run = bed.run(config.id, Mode::Incremental).await;
        assert_eq!((bed.crm.rows().len(), run.status), (1, State::Parked), "it waits until it can be known: {run:?}");
        bed.to_its_end(config.id).await;
        let run = bed.syncs.get_run(&bed.caller, run.id).await.unwrap();
        assert_eq!((run.status, run.report.failed, bed.crm.rows().len()), (State::Completed, 0, 1), "{run:?}");
        bed.wait(Duration::from_mins(5));
        let last = bed.run(config.id, Mode::Full).await;
        assert_eq!((last.status, bed.crm.rows().len(), bed.ours().await.len()), (State::Completed, 1, 1), "{last:?}");
    }

    /// A realtime sync works on changes and hints as they come, without a look at the vendor's pages.
    async fn realtime_work_touches_what_changed(bed: Bed) {
        let config = bed.sync(json!({"frequency": "realtime"})).await;
        let id = bed.add(json!({"email": "a@example.com", "lastName": "A"})).await;
        bed.crm.add(&json!({"email": "b@example.com", "lastName": "B"}));
        bed.wait(Duration::from_secs(90));
        bed.syncs.fire_due().await.unwrap();
        assert_eq!(bed.drive(config.id).await, Some(syncs::Next::Ended), "the first run is full");
        bed.wait(Duration::from_secs(90));
        bed.edit(id, json!({"phone": "1"})).await;
        let before = bed.carrier.calls.load(std::sync::atomic::Ordering::SeqCst);
        bed.live(config.id).await;
        assert_eq!(bed.theirs_by_email()["a@example.com"].1["phone"], "1");
        assert_eq!(bed.carrier.calls.load(std::sync::atomic::Ordering::SeqCst) - before, 2, "one look, one write");
        let there = bed.theirs_by_email()["b@example.com"].0.clone();
        bed.crm.edit(&there, &json!({"phone": "2"}));
        bed.hint(config.integration_id, &there, connectors::HintKind::Changed).await;
        bed.live(config.id).await;
        assert_eq!(bed.ours_by_email().await["b@example.com"]["phone"], "2");
        // What a vendor says is never believed: the record is there.
        bed.hint(config.integration_id, &there, connectors::HintKind::Deleted).await;
        bed.live(config.id).await;
        assert_eq!(bed.ours().await.len(), 2);
    }

    /// Items of a batch that the vendor refuses keep no others waiting, are shown, and are tried again.
    async fn a_refused_item_is_shown_and_tried_again(bed: Bed) {
        let config = bed.sync(json!({})).await;
        bed.run(config.id, Mode::Full).await;
        for n in 0..4 {
            bed.add(json!({"email": format!("n{n}@example.com"), "lastName": "N"})).await;
        }
        bed.crm.fault("partial-batch,path=/batch/create,every=2,times=1");
        let run = bed.run(config.id, Mode::Incremental).await;
        assert_eq!((run.status, run.report.created, run.report.failed), (State::Partial, 2, 2), "{run:?}");
        let page = kernel::PageRequest { limit: 10, ..kernel::PageRequest::default() };
        let waiting = bed.syncs.outstanding(&bed.caller, config.id, page).await.unwrap().data;
        assert_eq!((waiting.len(), waiting[0].attempts), (2, 1), "{waiting:?}");
        bed.syncs.retry(&bed.caller, config.id, serde_json::from_value(json!({})).unwrap()).await.unwrap();
        bed.wait(Duration::from_mins(2));
        let again = bed.run(config.id, Mode::Incremental).await;
        assert_eq!((again.status, bed.crm.rows().len()), (State::Completed, 4), "{again:?}");
    }

    /// Two records that the vendor merges: ours stay, one linked with what is left, the other by itself.
    async fn merged_records_keep_ours(bed: Bed) {
        let config = bed.sync(json!({})).await;
        let kept = bed.crm.add(&json!({"email": "kept@example.com", "lastName": "Kept"}));
        let gone = bed.crm.add(&json!({"email": "gone@example.com", "lastName": "Gone"}));
        bed.wait(Duration::from_secs(90));
        bed.run(config.id, Mode::Full).await;
        bed.crm.merge(&kept, &gone);
        bed.wait(Duration::from_secs(90));
        let run = bed.run(config.id, Mode::Full).await;
        assert_eq!((run.status, bed.ours().await.len()), (State::Completed, 2), "{run:?}");
        assert!(bed.everything_logged(config.id).await.iter().any(|entry| entry.action == LogAction::Merged));
        bed.wait(Duration::from_secs(90));
        let again = bed.run(config.id, Mode::Full).await;
        assert_eq!((again.status, again.report.created, bed.ours().await.len(), bed.crm.rows().len()), (State::Completed, 0, 2, 1), "{again:?}");
    }
}
