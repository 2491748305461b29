//! One step back, and what a server makes of a file from which somebody went back.

use products::{How, Settled};

use crate::bed::{Bed, reworded, text};

testkit::engines! {
    async fn a_step_back_restores_the_version_before(bed: Bed) {
        let (one, two) = (text(&["order"]), text(&["order", "item"]));
        bed.apply(&one).await;
        assert_eq!(bed.products.roll_back("ada", None).await.unwrap_err().kind(), kernel::Kind::NotFound);
        bed.apply(&two).await;
        let back = bed.products.roll_back("ada", Some("items were too early".to_owned())).await.unwrap().version;
        assert_eq!((back.number, back.how, back.restores, back.undoes), (3, How::Rollback, Some(1), Some(2)));
        assert_eq!((back.applied_by.as_str(), back.note.as_deref()), ("ada", Some("items were too early")));
        assert_eq!(bed.products.in_force().await.unwrap().unwrap().1, one.as_str());
        assert_eq!(bed.products.text(2).await.unwrap(), two.as_str());
        // The server's file still says what was undone, perhaps in other words: what is in force is served.
        for file in [two.clone(), reworded(&two)] {
            for how in [How::Start, How::Reload] {
                match bed.settle(&file, how).await {
                    Settled::Kept { blueprint, why } => {
                        assert!(blueprint.resource("item").is_none());
                        assert!(why.contains("ada") && why.contains("version 3"), "{why}");
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        // Its old text is what is in force, and a new one is news.
        assert!(matches!(bed.settle(&one, How::Reload).await, Settled::Same(_)));
        bed.apply(&text(&["order", "label"])).await;
        Bed::ticket(bed.settle(&text(&["order", "item", "label"]), How::Start).await);
    }

    async fn a_step_back_from_a_step_back_goes_forward(bed: Bed) {
        let (one, two) = (text(&["order"]), text(&["order", "item"]));
        bed.apply(&one).await;
        bed.apply(&two).await;
        bed.products.roll_back("ada", None).await.unwrap();
        let forward = bed.products.roll_back("ada", None).await.unwrap().version;
        assert_eq!((forward.number, forward.restores, forward.undoes), (4, Some(2), Some(3)));
        assert!(matches!(bed.settle(&two, How::Start).await, Settled::Same(_)));
        assert!(matches!(bed.settle(&one, How::Start).await, Settled::Kept { .. }));
        assert_eq!(bed.audited().await.len(), 4);
    }

    /// What came with the version that is to go may be in use by now.
    async fn a_step_back_over_data_is_refused(bed: Bed) {
        bed.apply(&text(&["item"])).await;
        bed.apply(&text(&["item", "order"])).await;
        let refused = bed.products.roll_back("ada", None).await.unwrap_err();
        assert_eq!(refused.code(), "blueprint_refused");
        assert!(refused.detail().contains("3 records"), "{}", refused.detail());
        assert_eq!(bed.products.versions().await.unwrap().len(), 2);
    }
}
