//! Order by key: strict within one, free between them.

use std::collections::HashMap;
use std::time::Duration;

use dispatch::{Options, Policy};
use testkit::receiver::Gate;

use crate::bed::{Bed, LIMIT, Reply, Seen};
use crate::retries::advance_until;

fn ordered() -> Policy {
    Policy { ordered: true, ..Policy::default() }
}

/// `count` events of each of these keys, by turns.
async fn publish(bed: &Bed, keys: &[&str], count: usize) {
    let with_key = |key: &str| kernel::Event { ordering_key: Some(key.to_owned()), ..bed.event(br#"{"leadId":"1"}"#) };
    let all: Vec<_> = (0..count).flat_map(|_| keys.iter().map(|key| with_key(key))).collect();
    for some in all.chunks(100) {
        bed.emit(some.to_vec()).await;
    }
}

/// Within each key no delivery was attempted before all attempts at those before it.
fn assert_order(seen: &[Seen]) {
    let mut last: HashMap<Option<String>, i64> = HashMap::new();
    for one in seen {
        let before = last.insert(one.key.clone(), one.seq).unwrap_or(0);
        assert!(before <= one.seq, "{one:?} after {before}");
    }
}

testkit::engines! {
    async fn without_keys_one_goes_after_another(bed: Bed) {
        let dispatch = bed.dispatch().await;
        bed.destination(ordered()).await;
        // Every seventh fails at first.
        bed.channel.answer(|seen| if seen.seq % 7 == 0 && seen.number < 3 { Reply::Status(500) } else { Reply::Deliver });
        bed.publish(40).await;
        advance_until(&bed, &dispatch, Duration::from_secs(60), "all arrive", async || bed.ended("delivered").await == 40).await;
        let seen = bed.channel.seen();
        assert_order(&seen);
        assert_eq!(seen.len(), 40 + 2 * 5);
    }

    async fn a_key_that_hangs_holds_up_no_other(bed: Bed) {
        let dispatch = bed.dispatch().await;
        bed.destination(ordered()).await;
        let gate = Gate::closed();
        let held = gate.clone();
        bed.channel.answer(move |seen| if seen.key.as_deref() == Some("a") { Reply::Held(held.clone()) } else { Reply::Deliver });
        publish(&bed, &["a", "b", "c"], 30).await;
        bed.wait_ended("delivered", 60).await;
        assert_eq!(bed.channel.seen().iter().filter(|seen| seen.key.as_deref() == Some("a")).count(), 1);
        gate.open();
        bed.wait_ended("delivered", 90).await;
        assert_order(&bed.channel.seen());
        bed.wait_quiet(&dispatch).await;
    }

    async fn a_retry_holds_up_its_key_alone_even_across_a_crash(bed: Bed) {
        let dispatch = bed.dispatch().await;
        bed.destination(Policy { schedule_ms: vec![3_600_000, 3_600_000], ..ordered() }).await;
        bed.channel.answer(|seen| if seen.key.as_deref() == Some("a") { Reply::Status(500) } else { Reply::Deliver });
        publish(&bed, &["a", "b"], 20).await;
        bed.wait_ended("delivered", 20).await;
        bed.wait_quiet(&dispatch).await;
        let tried = |bed: &Bed| bed.channel.seen().iter().filter(|seen| seen.key.as_deref() == Some("a")).count();
        assert_eq!(tried(&bed), 1);
        bed.crash(dispatch).await;
        bed.clock.advance(Duration::from_secs(7));
        let dispatch = bed.dispatch().await;
        // New ones of the key wait too, whoever the node is.
        publish(&bed, &["a", "c"], 20).await;
        bed.wait_ended("delivered", 40).await;
        dispatch.poke();
        bed.wait_quiet(&dispatch).await;
        assert_eq!(tried(&bed), 1);
        bed.channel.answer(|_| Reply::Deliver);
        advance_until(&bed, &dispatch, Duration::from_mins(10), "all arrive", async || bed.ended("delivered").await == 80).await;
        assert_order(&bed.channel.seen());
        assert_eq!(bed.channel.count(), 81);
    }

    async fn a_poison_event_is_parked_and_its_key_goes_on(bed: Bed) {
        let dispatch = bed.dispatch().await;
        bed.destination(Policy { schedule_ms: vec![1000, 1000], ..ordered() }).await;
        bed.channel.answer(|seen| if seen.seq == 3 { Reply::Status(500) } else { Reply::Deliver });
        publish(&bed, &["a"], 10).await;
        advance_until(&bed, &dispatch, Duration::from_millis(500), "all end", async || bed.queued().await == 0).await;
        assert_eq!((bed.ended("delivered").await, bed.ended("exhausted").await), (9, 1));
        assert_order(&bed.channel.seen());
        assert_eq!(bed.channel.count(), 9 + 3);
    }

    async fn order_holds_when_most_waits_in_the_database(bed: Bed) {
        bed.set_options(|options| Options { ready_per_destination: 8, memory: 0, ..options });
        let dispatch = bed.dispatch().await;
        bed.destination(ordered()).await;
        bed.channel.answer(|seen| if seen.seq % 31 == 0 && seen.number == 1 { Reply::Status(500) } else { Reply::Deliver });
        for _ in 0..5 {
            publish(&bed, &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"], 10).await;
        }
        advance_until(&bed, &dispatch, Duration::from_secs(3), "all arrive", async || bed.ended("delivered").await == 600).await;
        assert_order(&bed.channel.seen());
    }
}

#[test]
fn two_nodes_keep_one_order() {
    testkit::engine::run(testkit::Engine::postgres(), |bed: Bed| async move {
        let one = bed.dispatch().await;
        bed.destination(ordered()).await;
        publish(&bed, &["a", "b"], 25).await;
        // From here on the other one publishes.
        let _two = bed.dispatch().await;
        publish(&bed, &["a", "b"], 25).await;
        bed.wait_ended("delivered", 100).await;
        assert_order(&bed.channel.seen());
        bed.wait_quiet(&one).await;
        let mine = format!("SELECT COUNT(*) FROM destination_seqs WHERE owner = '{}'", one.node().id);
        assert_eq!((bed.number(mine.leak()).await, bed.channel.count()), (1, 100), "the first node works the lane");
        drop(one);
        bed.clock.advance(Duration::from_secs(7));
        publish(&bed, &["a", "b"], 25).await;
        testkit::wait::until("all arrive", LIMIT, || async { (bed.ended("delivered").await == 150).then_some(()) }).await;
        assert_order(&bed.channel.seen());
    });
}
