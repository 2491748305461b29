//! Another blueprint over records that are there already.

use records::{Filter, Operand, Query};
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
        let query = || Query {
            filter: Filter::eq("city", Operand::Text("Bern".into())),
            search: Some("spring".into()),
            total: true,
            ..Query::default()
        };
        assert_eq!(other.list(&bed.scope(), "lead", query()).await.unwrap().pagination.total, Some(0));
        assert_eq!(other.prepare().await.unwrap(), 204);
        assert_eq!(other.list(&bed.scope(), "lead", query()).await.unwrap().pagination.total, Some(203));
    }

    /// What a server of before writes beside a new one is found by new filters, once that server is gone.
    async fn what_others_wrote_meanwhile_is_caught_up_with(bed: Bed) {
        bed.lead("early@example.com", json!({"city": "Bern"})).await;
        let mut blueprint = insurance();
        blueprint.resources.iter_mut().find(|resource| resource.name == "lead").unwrap().filters = vec!["city".into()];
        let other = open(&bed.store, &bed.ambient, &bed.planner, &blueprint);
        bed.clock.advance(std::time::Duration::from_secs(1));
        let since = bed.ambient.now();
        assert_eq!(other.prepare().await.unwrap(), 1);
        bed.lead("late@example.com", json!({"city": "Bern"})).await;
        let found = async || {
            let query = Query { filter: Filter::eq("city", Operand::Text("Bern".into())), ..Query::default() };
            other.list(&bed.scope(), "lead", query).await.unwrap().data.len()
        };
        assert_eq!(found().await, 1);
        assert_eq!(other.catch_up("lead", since).await.unwrap(), 1, "only what was written since");
        assert_eq!(found().await, 2);
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
