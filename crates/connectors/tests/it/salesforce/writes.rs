//! Writing many: a result for each item, in order, and nothing twice.

use std::sync::Arc;
use std::sync::Mutex;

use connectors::{Body, BudgetNews, Call, Carrier, Fault, Outcome, RemoteRecord, Renewal, Reply};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use vendors::stand::Vendor as _;

use super::stage::{Stage, create, create_by, delete, made, names, stage, stage_with, update};

fn lead(name: &str) -> Value {
    json!({"LastName": name, "Company": "C"})
}

fn refused(outcome: &Outcome) -> (&str, Option<&str>) {
    match outcome {
        Outcome::Failed(Fault::Refused { code, field, .. }) => (code, field.as_deref()),
        other => panic!("{other:?}"),
    }
}

fn value(stage: &Stage, id: &str, field: &str) -> Value {
    stage.org.row("Lead", id).unwrap()[field].clone()
}

#[tokio::test]
async fn a_mixed_batch_has_an_outcome_for_each_item_in_order() {
    let stage = stage(json!({}));
    let (one, two, gone) = (stage.lead("One"), stage.lead("Two"), stage.lead("Gone"));
    stage.org.delete("Lead", &gone, false).unwrap();
    let outcomes = stage
        .write(&[
            update(&one, &json!({"City": "Bern", "Title": null})),
            create(&lead("New")),
            delete(&two),
            create(&json!({"LastName": "No company"})),
            update(&gone, &json!({"City": "X"})),
            create_by("k1", &lead("Keyed")),
            delete(&gone),
            update(&one, &json!({"Email": "nonsense"})),
            create(&json!({"LastName": "L", "Company": "C", "Id": "00Q5g0000000001"})),
            update("nonsense", &json!({"City": "X"})),
            update(&one, &json!({"AccountId": "x", "City": "Y"})),
        ])
        .await
        .unwrap();
    assert!(matches!(&outcomes[0], Outcome::Updated(RemoteRecord { id, .. }) if *id == one));
    assert_eq!(value(&stage, &made(&outcomes[1]), "LastName"), "New");
    assert_eq!(outcomes[2], Outcome::Deleted);
    assert_eq!(refused(&outcomes[3]), ("REQUIRED_FIELD_MISSING", Some("Company")));
    assert_eq!(outcomes[4], Outcome::Gone { merged_into: None });
    assert_eq!(value(&stage, &made(&outcomes[5]), "External_Id__c"), "k1");
    assert_eq!(outcomes[6], Outcome::Deleted);
    assert_eq!(refused(&outcomes[7]), ("INVALID_EMAIL_ADDRESS", Some("Email")));
    assert_eq!(refused(&outcomes[8]), ("INVALID_FIELD", Some("Id")));
    assert_eq!(outcomes[9], Outcome::Gone { merged_into: None });
    assert_eq!(refused(&outcomes[10]).0, "INVALID_FIELD");
    assert_eq!(stage.org.rows("Lead").len(), 3);
    assert_eq!(value(&stage, &one, "City"), "Bern");
}

#[tokio::test]
async fn two_hundred_items_are_one_call_and_more_are_as_many_as_needed() {
    let stage = stage(json!({}));
    let writes: Vec<_> = (0..450).map(|n| create(&lead(&format!("L{n}")))).collect();
    let outcomes = stage.write(&writes[..200]).await.unwrap();
    assert_eq!((outcomes.len(), stage.org.stand().log.total()), (200, 1));
    let outcomes = stage.write(&writes).await.unwrap();
    assert_eq!((outcomes.len(), stage.org.stand().log.total()), (450, 1 + 3));
    for (n, outcome) in outcomes.iter().enumerate() {
        assert_eq!(value(&stage, &made(outcome), "LastName"), format!("L{n}"));
    }
}

