//! A hundred thousand records: what is asked for, and what it costs.

use std::collections::HashSet;
use std::time::Duration;

use connectors::Span;
use serde_json::json;
use vendors::stand::Vendor as _;

use super::stage::{names, stage};

/// The number of calls proves that an incremental run touches only what changed.
#[tokio::test]
async fn a_hundred_thousand_records_are_loaded_once_and_then_only_what_changed() {
    let stage = stage(json!({}));
    stage.org.seed_leads(100_000);
    let fields = names(["FirstName", "LastName", "Email"]);
    let full = stage.scan(&Span::Full, &fields).await.unwrap();
    assert_eq!((full.records.len(), full.total), (100_000, Some(100_000)));
    assert_eq!(full.ids().into_iter().collect::<HashSet<_>>().len(), 100_000);
    let calls = stage.org.stand().log.total();
    assert!(calls <= 30, "a job of twenty parts and what it takes to make it: {calls}");

    stage.clock.advance(Duration::from_hours(1));
    let mut changed = HashSet::new();
    for at in (0..100_000).step_by(997) {
        let id = full.records[at].id.clone();
        stage.org.edit("Lead", &id, &json!({"LastName": "Changed"})).unwrap();
        changed.insert(id);
    }
    let before = stage.org.stand().log.total();
    let next = stage.scan(&Span::Since(full.cursor), &fields).await.unwrap();
    let found: HashSet<_> =
        next.records.iter().filter(|record| record.fields["LastName"] == "Changed").map(|record| record.id.clone()).collect();
    assert_eq!((found, stage.org.stand().log.total() - before), (changed.clone(), 1));
    assert!(next.records.len() <= changed.len() + 301, "what changed, and the last five minutes before the load");
    stage.clock.advance(Duration::from_hours(1));
    let before = stage.org.stand().log.total();
    let quiet = stage.scan(&Span::Since(next.cursor), &fields).await.unwrap();
    assert_eq!((quiet.records.len(), stage.org.stand().log.total() - before), (changed.len(), 1));
}
