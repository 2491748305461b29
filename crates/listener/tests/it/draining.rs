//! Stopping, and replacing what is served.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use http::Version;
use http_body_util::BodyExt as _;
use kernel::Ambient;
use listener::Certificates;
use testkit::tls::Authority;
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};

use crate::bed::{Bed, connect, http1, http2, request, says, text, trusting, write};

/// No test waits longer.
const LIMIT: Duration = Duration::from_secs(10);

/// `/` answers when it may; `arrived` hears of every request.
fn held(arrived: &mpsc::UnboundedSender<()>, go: &Arc<Notify>) -> Router {
    let (arrived, go) = (arrived.clone(), Arc::clone(go));
    let answer = move || {
        let (arrived, go) = (arrived.clone(), Arc::clone(&go));
        async move {
            arrived.send(()).unwrap();
            go.notified().await;
            "done"
        }
    };
    Router::new().route("/", get(answer))
}

#[tokio::test]
async fn what_is_under_way_is_finished_over_both_protocols() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let (arrived, mut arrivals) = mpsc::unbounded_channel();
        let go = Arc::new(Notify::new());
        let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
        write(dir.path(), &authority.server(&["127.0.0.1"]));
        let certificates = Certificates::load(dir.path().join("cert.pem"), dir.path().join("key.pem"), Ambient::system()).unwrap();
        let bed = Bed::start(held(&arrived, &go), Some(certificates.config().unwrap()), None).await;
        let question = request(bed.address, version, "/");
        let answer = if version == Version::HTTP_2 {
            let mut sender = http2(connect(bed.address, &trusting(&authority, "h2")).await.unwrap()).await;
            tokio::spawn(async move { text(sender.send_request(question).await.unwrap()).await })
        } else {
            let mut sender = http1(connect(bed.address, &trusting(&authority, "http/1.1")).await.unwrap()).await;
            tokio::spawn(async move { text(sender.send_request(question).await.unwrap()).await })
        };
        arrivals.recv().await.unwrap();
        bed.stop.send_replace(true);
        // Nobody new is let in.
        testkit::wait::until("the closed door", LIMIT, async || TcpStream::connect(bed.address).await.is_err().then_some(())).await;
        assert!(!bed.serving.is_finished(), "{version:?}: a request is still under way");
        go.notify_waiters();
        assert_eq!(tokio::time::timeout(LIMIT, answer).await.unwrap().unwrap(), "done", "{version:?}");
        tokio::time::timeout(LIMIT, bed.serving).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn idle_connections_end_at_once() {
    let bed = Bed::start(says("hello"), None, None).await;
    let mut one = http1(TcpStream::connect(bed.address).await.unwrap()).await;
    assert_eq!(text(one.send_request(request(bed.address, Version::HTTP_11, "/")).await.unwrap()).await, "hello");
    let mut two = http2(TcpStream::connect(bed.address).await.unwrap()).await;
    assert_eq!(text(two.send_request(request(bed.address, Version::HTTP_2, "/")).await.unwrap()).await, "hello");
    // Connected, and never said a word.
    let _silent = TcpStream::connect(bed.address).await.unwrap();
    bed.stop.send_replace(true);
    tokio::time::timeout(LIMIT, bed.serving).await.unwrap().unwrap();
    testkit::wait::until("the end of both", LIMIT, async || (one.is_closed() && two.is_closed()).then_some(())).await;
}

#[tokio::test]
async fn a_body_that_is_being_sent_is_sent_to_its_end() {
    let (parts, receive) = mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let receive = Arc::new(std::sync::Mutex::new(Some(receive)));
    let stream = move || {
        let receive = receive.lock().unwrap().take().unwrap();
        async move { Body::from_stream(tokio_stream(receive)) }
    };
    let bed = Bed::start(Router::new().route("/", get(stream)), None, None).await;
    let mut sender = http1(TcpStream::connect(bed.address).await.unwrap()).await;
    let answer = sender.send_request(request(bed.address, Version::HTTP_11, "/")).await.unwrap();
    parts.send(Ok(Bytes::from_static(b"first "))).await.unwrap();
    bed.stop.send_replace(true);
    parts.send(Ok(Bytes::from_static(b"last"))).await.unwrap();
    drop(parts);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "first last");
    tokio::time::timeout(LIMIT, bed.serving).await.unwrap().unwrap();
}

/// A channel as a stream.
fn tokio_stream<T>(mut receive: mpsc::Receiver<T>) -> impl futures_util::Stream<Item = T> {
    futures_util::stream::poll_fn(move |context| receive.poll_recv(context))
}

#[tokio::test]
async fn a_new_router_serves_the_next_request_on_old_connections() {
    let bed = Bed::start(says("old"), None, None).await;
    let mut one = http1(TcpStream::connect(bed.address).await.unwrap()).await;
    assert_eq!(text(one.send_request(request(bed.address, Version::HTTP_11, "/")).await.unwrap()).await, "old");
    bed.live.replace(says("new"));
    assert_eq!(text(one.send_request(request(bed.address, Version::HTTP_11, "/")).await.unwrap()).await, "new");
}
