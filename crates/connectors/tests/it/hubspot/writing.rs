use std::sync::Arc;

use bytes::Bytes;
use connectors::{Body, BudgetNews, Call, Carrier, Connector as _, Fault, Outcome, Renewal, Reply, Span, Target};
use futures_util::future::BoxFuture;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use vendors::stand::Vendor as _;

use super::{Scene, create, delete, fields, scene, scene_with, update};

fn id(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Created(record) | Outcome::Updated(record) => &record.id,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_item_of_a_batch_has_its_own_end() {
    let scene = scene();
    let known = scene.contact("known@example.com");
    let gone = scene.contact("gone@example.com");
    scene.portal.delete("contacts", &gone, false).unwrap();
    let calls = scene.carrier.notes.count("");
    let outcomes = scene
        .write(
            "contacts",
            &[
                create(&json!({"email": "Fresh@Example.com", "score": 5, "newsletter": true, "city": null})),
                update(&known, &json!({"city": "Roma", "phone": null})),
                create(&json!({"email": "known@example.com"})),
                delete(&gone),
                create(&json!({"email": "nonsense"})),
                update(&gone, &json!({"city": "Wien"})),
                create(&json!({"email": "next@example.com", "no_such": "x"})),
                update("999999", &json!({"city": "Wien"})),
            ],
        )
        .await;
    let Outcome::Created(fresh) = &outcomes[0] else { panic!("{outcomes:?}") };
    let expected = json!({"email": "fresh@example.com", "score": "5", "newsletter": "true", "city": null});
    assert_eq!(Value::Object(fresh.fields.clone()), expected, "as HubSpot keeps it");
    let Outcome::Updated(changed) = &outcomes[1] else { panic!("{outcomes:?}") };
    assert_eq!((&changed.id, Value::Object(changed.fields.clone())), (&known, json!({"city": "Roma", "phone": null})));
    assert_eq!(outcomes[2], Outcome::Exists { id: Some(known.clone()) });
    assert_eq!(outcomes[3], Outcome::Deleted);
    let field = |outcome: &Outcome| match outcome {
        Outcome::Failed(Fault::Refused { code, field, .. }) => (code.clone(), field.clone().unwrap()),
        other => panic!("{other:?}"),
    };
    assert_eq!(field(&outcomes[4]), ("INVALID_EMAIL".to_owned(), "email".to_owned()));
    assert_eq!([&outcomes[5], &outcomes[7]], [&Outcome::Gone { merged_into: None }; 2]);
    assert_eq!(field(&outcomes[6]), ("PROPERTY_DOESNT_EXIST".to_owned(), "no_such".to_owned()));
    assert_eq!(scene.portal.rows("contacts").len(), 2);
    // One batch each to make and to change; one read for those that are missing, one before the deletion.
    assert_eq!(scene.carrier.notes.count("") - calls, 4);
}

/// HubSpot lets a hundred in, and a partial failure is told by trace ids in a 207.
#[tokio::test]
async fn a_full_batch_fails_in_part() {
    let scene = scene();
    scene.fault("partial-batch,every=3,times=1");
    let writes: Vec<_> = (0..100).map(|n| create(&json!({"email": format!("c{n}@example.com")}))).collect();
    let outcomes = scene.write("contacts", &writes).await;
    for (n, outcome) in outcomes.iter().enumerate() {
        match outcome {
            Outcome::Created(record) => {
                assert_eq!((record.fields["email"].as_str(), (n + 1) % 3 > 0), (Some(format!("c{n}@example.com").as_str()), true));
            }
            Outcome::Failed(Fault::Refused { code, .. }) => {
                assert_eq!((code.as_str(), (n + 1) % 3), ("CONFLICT", 0), "a conflict that is no duplicate");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((scene.carrier.notes.count("batch/create"), scene.portal.rows("contacts").len()), (1, 67));
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_trying_again_makes_no_second_one() {
    let scene = scene();
    scene.fault("lost-answer,path=batch/create,times=1");
    let write = create(&json!({"email": "ann@example.com"}));
    let lost = scene.write("contacts", std::slice::from_ref(&write)).await;
    assert!(matches!(lost[0], Outcome::Unknown(Fault::Lost { .. })), "{lost:?}");
    assert_eq!(scene.carrier.notes.count("batch/create"), 1, "what may have been done is not done again");
    let found = scene.connector.find(&scene.session, "contacts", "email", &json!("ann@example.com"), &fields(&["email"])).await.unwrap();
    let again = scene.write("contacts", &[write]).await;
    assert_eq!(again[0], Outcome::Exists { id: Some(found[0].id.clone()) });
    assert_eq!(scene.portal.rows("contacts").len(), 1);
    // A change is set again instead.
    scene.fault("lost-answer,path=batch/update,times=1");
    let outcomes = scene.write("contacts", &[update(&found[0].id, &json!({"city": "Roma"}))]).await;
    assert_eq!((id(&outcomes[0]), scene.carrier.notes.count("batch/update")), (found[0].id.as_str(), 2));
}

#[tokio::test]
async fn a_lost_request_is_unknown_too_and_looking_shows_that_nothing_was_done() {
    let scene = scene();
    scene.fault("lost-request,path=batch/create,times=1");
    let write = create(&json!({"email": "ann@example.com"}));
    assert!(matches!(scene.write("contacts", std::slice::from_ref(&write)).await[0], Outcome::Unknown(_)));
    assert!(scene.connector.find(&scene.session, "contacts", "email", &json!("ann@example.com"), &[]).await.unwrap().is_empty());
    assert!(matches!(scene.write("contacts", &[write]).await[0], Outcome::Created(_)));
}

#[tokio::test]
async fn two_changes_of_one_record_keep_their_order() {
    let scene = scene();
    let ann = scene.contact("ann@example.com");
    let outcomes = scene.write("contacts", &[update(&ann, &json!({"city": "Roma"})), update(&ann, &json!({"city": "Wien"}))]).await;
    assert!(outcomes.iter().all(|outcome| id(outcome) == ann));
    assert_eq!(scene.portal.row("contacts", &ann).unwrap()["properties"]["city"], "Wien");
}

#[tokio::test]
async fn a_merged_record_is_changed_where_it_lives_and_never_deleted_there() {
    let scene = scene();
    let [ann, bob] = ["ann", "bob"].map(|name| scene.contact(&format!("{name}@example.com")));
    scene.portal.merge("contacts", &ann, &bob).unwrap();
    let outcomes = scene.write("contacts", &[update(&bob, &json!({"city": "Roma"})), delete(&bob)]).await;
    assert_eq!(outcomes, vec![Outcome::Gone { merged_into: Some(ann) }; 2]);
    assert_eq!(scene.portal.rows("contacts")[0]["properties"]["city"], "Roma", "the survivor lives");
}

#[tokio::test]
async fn what_was_written_comes_back_as_it_was_told() {
    let scene = scene();
    let written = json!({"email": "ANN@Example.com", "score": 7, "birthday": "2000-01-31", "city": null});
    let Outcome::Created(made) = scene.write("contacts", &[create(&written)]).await.remove(0) else { panic!() };
    let run = scene.run(Span::Full, &["email", "score", "birthday", "city"]).await;
    let sorted = |fields: &serde_json::Map<String, Value>| fields.clone().into_iter().collect::<std::collections::BTreeMap<_, _>>();
    assert_eq!(sorted(&run.records[0].fields), sorted(&made.fields), "so that the engine knows its own echo");
}

#[tokio::test]
async fn a_taken_value_of_ones_own_unique_property_is_told_with_its_owner() {
    let scene = scene_with(json!({"uniqueProperties": "companies.vat"}), vendors::hubspot::Options::unlimited());
    scene.portal.add_property("companies", "vat string #").unwrap();
    let acme = scene.portal.add("companies", &json!({"name": "Acme", "vat": "DE5"})).unwrap();
    let beta = scene.portal.add("companies", &json!({"name": "Beta"})).unwrap();
    let outcomes =
        scene.write("companies", &[create(&json!({"name": "Acme 2", "vat": "DE5"})), update(&beta, &json!({"vat": "DE5"}))]).await;
    assert_eq!(outcomes[0], Outcome::Exists { id: Some(acme) });
    assert!(
        matches!(&outcomes[1], Outcome::Failed(Fault::Refused { code, field: Some(field), .. }) if code == "CONFLICT" && field == "vat"),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn a_lead_needs_somebody_and_can_change_hands() {
    let scene = scene();
    let [ann, bob] = ["ann", "bob"].map(|name| scene.contact(&format!("{name}@example.com")));
    let outcomes = scene
        .write(
            "leads",
            &[
                create(&json!({"hs_lead_name": "alone"})),
                create(&json!({"hs_lead_name": "odd", "associations.contacts": "x"})),
                create(&json!({"hs_lead_name": "good", "associations.contacts": ann})),
            ],
        )
        .await;
    assert!(matches!(&outcomes[0], Outcome::Failed(Fault::Refused { code, .. }) if code == "VALIDATION_ERROR"));
    assert!(matches!(&outcomes[1], Outcome::Failed(Fault::Refused { code, .. }) if code == "INVALID_ASSOCIATION"));
    let lead = id(&outcomes[2]).to_owned();
    let of = async || {
        let found =
            scene.connector.get(&scene.session, "leads", std::slice::from_ref(&lead), &fields(&["associations.contacts"])).await.unwrap();
        found[0].fields["associations.contacts"].clone()
    };
    assert_eq!(of().await, json!(ann));
    let moved = scene.write("leads", &[update(&lead, &json!({"hs_lead_label": "HOT", "associations.contacts": bob}))]).await;
    let Outcome::Updated(record) = &moved[0] else { panic!("{moved:?}") };
    assert_eq!(Value::Object(record.fields.clone()), json!({"hs_lead_label": "HOT", "associations.contacts": bob}));
    assert_eq!(of().await, json!(bob));
}

#[tokio::test]
async fn what_concerns_all_is_one_fault_and_nothing_was_done() {
    let scene = scene();
    let ann = scene.contact("ann@example.com");
    scene.portal.withdraw_scope("crm.objects.contacts.write");
    let writes = [create(&json!({"email": "bob@example.com"})), update(&ann, &json!({"city": "Roma"}))];
    let fault = scene.connector.write(&scene.session, "contacts", &writes).await.unwrap_err();
    assert!(matches!(&fault, Fault::Forbidden { message } if message.contains("crm.objects.contacts.write")), "{fault:?}");
    assert_eq!(scene.portal.rows("contacts").len(), 1);
    assert!(scene.connector.write(&scene.session, "contacts", &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_fault_in_the_middle_leaves_what_was_done() {
    let scene = scene();
    let ann = scene.contact("ann@example.com");
    scene.fault("html,path=batch/update");
    let outcomes = scene.write("contacts", &[update(&ann, &json!({"city": "Roma"})), create(&json!({"email": "bob@example.com"}))]).await;
    assert!(matches!(outcomes[0], Outcome::Failed(Fault::Unavailable { .. })), "{outcomes:?}");
    assert!(matches!(outcomes[1], Outcome::Created(_)));
}

/// HubSpot may refuse a batch as a whole, without saying which of its items is to blame: this one does, for items that say `bad`.
struct Picky {
    inner: Arc<dyn Carrier>,
    says: &'static str,
}

impl Carrier for Picky {
    fn send(&self, call: Call) -> BoxFuture<'_, Result<Reply, Fault>> {
        let is_batch = matches!(&call.target, Target::Path(path) if path.contains("/batch/"));
        let is_bad = matches!(&call.body, Body::Json(json) if json.to_string().contains("bad"));
        if is_batch && is_bad {
            let body = Bytes::from_static(self.says.as_bytes());
            let reply = Reply { status: StatusCode::BAD_REQUEST, headers: HeaderMap::new(), body, generation: 1 };
            return Box::pin(async move { Ok(reply) });
        }
        self.inner.send(call)
    }

    fn renew(&self, generation: u64) -> BoxFuture<'_, Result<Renewal, Fault>> {
        self.inner.renew(generation)
    }

    fn told(&self, budget: BudgetNews) {
        self.inner.told(budget);
    }
}

fn picky(scene: Scene, says: &'static str) -> Scene {
    let session = scene.over(Arc::new(Picky { inner: scene.carrier.clone(), says }));
    Scene { session, ..scene }
}

#[tokio::test]
async fn a_batch_that_is_refused_as_a_whole_is_taken_apart() {
    let scene = picky(scene(), r#"{"status": "error", "category": "VALIDATION_ERROR", "message": "Invalid input"}"#);
    let writes: Vec<_> = (0..64)
        .map(|n| create(&json!({"email": format!("c{n}@example.com"), "city": if n == 5 || n == 40 { "bad" } else { "Roma" }})))
        .collect();
    let outcomes = scene.write("contacts", &writes).await;
    for (n, outcome) in outcomes.iter().enumerate() {
        assert_eq!(matches!(outcome, Outcome::Failed(Fault::Refused { .. })), n == 5 || n == 40, "{n}: {outcome:?}");
    }
    assert_eq!(scene.portal.rows("contacts").len(), 62);
    // The good runs of each half: a tree, not one call for each item.
    assert!(scene.carrier.notes.count("batch/create") <= 12, "{}", scene.carrier.notes.count("batch/create"));
    let emails: Vec<_> = scene.portal.rows("contacts").iter().map(|row| row["properties"]["email"].clone()).collect();
    assert_eq!((&emails[0], &emails[61]), (&json!("c0@example.com"), &json!("c63@example.com")), "in their order");
}

#[tokio::test]
async fn a_property_that_is_none_costs_one_call_more() {
    let says = r#"{"status": "error", "category": "VALIDATION_ERROR", "message": "x", "errors": [
        {"message": "Property \"bad\" does not exist", "code": "PROPERTY_DOESNT_EXIST", "context": {"propertyName": ["bad"]}}]}"#;
    let scene = picky(scene(), says);
    let writes: Vec<_> = (0..60).map(|n| create(&if n < 20 { json!({"bad": "x"}) } else { json!({"lastname": "x"}) })).collect();
    let outcomes = scene.write("contacts", &writes).await;
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Created(_))).count(), 40);
    assert_eq!(scene.carrier.notes.count("batch/create"), 1);
    assert!(scene.portal.stand().log.total() > 0);
}
