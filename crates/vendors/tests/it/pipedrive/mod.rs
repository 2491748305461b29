//! Pipedrive's double: judged by its client, and what that does not look at.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::http::Client;
use testkit::receiver::Receiver;
use vendors::faults::Fault;
use vendors::pipedrive::{Options, Pipedrive};
use vendors::stand::{Double, Vendor as _};

use crate::judges;
use crate::stage::{SOON, clock};

async fn started(options: Options) -> (Double<Pipedrive>, Client) {
    let double = Double::start(Pipedrive::new(options)).await.unwrap();
    let client = Client::new(double.url()).bearer(&double.issue().access_token);
    (double, client)
}

#[tokio::test]
async fn the_client_for_javascript_is_satisfied() {
    let double = Double::start(Pipedrive::new(Options::unlimited())).await.unwrap();
    double.add_field("persons", "Score", "double", &[]).unwrap();
    let given = json!({"url": double.url(), "token": double.issue().access_token});
    if judges::judge_by_node("pipedrive/client.cjs", &["pipedrive@33.7.0"], given).await {
        assert_eq!((double.rows("persons").len(), double.rows("leads").len()), (12, 0));
    }
}

#[tokio::test]
async fn two_writers_who_search_first_make_two_persons_while_the_index_is_behind() {
    let (clock, ambient) = clock();
    let (double, client) = started(Options { ambient, ..Options::unlimited() }).await;
    double.stand().faults.add(Fault::parse("index-lag,ms=5000").unwrap());
    let found = || async {
        client.get("/api/v2/persons/search?term=ann@example.com&fields=email&exact_match=true").await.expect(200).json()["data"]["items"]
            .as_array()
            .unwrap()
            .len()
    };
    for _ in 0..2 {
        assert_eq!(found().await, 0);
        client
            .post("/api/v2/persons", &json!({"name": "Ann", "emails": [{"value": "ann@example.com", "primary": true}]}))
            .await
            .assert_status(200);
    }
    clock.advance(Duration::from_secs(5));
    assert_eq!(found().await, 2);
}

#[tokio::test]
async fn codes_of_custom_fields_differ_from_account_to_account() {
    let (double, client) = started(Options::unlimited()).await;
    double.add_field("persons", "Padding", "varchar", &[]).unwrap();
    let code = double.add_field("persons", "Level", "enum", &["low", "high"]).unwrap();
    let other = Double::start(Pipedrive::new(Options::new())).await.unwrap();
    assert_ne!(code, other.add_field("persons", "Level", "enum", &["low", "high"]).unwrap());
    let fields = client.get("/api/v2/personFields").await.expect(200).json();
    let field = fields["data"].as_array().unwrap().iter().find(|field| field["field_code"] == json!(code)).unwrap().clone();
    assert_eq!((&field["field_name"], &field["options"][1]), (&json!("Level"), &json!({"id": 2, "label": "high"})));
    let write = |value: Value| json!({"name": "Ann", "custom_fields": {(&code): value}});
    assert_eq!(client.post("/api/v2/persons", &write(json!(2))).await.expect(200).json()["data"]["custom_fields"][&code], 2);
    assert_eq!(client.post("/api/v2/persons", &write(json!("high"))).await.expect(400).json()["code"], "ERR_SCHEMA_VALIDATION_FAILED");
}

#[tokio::test]
async fn calls_cost_tokens_of_the_day_and_come_in_bursts() {
    let (clock, ambient) = clock();
    let (double, client) = started(Options { ambient, daily_tokens: 36, burst: 2, ..Options::new() }).await;
    let left = |response: testkit::http::Response| response.header("x-daily-requests-left").unwrap().to_owned();
    assert_eq!(left(client.get("/api/v2/persons").await.expect(200)), "26");
    let second = client.post("/api/v2/persons", &json!({"name": "Ann"})).await.expect(200);
    assert_eq!(second.header("x-ratelimit-remaining"), Some("0"));
    assert_eq!(left(second), "21");
    assert_eq!(client.get("/api/v2/persons").await.expect(429).json()["error"], "request over limit");
    clock.advance(Duration::from_secs(2));
    assert_eq!(left(client.get("/api/v2/persons/search?term=Ann").await.expect(200)), "1");
    assert_eq!(left(client.get("/api/v2/persons/1").await.expect(200)), "0");
    clock.advance(Duration::from_secs(2));
    client.get("/api/v2/persons/1").await.assert_status(429);
    double.withdraw();
    client.get("/api/v2/persons/1").await.assert_status(401);
}

#[tokio::test]
async fn a_merge_is_told_as_one_deletion_and_one_change_with_basic_authentication() {
    let (double, client) = started(Options::unlimited()).await;
    let kept = double.add("persons", &json!({"name": "Ann", "emails": [{"value": "a@example.com", "primary": true}]})).unwrap();
    let gone = double
        .add("persons", &json!({"name": "Anna", "emails": [{"value": "b@example.com", "primary": true}], "job_title": "CEO"}))
        .unwrap();
    let receiver = Receiver::start();
    double.subscribe(&receiver.url("/in"), "*", "person", "tradewind", "secret").unwrap();
    let merged = client
        .put(&format!("/api/v1/persons/{gone}/merge"), &json!({"merge_with_id": kept.parse::<u64>().unwrap()}))
        .await
        .expect(200)
        .json();
    assert_eq!((&merged["data"]["job_title"], merged["data"]["emails"].as_array().unwrap().len()), (&json!("CEO"), 2));
    let came = receiver.wait_for(2, SOON).await;
    assert!(came.iter().all(|one| one.header("authorization") == Some("Basic dHJhZGV3aW5kOnNlY3JldA==")));
    let (first, second) = (came[0].json(), came[1].json());
    assert_eq!(
        (&first["meta"]["action"], &first["meta"]["merged_to_id"], &first["data"]),
        (&json!("delete"), &json!(kept.parse::<u64>().unwrap()), &Value::Null)
    );
    assert_eq!(
        (&second["meta"]["action"], &second["previous"]["job_title"], &second["data"]["job_title"]),
        (&json!("change"), &Value::Null, &json!("CEO"))
    );
    assert_eq!((&second["meta"]["change_source"], &second["meta"]["user_id"]), (&json!("api"), &json!(1)));
    double.edit("persons", &kept, &json!({"name": "Ann Lee"})).unwrap();
    let by_hand = receiver.wait_for(3, SOON).await[2].json();
    assert_eq!((&by_hand["meta"]["change_source"], &by_hand["previous"]["name"]), (&json!("app"), &json!("Ann")));
}

#[tokio::test]
async fn a_page_can_begin_with_the_last_row_of_the_one_before() {
    let (double, client) = started(Options::unlimited()).await;
    double.seed_persons(5);
    let first = client.get("/api/v2/persons?limit=2").await.json();
    let cursor = first["additional_data"]["next_cursor"].as_str().unwrap();
    double.stand().faults.add(Fault::parse("duplicate-rows,path=cursor").unwrap());
    let second = client.get(&format!("/api/v2/persons?limit=2&cursor={cursor}")).await.json();
    assert_eq!(first["data"][1]["id"], second["data"][0]["id"]);
    client.get("/api/v2/persons?cursor=nonsense").await.assert_status(400);
}
