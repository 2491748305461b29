//! Active health checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use http::StatusCode;

use crate::backend::{Backend, text};
use crate::bed::{Bed, LIMIT};

#[tokio::test]
async fn a_target_that_is_unwell_gets_no_calls_until_it_is_well_again() {
    let (well, checks) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (state, count) = (Arc::clone(&well), Arc::clone(&checks));
    let backend = Backend::http(move |request| {
        let (state, count) = (Arc::clone(&state), Arc::clone(&count));
        async move {
            let mut answer = text("here");
            if request.uri().path() == "/healthz" {
                count.fetch_add(1, Ordering::SeqCst);
                if !state.load(Ordering::SeqCst) {
                    *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                }
            }
            answer
        }
    })
    .await;
    let members = "health = { path = \"/healthz\", interval_seconds = 1, healthy_after = 1, unhealthy_after = 1 }";
    let bed = Bed::new(&[backend.url()], members).await;
    let shop = Arc::clone(bed.upstreams.get("shop").unwrap());
    let becomes = |wanted: bool| {
        let shop = &shop;
        testkit::wait::until("the target's state", LIMIT, move || async move { (shop.targets()[0].1 == wanted).then_some(()) })
    };
    becomes(false).await;
    let client = bed.client();
    client.get("/shop/a").await.assert_problem(503, "upstream_unavailable");
    well.store(true, Ordering::SeqCst);
    becomes(true).await;
    assert_eq!(client.get("/shop/a").await.expect(200).text(), "here");
    assert!(checks.load(Ordering::SeqCst) >= 2);
    assert!(bed.log.lock().unwrap().iter().all(|line| line.status == 200), "checks are no calls");
}
