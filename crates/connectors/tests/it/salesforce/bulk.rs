//! Bulk 2.0: a full load as a query job, many writes as ingest jobs.

use std::collections::HashSet;

use connectors::{Fault, Outcome, Span};
use serde_json::{Value, json};
use vendors::stand::Vendor as _;

use super::stage::{Stage, create, create_by, delete, names, stage, update};

fn lead(name: &str) -> Value {
    json!({"LastName": name, "Company": "C"})
}

/// Fields of every kind.
fn every_kind() -> Vec<String> {
    names([
        "LastName",
        "Description",
        "AnnualRevenue",
        "NumberOfEmployees",
        "HasOptedOutOfEmail",
        "CreatedDate",
        "Email",
        "Score__c",
        "OwnerId",
    ])
}

fn fill(stage: &Stage, count: usize) {
    stage.org.seed_leads(count);
    let odd = json!({"LastName": "Ö \"x\", y", "Company": "C", "Description": "line\nline, \"q\"", "AnnualRevenue": 12.5, "NumberOfEmployees": 7,
        "HasOptedOutOfEmail": true, "Score__c": 3});
    stage.org.add("Lead", &odd).unwrap();
}

#[tokio::test]
async fn a_full_load_of_many_records_is_a_job_with_the_same_values_as_pages() {
    let stage = stage(json!({"bulkThreshold": 5000}));
    fill(&stage, 12_000);
    let fields = every_kind();
    let full = stage.scan(&Span::Full, &fields).await.unwrap();
    assert_eq!((full.records.len(), full.total), (12_001, Some(12_001)));
    assert_eq!(full.ids().into_iter().collect::<HashSet<_>>().len(), 12_001);
    assert_eq!((stage.carrier.notes.count("POST /services/data/v62.0/jobs/query"), stage.carrier.notes.count("/results")), (1, 3));
    let calls = stage.org.stand().log.total();
    assert!(calls <= 10, "{calls}");

    let by_pages = super::stage::stage(json!({"bulkThreshold": 0}));
    fill(&by_pages, 12_000);
    let mut pages = by_pages.scan(&Span::Full, &fields).await.unwrap();
    assert_eq!(by_pages.carrier.notes.count("/jobs/"), 0);
    let mut records = full.records;
    records.sort_by(|one, other| one.id.cmp(&other.id));
    pages.records.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(records, pages.records, "no value differs by the way it came");
    assert_eq!(full.cursor[..16], pages.cursor[..16]);

    // The next one asks for what changed, by pages.
    stage.clock.advance(std::time::Duration::from_secs(3600));
    let id = stage.lead("New");
    let calls = stage.org.stand().log.total();
    let next = stage.scan(&Span::Since(full.cursor), &fields).await.unwrap();
    assert!(next.ids().contains(&id.as_str()));
    assert_eq!(stage.org.stand().log.total() - calls, 1);
}

#[tokio::test]
async fn a_run_that_was_killed_goes_on_in_the_same_job() {
    let stage = stage(json!({"bulkThreshold": 5000}));
    stage.org.seed_leads(11_000);
    let (fields, span) = (names(["LastName"]), Span::Full);
    let (mut seen, mut token, mut places) = (Vec::new(), None, Vec::new());
    loop {
        let page = stage.page(&span, &fields, token.as_deref()).await.unwrap();
        // The page is asked for again, as by another node that never saw the answer.
        let again = stage.page(&span, &fields, token.as_deref()).await.unwrap();
        if token.is_some() {
            assert_eq!(page, again);
        }
        seen.extend(page.records.into_iter().map(|record| record.id));
        match page.next {
            None => break,
            Some(next) => {
                places.push(next.clone());
                token = Some(next);
            }
        }
    }
    assert_eq!((seen.len(), seen.iter().collect::<HashSet<_>>().len()), (11_000, 11_000));
    // Other fields are another job.
    let other = names(["LastName", "Email"]);
    assert!(matches!(stage.page(&span, &other, Some(&places[0])).await, Err(Fault::Stale { .. })));
    let gone = places[1].replace("\"job\":\"75", "\"job\":\"76");
    assert!(matches!(stage.page(&span, &fields, Some(&gone)).await, Err(Fault::Stale { .. })));
}

#[tokio::test]
async fn what_no_job_can_read_is_read_by_pages() {
    let stage = stage(json!({"bulkThreshold": 500, "pageSize": 1000}));
    let account = stage.org.add("Account", &json!({"Name": "Acme"})).unwrap();
    for n in 0..1500 {
        stage.org.add("Contact", &json!({"LastName": n.to_string(), "AccountId": account})).unwrap();
    }
    let fields = names(["LastName", "Account.Name"]);
    let ask = |token| connectors::PageAsk { object: "Contact", span: Span::Full, fields: &fields, filter: None, token };
    let first = connectors::Connector::page(&stage.connector, &stage.session, ask(None)).await.unwrap();
    assert_eq!((first.records.len(), &first.records[0].fields["Account.Name"]), (1000, &json!("Acme")));
    let second = connectors::Connector::page(&stage.connector, &stage.session, ask(first.next.as_deref())).await.unwrap();
    assert_eq!((second.records.len(), second.next), (500, None));

    // Neither where jobs are not allowed.
    stage.org.seed_leads(1500);
    stage.fault("scope-removed,path=/jobs/query");
    let full = stage.scan(&Span::Full, &names(["LastName"])).await.unwrap();
    assert_eq!((full.records.len(), full.pages), (1500, 2));
}

