//! How many jobs are under way at once.

use serde_json::json;
use testkit::engines;

use crate::bed::{Bed, new};

engines! {
    /// Two of a tenant, three of all; whoever ends makes room, and a tenant with many does not keep the others out.
    async fn places_are_limited_by_type_and_tenant(bed: Bed) {
        for n in 0..10 {
            bed.start("narrow", json!({"n": n})).await;
        }
        let theirs = kernel::Caller::system("test", Some(bed.other));
        for n in 0..2 {
            bed.jobs.create(&theirs, new(json!({"type": "narrow", "input": {"n": 100 + n}}))).await.unwrap();
        }
        let mut leased = bed.lease(&["narrow"], 32).await;
        assert_eq!(numbers(&leased), [0, 1, 100], "two of ours, and theirs before the rest of ours");
        assert!(bed.lease(&["narrow"], 32).await.is_empty());
        bed.complete(&leased.remove(0), json!(null)).await.unwrap();
        assert_eq!(numbers(&bed.lease(&["narrow"], 32).await), [2]);
        bed.fail(&leased.remove(0), json!({})).await.unwrap();
        bed.jobs.cancel(&theirs, leased.remove(0).id).await.unwrap();
        assert_eq!(numbers(&bed.lease(&["narrow"], 32).await), [3, 101]);
    }

    /// All are done in the end, however they end, with no more than two at any time.
    async fn no_place_is_lost(bed: Bed) {
        for n in 0..30 {
            bed.start("narrow", json!({"n": n})).await;
        }
        let mut ended = 0;
        for round in 0.. {
            let leased = bed.lease(&["narrow"], 32).await;
            let running = bed.count("SELECT COUNT(*) FROM jobs WHERE state = 'processing'").await;
            assert!(running <= 2, "{running}");
            if leased.is_empty() {
                break;
            }
            let mut silent = false;
            for (n, lease) in leased.into_iter().enumerate() {
                match (round + n) % 4 {
                    0 => drop(bed.complete(&lease, json!(null)).await.unwrap()),
                    1 => drop(bed.fail(&lease, json!({"retry": false})).await.unwrap()),
                    2 => drop(bed.jobs.cancel(&bed.host(), lease.id).await.unwrap()),
                    // A worker that falls silent: it will be leased again.
                    _ => {
                        silent = true;
                        ended -= 1;
                    }
                }
                ended += 1;
            }
            if silent {
                bed.pass(31).await;
            }
        }
        assert_eq!(ended, 30);
        assert_eq!(bed.count("SELECT COUNT(*) FROM jobs WHERE ended_at IS NULL").await, 0);
    }

    /// A limit that goes leaves nobody behind.
    async fn a_limit_that_goes_leaves_nobody_behind(bed: Bed) {
        for n in 0..6 {
            bed.start("narrow", json!({"n": n})).await;
        }
        let changed = include_str!("blueprint.toml").replace("concurrency = 3\nconcurrency_per_tenant = 2\n", "");
        let second = bed.node_with(&changed).await;
        assert_eq!(bed.count("SELECT COUNT(*) FROM jobs WHERE state = 'held'").await, 4);
        second.jobs.settle().await.unwrap();
        assert_eq!(bed.count("SELECT COUNT(*) FROM jobs WHERE state = 'ready'").await, 6);
        second.dispatch.drain(std::time::Duration::from_secs(1)).await;
        second.jobs.close();
    }

    /// On two servers at once the limits hold too.
    async fn places_hold_across_servers(bed: Bed) {
        let second = bed.second_node().await;
        for n in 0..8 {
            let jobs = if n % 2 == 0 { &bed.jobs } else { &second.jobs };
            jobs.create(&bed.host(), new(json!({"type": "narrow", "input": {"n": n}}))).await.unwrap();
        }
        let mut total = 0;
        loop {
            let (worker, asked) = (bed.worker(), || crate::bed::ask(&["narrow"], 32, 0));
            let (one, other) = tokio::join!(bed.jobs.lease(&worker, asked()), second.jobs.lease(&worker, asked()));
            let leased = [one.unwrap().data, other.unwrap().data].concat();
            assert!(bed.count("SELECT COUNT(*) FROM jobs WHERE state = 'processing'").await <= 2);
            if leased.is_empty() {
                break;
            }
            for lease in leased {
                bed.complete(&lease, json!(null)).await.unwrap();
                total += 1;
            }
        }
        assert_eq!(total, 8);
        second.dispatch.drain(std::time::Duration::from_secs(1)).await;
        second.jobs.close();
    }
}

fn numbers(leased: &[jobs::Lease]) -> Vec<i64> {
    leased.iter().map(|lease| lease.input["n"].as_i64().unwrap()).collect()
}
