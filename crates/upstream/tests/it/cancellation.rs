//! A caller that leaves.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

use crate::backend::Backend;
use crate::bed::{Bed, LIMIT};
use crate::raw::Wire;

/// A backend that reads a head, answers `reply`, and tells when its caller has gone.
async fn noticing(reply: &'static str) -> (Backend, Arc<Notify>, Arc<Notify>) {
    let (asked, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell_asked, tell_gone) = (Arc::clone(&asked), Arc::clone(&gone));
    let backend = Backend::raw(move |mut stream| {
        let (asked, gone) = (Arc::clone(&tell_asked), Arc::clone(&tell_gone));
        async move {
            let mut seen = Vec::new();
            while !seen.windows(4).any(|end| end == b"\r\n\r\n") {
                if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                    return;
                }
            }
            stream.write_all(reply.as_bytes()).await.unwrap();
            asked.notify_one();
            while stream.read_buf(&mut seen).await.is_ok_and(|read| read > 0) {}
            gone.notify_one();
        }
    })
    .await;
    (backend, asked, gone)
}

#[tokio::test]
async fn a_caller_that_leaves_before_the_answer_takes_the_call_with_it() {
    let (backend, asked, gone) = noticing("").await;
    let bed = Bed::new(&[backend.url()], "").await;
    let mut wire = Wire::open(&bed).await;
    wire.write("GET /shop/slow HTTP/1.1\r\nhost: a\r\nauthorization: Bearer anna\r\n\r\n").await;
    tokio::time::timeout(LIMIT, asked.notified()).await.expect("the backend was asked");
    drop(wire);
    tokio::time::timeout(LIMIT, gone.notified()).await.expect("the backend notices");
}

#[tokio::test]
async fn a_caller_that_leaves_during_the_answer_does_too_and_is_logged() {
    let (backend, asked, gone) = noticing("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello").await;
    let bed = Bed::new(&[backend.url()], "").await;
    let mut wire = Wire::open(&bed).await;
    wire.write("GET /shop/slow HTTP/1.1\r\nhost: a\r\nauthorization: Bearer anna\r\n\r\n").await;
    tokio::time::timeout(LIMIT, asked.notified()).await.expect("the backend was asked");
    wire.until("hello").await;
    drop(wire);
    tokio::time::timeout(LIMIT, gone.notified()).await.expect("the backend notices");
    let logged = bed.logged(1).await;
    assert_eq!((logged[0].status, logged[0].response, logged[0].fault), (200, 5, Some("client_gone")));
}
