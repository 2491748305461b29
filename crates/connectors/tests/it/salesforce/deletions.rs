//! What was deleted: the feed, its window, merges, what came back.

use std::time::Duration;

use connectors::{Connector as _, DeletedPage, Fault};
use serde_json::json;

use super::stage::{Stage, stage};

const DAY: Duration = Duration::from_hours(24);

async fn deleted(stage: &Stage, cursor: Option<&str>) -> Result<DeletedPage, Fault> {
    stage.connector.deleted(&stage.session, "Lead", cursor, None).await
}

fn ids(page: &DeletedPage) -> Vec<&str> {
    page.deletions.iter().map(|deletion| deletion.id.as_str()).collect()
}

#[tokio::test]
async fn the_feed_tells_what_went_since_and_where_merged_records_went() {
    let stage = stage(json!({}));
    let [before, binned, purged, loser, master, back] =
        ["Before", "Binned", "Purged", "Loser", "Master", "Back"].map(|name| stage.lead(name));
    stage.org.delete("Lead", &before, false).unwrap();
    stage.clock.advance(DAY);
    let start = deleted(&stage, None).await.unwrap();
    assert_eq!((start.deletions.len(), start.next.is_none()), (0, true));
    let cursor = start.cursor.unwrap();

    stage.clock.advance(Duration::from_mins(10));
    stage.org.delete("Lead", &binned, false).unwrap();
    stage.org.delete("Lead", &purged, true).unwrap();
    stage.org.merge("Lead", &master, &loser).unwrap();
    stage.org.delete("Lead", &back, false).unwrap();
    stage.org.restore("Lead", &back).unwrap();
    stage.clock.advance(Duration::from_mins(10));
    let page = deleted(&stage, Some(&cursor)).await.unwrap();
    let mut told = ids(&page);
    told.sort_unstable();
    assert_eq!(told, [binned.as_str(), purged.as_str(), loser.as_str()]);
    let merged = page.deletions.iter().find(|deletion| deletion.id == loser).unwrap();
    assert_eq!((merged.merged_into.as_ref(), merged.at.is_some()), (Some(&master), true));
    assert!(page.deletions.iter().filter(|deletion| deletion.id != loser).all(|deletion| deletion.merged_into.is_none()));

    // From there on, nothing comes again.
    stage.clock.advance(Duration::from_mins(10));
    let next = deleted(&stage, page.cursor.as_deref()).await.unwrap();
    assert_eq!(ids(&next), Vec::<&str>::new());
    assert!(next.cursor > page.cursor);
}

#[tokio::test]
async fn looks_may_follow_each_other_within_seconds_and_miss_nothing() {
    let stage = stage(json!({}));
    let mut cursor = deleted(&stage, None).await.unwrap().cursor;
    let mut told = std::collections::BTreeSet::new();
    let mut gone = std::collections::BTreeSet::new();
    for n in 0..40 {
        let id = stage.lead(&format!("L{n}"));
        stage.clock.advance(Duration::from_secs(7));
        stage.org.delete("Lead", &id, n % 2 == 0).unwrap();
        gone.insert(id);
        stage.clock.advance(Duration::from_secs(4));
        let page = deleted(&stage, cursor.as_deref()).await.unwrap();
        told.extend(page.deletions.into_iter().map(|deletion| deletion.id));
        cursor = page.cursor;
    }
    stage.clock.advance(Duration::from_secs(1));
    told.extend(deleted(&stage, cursor.as_deref()).await.unwrap().deletions.into_iter().map(|deletion| deletion.id));
    assert_eq!(told, gone);
}

#[tokio::test]
async fn a_gap_that_the_feed_does_not_cover_is_stale() {
    let stage = stage(json!({}));
    let cursor = deleted(&stage, None).await.unwrap().cursor;
    let id = stage.lead("L");
    stage.org.delete("Lead", &id, false).unwrap();
    stage.clock.advance(DAY * 14);
    assert_eq!(ids(&deleted(&stage, cursor.as_deref()).await.unwrap()), [id]);
    stage.clock.advance(DAY * 2);
    assert!(matches!(deleted(&stage, cursor.as_deref()).await, Err(Fault::Stale { .. })));
    stage.clock.advance(DAY * 40);
    assert!(matches!(deleted(&stage, cursor.as_deref()).await, Err(Fault::Stale { .. })));
    assert!(matches!(deleted(&stage, Some("yesterday")).await, Err(Fault::Stale { .. })));
    // From now on it goes again.
    let cursor = deleted(&stage, None).await.unwrap().cursor;
    assert_eq!(deleted(&stage, cursor.as_deref()).await.unwrap().deletions, []);
}

#[tokio::test]
async fn an_object_that_is_none_and_a_right_that_is_gone_are_told_apart() {
    let stage = stage(json!({}));
    let cursor = deleted(&stage, None).await.unwrap().cursor;
    let missing = stage.connector.deleted(&stage.session, "Nothing__c", cursor.as_deref(), None).await;
    assert!(matches!(missing, Err(Fault::NotFound { .. })), "{missing:?}");
    stage.fault("scope-removed");
    assert!(matches!(deleted(&stage, cursor.as_deref()).await, Err(Fault::Forbidden { .. })));
}
