//! What remains of a tenant, and of a subject: nothing.

use events::Look;
use kernel::Scope;
use serde_json::json;

use crate::bed::{Bed, lead};

testkit::engines! {
    /// A tenant goes with its records, in steps, and with nobody else's.
    async fn a_tenant_goes_with_its_records(bed: Bed) {
        bed.lead("a@example.com", json!({})).await;
        bed.lead("b@example.com", json!({})).await;
        bed.records.create(&bed.stranger(), "lead", lead("a@example.com", json!({}))).await.unwrap();
        bed.records.settle().await.unwrap();
        let (fields, tenant) = (bed.count("record_fields").await, bed.tenant);
        let step = || bed.store.write(Scope::system("test"), move |tx| records::purge_some(tx, tenant, 1));
        for left in [2, 1] {
            assert_eq!(step().await.unwrap(), 1);
            assert_eq!((bed.count("records").await, bed.count("record_uniques").await), (left, left));
            assert_eq!(bed.count("record_fields").await, fields / 3 * left);
        }
        // What finds records goes after them, in steps too, and nobody else's.
        let mut steps = 0;
        while step().await.unwrap() > 0 {
            steps += 1;
        }
        assert!(steps > 10, "{steps}");
        for (table, left) in [("record_tail", 0), ("record_places", 1), ("record_shelves", 1)] {
            assert_eq!(bed.count(table).await, left, "{table}");
        }
        assert!(bed.count("record_grams").await > 10);
    }

    /// A subject's records go page by page, with what finds them; a look that only counts leaves them.
    async fn a_subjects_records_go(bed: Bed) {
        for email in ["a@example.com", "b@example.com", "c@example.com"] {
            bed.lead(email, json!({"firstName": if email.starts_with('b') { "Someone" } else { "Ada" }})).await;
        }
        bed.records.create(&bed.stranger(), "lead", lead("a@example.com", json!({"firstName": "Ada"}))).await.unwrap();
        let tenant = bed.tenant;
        let look = async |dry_run: bool| {
            let (mut after, mut found) = (Some(String::new()), 0);
            while let Some(from) = after {
                let page = bed.store.write(Scope::system("test"), move |tx| {
                    let (is_wanted, is_mentioned) = (|payload: &serde_json::Value| payload["firstName"] == "Ada", |_: &[u8]| false);
                    let look = Look { after: &from, limit: 2, dry_run, key: None, event: None, is_wanted: &is_wanted, is_mentioned: &is_mentioned };
                    records::forget(tx, tenant, &look)
                });
                let page = page.await.unwrap();
                found += page.found;
                after = page.last;
            }
            found
        };
        bed.records.settle().await.unwrap();
        assert_eq!((look(true).await, bed.count("records").await), (2, 4));
        assert_eq!(bed.count("record_places").await, 4);
        assert_eq!((look(false).await, bed.count("records").await, bed.count("record_uniques").await), (2, 2, 2));
        assert_eq!(bed.count("record_places").await, 2);
        assert_eq!(look(false).await, 0);
    }
}
