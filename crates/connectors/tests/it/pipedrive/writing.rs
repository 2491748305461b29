//! Making, changing, deleting; once each.

use std::time::Duration;

use connectors::{Connector as _, Fault, Outcome};
use serde_json::{Value, json};

use super::{create, delete, names, scene, update};

#[tokio::test]
async fn a_person_is_made_with_an_address_and_own_fields() {
    let scene = scene();
    let code = scene.double.add_field("persons", "Score", "double", &[]).unwrap();
    let fields = json!({"name": "Ann Lee", "email": "ann@x.example", "phone": null, &code: 7});
    let Outcome::Created(made) = scene.one("persons", create(fields, None)).await else { panic!() };
    assert_eq!((&made.fields["email"], &made.fields[&code]), (&json!("ann@x.example"), &json!(7)));
    let row = &scene.double.rows("persons")[0];
    assert_eq!(row["emails"], json!([{"value": "ann@x.example", "primary": true, "label": "work"}]));
    assert_eq!((&row["custom_fields"][&code], &row["phones"]), (&json!(7), &json!([])));
}

#[tokio::test]
async fn changing_the_address_leaves_the_others() {
    let scene = scene();
    let home = json!({"value": "home@x.example", "primary": false, "label": "home"});
    let emails = json!([home, {"value": "ann@x.example", "primary": true, "label": "work"}]);
    scene.double.add("persons", &json!({"name": "Ann", "emails": emails})).unwrap();
    let Outcome::Updated(record) = scene.one("persons", update("1", json!({"email": "new@x.example"}))).await else { panic!() };
    assert_eq!(record.fields["email"], "new@x.example");
    assert_eq!(scene.double.rows("persons")[0]["emails"], json!([home, {"value": "new@x.example", "primary": true, "label": "work"}]));
    let Outcome::Updated(record) = scene.one("persons", update("1", json!({"email": null}))).await else { panic!() };
    assert_eq!((&record.fields["email"], &scene.double.rows("persons")[0]["emails"]), (&Value::Null, &json!([home])));
    assert_eq!(scene.one("persons", update("9", json!({"email": "x@x.example"}))).await, Outcome::Gone { merged_into: None });
}

#[tokio::test]
async fn nobody_is_made_twice_though_search_is_behind() {
    let scene = scene();
    scene.fault("index-lag,ms=8000");
    let ann = || create(json!({"name": "Ann", "email": "ann@x.example"}), Some(("email", "Ann@X.example")));
    let outcomes = scene.write("persons", &[ann(), ann()]).await.unwrap();
    let [Outcome::Created(made), Outcome::Exists { id: Some(same) }] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!(&made.id, same);
    // A call of its own, while search knows nothing yet.
    assert_eq!(scene.one("persons", ann()).await, Outcome::Exists { id: Some("1".to_owned()) });
    scene.clock.advance(Duration::from_mins(10));
    assert_eq!(scene.one("persons", ann()).await, Outcome::Exists { id: Some("1".to_owned()) });
    assert_eq!(scene.double.rows("persons").len(), 1);
}

#[tokio::test]
async fn two_at_the_same_time_make_one() {
    let scene = scene();
    let write = || [create(json!({"name": "Org"}), Some(("name", "Org")))];
    let (first, second) = (write(), write());
    let (one, two) = tokio::join!(scene.write("organizations", &first), scene.write("organizations", &second));
    let made = [one.unwrap(), two.unwrap()].concat().iter().filter(|outcome| matches!(outcome, Outcome::Created(_))).count();
    assert_eq!((made, scene.double.rows("organizations").len()), (1, 1));
}

#[tokio::test]
async fn a_lost_creation_is_unknown_and_then_found() {
    let scene = scene();
    scene.fault("lost-answer,method=post,times=1");
    let ann = || create(json!({"name": "Ann", "email": "ann@x.example"}), Some(("email", "ann@x.example")));
    assert!(matches!(scene.one("persons", ann()).await, Outcome::Unknown(Fault::Lost { .. })));
    assert_eq!(scene.one("persons", ann()).await, Outcome::Exists { id: Some("1".to_owned()) });
    // A change sets the same again: it is asked for once more.
    scene.fault("lost-answer,method=patch,times=1");
    assert!(matches!(scene.one("persons", update("1", json!({"name": "Anna"}))).await, Outcome::Updated(_)));
    assert_eq!((scene.double.rows("persons").len(), scene.carrier.notes.count("PATCH")), (1, 2));
}

#[tokio::test]
async fn refusals_name_the_field_and_deletions_end_once() {
    let scene = scene();
    scene.double.seed_persons(2);
    let outcomes = scene
        .write("persons", &[update("1", json!({"owner_id": "one"})), create(json!({"job_title": "x"}), None), delete("2"), delete("2")])
        .await;
    let outcomes = outcomes.unwrap();
    for (outcome, name) in [(&outcomes[0], "owner_id"), (&outcomes[1], "name")] {
        let Outcome::Failed(Fault::Refused { code, field, .. }) = outcome else { panic!("{outcome:?}") };
        assert_eq!((code.as_str(), field.as_deref()), ("ERR_SCHEMA_VALIDATION_FAILED", Some(name)));
    }
    assert_eq!(outcomes[2..], [Outcome::Deleted, Outcome::Deleted]);
}

#[tokio::test]
async fn deals_and_leads_are_written_in_their_own_forms() {
    let scene = scene();
    let code = scene.double.add_field("deals", "Source", "varchar", &[]).unwrap();
    let Outcome::Created(deal) =
        scene.one("deals", create(json!({"title": "Deal", "value": 10, "currency": "EUR", &code: "web"}), None)).await
    else {
        panic!()
    };
    assert_eq!(scene.double.rows("deals")[0]["custom_fields"][&code], "web");
    assert!(matches!(scene.one("deals", update(&deal.id, json!({"status": "won", &code: null}))).await, Outcome::Updated(_)));
    let person: u64 = scene.double.add("persons", &json!({"name": "Ann"})).unwrap().parse().unwrap();
    let fields = json!({"title": "Lead", "person_id": person, "value.amount": 12, "value.currency": "EUR"});
    let Outcome::Created(lead) = scene.one("leads", create(fields, None)).await else { panic!() };
    assert_eq!((lead.id.len(), &scene.double.rows("leads")[0]["value"]), (36, &json!({"amount": 12, "currency": "EUR"})));
    let read = scene.pipedrive.get(&scene.session, "leads", &[lead.id], &names(&["title", "value.amount"])).await.unwrap();
    assert_eq!(read[0].fields["value.amount"], 12);
    let Outcome::Failed(Fault::Refused { message, .. }) = scene.one("leads", create(json!({"title": "Alone"}), None)).await else {
        panic!()
    };
    assert!(message.contains("person or an organization"), "{message}");
}
