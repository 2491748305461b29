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
        bed.syncs.resolve_conflict(&bed.caller, conflicts[0].id, decision).await.unwrap();
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
        bed.crm.fault("lost-answer,path=/batch/,times=1");
        let run = bed.run(config.id, Mode::Incremental).await;
        assert_eq!(bed.crm.rows().len(), 1, "{run:?}");
        bed.wait(Duration::from_mins(5));
        bed.run(config.id, Mode::Incremental).await;
        bed.wait(Duration::from_mins(5));
        let last = bed.run(config.id, Mode::Full).await;
        assert_eq!((last.status, bed.crm.rows().len(), bed.ours().await.len()), (State::Completed, 1, 1), "{last:?}");
    }
}
