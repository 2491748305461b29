//! The examples of the documentation are run.

use script::NewBody;
use serde_json::{Value, json};

use crate::rig::{MOMENT, US, engine, function, request};

const PAGE: &str = include_str!("../../../../docs/transforms.md");

#[tokio::test]
async fn examples_do_what_the_page_says() {
    let examples: Vec<&str> = PAGE.split("```js\n").skip(1).filter_map(|part| part.split_once("```").map(|(code, _)| code)).collect();
    assert_eq!(examples.len(), 2, "every example is tried below");
    let engine = engine(1);
    let lead = request(&json!({"firstName": "Ada", "lastName": "Byron", "insuranceType": "AUTO", "leadId": "a/b", "amount": 1500}));
    let slack = engine.transform(US, &function(examples[0]), &lead, MOMENT).await.unwrap();
    let NewBody::Json(body) = slack.body else { panic!("{:?}", slack.body) };
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&body["text"], &body["blocks"][0]["text"]["text"]), (&json!("New lead: Ada Byron"), &json!("*Ada* wants *AUTO*")));
    let form = engine.transform(US, &function(examples[1]), &lead, MOMENT).await.unwrap();
    assert_eq!(form.body, NewBody::Text("lead=a%2Fb&amount=1500".to_owned()));
    assert_eq!((form.method.as_deref(), form.url.as_deref()), (Some("PUT"), Some("https://receiver.example/hook/a%2Fb")));
    assert_eq!(form.headers.unwrap()["x-amount"], json!(1500));
    let small = engine.transform(US, &function(examples[1]), &request(&json!({"leadId": "1", "amount": 5})), MOMENT).await.unwrap();
    assert!(small.cancel);
}
