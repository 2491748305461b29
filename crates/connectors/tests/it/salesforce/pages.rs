//! Reading many: order, cursors, places, filters, long queries.

use std::collections::HashSet;
use std::time::Duration;

use connectors::{Fault, Span};
use serde_json::{Value, json};
use vendors::stand::Vendor as _;

use super::stage::{names, stage};

fn texts<'a>(records: impl IntoIterator<Item = &'a connectors::RemoteRecord>, field: &str) -> Vec<String> {
    records.into_iter().map(|record| record.fields[field].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_full_scan_sees_every_record_once_and_the_next_one_only_what_changed() {
    let stage = stage(json!({"pageSize": 200, "overlapSeconds": 60}));
    stage.org.seed_leads(1050);
    let fields = names(["LastName", "Email"]);
    let full = stage.scan(&Span::Full, &fields).await.unwrap();
    assert_eq!((full.pages, full.records.len(), full.total), (6, 1050, Some(1050)));
    assert_eq!(full.ids().into_iter().collect::<HashSet<_>>().len(), 1050);
    let first = &full.records[0];
    assert_eq!((first.id.len(), &first.fields["LastName"], first.modified_at.is_some()), (18, &json!("Last1049"), true));
    assert_eq!(first.fields.len(), 2, "only what was asked for");

    stage.clock.advance(Duration::from_secs(3600));
    stage.org.edit("Lead", &full.records[900].id, &json!({"LastName": "Changed"})).unwrap();
    let new = stage.lead("New");
    stage.clock.advance(Duration::from_secs(1));
    let calls = stage.org.stand().log.total();
    let changed = stage.scan(&Span::Since(full.cursor), &fields).await.unwrap();
    assert_eq!(stage.org.stand().log.total() - calls, 1);
    let mut found = changed.ids();
    // Those of the last minute before the cursor come again.
    found.retain(|id| !full.records[..60].iter().any(|record| record.id == *id));
    assert_eq!(found, [new.as_str(), full.records[900].id.as_str()]);

    // Long after, nothing comes again, whatever was changed at the end.
    stage.clock.advance(Duration::from_secs(3600));
    let quiet = stage.scan(&Span::Since(changed.cursor), &fields).await.unwrap();
    stage.clock.advance(Duration::from_secs(3600));
    assert_eq!(stage.scan(&Span::Since(quiet.cursor), &fields).await.unwrap().records, []);
}

#[tokio::test]
async fn more_records_of_one_second_than_pages_have_are_read_once_each_also_when_the_result_is_forgotten() {
    let stage = stage(json!({"pageSize": 2000}));
    let before = stage.lead("Before");
    stage.clock.advance(Duration::from_secs(10));
    for n in 0..10_500 {
        stage.lead(&format!("L{n}"));
    }
    stage.clock.advance(Duration::from_secs(10));
    let after = stage.lead("After");
    let (fields, span) = (names(["LastName"]), Span::Full);
    let (mut seen, mut token, mut lost) = (Vec::new(), None, 0);
    loop {
        let page = stage.page(&span, &fields, token.as_deref()).await.unwrap();
        seen.extend(page.records.into_iter().map(|record| record.id));
        assert_eq!(page.total, Some(10_501 + 1));
        match page.next {
            None => break,
            Some(next) => token = Some(next),
        }
        if seen.len() == 4000 || seen.len() == 8000 {
            // Locators last two days.
            stage.clock.advance(Duration::from_secs(3 * 86_400));
            lost += 1;
        }
    }
    assert_eq!((lost, stage.org.stand().log.entries().iter().filter(|entry| entry.status == 400).count()), (2, 2));
    assert_eq!((seen.first(), seen.last(), seen.len()), (Some(&after), Some(&before), 10_502));
    assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 10_502);
    let calls = stage.org.stand().log.total();
    assert_eq!(calls, 6 + 2, "a page each, and one more for each result that was forgotten");
}

#[tokio::test]
async fn what_changes_while_a_scan_is_under_way_is_found_by_the_next_one() {
    let stage = stage(json!({"pageSize": 200, "overlapSeconds": 0}));
    stage.org.seed_leads(600);
    let (fields, span) = (names(["LastName"]), Span::Full);
    let first = stage.page(&span, &fields, None).await.unwrap();
    // One that was read, one that was not, one that is new; then the result is forgotten.
    let all = stage.org.rows("Lead");
    let id = |at: usize| all[at]["Id"].as_str().unwrap().to_owned();
    stage.clock.advance(Duration::from_secs(60));
    for at in [599, 10] {
        stage.org.edit("Lead", &id(at), &json!({"LastName": "Changed"})).unwrap();
    }
    let new = stage.lead("New");
    stage.clock.advance(Duration::from_secs(3 * 86_400));
    let mut seen: Vec<_> = first.records.iter().map(|record| record.id.clone()).collect();
    let mut token = first.next;
    let cursor = loop {
        let page = stage.page(&span, &fields, token.as_deref()).await.unwrap();
        seen.extend(page.records.into_iter().map(|record| record.id));
        match page.next {
            None => break page.cursor.unwrap(),
            next => token = next,
        }
    };
    let next = stage.scan(&Span::Since(cursor), &fields).await.unwrap();
    seen.extend(next.ids().into_iter().map(str::to_owned));
    assert_eq!(next.ids().into_iter().collect::<HashSet<_>>(), [id(599), id(10), new.clone()].iter().map(String::as_str).collect());
    assert_eq!(seen.into_iter().collect::<HashSet<_>>().len(), 601, "nothing was missed");
}

#[tokio::test]
async fn a_record_that_shows_late_with_an_earlier_time_is_found() {
    let stage = stage(json!({}));
    stage.lead("Seen");
    stage.fault("index-lag,ms=120000");
    let late = stage.lead("Late");
    stage.clock.advance(Duration::from_secs(60));
    let fields = names(["LastName"]);
    // Something newer moves the cursor past the one that is not yet seen.
    stage.org.stand().faults.clear();
    stage.lead("Newer");
    let first = stage.scan(&Span::Full, &fields).await.unwrap();
    assert_eq!(texts(&first.records, "LastName"), ["Newer", "Seen"]);
    stage.clock.advance(Duration::from_secs(61));
    let second = stage.scan(&Span::Since(first.cursor), &fields).await.unwrap();
    assert!(second.ids().contains(&late.as_str()), "{second:?}");
}

#[tokio::test]
async fn a_clock_that_is_wrong_loses_nothing() {
    for skew in [-86_400_i64, 86_400] {
        let mut stage = stage(json!({}));
        stage.lead("First");
        let wrong = kernel::Timestamp::from_millis(1_800_000_000_000 + skew * 1000);
        let clock = std::sync::Arc::new(kernel::time::ManualClock::new(wrong));
        let entropy = std::sync::Arc::new(kernel::chance::SeededEntropy::new(1));
        stage.session.ambient = kernel::Ambient::new(clock, entropy);
        let fields = names(["LastName"]);
        let first = stage.scan(&Span::Full, &fields).await.unwrap();
        assert_eq!(first.cursor, "2027-01-15T08:00:00.000Z", "the newest record's, as the two clocks disagree");
        stage.clock.advance(Duration::from_secs(10));
        stage.lead("Second");
        let second = stage.scan(&Span::Since(first.cursor), &fields).await.unwrap();
        assert_eq!(texts(&second.records, "LastName"), ["Second", "First"], "{skew}");
    }
}

#[tokio::test]
async fn pages_that_overlap_are_told_apart() {
    let stage = stage(json!({"pageSize": 200}));
    stage.org.seed_leads(450);
    stage.fault("duplicate-rows,path=/query/01g");
    let full = stage.scan(&Span::Full, &names(["LastName"])).await.unwrap();
    assert_eq!((full.records.len(), full.ids().into_iter().collect::<HashSet<_>>().len()), (450, 450));
}

#[tokio::test]
async fn filters_hold_on_every_page_and_no_value_leaves_its_literal() {
    let stage = stage(json!({"pageSize": 200}));
    let evil = "O'Neil' OR Name != '\\";
    for (name, city) in [("A", evil), ("B", "Bern"), ("C", "Basel")] {
        stage.org.add("Lead", &json!({"LastName": name, "Company": "C", "City": city, "NumberOfEmployees": 5})).unwrap();
    }
    let fields = names(["LastName"]);
    for (filter, expected) in [
        (json!({"City": evil}), vec!["A"]),
        (json!({"City": "O'Neil"}), vec![]),
        (json!({"City": ["Bern", "Basel"], "NumberOfEmployees": {"gte": 5}}), vec!["C", "B"]),
        (json!({"CreatedDate": {"lt": "2027-01-15T08:00:01Z"}, "LastName": {"ne": "B"}}), vec!["C", "A"]),
        (json!({"CreatedDate": {"gt": "2027-01-16"}}), vec![]),
        (json!({"Email": null, "LastName": "B"}), vec!["B"]),
    ] {
        let page = stage.filtered(&Span::Full, &fields, Some(&filter), None).await.unwrap();
        assert_eq!(texts(&page.records, "LastName"), expected, "{filter}");
    }
    for bad in [json!({"Name = '' OR Name": 1}), json!({"City": {"regex": "x"}}), json!("City = 'x'")] {
        assert!(matches!(stage.filtered(&Span::Full, &fields, Some(&bad), None).await, Err(Fault::Refused { .. })), "{bad}");
    }
    let calls = stage.org.stand().log.total();
    let page = stage.page(&Span::Full, &names(["LastName FROM Lead--"]), None).await;
    assert!(matches!(page, Err(Fault::Refused { field: Some(_), .. })));
    assert_eq!(stage.org.stand().log.total(), calls, "what is no name is not sent");
}

#[tokio::test]
async fn a_query_that_is_too_long_for_an_address_goes_in_a_body() {
    let stage = stage(json!({"pageSize": 200}));
    let mut fields = Vec::new();
    for n in 0..200 {
        let name = format!("A_field_with_a_name_that_is_longer_than_most_people_would_like_to_type_or_to_read_{n:04}__c");
        stage.org.add_field("Lead", &format!("{name} string 20")).unwrap();
        fields.push(name);
    }
    let id = stage.org.add("Lead", &json!({"LastName": "L", "Company": "C", (fields[199].clone()): "x"})).unwrap();
    let wide = stage.scan(&Span::Full, &fields).await.unwrap();
    let [record] = wide.records.as_slice() else { panic!() };
    assert_eq!((&record.id, record.fields.len(), &record.fields[&fields[199]]), (&id, 200, &json!("x")));
    assert_eq!((stage.carrier.notes.count("/composite"), stage.carrier.notes.count("/query")), (1, 0));
    // What Salesforce says about the part is what the page says.
    let unknown = [fields, vec!["Nope__c".to_owned()]].concat();
    let Err(Fault::Refused { code, .. }) = stage.page(&Span::Full, &unknown, None).await else { panic!() };
    assert_eq!(code, "INVALID_FIELD");

    // Long for its filter, and of more pages than one.
    stage.org.seed_leads(250);
    let emails: Vec<_> = (0..1000).map(|n| format!("lead{n}@example.com")).collect();
    let (fields, filter) = (names(["Email"]), json!({"Email": emails}));
    let first = stage.filtered(&Span::Full, &fields, Some(&filter), None).await.unwrap();
    let second = stage.filtered(&Span::Full, &fields, Some(&filter), first.next.as_deref()).await.unwrap();
    assert_eq!((first.records.len(), second.records.len(), second.next), (200, 50, None));
    assert_eq!((stage.carrier.notes.count("/composite"), stage.carrier.notes.count("/query/01g")), (3, 1));
}

#[tokio::test]
async fn fields_of_other_records_are_read_by_their_paths() {
    let stage = stage(json!({}));
    let account = stage.org.add("Account", &json!({"Name": "Acme"})).unwrap();
    stage.org.add("Contact", &json!({"LastName": "With", "AccountId": account})).unwrap();
    stage.org.add("Contact", &json!({"LastName": "Without"})).unwrap();
    let fields = names(["LastName", "Account.Name", "AccountId"]);
    let ask = connectors::PageAsk { object: "Contact", span: Span::Full, fields: &fields, filter: None, token: None };
    let page = connectors::Connector::page(&stage.connector, &stage.session, ask).await.unwrap();
    let shown: Vec<_> = page.records.into_iter().map(|record| Value::Object(record.fields)).collect();
    let expected = [
        json!({"LastName": "Without", "Account.Name": null, "AccountId": null}),
        json!({"LastName": "With", "Account.Name": "Acme", "AccountId": account}),
    ];
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn a_strangers_cursor_or_token_is_stale() {
    let stage = stage(json!({}));
    let fields = names(["LastName"]);
    let stale = |fault: Fault| matches!(fault, Fault::Stale { .. });
    assert!(stale(stage.page(&Span::Since("yesterday".into()), &fields, None).await.unwrap_err()));
    let foreign = r#"{"kind":"rest","next":"https://evil.example/","last":{"t":"2027-01-15T08:00:00Z","id":"x"},"cursor":"2027-01-15T08:00:00Z","total":1,"of":"x"}"#;
    for token in ["", "{}", foreign] {
        assert!(stale(stage.page(&Span::Full, &fields, Some(token)).await.unwrap_err()), "{token}");
    }
    assert_eq!(stage.org.stand().log.total(), 0);
    // A mapping that was changed meanwhile: its new field would look as if it were empty.
    let stage = super::stage::stage(json!({"pageSize": 200}));
    stage.org.seed_leads(300);
    let first = stage.page(&Span::Full, &fields, None).await.unwrap();
    let other = names(["LastName", "Email"]);
    assert!(stale(stage.page(&Span::Full, &other, first.next.as_deref()).await.unwrap_err()));
    assert_eq!(stage.page(&Span::Full, &fields, first.next.as_deref()).await.unwrap().records.len(), 100);
}

#[tokio::test]
async fn an_empty_object_has_a_cursor_from_which_the_first_record_is_found() {
    let stage = stage(json!({}));
    let fields = names(["LastName"]);
    let empty = stage.scan(&Span::Full, &fields).await.unwrap();
    assert_eq!((empty.records.len(), empty.total), (0, Some(0)));
    let id = stage.lead("First");
    assert_eq!(stage.scan(&Span::Since(empty.cursor), &fields).await.unwrap().ids(), [id]);
}
