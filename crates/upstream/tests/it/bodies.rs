//! Bodies: as they come, both ways, whatever their size.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::backend::{Backend, Body, text};
use crate::bed::{Bed, LIMIT, Logged};
use crate::raw::{Wire, ask};

type Sender = mpsc::Sender<Result<Frame<Bytes>, std::io::Error>>;

/// A body that is fed from outside.
fn fed() -> (Sender, Body) {
    let (sender, receiver) = mpsc::channel(1);
    let frames = futures_util::stream::unfold(receiver, |mut receiver| async { receiver.recv().await.map(|frame| (frame, receiver)) });
    (sender, StreamBody::new(frames).boxed_unsync())
}

#[tokio::test]
async fn the_first_byte_of_an_answer_comes_before_the_last_is_sent() {
    let (seen, was_seen) = oneshot::channel::<()>();
    let was_seen = Arc::new(Mutex::new(Some(was_seen)));
    let backend = Backend::http(move |_| {
        let was_seen = Arc::clone(&was_seen);
        async move {
            let (sender, body) = fed();
            tokio::spawn(async move {
                sender.send(Ok(Frame::data(Bytes::from_static(b"first")))).await.unwrap();
                was_seen.lock().await.take().unwrap().await.unwrap();
                sender.send(Ok(Frame::data(Bytes::from_static(b"last")))).await.unwrap();
            });
            Response::new(body)
        }
    })
    .await;
    let bed = Bed::new(&[backend.url()], "").await;
    let mut wire = Wire::open(&bed).await;
    wire.write("GET /shop/a HTTP/1.1\r\nhost: a\r\nauthorization: Bearer anna\r\nconnection: close\r\n\r\n").await;
    assert!(!wire.until("first").await.contains("last"));
    seen.send(()).unwrap();
    wire.until("last").await;
    assert_eq!(bed.logged(1).await, [Logged { status: 200, request: 0, response: 9, fault: None }]);
}

#[tokio::test]
async fn the_first_byte_of_a_request_comes_before_the_last_is_sent() {
    let (arrived, mut arrivals) = mpsc::channel::<Bytes>(8);
    let backend = Backend::http(move |request| {
        let arrived = arrived.clone();
        async move {
            let mut body = request.into_body();
            while let Some(Ok(frame)) = body.frame().await {
                arrived.send(frame.into_data().unwrap()).await.unwrap();
            }
            text("done")
        }
    })
    .await;
    let bed = Bed::new(&[backend.url()], "").await;
    let mut wire = Wire::open(&bed).await;
    wire.write("POST /shop/a HTTP/1.1\r\nhost: a\r\nauthorization: Bearer anna\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n").await;
    assert_eq!(arrivals.recv().await.unwrap(), "first");
    wire.write("4\r\nlast\r\n0\r\n\r\n").await;
    assert_eq!(arrivals.recv().await.unwrap(), "last");
    wire.until("done").await;
    assert_eq!(bed.logged(1).await, [Logged { status: 200, request: 9, response: 4, fault: None }]);
}

/// Bytes that can be told apart by their place.
fn pattern(from: u64, length: usize) -> Vec<u8> {
    (from..).take(length).map(|at| (at % 251) as u8).collect()
}

#[tokio::test]
async fn large_bodies_pass_both_ways_unchanged() {
    const SIZE: u64 = 24 << 20;
    let backend = Backend::http(|request| async move {
        let (sender, body) = fed();
        tokio::spawn(async move {
            let mut incoming = request.into_body();
            while let Some(Ok(frame)) = incoming.frame().await {
                if sender.send(Ok(frame)).await.is_err() {
                    return;
                }
            }
        });
        Response::new(body)
    })
    .await;
    let bed = Bed::new(&[backend.url()], "").await;
    let mut wire = Wire::open(&bed).await;
    wire.write(&format!("POST /shop/echo HTTP/1.1\r\nhost: a\r\nauthorization: Bearer anna\r\ncontent-length: {SIZE}\r\n\r\n")).await;
    let (read, mut write) = wire.stream.into_split();
    let sending = tokio::spawn(async move {
        let mut at = 0;
        while at < SIZE {
            let part = pattern(at, 64 * 1024);
            write.write_all(&part).await.unwrap();
            at += part.len() as u64;
        }
        write
    });
    let io = hyper_util::rt::TokioIo::new(tokio::io::join(read, tokio::io::sink()));
    // The answer is read by a parser of chunks that is not ours.
    let received = Arc::new(AtomicU64::new(0));
    let mut reader = Chunks::new(io.into_inner());
    while let Some(part) = reader.next().await {
        let at = received.fetch_add(part.len() as u64, Ordering::Relaxed);
        assert!(part == pattern(at, part.len()), "changed near byte {at}");
    }
    assert_eq!(received.load(Ordering::Relaxed), SIZE);
    sending.await.unwrap();
    assert_eq!(bed.logged(1).await, [Logged { status: 200, request: SIZE, response: SIZE, fault: None }]);
}

/// Reads the chunks of one answer.
struct Chunks<R> {
    reader: tokio::io::BufReader<R>,
    begun: bool,
}

impl<R: tokio::io::AsyncRead + Unpin> Chunks<R> {
    fn new(reader: R) -> Self {
        Self { reader: tokio::io::BufReader::new(reader), begun: false }
    }

