//! Receivers that would keep us: each costs one bounded attempt.

#![allow(clippy::disallowed_methods, reason = "these receivers speak plain TCP, and the attempts' real time is measured")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dispatch::{MAX_BODY, Policy};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::bed::{Bed, system};
use crate::http::{channel, kinds};

/// What they did.
#[derive(Default)]
struct Count {
    connections: AtomicUsize,
    sent: AtomicUsize,
}

/// A server that reads one request and then writes `head` and `piece` again and again, at this pace, as long as somebody reads.
async fn endless(head: &'static str, piece: &'static [u8], pace: Option<Duration>) -> (SocketAddr, Arc<Count>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(Count::default());
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(pour(stream, head, piece, pace, Arc::clone(&counted)));
        }
    });
    (address, count)
}

async fn pour(mut stream: TcpStream, head: &'static str, piece: &'static [u8], pace: Option<Duration>, count: Arc<Count>) {
    let mut seen = [0; 4096];
    // The whole request comes in one piece or two; what matters is that it was sent.
    if stream.read(&mut seen).await.is_err() || stream.write_all(head.as_bytes()).await.is_err() {
        return;
    }
    let mut pace = pace.map(tokio::time::interval);
    while stream.write_all(piece).await.is_ok() {
        count.sent.fetch_add(piece.len(), Ordering::SeqCst);
        if let Some(pace) = &mut pace {
            pace.tick().await;
        }
    }
}

fn once(timeout_ms: u64) -> Policy {
    Policy { schedule_ms: Vec::new(), timeout_ms, ..Policy::default() }
}

testkit::engines! {
    /// A byte a moment, in the body or in the head, keeps the attempt no longer than its time-out.
    async fn a_dripping_answer_costs_one_attempt(bed: Bed) {
        bed.extra.lock().unwrap().push(channel("insurance-leads"));
        let dispatch = bed.dispatch().await;
        let pace = Some(Duration::from_millis(50));
        let body = endless("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x", pace).await;
        let head = endless("HTTP/1.1 200 OK\r\nX-Slow: ", b"x", pace).await;
        for (address, _) in [&body, &head] {
            bed.destination_on("http", json!({ "url": format!("http://{address}/") }), once(400)).await;
        }
        let started = std::time::Instant::now();
        bed.publish(1).await;
        bed.wait_ended("exhausted", 2).await;
        bed.wait_quiet(&dispatch).await;
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
        assert_eq!(kinds(&bed).await, ["timeout", "timeout"]);
        let longest: i64 = bed.store.logs().read(system(), |tx| tx.query_one("SELECT MAX(duration_ms) FROM attempts", &[], |row| row.get(0))).await.unwrap();
        assert!((400..5000).contains(&longest), "{longest} ms");
        for (_, count) in [body, head] {
            assert_eq!(count.connections.load(Ordering::SeqCst), 1, "one attempt");
        }
    }

    /// 400 MB: a 200 is a 200, a 500 a failure; in both cases the answer is cut and the rest is not read.
    async fn a_huge_answer_costs_one_attempt(bed: Bed) {
        bed.extra.lock().unwrap().push(channel("insurance-leads"));
        let dispatch = bed.dispatch().await;
        static PIECE: [u8; 65_536] = [b'x'; 65_536];
        let good = endless("HTTP/1.1 200 OK\r\nContent-Length: 400000000\r\n\r\n", &PIECE, None).await;
        let bad = endless("HTTP/1.1 500 Oh\r\nContent-Length: 400000000\r\n\r\n", &PIECE, None).await;
        for (address, _) in [&good, &bad] {
            bed.destination_on("http", json!({ "url": format!("http://{address}/") }), once(10_000)).await;
        }
        bed.publish(1).await;
        bed.wait_ended("delivered", 1).await;
        bed.wait_ended("exhausted", 1).await;
        bed.wait_quiet(&dispatch).await;
        let kept: Vec<i64> = bed.store.logs().read(system(), |tx| tx.query("SELECT CAST(LENGTH(response_body) AS BIGINT) FROM attempts", &[], |row| row.get(0))).await.unwrap();
        assert_eq!(kept, [i64::try_from(MAX_BODY).unwrap(); 2]);
        for (_, count) in [good, bad] {
            assert_eq!(count.connections.load(Ordering::SeqCst), 1, "one attempt");
            assert!(count.sent.load(Ordering::SeqCst) < 100_000_000, "the rest was not read");
        }
    }

    /// A head without an end is no answer, and is not kept.
    async fn a_head_without_an_end_costs_one_attempt(bed: Bed) {
        bed.extra.lock().unwrap().push(channel("insurance-leads"));
        let dispatch = bed.dispatch().await;
        let (address, count) = endless("HTTP/1.1 200 OK\r\n", b"X-More: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n", None).await;
        bed.destination_on("http", json!({ "url": format!("http://{address}/") }), once(10_000)).await;
        bed.publish(1).await;
        bed.wait_ended("exhausted", 1).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!((kinds(&bed).await, count.connections.load(Ordering::SeqCst)), (vec!["protocol".to_owned()], 1));
        assert!(count.sent.load(Ordering::SeqCst) < 100_000_000);
    }

    /// The end of the year 9999 means "later", not "now": the wait is cut to a day.
    async fn a_retry_after_beyond_time_is_cut_to_a_day(bed: Bed) {
        use testkit::receiver::{Answer, Receiver};
        bed.extra.lock().unwrap().push(channel("insurance-leads"));
        let dispatch = bed.dispatch().await;
        let receiver = Receiver::start();
        receiver.answer(Answer::status(503).header("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"));
        bed.destination_on("http", json!({ "url": receiver.url("/") }), Policy::default()).await;
        bed.publish(1).await;
        receiver.wait_for(1, crate::bed::LIMIT).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!(bed.number("SELECT due_at FROM queue").await, bed.ambient.now().millis() + 86_400_000);
    }
}