#[tokio::test]
async fn an_external_id_makes_one_record_however_often_it_is_made_and_overwrites_nobody() {
    let stage = stage(json!({}));
    let first = made(&stage.write(&[create_by("k1", &lead("Ours"))]).await.unwrap()[0]);
    stage.org.edit("Lead", &first, &json!({"LastName": "Edited there"})).unwrap();
    // By whatever spelling, and twice in one batch.
    let outcomes =
        stage.write(&[create_by("K1", &lead("Again")), create_by("k2", &lead("Two")), create_by("k2", &lead("Two"))]).await.unwrap();
    assert_eq!(outcomes[0], Outcome::Exists { id: Some(first.clone()) });
    let second = made(&outcomes[1]);
    assert_eq!(outcomes[2], Outcome::Exists { id: Some(second) });
    assert_eq!((value(&stage, &first, "LastName"), stage.org.rows("Lead").len()), (json!("Edited there"), 2));

    // One that the look does not see yet is met by the upsert.
    stage.fault("index-lag,ms=60000");
    let late = stage.org.add("Lead", &json!({"LastName": "Late", "Company": "C", "External_Id__c": "k3"})).unwrap();
    let outcomes = stage.write(&[create_by("k3", &lead("Late"))]).await.unwrap();
    assert!(matches!(&outcomes[0], Outcome::Updated(record) if record.id == late), "{outcomes:?}");
    assert_eq!(stage.org.rows("Lead").len(), 3);

    // Without a value there is nothing by which it could be found again.
    let mut nothing = create_by("", &lead("Nothing"));
    nothing.fields.remove("External_Id__c");
    assert_eq!(refused(&stage.write(&[nothing]).await.unwrap()[0]), ("MISSING_ARGUMENT", Some("External_Id__c")));
}

#[tokio::test]
async fn a_unique_field_that_is_no_external_id_is_looked_up_and_then_made() {
    let stage = stage(json!({}));
    stage.org.add_field("Lead", "Number__c string 20").unwrap();
    let there = stage.org.add("Lead", &json!({"LastName": "T", "Company": "C", "Email": "A@example.com", "Number__c": "n1"})).unwrap();
    for (field, taken, free) in [("Email", "a@example.com", "b@example.com"), ("Number__c", "N1", "n2")] {
        let by = |value: &str| connectors::Write {
            act: connectors::WriteAct::Create { unique: Some((field.to_owned(), json!(value))) },
            fields: lead("L").as_object().unwrap().clone(),
        };
        let outcomes = stage.write(&[by(taken), by(free)]).await.unwrap();
        assert_eq!(outcomes[0], Outcome::Exists { id: Some(there.clone()) }, "{field}");
        assert_eq!(value(&stage, &made(&outcomes[1]), field), json!(free));
    }
    assert_eq!(stage.org.rows("Lead").len(), 3);
}

#[tokio::test]
async fn a_unique_value_that_is_taken_names_its_record() {
    let stage = stage(json!({}));
    let there = stage.org.add("Lead", &json!({"LastName": "L", "Company": "C", "External_Id__c": "k1"})).unwrap();
    let other = stage.lead("Other");
    let mut fields = lead("Same");
    fields["External_Id__c"] = json!("k1");
    let outcomes = stage.write(&[create(&fields), update(&other, &json!({"External_Id__c": "k1"}))]).await.unwrap();
    assert_eq!(outcomes[0], Outcome::Exists { id: Some(there) });
    assert_eq!(refused(&outcomes[1]).0, "DUPLICATE_VALUE");
}

#[tokio::test]
async fn a_lost_answer_is_unknown_for_what_is_made_and_asked_again_for_the_rest() {
    let stage = stage(json!({}));
    let one = stage.lead("One");
    stage.fault("lost-answer,path=/composite/sobjects,times=3");
    let outcomes =
        stage.write(&[create(&lead("New")), update(&one, &json!({"City": "Bern"})), create_by("k1", &lead("Keyed"))]).await.unwrap();
    assert!(matches!(outcomes[0], Outcome::Unknown(_)), "{outcomes:?}");
    assert!(matches!(outcomes[1], Outcome::Updated(_)), "{outcomes:?}");
    assert!(matches!(outcomes[2], Outcome::Created(_)), "{outcomes:?}");
    assert_eq!(stage.org.rows("Lead").len(), 3, "each was made once");

    stage.org.stand().faults.clear();
    stage.fault("lost-answer,path=/composite/sobjects/Lead/External_Id__c,times=1");
    let outcomes = stage.write(&[create_by("k2", &lead("Keyed"))]).await.unwrap();
    assert!(matches!(outcomes[0], Outcome::Updated(_)), "the first try has made it: {outcomes:?}");
    stage.fault("lost-answer,method=delete,times=1");
    assert_eq!(stage.write(&[delete(&one)]).await.unwrap(), [Outcome::Deleted]);
    assert_eq!(stage.org.rows("Lead").len(), 3);
}

