//! Limits across nodes, by a real Redis: several gates with counters of their own stand for several nodes.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use gate::{CounterOptions, Counters, SharedState};
use http::Method;
use kernel::{Ambient, Secret};
use serde_json::{Value, json};
use testkit::{redis, wait};

use crate::bed::{Answer, Bed};

const SOON: Duration = Duration::from_secs(20);
/// Calls that each node makes in step with the others.
const TOGETHER: u64 = 50;

struct Node {
    router: Router,
    counters: Arc<Counters>,
}

async fn nodes(bed: &mut Bed, count: usize, url: &str) -> Vec<Node> {
    // Windows end by the server's clock: the nodes' must be near it.
    bed.ambient = Ambient::system();
    let options =
        CounterOptions { redis_url: Some(Secret::new(url.to_owned())), redis_timeout: Duration::from_secs(2), ..CounterOptions::default() };
    let nodes: Vec<Node> = (0..count)
        .map(|_| {
            let (router, counters) = bed.node(&options);
            Node { router, counters }
        })
        .collect();
    all(&nodes, SharedState::Up).await;
    nodes
}

async fn all(nodes: &[Node], state: SharedState) {
    let same = async || nodes.iter().all(|node| node.counters.shared_state() == state).then_some(());
    wait::until(&format!("{state:?} on every node"), SOON, same).await;
}

async fn call(bed: &Bed, node: &Node, key: &str) -> Answer {
    bed.send_to(&node.router, "10.1.2.3", Method::GET, "/me", &[("authorization", &format!("Bearer {key}"))], None).await
}

/// Calls node after node until each has refused `refusals` times in a row: how many were admitted by each.
async fn until_refused(bed: &Bed, nodes: &[Node], key: &str, refusals: usize) -> Vec<u64> {
    let one = async |node: &Node| {
        let (mut admitted, mut refused) = (0, 0);
        while refused < refusals {
            match call(bed, node, key).await.status.as_u16() {
                200 => (admitted, refused) = (admitted + 1, 0),
                429 => {
                    refused += 1;
                    // tidy: condition: others may give back what they set aside, within a quarter of a second.
                    tokio::time::sleep(Duration::from_millis(60)).await;
                }
                other => panic!("{other}"),
            }
        }
        admitted
    };
    futures_util::future::join_all(nodes.iter().map(one)).await
}

fn day(requests: u64) -> Value {
    json!({"rateLimitOverride": {"requests": requests, "window": 86_400_000}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_nodes_admit_a_keys_limit_and_no_more() {
    let mut bed = bed().await;
    let nodes = nodes(&mut bed, 4, &redis::url()).await;
    let key = bed.key(day(1000)).await;
    // In step at first, so that every node takes part; how many each of them gets afterwards is the machine's affair, and nothing is promised.
    for _ in 0..TOGETHER {
        let round = futures_util::future::join_all(nodes.iter().map(|node| call(&bed, node, &key))).await;
        assert!(round.iter().all(|answer| answer.status == 200));
    }
    let admitted = until_refused(&bed, &nodes, &key, 12).await;
    let total = admitted.iter().sum::<u64>() + 4 * TOGETHER;
    assert!((980..=1000).contains(&total), "{admitted:?}");
    let refused = call(&bed, &nodes[0], &key).await;
    refused.assert(429, "rate_limited");
    assert_eq!(refused.header("x-ratelimit-remaining"), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_idle_node_set_aside_comes_back() {
    let mut bed = bed().await;
    let nodes = nodes(&mut bed, 2, &redis::url()).await;
    let key = bed.key(day(640)).await;
    // The first node is busy for a moment, and then no more.
    for _ in 0..40 {
        call(&bed, &nodes[0], &key).await;
    }
    let admitted = until_refused(&bed, &nodes[1..], &key, 30).await;
    assert_eq!(admitted[0] + 40, 640, "every one of them was used by somebody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_holds_across_nodes() {
    let mut bed = bed().await;
    let nodes = nodes(&mut bed, 3, &redis::url()).await;
    let key = bed.key(json!({"rateLimitOverride": {"perMinute": 60, "burst": 10}})).await;
    let mut admitted = 0;
    for n in 0..30 {
        admitted += u64::from(call(&bed, &nodes[n % 3], &key).await.status == 200);
    }
    // One comes back each second.
    assert!((10..=13).contains(&admitted), "{admitted}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_go_on_while_redis_is_away_and_when_it_is_back() {
    let mut bed = bed().await;
    let server = redis::Server::start().unwrap();
    let nodes = nodes(&mut bed, 2, server.url()).await;
    let key = bed.key(day(100)).await;
    for n in 0..60 {
        assert_eq!(call(&bed, &nodes[n % 2], &key).await.status, 200);
    }
    let port = server.port();
    drop(server);
    // Nobody is refused because of it, and nobody waits: each node goes on from what it knew.
    let mut away = 0;
    for _ in 0..200 {
        away += u64::from(call(&bed, &nodes[0], &key).await.status == 200);
    }
    all(&nodes, SharedState::Away).await;
    assert!((38..=44).contains(&away), "{away}");
    let _again = redis::Server::start_at(port).unwrap();
    all(&nodes, SharedState::Up).await;
    // The new server knows nothing; the nodes tell it what they know.
    let mut back = 0;
    for n in 0..100 {
        back += u64::from(call(&bed, &nodes[n % 2], &key).await.status == 200);
    }
    assert!(back <= 4, "{back} more were admitted of a limit that was used up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_never_was_there_stops_nothing() {
    let bed = bed().await;
    let url = format!("redis://127.0.0.1:{}", testkit::port::free());
    let options = CounterOptions { redis_url: Some(Secret::new(url)), ..CounterOptions::default() };
    let (router, counters) = bed.node(&options);
    let node = Node { router, counters };
    assert_eq!(node.counters.shared_state(), SharedState::Away);
    let key = bed.key(day(3)).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(call(&bed, &node, &key).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 429]);
}

async fn bed() -> Bed {
    <Bed as testkit::Bed>::open(testkit::Engine::sqlite()).await
}
