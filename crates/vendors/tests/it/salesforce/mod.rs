//! Salesforce's double: judged by its clients, and what those do not look at.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::http::Client;
use testkit::receiver::{Answer, Receiver};
use vendors::faults::Fault;
use vendors::salesforce::{Options, OutboundMessage, Salesforce};
use vendors::stand::{Double, Vendor as _};

use crate::judges;
use crate::stage::{SOON, clock};

const DATA: &str = "/services/data/v62.0";

async fn started(options: Options) -> (Double<Salesforce>, Client) {
    let double = Double::start(Salesforce::new(options)).await.unwrap();
    let client = Client::new(double.url()).bearer(&double.issue().access_token);
    (double, client)
}

async fn query(client: &Client, soql: &str) -> Value {
    let query: String = url::form_urlencoded::byte_serialize(soql.as_bytes()).collect();
    client.get(&format!("{DATA}/query?q={query}")).await.json()
}

fn ids(page: &Value) -> Vec<String> {
    page["records"].as_array().unwrap().iter().map(|row| row["Id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn jsforce_is_satisfied() {
    let double = Double::start(Salesforce::new(Options::new())).await.unwrap();
    let given = json!({"url": double.url(), "clientId": "double-client", "clientSecret": "double-secret"});
    // Later versions ask for Node.js 22.
    if judges::judge_by_node("salesforce/jsforce.mjs", &["jsforce@3.10.16"], given).await {
        assert_eq!(double.rows("Lead").len(), 450);
        assert_eq!(double.grants(), 0);
    }
}

#[tokio::test]
async fn simple_salesforce_is_satisfied() {
    let double = Double::start(Salesforce::new(Options::new())).await.unwrap();
    let given = json!({"url": double.url(), "token": double.issue().access_token});
    if judges::judge_by_python("salesforce/judge.py", &["simple-salesforce==1.12.10"], given).await {
        assert_eq!((double.rows("Lead").len(), double.rows("Contact").len()), (0, 300));
    }
}

/// The cursor of connectors: many rows share a second, and the pair of time and id still goes on without loss.
#[tokio::test]
async fn a_cursor_of_time_and_id_passes_more_rows_of_one_second_than_a_page_has() {
    let (_, ambient) = clock();
    let (double, client) = started(Options { ambient, ..Options::new() }).await;
    for n in 0..450 {
        double.add("Lead", &json!({"LastName": format!("L{n}"), "Company": "C"})).unwrap();
    }
    let (mut seen, mut last) = (Vec::new(), String::new());
    loop {
        let bound = if last.is_empty() { String::new() } else { format!("AND Id > '{last}'") };
        let soql = format!("SELECT Id FROM Lead WHERE SystemModstamp = 2027-01-15T08:00:00Z {bound} ORDER BY SystemModstamp, Id LIMIT 200");
        let page = ids(&query(&client, &soql).await);
        let Some(end) = page.last().cloned() else { break };
        last = end;
        seen.extend(page);
    }
    let all: Vec<_> = double.rows("Lead").iter().map(|row| row["Id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(seen, all);
}

#[tokio::test]
async fn pages_break_off_in_the_middle_and_go_on_with_a_new_token() {
    let (double, client) = started(Options::new()).await;
    double.seed_leads(450);
    let client = client.with("sforce-query-options", "batchSize=200");
    double.stand().faults.add(Fault::parse("unauthorized,path=/query/01g,times=1").unwrap());
    double.stand().faults.add(Fault::parse("duplicate-rows,path=/query/01g").unwrap());
    let first = query(&client, "SELECT Id FROM Lead ORDER BY Id").await;
    let next = first["nextRecordsUrl"].as_str().unwrap();
    client.get(next).await.assert_status(401);
    let client = client.bearer(&double.issue().access_token);
    let second = client.get(next).await.expect(200).json();
    // With that fault a page begins with the last row of the one before.
    assert_eq!(ids(&second).first(), ids(&first).last());
    assert_eq!((ids(&second).len(), second["done"].as_bool()), (201, Some(false)));
}

#[tokio::test]
async fn the_feed_of_deleted_rows_reaches_back_fifteen_days() {
    let (clock, ambient) = clock();
    let (double, client) = started(Options { ambient, access_life_ms: i64::MAX / 4, ..Options::new() }).await;
    let id = double.add("Lead", &json!({"LastName": "L", "Company": "C"})).unwrap();
    double.delete("Lead", &id, false).unwrap();
    clock.advance(Duration::from_secs(86_400));
    let deleted = |start: &str, end: &str| {
        client.request(http::Method::GET, &format!("{DATA}/sobjects/Lead/deleted/?start={start}&end={end}")).send()
    };
    let feed = deleted("2027-01-15T07:00:00Z", "2027-01-16T08:00:00Z").await.expect(200).json();
    assert_eq!((&feed["deletedRecords"][0]["id"], &feed["latestDateCovered"]), (&json!(id), &json!("2027-01-16T08:00:00.000+0000")));
    clock.advance(Duration::from_secs(20 * 86_400));
    let gap = deleted("2027-01-15T07:00:00Z", "2027-02-05T08:00:00Z").await.expect(400).json();
    assert_eq!(gap[0]["errorCode"], "INVALID_REPLICATION_DATE");
    double.restore("Lead", &id).unwrap();
    assert!(double.restore("Lead", &id).is_err());
    client.get(&format!("{DATA}/sobjects/Lead/{id}")).await.assert_status(200);
}

#[tokio::test]
async fn a_merged_row_names_its_master_and_a_converted_lead_is_closed() {
    let (double, client) = started(Options::new()).await;
    let master = double.add("Contact", &json!({"LastName": "Kept"})).unwrap();
    let loser = double.add("Contact", &json!({"LastName": "Gone", "Email": "g@example.com"})).unwrap();
    double.merge("Contact", &master, &loser).unwrap();
    let all = client
        .get(&format!("{DATA}/queryAll?q=SELECT%20Id,MasterRecordId,IsDeleted%20FROM%20Contact%20WHERE%20IsDeleted=true"))
        .await
        .json();
    assert_eq!((&all["records"][0]["Id"], &all["records"][0]["MasterRecordId"]), (&json!(loser), &json!(master)));
    assert_eq!(double.row("Contact", &master).unwrap()["Email"], "g@example.com");
    let lead = double.add("Lead", &json!({"LastName": "L", "Company": "C"})).unwrap();
    double.convert_lead(&lead).unwrap();
    let refused = client.patch(&format!("{DATA}/sobjects/Lead/{lead}"), &json!({"City": "X"})).await.expect(400).json();
    assert_eq!(refused[0]["errorCode"], "CANNOT_UPDATE_CONVERTED_LEAD");
}

#[tokio::test]
async fn writes_are_checked_row_by_row_and_taken_back_where_all_or_none_is_asked_for() {
    let (double, client) = started(Options { refuses_duplicates: true, ..Options::new() }).await;
    double.add_field("Lead", "Region__c string 5 #").unwrap();
    let row = |extra: Value| {
        let mut row = json!({"attributes": {"type": "Lead"}, "LastName": "L", "Company": "C"});
        extra.as_object().unwrap().iter().for_each(|(name, value)| row[name] = value.clone());
        row
    };
    let rows = [
        (row(json!({"Email": "a@example.com"})), ""),
        (row(json!({"Email": "A@example.com"})), "DUPLICATES_DETECTED"),
        (row(json!({"Email": "nonsense"})), "INVALID_EMAIL_ADDRESS"),
        (row(json!({"Region__c": "longer"})), "STRING_TOO_LONG"),
        (row(json!({"Region__c": "x"})), ""),
        (row(json!({"Region__c": "X"})), "DUPLICATE_VALUE"),
        (row(json!({"AnnualRevenue": "much"})), "JSON_PARSER_ERROR"),
        (row(json!({"Nope": 1})), "INVALID_FIELD"),
        (row(json!({"CreatedDate": "2026-01-01T00:00:00Z"})), "INVALID_FIELD_FOR_INSERT_UPDATE"),
        (row(json!({"OwnerId": "005000000000000"})), ""),
    ];
    let records: Vec<_> = rows.iter().map(|(row, _)| row).collect();
    let path = format!("{DATA}/composite/sobjects");
    let results = client.post(&path, &json!({"allOrNone": false, "records": records})).await.expect(200).json();
    for (index, (row, code)) in rows.iter().enumerate() {
        assert_eq!(results[index]["errors"][0]["statusCode"].as_str().unwrap_or_default(), *code, "{row}: {}", results[index]);
    }
    let before = double.rows("Lead");
    let both = [row(json!({"Email": "new@example.com"})), row(json!({"Nope": 1}))];
    let results = client.post(&path, &json!({"allOrNone": true, "records": both})).await.expect(200).json();
    assert_eq!(results[0]["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    assert_eq!(double.rows("Lead"), before);
    double.stand().faults.add(Fault::parse("partial-batch,every=2").unwrap());
    let results = client.post(&path, &json!({"records": [row(json!({})), row(json!({}))]})).await.expect(200).json();
    assert_eq!((&results[0]["success"], &results[1]["errors"][0]["statusCode"]), (&json!(true), &json!("UNABLE_TO_LOCK_ROW")));
}

#[tokio::test]
async fn composite_calls_refer_to_each_other_and_fail_together() {
    let (double, client) = started(Options::new()).await;
    let parts = |name: &str| {
        json!({"allOrNone": true, "compositeRequest": [
            {"method": "POST", "url": format!("{DATA}/sobjects/Account"), "referenceId": "acc", "body": {"Name": "Acme"}},
            {"method": "POST", "url": format!("{DATA}/sobjects/Contact"), "referenceId": "con", "body": {(name): "Ann",
                "AccountId": "@{acc.id}"}},
        ]})
    };
    let good = client.post(&format!("{DATA}/composite"), &parts("LastName")).await.expect(200).json();
    assert_eq!(
        (&good["compositeResponse"][1]["httpStatusCode"], &double.rows("Contact")[0]["AccountId"]),
        (&json!(201), &good["compositeResponse"][0]["body"]["id"])
    );
    let bad = client.post(&format!("{DATA}/composite"), &parts("Nope")).await.expect(200).json();
    assert_eq!(
        (&bad["compositeResponse"][0]["body"][0]["errorCode"], &bad["compositeResponse"][1]["body"][0]["errorCode"]),
        (&json!("PROCESSING_HALTED"), &json!("INVALID_FIELD"))
    );
    assert_eq!((double.rows("Account").len(), double.rows("Contact").len()), (1, 1));
}

#[tokio::test]
async fn the_day_has_so_many_calls_and_beyond_is_403() {
    let (_, ambient) = clock();
    let (double, client) = started(Options { ambient, daily_calls: 10, ..Options::new() }).await;
    double.use_up(8);
    assert_eq!(client.get(&format!("{DATA}/limits")).await.expect(200).header("sforce-limit-info"), Some("api-usage=9/10"));
    let last = client.get(&format!("{DATA}/limits")).await.expect(200).json();
    assert_eq!(last["DailyApiRequests"], json!({"Max": 10, "Remaining": 0}));
    let beyond = client.get(&format!("{DATA}/limits")).await.expect(403).json();
    assert_eq!(beyond[0]["errorCode"], "REQUEST_LIMIT_EXCEEDED");
}

#[tokio::test]
async fn outbound_messages_are_repeated_until_they_are_acknowledged() {
    const ACK: &str = "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body><notificationsResponse \
        xmlns=\"http://soap.sforce.com/2005/09/outbound\"><Ack>true</Ack></notificationsResponse></soapenv:Body></soapenv:Envelope>";
    let (double, client) = started(Options::new()).await;
    double.stand().outbox.set_pause(Duration::from_millis(1));
    let receiver = Receiver::start();
    // A mere 200 is no acknowledgement.
    receiver.script([Answer::status(200), Answer::status(503)]);
    receiver.answer(Answer::status(200).body(ACK));
    double.tell(OutboundMessage { object: "Lead".into(), fields: vec!["LastName".into(), "Email".into()], url: receiver.url("/in") });
    // What was taken back is not told.
    let records = json!([{"attributes": {"type": "Lead"}, "LastName": "never", "Company": "C"}, {"attributes": {"type": "Lead"}}]);
    let refused = client.post(&format!("{DATA}/composite/sobjects"), &json!({"allOrNone": true, "records": records})).await;
    refused.assert_status(200);
    let id = double.add("Lead", &json!({"LastName": "A & <B>", "Company": "C"})).unwrap();
    let came = receiver.wait_for(3, SOON).await;
    assert!(came.iter().all(|one| one.body == came[0].body));
    let body = String::from_utf8(came[0].body.to_vec()).unwrap();
    assert!(body.contains(&format!("<sf:Id>{id}</sf:Id><sf:LastName>A &amp; &lt;B&gt;</sf:LastName>")), "{body}");
}
