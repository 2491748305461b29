//! Arbitrary JSON and arbitrary bytes to every route that takes a body.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Number, Value};
use testkit::{Bed, Engine};

use super::writes;
use crate::world::{World, assert_is_problem};

/// Enough to meet every kind of value at every route; each case is eight requests.
const CASES: u32 = 60;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::Number)),
        ".{0,40}".prop_map(Value::String),
        Just(Value::String("\u{0}".into())),
        Just(Value::String("lead.created".into())),
    ];
    let name = prop_oneof!["name|type|data|events|url|clientId|scopes|email|id|filter|metadata|externalId|rateLimitOverride", ".{0,8}"];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A good body with one of its members replaced, so that what lies behind the first check is met too.
fn nearly_good(good: &Value, noise: &Value, place: usize) -> Value {
    let mut body = good.clone();
    let members = body.as_object_mut().unwrap();
    let name = members.keys().nth(place % members.len()).unwrap().clone();
    members.insert(name, noise.clone());
    body
}

#[test]
fn no_body_is_more_than_refused() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (world, tenant) = runtime.block_on(async {
        let world = World::open(Engine::sqlite()).await;
        let tenant = world.tenant("Acme").await;
        (world, tenant)
    });
    let send = async |path: &str, body: Vec<u8>| {
        let answer = tenant.host.request("POST".parse().unwrap(), path).body("application/json", body.clone()).send().await;
        let what = format!("{path} with {}", String::from_utf8_lossy(&body));
        assert!(answer.status.as_u16() < 500, "{what}: {} {}", answer.status, answer.text());
        if !answer.status.is_success() {
            assert_is_problem(&what, &answer);
        }
    };
    let strategy = (any_json(), any::<usize>(), prop::collection::vec(any::<u8>(), 0..200));
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&strategy, |(noise, place, bytes)| {
        runtime.block_on(async {
            for (path, good) in writes(&tenant) {
                send(&path, noise.to_string().into_bytes()).await;
                send(&path, nearly_good(&good, &noise, place).to_string().into_bytes()).await;
                send(&path, bytes.clone()).await;
            }
        });
        Ok(())
    });
    outcome.unwrap_or_else(|why| panic!("{why}"));
    runtime.block_on(super::still_serves(&world, &tenant));
}
