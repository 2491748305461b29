//! Connections that are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::backend::{Backend, mirror};
use crate::bed::Bed;

#[tokio::test]
async fn calls_one_after_another_share_a_connection() {
    let backend = Backend::http(mirror).await;
    let bed = Bed::new(&[backend.url()], "").await;
    let client = bed.client();
    for _ in 0..20 {
        client.get("/shop/a").await.assert_status(200);
        client.post("/shop/a", &serde_json::json!({"n": 1})).await.assert_status(200);
    }
    assert_eq!(backend.connections(), 1);
    let many = (0..8).map(|_| client.get("/shop/a"));
    for answer in futures_util::future::join_all(many).await {
        answer.assert_status(200);
    }
    assert!(backend.connections() <= 9);
}

/// Answers `times` requests on a connection, and closes it without having said so.
async fn closing_after(times: usize) -> (Backend, Arc<AtomicUsize>) {
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    let backend = Backend::raw(move |mut stream| {
        let count = Arc::clone(&count);
        async move {
            let mut seen = Vec::new();
            for _ in 0..times {
                while !seen.windows(4).any(|end| end == b"\r\n\r\n") {
                    if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                seen.clear();
                count.fetch_add(1, Ordering::SeqCst);
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
            }
        }
    })
    .await;
    (backend, served)
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_costs_nobody_a_call() {
    let (backend, served) = closing_after(1).await;
    let bed = Bed::new(&[backend.url()], "retries = 1\neject_after = 1").await;
    let client = bed.client();
    for _ in 0..30 {
        client.get("/shop/a").await.assert_status(200);
    }
    assert_eq!(served.load(Ordering::SeqCst), 30);
    assert!(bed.upstreams.get("shop").unwrap().targets()[0].1, "nothing is held against the target");
}

#[tokio::test]
async fn nothing_is_kept_where_nothing_may_be() {
    let backend = Backend::http(mirror).await;
    let bed = Bed::new(&[backend.url()], "max_idle = 0").await;
    let client = bed.client();
    for _ in 0..3 {
        client.get("/shop/a").await.assert_status(200);
    }
    assert_eq!(backend.connections(), 3);
}