#[tokio::test]
async fn a_fault_for_all_comes_alone_if_nothing_was_done_and_with_the_rest_if_something_was() {
    let stage = stage(json!({}));
    let one = stage.lead("One");
    let writes = [update(&one, &json!({"City": "Bern"})), create(&lead("New"))];
    stage.fault("forbidden,times=1");
    assert!(matches!(stage.write(&writes).await, Err(Fault::Exhausted { .. })));
    assert_eq!((value(&stage, &one, "City"), stage.org.rows("Lead").len()), (Value::Null, 1));
    stage.fault("forbidden,method=post,path=/composite/sobjects");
    let outcomes = stage.write(&writes).await.unwrap();
    assert!(matches!(outcomes[0], Outcome::Updated(_)));
    assert!(matches!(outcomes[1], Outcome::Failed(Fault::Exhausted { .. })), "{outcomes:?}");
    assert_eq!((value(&stage, &one, "City"), stage.org.rows("Lead").len()), (json!("Bern"), 1));
}

#[tokio::test]
async fn locked_rows_are_tried_again_and_then_left_for_later() {
    let stage = stage(json!({}));
    let writes: Vec<_> = (0..20).map(|n| create(&lead(&format!("L{n}")))).collect();
    stage.fault("partial-batch,every=3,times=2");
    let outcomes = stage.write(&writes).await.unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Created(_))), "{outcomes:?}");
    assert_eq!((stage.org.rows("Lead").len(), stage.carrier.notes.pauses.lock().unwrap().len()), (20, 2));
    for (n, outcome) in outcomes.iter().enumerate() {
        assert_eq!(value(&stage, &made(outcome), "LastName"), format!("L{n}"), "results stay in order");
    }
    stage.org.stand().faults.clear();
    stage.fault("partial-batch,every=1");
    let outcomes = stage.write(&writes[..2]).await.unwrap();
    assert_eq!(outcomes, [Outcome::Failed(Fault::RateLimited { after: None }), Outcome::Failed(Fault::RateLimited { after: None })]);
    assert_eq!(stage.org.rows("Lead").len(), 20);
}

#[tokio::test]
async fn what_was_merged_meanwhile_says_where_it_lives_on() {
    let stage = stage(json!({}));
    let (master, loser, gone) = (stage.lead("Kept"), stage.lead("Gone"), stage.lead("Deleted"));
    stage.org.merge("Lead", &master, &loser).unwrap();
    stage.org.delete("Lead", &gone, false).unwrap();
    let outcomes = stage.write(&[update(&loser, &json!({"City": "X"})), update(&gone, &json!({"City": "X"}))]).await.unwrap();
    assert_eq!(outcomes, [Outcome::Gone { merged_into: Some(master) }, Outcome::Gone { merged_into: None }]);
}

#[tokio::test]
async fn a_converted_lead_is_closed() {
    let stage = stage(json!({}));
    let id = stage.lead("L");
    stage.org.convert_lead(&id).unwrap();
    let outcomes = stage.write(&[update(&id, &json!({"City": "X"}))]).await.unwrap();
    assert_eq!(refused(&outcomes[0]).0, "CANNOT_UPDATE_CONVERTED_LEAD");
}

#[tokio::test]
async fn a_rule_against_duplicates_is_a_persons_affair() {
    let stage = stage_with(json!({}), |options| vendors::salesforce::Options { refuses_duplicates: true, ..options });
    let mut fields = lead("L");
    fields["Email"] = json!("a@example.com");
    let outcomes = stage.write(&[create(&fields), create(&fields)]).await.unwrap();
    made(&outcomes[0]);
    assert_eq!(refused(&outcomes[1]).0, "DUPLICATES_DETECTED");
    assert_eq!(stage.org.rows("Lead").len(), 1);
}

