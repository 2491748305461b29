use connectors::{Connector as _, Deletion, Fault};

use super::{Scene, scene};

async fn feed(scene: &Scene, cursor: &str) -> (Vec<Deletion>, String) {
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let page = scene.connector.deleted(&scene.session, "Leads", Some(cursor), token.as_deref()).await.unwrap();
        all.extend(page.deletions);
        token = page.next;
        if token.is_none() {
            return (all, page.cursor.unwrap());
        }
    }
}

async fn from_now(scene: &Scene) -> String {
    let page = scene.connector.deleted(&scene.session, "Leads", None, None).await.unwrap();
    assert_eq!((page.deletions.len(), page.next), (0, None));
    page.cursor.unwrap()
}

#[tokio::test]
async fn binned_purged_and_merged_records_are_told_once() {
    let scene = scene();
    let [ann, bob, cid, dan, eve] = ["Ann", "Bob", "Cid", "Dan", "Eve"].map(|name| scene.lead(name));
    scene.org.delete("Leads", &eve, false).unwrap();
    scene.pass(1200);
    let cursor = from_now(&scene).await;
    assert_eq!(scene.carrier.notes.count(""), 0, "from now on asks nobody");
    scene.pass(60);
    scene.org.delete("Leads", &bob, false).unwrap();
    scene.org.delete("Leads", &cid, true).unwrap();
    scene.org.merge("Leads", &ann, &dan).unwrap();
    scene.pass(600);
    let (told, cursor) = feed(&scene, &cursor).await;
    assert!(told.iter().all(|one| one.at.is_some()));
    assert_eq!(told.iter().map(|one| one.id.clone()).collect::<Vec<_>>(), [bob.clone(), cid, dan]);
    assert_eq!(scene.carrier.notes.cost.load(std::sync::atomic::Ordering::SeqCst), 2, "two credits");
    scene.pass(600);
    assert_eq!(feed(&scene, &cursor).await.0, []);
    // A record that came back is among the changed ones.
    scene.org.restore("Leads", &bob).unwrap();
    let run = scene.run(connectors::Span::Since(cursor), &[]).await;
    assert_eq!(run.ids(), [bob.as_str()]);
}

#[tokio::test]
async fn the_feed_goes_through_all_pages() {
    let scene = scene();
    scene.org.seed_leads(450);
    let ids: Vec<String> = scene.org.rows("Leads").iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    let cursor = from_now(&scene).await;
    ids[..420].iter().for_each(|id| scene.org.delete("Leads", id, false).unwrap());
    let (told, _) = feed(&scene, &cursor).await;
    assert_eq!(told.iter().map(|one| one.id.clone()).collect::<Vec<_>>(), ids[..420]);
}

#[tokio::test]
async fn a_gap_that_the_feed_does_not_reach_asks_for_a_complete_scan() {
    let scene = scene();
    let cursor = from_now(&scene).await;
    scene.pass(58 * 86_400);
    assert_eq!(feed(&scene, &cursor).await.0, []);
    scene.pass(2 * 86_400);
    for cursor in [cursor.as_str(), "yesterday"] {
        let fault = scene.connector.deleted(&scene.session, "Leads", Some(cursor), None).await.unwrap_err();
        assert!(matches!(fault, Fault::Stale { .. }), "{fault:?}");
    }
}
