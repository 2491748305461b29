//! What a file becomes when it meets what is in force.

use blueprint::Verdict;
use kernel::Scope;
use products::{How, Settled};

use crate::bed::{Bed, reworded, text};

testkit::engines! {
    async fn the_first_is_applied_and_remembered(bed: Bed) {
        assert!(bed.products.in_force().await.unwrap().is_none());
        let first = bed.apply(&text(&["order"])).await;
        assert_eq!((first.number, first.name.as_str(), first.how, first.applied_by.as_str()), (1, "shop", How::Start, "nod_1"));
        assert_eq!(first.applied_at.to_string(), "2026-01-31T12:01:00.000Z");
        let (version, kept) = bed.products.in_force().await.unwrap().unwrap();
        assert_eq!((&version, kept.as_str()), (&first, text(&["order"]).as_str()));
        assert_eq!(bed.products.versions().await.unwrap(), vec![first]);
        assert_eq!(bed.audited().await, vec![("blueprint.apply".to_owned(), "version 1".to_owned())]);
        let sealed: Vec<u8> = bed
            .store
            .read(Scope::system("test"), |tx| tx.query_one("SELECT text FROM blueprint_versions", &[], |row| row.get(0)))
            .await
            .unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains("order"), "the text rests sealed");
    }

    async fn the_same_is_no_new_version_in_other_words_either(bed: Bed) {
        let file = text(&["order"]);
        bed.apply(&file).await;
        for same in [file.clone(), reworded(&file)] {
            assert!(matches!(bed.settle(&same, How::Reload).await, Settled::Same(_)));
        }
        assert_eq!(bed.products.versions().await.unwrap().len(), 1);
    }

    async fn what_only_adds_is_applied_at_a_reload(bed: Bed) {
        bed.apply(&text(&["order"])).await;
        let ticket = Bed::ticket(bed.settle(&text(&["order", "item"]), How::Reload).await);
        assert!(!ticket.judgement.findings.is_empty());
        assert!(ticket.judgement.findings.iter().all(|finding| finding.verdict == Verdict::Compatible));
        assert_eq!(bed.products.record(&ticket, How::Reload, "nod_1").await.unwrap().number, 2);
    }

    /// Promises to partners may be broken by a start, in full knowledge; by a reload they are not.
    async fn what_breaks_partners_needs_a_start(bed: Bed) {
        bed.apply(&text(&["order", "item"])).await;
        let less = text(&["order"]);
        let why = Bed::refusal(bed.settle(&less, How::Reload).await);
        for words in ["breaks those who rely", "resources[\"item\"]", "restart", "version 1"] {
            assert!(why.contains(words), "{words}: {why}");
        }
        let ticket = Bed::ticket(bed.settle(&less, How::Start).await);
        assert!(ticket.judgement.breaking().count() > 0, "the server says what it breaks");
    }

    /// What is stored may not be contradicted by anybody.
    async fn what_data_contradict_is_refused_with_the_way_out(bed: Bed) {
        bed.apply(&text(&["order", "item"])).await;
        for how in [How::Start, How::Reload] {
            let why = Bed::refusal(bed.settle(&text(&["item"]), how).await);
            assert!(why.contains("there are 3 records of it. Way out: delete them"), "{why}");
        }
        assert_eq!(bed.products.versions().await.unwrap().len(), 1);
    }

    /// Two servers that start with different files: the second is compared with the first, not with what both had seen.
    async fn of_two_at_once_one_must_look_again(bed: Bed) {
        bed.apply(&text(&["order"])).await;
        let (one, other) = (text(&["order", "item"]), text(&["order", "label"]));
        let (first, second) = (Bed::ticket(bed.settle(&one, How::Start).await), Bed::ticket(bed.settle(&other, How::Start).await));
        bed.products.record(&first, How::Start, "nod_1").await.unwrap();
        let late = bed.products.record(&second, How::Start, "nod_2").await.unwrap_err();
        assert_eq!(late.code(), "blueprint_changed_meanwhile");
        assert_eq!(bed.products.versions().await.unwrap().len(), 2);
        let again = bed.settle(&other, How::Reload).await;
        assert!(Bed::refusal(again).contains("resources[\"item\"]"));
    }

    /// While others serve, a start is as strict as a reload; SQLite's files have one server only.
    async fn a_server_beside_others_starts_with_nothing_that_breaks_them(bed: Bed) {
        bed.apply(&text(&["order", "item"])).await;
        bed.other_server().await;
        let settled = bed.settle(&text(&["order"]), How::Start).await;
        if bed.engine.database_url().is_none() {
            Bed::ticket(settled);
            return;
        }
        let why = Bed::refusal(settled);
        assert!(why.contains("is served by others. Give this server the same file"), "{why}");
        Bed::ticket(bed.settle(&text(&["order", "item", "label"]), How::Start).await);
        bed.clock.advance(store::NODE_DEAD_AFTER + std::time::Duration::from_secs(1));
        Bed::ticket(bed.settle(&text(&["order"]), How::Start).await);
    }
}
