//! What destinations on one host and port share; when a destination is given up.

use std::time::Duration;

use dispatch::{Options, Policy, State};
use serde_json::json;
use testkit::receiver::Gate;

use crate::bed::{Bed, LIMIT, Reply};
use crate::retries::advance_until;

testkit::engines! {
    async fn a_dead_host_is_left_alone_by_all_who_lead_there(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let mut all = Vec::new();
        for _ in 0..4 {
            all.push(bed.destination_on("script", json!({"host": "dead.example:443"}), Policy::default()).await);
        }
        let well = bed.destination_on("script", json!({"host": "well.example:443"}), Policy::default()).await;
        bed.channel.answer(move |seen| if seen.destination == well { Reply::Deliver } else { Reply::Absent });
        bed.publish(5).await;
        bed.wait_ended("delivered", 5).await;
        bed.wait_quiet(&dispatch).await;
        // Twenty were due at once, by four destinations; none of them failed often enough for a breaker of its own.
        let begun = bed.channel.count() - 5;
        assert!((10..=20).contains(&begun), "{begun}");
        bed.only(&all);
        bed.publish(5).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!(bed.channel.count() - 5, begun, "nothing is attempted while the host's breaker is open");
        // A retry by hand is the probe; what it finds is good for all.
        bed.channel.answer(|_| Reply::Deliver);
        let (tenant, engine) = (bed.tenant, std::sync::Arc::clone(&dispatch));
        let first = bed.store.write(crate::bed::system(), move |tx| {
            let id = tx.query_one("SELECT MIN(id) FROM queue", &[], |row| row.get(0))?;
            engine.retry(tx, tenant, id)
        });
        first.await.unwrap();
        advance_until(&bed, &dispatch, Duration::from_secs(1), "all arrive", async || bed.ended("delivered").await == 45).await;
    }

    async fn one_host_gets_so_many_at_once(bed: Bed) {
        bed.set_options(|options| Options { max_per_host: 6, ..options });
        let dispatch = bed.dispatch().await;
        for _ in 0..4 {
            bed.destination_on("script", json!({"host": "shared.example:443"}), Policy::default()).await;
        }
        let gate = Gate::closed();
        let held = gate.clone();
        bed.channel.answer(move |_| Reply::Held(held.clone()));
        bed.publish(20).await;
        testkit::wait::until("six are under way", LIMIT, || async { (bed.channel.count() == 6).then_some(()) }).await;
        assert_eq!(dispatch.snapshot().in_flight, 6);
        gate.open();
        bed.wait_ended("delivered", 80).await;
    }

    async fn what_fails_for_days_is_disabled(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let id = bed.destination(Policy::default()).await;
        bed.channel.answer(|_| Reply::Status(500));
        bed.publish(1).await;
        let disabled = async || bed.state(id).await.0 == State::Disabled;
        for day in 1..=5 {
            assert!(!disabled().await, "day {day}");
            advance_until(&bed, &dispatch, Duration::from_hours(1), "its turn ends", async || bed.queued().await == 0).await;
            bed.clock.advance(Duration::from_hours(24));
            bed.publish(1).await;
            bed.wait_quiet(&dispatch).await;
            if disabled().await {
                break;
            }
        }
        advance_until(&bed, &dispatch, Duration::from_hours(1), "it is disabled", disabled).await;
        assert_eq!(bed.state(id).await, (State::Disabled, Some("failing".to_owned())));
        advance_until(&bed, &dispatch, Duration::from_hours(1), "nothing is left", async || bed.queued().await == 0).await;
        assert_eq!(bed.number("SELECT COUNT(*) FROM audit_log WHERE action = 'webhook.disable'").await, 1);
    }
}