#[tokio::test]
async fn many_writes_are_jobs_with_an_outcome_each_in_order() {
    let stage = stage(json!({}));
    let mut writes: Vec<_> = (0..2500).map(|n| create_by(&format!("k{n}"), &lead(&format!("L{n}, \"x\"\n")))).collect();
    writes[7].fields.remove("Company");
    writes[9].fields.insert("Nope".into(), json!(1));
    let calls = stage.org.stand().log.total();
    let outcomes = stage.write(&writes).await.unwrap();
    let spent = stage.org.stand().log.total() - calls;
    assert!(spent <= 12, "{spent}");
    // A column that the object has not fails the lines that use it, and only those.
    for (n, outcome) in outcomes.iter().enumerate() {
        match (n, outcome) {
            (7, Outcome::Failed(Fault::Refused { code, field, .. })) => {
                assert_eq!((code.as_str(), field.as_deref()), ("REQUIRED_FIELD_MISSING", Some("Company")));
            }
            (9, Outcome::Failed(Fault::Refused { code, .. })) => assert_eq!(code, "INVALID_FIELD"),
            (_, Outcome::Created(record)) => {
                let row = stage.org.row("Lead", &record.id).unwrap();
                assert_eq!((&row["LastName"], &row["External_Id__c"]), (&json!(format!("L{n}, \"x\"\n")), &json!(format!("k{n}"))));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(stage.org.rows("Lead").len(), 2498);

    // Again: none is made twice.
    let ids: Vec<_> =
        outcomes.iter().map(|outcome| if let Outcome::Created(record) = outcome { record.id.clone() } else { String::new() }).collect();
    let again = stage.write(&writes).await.unwrap();
    assert!(
        matches!(&again[0], Outcome::Updated(record) if record.id == ids[0]) || matches!(&again[0], Outcome::Exists { .. }),
        "{:?}",
        again[0]
    );
    assert_eq!(stage.org.rows("Lead").len(), 2498);

    // Changed, emptied, deleted.
    let kept: Vec<_> = ids.iter().filter(|id| !id.is_empty()).collect();
    let changes: Vec<_> = kept.iter().map(|id| update(id, &json!({"City": "Bern", "External_Id__c": null}))).collect();
    let outcomes = stage.write(&changes).await.unwrap();
    assert!(outcomes.iter().zip(&kept).all(|(outcome, id)| matches!(outcome, Outcome::Updated(record) if record.id == **id)));
    let row = stage.org.row("Lead", kept[5]).unwrap();
    assert_eq!((&row["City"], &row["External_Id__c"], &row["Company"]), (&json!("Bern"), &Value::Null, &json!("C")));
    let removals: Vec<_> = kept.iter().map(|id| delete(id)).collect();
    assert_eq!(stage.write(&removals).await.unwrap(), vec![Outcome::Deleted; 2498]);
    assert_eq!(stage.write(&removals).await.unwrap(), vec![Outcome::Deleted; 2498], "it was gone already");
    assert_eq!(stage.org.rows("Lead").len(), 0);
}

#[tokio::test]
async fn a_job_of_equal_lines_makes_one_record_of_each() {
    let stage = stage(json!({}));
    let writes: Vec<_> = (0..2000).map(|n| create(&lead(if n % 2 == 0 { "Same" } else { "Other" }))).collect();
    let outcomes = stage.write(&writes).await.unwrap();
    let ids: HashSet<_> = outcomes.iter().map(super::stage::made).collect();
    assert_eq!((ids.len(), stage.org.rows("Lead").len()), (2000, 2000));
    for (write, outcome) in writes.iter().zip(&outcomes) {
        assert_eq!(stage.org.row("Lead", &super::stage::made(outcome)).unwrap()["LastName"], write.fields["LastName"]);
    }
}

#[tokio::test]
async fn values_that_no_cell_can_say_go_by_collections() {
    let stage = stage(json!({}));
    let mut writes: Vec<_> = (0..2100).map(|n| create(&lead(&format!("L{n}")))).collect();
    writes[3].fields.insert("City".into(), json!("#N/A"));
    let outcomes = stage.write(&writes).await.unwrap();
    let row = stage.org.row("Lead", &super::stage::made(&outcomes[3])).unwrap();
    assert_eq!((&row["City"], stage.org.rows("Lead").len()), (&json!("#N/A"), 2100));
    assert_eq!(stage.carrier.notes.count("POST /services/data/v62.0/composite/sobjects"), 1);
}

#[tokio::test]
async fn a_job_that_is_not_begun_has_done_nothing_and_one_whose_end_is_not_seen_is_unknown() {
    let stage = stage(json!({}));
    let writes: Vec<_> = (0..2000).map(|n| create(&lead(&format!("L{n}")))).collect();
    stage.fault("lost-answer,path=/batches");
    assert!(matches!(stage.write(&writes).await, Err(fault) if fault.passes()));
    assert_eq!(stage.org.rows("Lead").len(), 0);
    stage.org.stand().faults.clear();
    // That the job was begun is looked up when the answer is lost.
    stage.fault("lost-answer,method=patch,path=/jobs/ingest,times=1");
    let outcomes = stage.write(&writes).await.unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Created(_))));
    stage.fault("html,path=Results");
    let outcomes = stage.write(&writes).await.unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Unknown(_))));
    assert_eq!(stage.org.rows("Lead").len(), 4000);
}

#[tokio::test]
async fn locked_lines_of_a_job_are_tried_again_by_collections() {
    let stage = stage(json!({}));
    let writes: Vec<_> = (0..2000).map(|n| create(&lead(&format!("L{n}")))).collect();
    stage.fault("partial-batch,every=100,path=/jobs/ingest");
    let outcomes = stage.write(&writes).await.unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Created(_))));
    assert_eq!(stage.org.rows("Lead").len(), 2000);
}
