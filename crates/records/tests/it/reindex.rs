//! Another blueprint over records that are there already.

use records::ListQuery;
use serde_json::json;

use crate::bed::{Bed, insurance, lead, open};

testkit::engines! {
    /// Filters, orders and searches that are declared later find what was made before, of every tenant.
    async fn later_declarations_find_earlier_records(bed: Bed) {
        for i in 0..203 {
            bed.lead(&format!("{i}@example.com"), json!({"city": "Bern", "campaign": "Spring"})).await;
        }
        bed.records.create(&bed.stranger(), "lead", lead("0@example.com", json!({"city": "Bern"}))).await.unwrap();
        assert_eq!(bed.records.prepare().await.unwrap(), 204);
        assert_eq!(bed.records.prepare().await.unwrap(), 0);
        let mut blueprint = insurance();
        let kind = blueprint.resources.iter_mut().find(|resource| resource.name == "lead").unwrap();
        kind.filters = vec!["city".into()];
        kind.search = vec!["campaign".into()];
        let other = open(&bed.store, &bed.ambient, &bed.planner, &blueprint);
        let query = || ListQuery { filters: vec![("city".into(), "Bern".into())], search: Some("spring".into()), total: true, ..ListQuery::default() };
        assert_eq!(other.list(&bed.scope(), "lead", query()).await.unwrap().pagination.total, Some(0));
        assert_eq!(other.prepare().await.unwrap(), 204);
        assert_eq!(other.list(&bed.scope(), "lead", query()).await.unwrap().pagination.total, Some(203));
    }

    /// A member cannot become unique while its values are not: the start says so.
    async fn duplicates_are_found(bed: Bed) {
        for email in ["a@example.com", "b@example.com"] {
            bed.lead(email, json!({})).await;
        }
        let mut blueprint = insurance();
        blueprint.resources.iter_mut().find(|resource| resource.name == "lead").unwrap().unique = vec!["lastName".into()];
        let other = open(&bed.store, &bed.ambient, &bed.planner, &blueprint);
        assert_eq!(other.prepare().await.unwrap_err().code(), "not_unique");
        assert_eq!(bed.count("record_uniques").await, 2);
    }
}
