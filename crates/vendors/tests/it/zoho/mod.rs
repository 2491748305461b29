//! Zoho's double: judged by its SDK, and what that does not look at.

use std::time::Duration;

use serde_json::json;
use testkit::http::Client;
use testkit::receiver::Receiver;
use vendors::faults::Fault;
use vendors::stand::{Double, Vendor as _};
use vendors::zoho::{Options, Zoho};

use crate::judges;
use crate::stage::{SOON, clock};

async fn started(options: Options) -> (Double<Zoho>, Client) {
    let double = Double::start(Zoho::new(options)).await.unwrap();
    let client = Client::new(double.url()).with("authorization", &format!("Zoho-oauthtoken {}", double.issue().access_token));
    (double, client)
}

#[tokio::test]
async fn the_sdk_for_python_is_satisfied() {
    let double = Double::start(Zoho::new(Options::unlimited())).await.unwrap();
    let given =
        json!({"url": double.url(), "clientId": "double-client", "clientSecret": "double-secret", "refresh": double.issue().refresh_token});
    if judges::judge_by_python("zoho/client.py", &["zohocrmsdk8-0==7.0.0", "setuptools<81"], given).await {
        assert_eq!(double.rows("Leads").len(), 31);
    }
}

#[tokio::test]
async fn rows_of_one_call_fail_by_themselves() {
    let (double, client) = started(Options::unlimited()).await;
    double.add_field("Leads", "Code text 10 #").unwrap();
    let rows = [
        (json!({"Last_Name": "A", "Code": "x", "Unknown": 1}), "SUCCESS"),
        (json!({"Last_Name": "B", "Code": "X"}), "DUPLICATE_DATA"),
        (json!({"First_Name": "C"}), "MANDATORY_NOT_FOUND"),
        (json!({"Last_Name": "D", "Email": "nonsense"}), "INVALID_DATA"),
        (json!({"Last_Name": "D", "Code": "longer than ten"}), "INVALID_DATA"),
    ];
    let data: Vec<_> = rows.iter().map(|(row, _)| row).collect();
    let results = client.post("/crm/v8/Leads", &json!({"data": data})).await.expect(207).json();
    for (index, (row, code)) in rows.iter().enumerate() {
        assert_eq!(results["data"][index]["code"], *code, "{row}");
    }
    assert_eq!(double.rows("Leads").len(), 1);
    client.post("/crm/v8/Leads", &json!({"data": [{}]})).await.assert_status(202);
    client.post("/crm/v8/Leads", &json!({"data": vec![json!({"Last_Name": "x"}); 101]})).await.assert_status(400);
    double.stand().faults.add(Fault::parse("partial-batch,every=2").unwrap());
    client.post("/crm/v8/Leads", &json!({"data": vec![json!({"Last_Name": "x"}); 2]})).await.assert_status(207);
}

#[tokio::test]
async fn beyond_two_thousand_rows_only_page_tokens_lead_and_since_is_a_header() {
    let (clock, ambient) = clock();
    let (double, client) = started(Options { ambient, ..Options::unlimited() }).await;
    double.seed_leads(2100);
    let list = "/crm/v8/Leads?fields=Last_Name&per_page=200&sort_by=Modified_Time&sort_order=asc";
    client.get("/crm/v8/Leads").await.assert_status(400);
    client.get(&format!("{list}&page=10")).await.assert_status(200);
    assert_eq!(client.get(&format!("{list}&page=11")).await.expect(400).json()["code"], "DISCRETE_PAGINATION_LIMIT_EXCEEDED");
    let (mut seen, mut token) = (std::collections::HashSet::new(), String::new());
    loop {
        let page = client.get(&format!("{list}{token}")).await.expect(200).json();
        seen.extend(page["data"].as_array().unwrap().iter().map(|row| row["id"].to_string()));
        let Some(next) = page["info"]["next_page_token"].as_str() else { break };
        token = format!("&page_token={next}");
    }
    assert_eq!(seen.len(), 2100);
    clock.advance(Duration::from_secs(10));
    let since = client.with("if-modified-since", "2027-01-15T08:00:00+00:00");
    since.get(list).await.assert_status(304);
    let id = double.rows("Leads")[7]["id"].as_str().unwrap().to_owned();
    double.edit("Leads", &id, &json!({"City": "Pune"})).unwrap();
    let changed = since.get(list).await.expect(200).json();
    assert_eq!((changed["data"].as_array().unwrap().len(), &changed["data"][0]["id"]), (1, &json!(id)));
    let stale = client
        .with("if-unmodified-since", "2027-01-15T08:00:00+00:00")
        .put(&format!("/crm/v8/Leads/{id}"), &json!({"data": [{"City": "Goa"}]}))
        .await;
    assert_eq!(stale.json()["data"][0]["code"], "ALREADY_MODIFIED");
    double.delete("Leads", &id, true).unwrap();
    let gone = since.get("/crm/v8/Leads/deleted?type=permanent").await.expect(200).json();
    assert_eq!((&gone["data"][0]["id"], &gone["data"][0]["type"]), (&json!(id), &json!("permanent")));
    client.get("/crm/v8/Leads/deleted?type=recycle").await.assert_status(204);
}