/// Refuses a collection whole when one of its rows cannot be read, as Salesforce does and the double does not.
struct Strict {
    inner: Arc<dyn Carrier>,
    sizes: Mutex<Vec<usize>>,
}

impl Carrier for Strict {
    fn send(&self, call: Call) -> BoxFuture<'_, Result<Reply, Fault>> {
        let Body::Json(body) = &call.body else { return self.inner.send(call) };
        let records = body["records"].as_array().cloned().unwrap_or_default();
        self.sizes.lock().unwrap().push(records.len());
        if !records.iter().any(|record| record["AnnualRevenue"].is_string()) {
            return self.inner.send(call);
        }
        let message = "Cannot deserialize instance of currency from VALUE_STRING value much";
        let body = json!([{"errorCode": "JSON_PARSER_ERROR", "message": message}]).to_string().into();
        let reply = Reply { status: http::StatusCode::BAD_REQUEST, headers: http::HeaderMap::new(), body, generation: 1 };
        Box::pin(async { Ok(reply) })
    }

    fn renew(&self, generation: u64) -> BoxFuture<'_, Result<Renewal, Fault>> {
        self.inner.renew(generation)
    }

    fn told(&self, budget: BudgetNews) {
        self.inner.told(budget);
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_spoils_no_other() {
    let mut stage = stage(json!({}));
    let strict = Arc::new(Strict { inner: stage.carrier.clone(), sizes: Mutex::default() });
    stage.session.carrier = strict.clone();
    let writes: Vec<_> = (0..100)
        .map(|n| {
            let mut fields = lead(&format!("L{n}"));
            if n == 17 || n == 80 {
                fields["AnnualRevenue"] = json!("much");
            }
            create(&fields)
        })
        .collect();
    let outcomes = stage.write(&writes).await.unwrap();
    for (n, outcome) in outcomes.iter().enumerate() {
        if n == 17 || n == 80 {
            assert_eq!(refused(outcome).0, "JSON_PARSER_ERROR", "{n}");
        } else {
            assert_eq!(value(&stage, &made(outcome), "LastName"), format!("L{n}"));
        }
    }
    assert_eq!(stage.org.rows("Lead").len(), 98);
    let calls = strict.sizes.lock().unwrap().len();
    assert!(calls < 32, "halving, not one by one: {calls}");

    // Where all are bad, it is not asked for ever.
    strict.sizes.lock().unwrap().clear();
    let mut bad = lead("Bad");
    bad["AnnualRevenue"] = json!("much");
    let outcomes = stage.write(&vec![create(&bad); 200]).await.unwrap();
    assert!(outcomes.iter().all(|outcome| refused(outcome).0 == "JSON_PARSER_ERROR"));
    assert!(strict.sizes.lock().unwrap().len() <= 60);
}

#[tokio::test]
async fn what_was_written_is_what_is_read_back() {
    let stage = stage(json!({}));
    let fields = json!({"LastName": "Ö'Neil \\ \"x\"", "Company": "C", "Email": "a@example.com", "AnnualRevenue": 12.5, "NumberOfEmployees": 7,
        "HasOptedOutOfEmail": true, "City": null, "Description": "line\nline"});
    let id = made(&stage.write(&[create(&fields)]).await.unwrap()[0]);
    let wanted: Vec<_> = fields.as_object().unwrap().keys().cloned().collect();
    let read = stage.get("Lead", &[&id], &wanted).await;
    assert_eq!(Value::Object(read[0].fields.clone()), fields, "an echo looks like what was agreed");
    let page = stage.page(&connectors::Span::Full, &wanted, None).await.unwrap();
    assert_eq!(page.records[0].fields, read[0].fields, "by every way");
    let found = stage.get("Lead", &[&id], &names(["Id"])).await;
    assert_eq!(found[0].fields["Id"], json!(id));
}
