//! How many runs a second: a number to look at, and a bound far below it that a slow machine keeps too.

use std::time::Instant;

use serde_json::json;

use crate::rig::{MOMENT, US, engine, function, request};

const SIMPLE: &str = "function handler(webhook) {\n  webhook.body.data.full = webhook.body.data.name + '!';\n  delete webhook.body.data.amount;\n  return webhook;\n}";

/// Prints runs a second: one after another, and 64 at once over two workers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simple_transform_is_quick() {
    let data = json!({"name": "Ada", "amount": 5, "notes": "x".repeat(300), "tags": ["a", "b", "c"], "nested": {"a": 1, "b": [1, 2, 3]}});
    let input = request(&data);
    let (engine, function) = (engine(2), function(SIMPLE));
    let runs: u32 = 2000;
    engine.transform(US, &function, &input, MOMENT).await.unwrap();
    let began = Instant::now();
    for _ in 0..runs {
        engine.transform(US, &function, &input, MOMENT).await.unwrap();
    }
    let one = began.elapsed();
    let began = Instant::now();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (engine, function, input) = (engine.clone(), function.clone(), input.clone());
            tokio::spawn(async move {
                for _ in 0..runs / 64 {
                    engine.transform(US, &function, &input, MOMENT).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let many = began.elapsed();
    println!("one after another: {:.0} µs a run, {:.0}/s", one.as_secs_f64() * 1e6 / f64::from(runs), f64::from(runs) / one.as_secs_f64());
    let done = f64::from(runs / 64 * 64);
    println!("64 at once, two workers: {:.0}/s", done / many.as_secs_f64());
    assert!(f64::from(runs) / one.as_secs_f64() > 200.0, "{one:?} for {runs} runs");
}