    async fn next(&mut self) -> Option<Vec<u8>> {
        use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _};
        let mut line = String::new();
        while !self.begun {
            line.clear();
            self.reader.read_line(&mut line).await.unwrap();
            self.begun = line == "\r\n";
        }
        line.clear();
        self.reader.read_line(&mut line).await.unwrap();
        let length = usize::from_str_radix(line.trim(), 16).unwrap();
        let mut part = vec![0; length + 2];
        self.reader.read_exact(&mut part).await.unwrap();
        part.truncate(length);
        (length > 0).then_some(part)
    }
}

#[tokio::test]
async fn who_does_not_read_makes_the_other_side_wait_and_not_us_store() {
    let backend = Backend::raw(|stream| async move {
        // Reads nothing, and stays.
        let _stream = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let bed = Bed::new(&[backend.url()], "").await;
    let mut wire = Wire::open(&bed).await;
    wire.write("POST /shop/a HTTP/1.1\r\nhost: a\r\nauthorization: Bearer anna\r\ncontent-length: 104857600\r\n\r\n").await;
    let (part, mut taken) = (vec![7_u8; 64 * 1024], 0);
    while let Ok(written) = tokio::time::timeout(Duration::from_millis(400), wire.stream.write(&part)).await {
        taken += written.unwrap();
        assert!(taken < 40 << 20, "{taken} bytes were taken from the caller and not passed on");
    }
    assert!(taken > 0);
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let backend = Backend::http(|request| async move {
        let collected = request.into_body().collect().await.unwrap();
        let got = collected.trailers().and_then(|trailers| trailers.get("x-sum")).map(|value| value.to_str().unwrap().to_owned());
        let (sender, body) = fed();
        tokio::spawn(async move {
            sender.send(Ok(Frame::data(Bytes::from(format!("sum {}", got.unwrap_or_default()))))).await.unwrap();
            let mut trailers = HeaderMap::new();
            trailers.insert("x-done", "indeed".parse().unwrap());
            sender.send(Ok(Frame::trailers(trailers))).await.unwrap();
        });
        let mut response = Response::new(body);
        response.headers_mut().insert("trailer", "x-done".parse().unwrap());
        response
    })
    .await;
    let bed = Bed::new(&[backend.url()], "").await;
    let mut wire = Wire::open(&bed).await;
    wire.write("POST /shop/a HTTP/1.1\r\nhost: a\r\nauthorization: Bearer anna\r\nte: trailers\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 42\r\n\r\n")
        .await;
    let answer = wire.until("x-done: indeed").await;
    assert!(answer.contains("sum 42"), "{answer}");
}

#[tokio::test]
async fn a_caller_that_waits_for_100_gets_it_when_the_body_is_wanted_and_not_before() {
    let backend = Backend::http(|request| async move {
        assert!(request.headers().get("expect").is_none());
        let length = request.into_body().collect().await.unwrap().to_bytes().len();
        text(format!("took {length}"))
    })
    .await;
    let bed = Bed::new(&[backend.url()], "max_request_bytes = 100").await;
    let mut wire = Wire::open(&bed).await;
    wire.write("POST /shop/a HTTP/1.1\r\nhost: a\r\nauthorization: Bearer anna\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n").await;
    assert!(wire.until("\r\n\r\n").await.starts_with("HTTP/1.1 100 Continue"));
    wire.write("hello").await;
    wire.until("took 5").await;
    let mut wire = Wire::open(&bed).await;
    wire.write("POST /shop/a HTTP/1.1\r\nhost: a\r\nauthorization: Bearer anna\r\nexpect: 100-continue\r\ncontent-length: 101\r\n\r\n")
        .await;
    let answer = wire.until("body_too_large").await;
    assert!(answer.starts_with("HTTP/1.1 413"), "nobody is asked to send what is refused: {answer}");
}

#[tokio::test]
async fn bodies_that_are_too_large_are_refused_or_cut() {
    let backend = Backend::http(|request| async move {
        let path = request.uri().path().to_owned();
        if path == "/streamed" {
            let (sender, body) = fed();
            tokio::spawn(async move { while sender.send(Ok(Frame::data(Bytes::from(vec![b'x'; 60])))).await.is_ok() {} });
            return Response::new(body);
        }
        let _ = request.into_body().collect().await;
        text(vec![b'x'; 200])
    })
    .await;
    let bed = Bed::new(&[backend.url()], "max_request_bytes = 100\nmax_response_bytes = 199").await;
    let mut wire = Wire::open(&bed).await;
    wire.write("POST /shop/a HTTP/1.1\r\nhost: a\r\nauthorization: Bearer anna\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n")
        .await;
    for _ in 0..3 {
        wire.write(&format!("32\r\n{}\r\n", "y".repeat(50))).await;
    }
    let answer = wire.until("body_too_large").await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    bed.client().get("/shop/known").await.assert_problem(502, "upstream_answer_too_large");
    let answer = ask(&bed, "GET /shop/streamed", "").await;
    // What was not flushed yet may be missing altogether.
    let begun = answer.is_empty() || answer.starts_with("HTTP/1.1 200");
    assert!(begun && !answer.ends_with("0\r\n\r\n"), "its end is missing, so that nobody takes it for whole: {answer}");
    let logged = bed.logged(1).await;
    assert_eq!((logged[0].status, logged[0].fault), (200, Some("upstream_answer_too_large")));
    tokio::time::timeout(LIMIT, bed.client().get("/shop/known")).await.unwrap().assert_status(502);
}
