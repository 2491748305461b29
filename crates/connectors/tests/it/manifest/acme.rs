//! The manifest of the guide (`examples/acme-crm`) against the made-up CRM that it describes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use connectors::manifest::Manifest;
use connectors::{
    BudgetNews, Connector as _, Fault, FieldKind, HintKind, InboundCall, Outcome, Page, PageAsk, RemoteRecord, Session, Span, Write,
    WriteAct,
};
use http::Method;
use kernel::time::ManualClock;
use kernel::{Ambient, Secret};
use serde_json::{Value, json};
use testkit::receiver::Receiver;
use vendors::acme::{Acme, Options};
use vendors::stand::{Double, Vendor as _};

use crate::bed::{StandCarrier, TcpCarrier, clock, session};

pub(super) const MANIFEST: &str = include_str!("../../../../../examples/acme-crm/connector.toml");

fn manifest() -> Manifest {
    Manifest::read(MANIFEST, "connector.toml").unwrap_or_else(|faults| panic!("{faults}"))
}

struct Scene {
    acme: Arc<Acme>,
    carrier: Arc<StandCarrier<Acme>>,
    session: Session,
    clock: Arc<ManualClock>,
    manifest: Manifest,
}

fn scene() -> Scene {
    let (clock, ambient) = clock();
    let acme = Arc::new(Acme::new(Options { ambient: ambient.clone(), burst: usize::MAX, ..Options::new() }));
    let carrier = StandCarrier::to(&acme, &clock, "Bearer");
    let session = session(carrier.clone(), json!({}), &ambient);
    Scene { acme, carrier, session, clock, manifest: manifest() }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn create(fields: Value, unique: Option<&str>) -> Write {
    let Value::Object(fields) = fields else { panic!("{fields} is no object") };
    let unique = unique.map(|name| (name.to_owned(), fields[name].clone()));
    Write { act: WriteAct::Create { unique }, fields }
}

impl Scene {
    async fn page(&self, span: Span, token: Option<&str>) -> Result<Page, Fault> {
        let fields = names(&["email", "firstName"]);
        self.manifest.page(&self.session, PageAsk { object: "contacts", span, fields: &fields, filter: None, token }).await
    }

    /// All pages: how many, the records, and the last one's cursor.
    async fn all(&self, span: &Span) -> (usize, Vec<RemoteRecord>, String) {
        let (mut pages, mut records, mut token) = (0, Vec::new(), None);
        loop {
            let page = self.page(span.clone(), token.as_deref()).await.unwrap();
            pages += 1;
            records.extend(page.records);
            match page.next {
                Some(next) => token = Some(next),
                None => return (pages, records, page.cursor.expect("the last page has a cursor")),
            }
        }
    }

    async fn write(&self, writes: &[Write]) -> Result<Vec<Outcome>, Fault> {
        self.manifest.write(&self.session, "contacts", writes).await
    }

    fn fault(&self, text: &str) {
        self.acme.stand().faults.add(vendors::faults::Fault::parse(text).unwrap());
    }
}

#[tokio::test]
async fn it_says_who_we_are_and_what_there_is() {
    let scene = scene();
    assert_eq!(scene.manifest.test(&scene.session).await.as_deref(), Ok("Ada Acme"));
    let about = &scene.manifest.about().objects[0];
    assert!(about.incremental && about.delete_feed && about.writable && about.unique_field.as_deref() == Some("email"));
    let schema = scene.manifest.describe(&scene.session, "contacts").await.unwrap();
    let field = |name: &str| schema.fields.iter().find(|field| field.name == name).unwrap();
    assert_eq!((field("email").kind, field("email").required), (FieldKind::Email, true));
    assert_eq!((field("stage").kind, field("stage").options.len()), (FieldKind::Choice, 4));
    assert_eq!((field("updatedAt").kind, field("updatedAt").read_only), (FieldKind::DateTime, true));
    assert!(matches!(scene.manifest.describe(&scene.session, "leads").await, Err(Fault::NotFound { .. })));
}

#[tokio::test]
async fn everything_is_read_in_pages_and_then_only_what_changed() {
    let scene = scene();
    scene.acme.seed(450);
    let (pages, records, cursor) = scene.all(&Span::Full).await;
    let ids: BTreeSet<_> = records.iter().map(|record| record.id.clone()).collect();
    assert_eq!((pages, records.len(), ids.len()), (3, 450, 450));
    assert_eq!(records[0].fields.keys().collect::<Vec<_>>(), ["email", "firstName"], "only what was asked for");
    assert!(records.iter().all(|record| record.modified_at.is_some() && !record.deleted));
    // What was changed lately comes again (two minutes back), what was changed now comes for certain, and nothing else.
    scene.clock.advance(Duration::from_hours(1));
    scene.acme.edit("con_7", &json!({"firstName": "New"})).unwrap();
    let (pages, changed, later) = scene.all(&Span::Since(cursor)).await;
    assert_eq!((pages, changed.last().map(|record| record.fields["firstName"].clone())), (1, Some(json!("New"))));
    assert!(changed.len() <= 127, "{}", changed.len());
    scene.clock.advance(Duration::from_hours(1));
    let (_, changed, _) = scene.all(&Span::Since(later)).await;
    assert_eq!(changed.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["con_7"]);
}

#[tokio::test]
async fn what_is_changed_while_pages_are_read_is_in_the_next_run() {
    let scene = scene();
    scene.acme.seed(250);
    let first = scene.page(Span::Full, None).await.unwrap();
    // A record of the page that was read already, then one of the page to come, which is newer.
    scene.clock.advance(Duration::from_mins(10));
    scene.acme.edit("con_3", &json!({"firstName": "Missed?"})).unwrap();
    scene.clock.advance(Duration::from_mins(10));
    scene.acme.edit("con_249", &json!({"firstName": "Newest"})).unwrap();
    let second = scene.page(Span::Full, first.next.as_deref()).await.unwrap();
    let (_, changed, _) = scene.all(&Span::Since(second.cursor.unwrap())).await;
    assert!(changed.iter().any(|record| record.id == "con_3"), "a cursor at the newest record would have passed it");
}

#[tokio::test]
async fn a_contact_is_made_once_whatever_happens() {
    let scene = scene();
    let ann = || create(json!({"email": "Ann@example.com", "score": 4}), Some("email"));
    let [Outcome::Created(made)] = &scene.write(&[ann()]).await.unwrap()[..] else { panic!() };
    assert_eq!((made.id.as_str(), &made.fields["score"]), ("con_1", &json!(4)));
    let [Outcome::Updated(same)] = &scene.write(&[ann()]).await.unwrap()[..] else { panic!() };
    assert_eq!(same.id, "con_1");
    // Without the upsert the vendor refuses, and says which one is there.
    assert_eq!(
        scene.write(&[create(json!({"email": "ANN@example.com"}), None)]).await.unwrap(),
        [Outcome::Exists { id: Some("con_1".to_owned()) }]
    );
    // An upsert whose answer was lost is asked for again; a plain creation is not.
    scene.fault("lost-answer,method=put,times=1");
    let bob = create(json!({"email": "bob@example.com"}), Some("email"));
    assert!(matches!(scene.write(&[bob]).await.unwrap()[..], [Outcome::Updated(_)]));
    scene.fault("lost-answer,method=post,times=1");
    let eve = create(json!({"email": "eve@example.com"}), None);
    assert!(matches!(scene.write(&[eve]).await.unwrap()[..], [Outcome::Unknown(Fault::Lost { .. })]));
    assert_eq!(scene.acme.rows().len(), 3);
}

#[tokio::test]
async fn each_item_has_its_own_outcome() {
    let scene = scene();
    scene.acme.add(&json!({"email": "a@example.com"})).unwrap();
    let update =
        |id: &str, fields: Value| Write { act: WriteAct::Update { id: id.to_owned() }, fields: fields.as_object().unwrap().clone() };
    let delete = |id: &str| Write { act: WriteAct::Delete { id: id.to_owned() }, fields: serde_json::Map::new() };
    let writes = [
        update("con_1", json!({"firstName": "Al", "phone": null})),
        update("con_1", json!({"score": "high"})),
        update("con_99", json!({"firstName": "Nobody"})),
        create(json!({"firstName": "No address"}), None),
        delete("con_1"),
        delete("con_1"),
        update("..", json!({"firstName": "x"})),
    ];
    let outcomes = scene.write(&writes).await.unwrap();
    assert!(matches!(&outcomes[0], Outcome::Updated(record) if record.fields["firstName"] == "Al"));
    let wrong = |field: &str| {
        let message = if field == "email" { "is required" } else { "must be a number" };
        Outcome::Failed(Fault::Refused { code: "wrong_value".to_owned(), message: message.to_owned(), field: Some(field.to_owned()) })
    };
    assert_eq!((&outcomes[1], &outcomes[3]), (&wrong("score"), &wrong("email")));
    assert_eq!(outcomes[2], Outcome::Gone { merged_into: None });
    assert_eq!((&outcomes[4], &outcomes[5]), (&Outcome::Deleted, &Outcome::Deleted));
    assert!(matches!(&outcomes[6], Outcome::Failed(Fault::Refused { code, .. }) if code == "unusable_id"));
}

#[tokio::test]
async fn a_fault_that_concerns_all_says_what_was_done_before_it() {
    let scene = scene();
    let writes = |from: u32| (from..from + 4).map(|n| create(json!({"email": format!("p{n}@example.com")}), None)).collect::<Vec<_>>();
    scene.fault("forbidden,after=2");
    let outcomes = scene.write(&writes(0)).await.unwrap();
    assert!(matches!(
        outcomes[..],
        [Outcome::Created(_), Outcome::Created(_), Outcome::Failed(Fault::Exhausted { .. }), Outcome::Failed(_)]
    ));
    let Err(Fault::Exhausted { until }) = scene.write(&writes(4)).await else { panic!() };
    assert_eq!(until.millis() % 86_400_000, 0, "midnight");
    assert_eq!(scene.acme.rows().len(), 2);
}

#[tokio::test]
async fn records_are_found_exactly_and_read_without_the_index() {
    let scene = scene();
    scene.fault("index-lag,ms=4000");
    for email in ["ann@example.com", "joann@example.com"] {
        scene.acme.add(&json!({"email": email})).unwrap();
    }
    let find = async |value: &str| {
        let found = scene.manifest.find(&scene.session, "contacts", "email", &json!(value), &names(&["email"])).await.unwrap();
        found.into_iter().map(|record| record.id).collect::<Vec<_>>()
    };
    assert_eq!(find("ann@example.com").await, [] as [&str; 0], "search is behind, and the object's lag says so");
    scene.clock.advance(Duration::from_secs(5));
    assert_eq!(find("ann@example.com").await, ["con_1"]);
    assert_eq!(find("ANN@example.com ").await, [] as [&str; 0], "the vendor looks for the text as it is");
    let ids = names(&["con_2", "con_9", "con_1"]);
    let read = scene.manifest.get(&scene.session, "contacts", &ids, &names(&["email"])).await.unwrap();
    assert_eq!(read.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["con_2", "con_1"]);
    let unknown = scene.manifest.find(&scene.session, "contacts", "score", &json!(1), &[]).await;
    assert!(matches!(unknown, Err(Fault::Refused { code, .. }) if code == "not_supported"));
}

#[tokio::test]
async fn filters_are_those_that_the_manifest_declares() {
    let scene = scene();
    for stage in ["new", "won", "won"] {
        let email = format!("{}@example.com", scene.acme.rows().len());
        scene.acme.add(&json!({"email": email, "stage": stage})).unwrap();
    }
    let ask = async |filter: Value| {
        let ask = PageAsk { object: "contacts", span: Span::Full, fields: &[], filter: Some(&filter), token: None };
        scene.manifest.page(&scene.session, ask).await
    };
    assert_eq!(ask(json!({"stage": "won"})).await.unwrap().records.len(), 2);
    for bad in [json!({"score": 1}), json!("won"), json!({"stage": ["won"]})] {
        assert!(matches!(ask(bad).await, Err(Fault::Refused { code, .. }) if code == "filter_unsupported"));
    }
}

#[tokio::test]
async fn deletions_and_merges_are_told_since_a_cursor() {
    let scene = scene();
    scene.acme.seed(4);
    let deleted = async |cursor: Option<&str>| scene.manifest.deleted(&scene.session, "contacts", cursor, None).await;
    let start = deleted(None).await.unwrap();
    assert!(start.deletions.is_empty());
    scene.clock.advance(Duration::from_mins(10));
    scene.acme.remove("con_2").unwrap();
    scene.acme.merge("con_1", "con_3").unwrap();
    let page = deleted(start.cursor.as_deref()).await.unwrap();
    let told: Vec<_> = page.deletions.iter().map(|one| (one.id.as_str(), one.merged_into.as_deref(), one.at.is_some())).collect();
    assert_eq!(told, [("con_2", None, true), ("con_3", Some("con_1"), true)]);
    let ids = async |cursor: Option<&str>| {
        let page = deleted(cursor).await.unwrap();
        (page.deletions.into_iter().map(|one| one.id).collect::<Vec<_>>(), page.cursor)
    };
    scene.clock.advance(Duration::from_mins(10));
    scene.acme.remove("con_4").unwrap();
    let (told, cursor) = ids(page.cursor.as_deref()).await;
    assert_eq!(told, ["con_2", "con_3", "con_4"], "two minutes are told twice");
    assert_eq!(ids(cursor.as_deref()).await.0, ["con_4"]);
    scene.clock.advance(Duration::from_hours(24 * 31));
    assert!(matches!(deleted(page.cursor.as_deref()).await, Err(Fault::Stale { .. })), "the feed does not reach back so far");
}

#[tokio::test]
async fn faults_of_the_vendor_are_read_by_the_error_map() {
    let scene = scene();
    let test = async || scene.manifest.test(&scene.session).await;
    scene.fault("error-inside");
    assert!(matches!(test().await, Err(Fault::Unavailable { message }) if message.contains("status does not say so")));
    scene.acme.stand().faults.clear();
    scene.fault("scope-removed");
    assert_eq!(test().await, Err(Fault::Forbidden { message: "this key may not do that".to_owned() }));
    scene.acme.stand().faults.clear();
    scene.fault("rate-limit,times=1");
    test().await.unwrap();
    assert_eq!(scene.carrier.notes.pauses.lock().unwrap().last(), Some(&Duration::from_secs(2)), "the map says how long");
    scene.acme.stand().faults.clear();
    let told = scene.carrier.notes.told.lock().unwrap().last().cloned();
    assert!(matches!(told, Some(BudgetNews { window: "burst", limit: Some(_), remaining: Some(_), resets: Some(_) })), "{told:?}");
}

#[tokio::test]
async fn a_credential_that_ends_amid_the_pages_is_renewed() {
    let scene = scene();
    scene.acme.seed(450);
    scene.fault("unauthorized,path=/v1/contacts,after=1,times=1");
    let (pages, records, _) = scene.all(&Span::Full).await;
    assert_eq!((pages, records.len()), (3, 450));
}

#[tokio::test]
async fn its_webhooks_are_believed_only_with_the_secret() {
    let double = Arc::new(Double::start(Acme::new(Options { burst: usize::MAX, ..Options::new() })).await.unwrap());
    let carrier = TcpCarrier::to(&double, "Bearer");
    let session = session(carrier, json!({}), &Ambient::system());
    let (manifest, secret) = (manifest(), Secret::new("hook-secret".to_owned()));
    let receiver = Receiver::start();
    let plan = manifest.watch(&session, "contacts", &receiver.url("/in"), &secret, None).await.unwrap().unwrap();
    let again = manifest.watch(&session, "contacts", &receiver.url("/in"), &secret, Some(&plan.id)).await.unwrap();
    assert_eq!(again.as_ref(), Some(&plan), "it is not set up twice");
    double.seed(2);
    double.edit("con_1", &json!({"firstName": "Al"})).unwrap();
    double.merge("con_1", "con_2").unwrap();
    let calls = receiver.wait_for(2, Duration::from_secs(20)).await;
    let read = |body: &[u8], secrets: &[Secret<String>], n: usize| {
        let now = Ambient::system().now();
        manifest.webhook(InboundCall { method: &Method::POST, url: "https://x.example/in", headers: &calls[n].headers, body, now, secrets })
    };
    let rotated = [Secret::new("newer".to_owned()), secret.clone()];
    let changed = read(&calls[0].body, &rotated, 0).expect("one of two secrets proves it").hints;
    assert_eq!((changed[0].object.as_str(), changed[0].id.as_str(), &changed[0].kind), ("contacts", "con_1", &HintKind::Changed));
    let merged = read(&calls[1].body, &rotated, 1).unwrap().hints;
    assert_eq!((merged[0].id.as_str(), &merged[0].kind), ("con_2", &HintKind::Merged("con_1".to_owned())));
    assert_eq!(read(&calls[0].body, &[Secret::new("guess".to_owned())], 0), None);
    assert_eq!(read(&calls[1].body, &rotated, 0), None, "another body under the same proof");
    assert_eq!(read(&calls[0].body, &[], 0), None);
    manifest.unwatch(&session, "contacts", &plan.id).await.unwrap();
    manifest.unwatch(&session, "contacts", &plan.id).await.unwrap();
}

#[test]
fn the_base_takes_one_label_from_the_configuration() {
    let manifest = manifest();
    let base = |config: Value| manifest.base_url(config.as_object().unwrap());
    assert_eq!(base(json!({})).as_deref(), Some("https://eu.acme.example"));
    assert_eq!(base(json!({"region": "us"})).as_deref(), Some("https://us.acme.example"));
    for bad in ["evil.example/", "a.b", "", "x@y", "mars"] {
        let found = base(json!({"region": bad}));
        assert!(found.is_none() || bad.is_empty(), "{bad}: {found:?}");
    }
}