#[tokio::test]
async fn coql_reads_times_lookups_and_bounds() {
    let (_, ambient) = clock();
    let (double, client) = started(Options { ambient, ..Options::unlimited() }).await;
    let account = double.add("Accounts", &json!({"Account_Name": "Acme"})).unwrap();
    for n in 0..5 {
        double.add("Contacts", &json!({"Last_Name": format!("C{n}"), "Account_Name": {"id": account}})).unwrap();
    }
    let ask = |query: &str| {
        let body = json!({"select_query": query});
        let client = client.clone();
        async move { client.post("/crm/v8/coql", &body).await }
    };
    let condition = format!("Modified_Time >= '2027-01-15T08:00:00+00:00' and Account_Name = '{account}'");
    let query = format!("select Last_Name from Contacts where ({condition}) order by Last_Name desc limit 1, 2");
    let found = ask(&query).await.expect(200).json();
    let names: Vec<_> = found["data"].as_array().unwrap().iter().map(|row| row["Last_Name"].as_str().unwrap()).collect();
    assert_eq!((names, &found["info"]["more_records"]), (vec!["C3", "C2"], &json!(true)));
    ask("select Last_Name from Contacts where Email is not null").await.assert_status(204);
    assert_eq!(ask("select Nope from Contacts").await.expect(400).json()["code"], "INVALID_QUERY");
    assert_eq!(ask("select from Contacts").await.expect(400).json()["code"], "SYNTAX_ERROR");
}

#[tokio::test]
async fn notifications_carry_the_token_and_the_id_and_end_unless_they_are_renewed() {
    let (clock, ambient) = clock();
    let (double, client) = started(Options { ambient, ..Options::unlimited() }).await;
    let receiver = Receiver::start();
    let watch = |expiry: &str| {
        json!({"watch": [{"channel_id": "100", "events": ["Leads.all"], "notify_url": receiver.url("/in"),
        "token": "ours", "channel_expiry": expiry}]})
    };
    client.post("/crm/v8/actions/watch", &watch("2027-01-15T08:30:00+00:00")).await.assert_status(201);
    let id = double.add("Leads", &json!({"Last_Name": "Rao"})).unwrap();
    let told = receiver.wait_for(1, SOON).await[0].json();
    assert_eq!(
        (&told["token"], &told["ids"], &told["operation"], &told["channel_id"]),
        (&json!("ours"), &json!([id]), &json!("insert"), &json!("100"))
    );
    clock.advance(Duration::from_secs(1800));
    double.edit("Leads", &id, &json!({"City": "unheard"})).unwrap();
    client.get("/crm/v8/actions/watch").await.assert_status(204);
    client.patch("/crm/v8/actions/watch", &watch("2027-01-15T10:00:00+00:00")).await.assert_status(200);
    double.delete("Leads", &id, false).unwrap();
    let all = receiver.wait_for(2, SOON).await;
    assert_eq!((all.len(), &all[1].json()["operation"]), (2, &json!("delete")));
    client.delete("/crm/v8/actions/watch?channel_ids=100").await.assert_status(200);
    double.add("Leads", &json!({"Last_Name": "unheard"})).unwrap();
    assert!(double.stand().outbox.take().is_empty());
}

#[tokio::test]
async fn credits_are_counted_by_tens_of_rows() {
    let (double, client) = started(Options { daily_credits: 12, ..Options::new() }).await;
    let rows = |count: usize| json!({"data": vec![json!({"Last_Name": "x"}); count]});
    let left = |response: testkit::http::Response| response.header("x-api-credits-remaining").unwrap().to_owned();
    assert_eq!(left(client.post("/crm/v8/Leads", &rows(95)).await.expect(201)), "2");
    assert_eq!(client.post("/crm/v8/Leads", &rows(21)).await.expect(429).json()["code"], "TOO_MANY_REQUESTS");
    double.use_up(2);
    client.get("/crm/v8/Leads?fields=Last_Name").await.assert_status(429);
    assert_eq!(double.rows("Leads").len(), 95);
}
