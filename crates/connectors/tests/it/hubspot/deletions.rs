use connectors::{Connector as _, DeletedPage, Deletion, Fault};

use super::{Scene, scene};

async fn feed(scene: &Scene, cursor: &str) -> (Vec<Deletion>, String) {
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let page: DeletedPage = scene.connector.deleted(&scene.session, "contacts", Some(cursor), token.as_deref()).await.unwrap();
        all.extend(page.deletions);
        token = page.next;
        if token.is_none() {
            return (all, page.cursor.unwrap());
        }
    }
}

async fn from_now(scene: &Scene) -> String {
    let page = scene.connector.deleted(&scene.session, "contacts", None, None).await.unwrap();
    assert_eq!((page.deletions.len(), page.next), (0, None));
    page.cursor.unwrap()
}

#[tokio::test]
async fn archived_and_merged_records_are_told_and_restored_ones_are_not() {
    let scene = scene();
    let [ann, bob, cid, dan, eve] = ["ann", "bob", "cid", "dan", "eve"].map(|name| scene.contact(&format!("{name}@example.com")));
    scene.portal.delete("contacts", &eve, false).unwrap();
    scene.pass(3600);
    let cursor = from_now(&scene).await;
    assert_eq!(scene.carrier.notes.count(""), 0, "from now on asks nobody");
    scene.pass(60);
    scene.portal.delete("contacts", &bob, false).unwrap();
    scene.portal.delete("contacts", &cid, false).unwrap();
    scene.portal.restore("contacts", &cid).unwrap();
    scene.portal.merge("contacts", &ann, &dan).unwrap();
    scene.pass(300);
    let (told, cursor) = feed(&scene, &cursor).await;
    let told: Vec<_> = told.iter().map(|one| (one.id.clone(), one.merged_into.clone(), one.at.is_some())).collect();
    assert_eq!(told, [(bob, None, true), (dan.clone(), Some(ann.clone()), true)]);
    scene.pass(3600);
    assert_eq!(feed(&scene, &cursor).await.0, [], "what was told is not told again, once the lookback is over");
}

#[tokio::test]
async fn the_feed_goes_through_all_pages() {
    let scene = scene();
    scene.portal.seed_contacts(350);
    let ids: Vec<String> = scene.portal.rows("contacts").iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    let cursor = from_now(&scene).await;
    ids[..320].iter().for_each(|id| scene.portal.delete("contacts", id, false).unwrap());
    let (told, _) = feed(&scene, &cursor).await;
    assert_eq!(told.iter().map(|one| one.id.clone()).collect::<Vec<_>>(), ids[..320]);
    assert_eq!(scene.carrier.notes.count("GET"), 4);
}

/// A deletion for good is in no list: webhooks or a complete scan tell of it.
#[tokio::test]
async fn a_purged_record_is_in_no_feed() {
    let scene = scene();
    let ann = scene.contact("ann@example.com");
    let cursor = from_now(&scene).await;
    scene.portal.delete("contacts", &ann, true).unwrap();
    assert_eq!(feed(&scene, &cursor).await.0, []);
    assert!(scene.connector.get(&scene.session, "contacts", &[ann], &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_gap_that_the_feed_does_not_reach_asks_for_a_complete_scan() {
    let scene = scene();
    let cursor = from_now(&scene).await;
    scene.pass(88 * 86_400);
    assert_eq!(feed(&scene, &cursor).await.0, []);
    scene.pass(2 * 86_400);
    let fault = scene.connector.deleted(&scene.session, "contacts", Some(&cursor), None).await.unwrap_err();
    assert!(matches!(fault, Fault::Stale { .. }), "{fault:?}");
    let fault = scene.connector.deleted(&scene.session, "contacts", Some("yesterday"), None).await.unwrap_err();
    assert!(matches!(fault, Fault::Stale { .. }), "{fault:?}");
}

#[tokio::test]
async fn a_merge_that_the_search_shows_late_is_told_late() {
    let scene = scene();
    let [ann, bob] = ["ann", "bob"].map(|name| scene.contact(&format!("{name}@example.com")));
    scene.pass(600);
    let cursor = from_now(&scene).await;
    scene.pass(600);
    scene.fault("index-lag,ms=30000");
    scene.portal.merge("contacts", &ann, &bob).unwrap();
    let (told, cursor) = feed(&scene, &cursor).await;
    assert_eq!(told, []);
    scene.pass(60);
    let (told, _) = feed(&scene, &cursor).await;
    assert_eq!(told.iter().map(|one| (&one.id, one.merged_into.as_ref())).collect::<Vec<_>>(), [(&bob, Some(&ann))]);
}

/// Not every type of object knows merges; HubSpot then refuses to search for them.
#[tokio::test]
async fn a_type_without_merges_has_its_deletions_all_the_same() {
    let scene = scene();
    let ann = scene.contact("ann@example.com");
    let cursor = from_now(&scene).await;
    scene.portal.delete("contacts", &ann, false).unwrap();
    scene.fault("server-error,status=400,path=search");
    let (told, _) = feed(&scene, &cursor).await;
    assert_eq!(told.iter().map(|one| one.id.clone()).collect::<Vec<_>>(), [ann]);
}
