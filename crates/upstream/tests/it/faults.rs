//! Backends that fail: what the caller is told, what is tried again, and who gets no calls for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::backend::{Backend, mirror, text};
use crate::bed::Bed;

/// An address where nobody listens.
fn dead() -> String {
    format!("http://127.0.0.1:{}", testkit::port::free())
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    while !seen.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
            break;
        }
    }
    String::from_utf8_lossy(&seen).into_owned()
}

/// Reads a head, says `reply`, and closes (or holds the connection open).
async fn rude(reply: &'static str, hold: bool) -> (Backend, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let backend = Backend::raw(move |mut stream| {
        let count = Arc::clone(&count);
        async move {
            if read_head(&mut stream).await.is_empty() {
                return;
            }
            count.fetch_add(1, Ordering::SeqCst);
            stream.write_all(reply.as_bytes()).await.unwrap();
            if hold {
                std::future::pending::<()>().await;
            }
        }
    })
    .await;
    (backend, asked)
}

#[tokio::test]
async fn each_fault_has_its_answer() {
    let bed = Bed::new(&[dead()], "retries = 0").await;
    bed.client().get("/shop/a").await.assert_problem(502, "upstream_unreachable");
    let (closing, _) = rude("", false).await;
    let bed = Bed::new(&[closing.url()], "retries = 0").await;
    bed.client().get("/shop/a").await.assert_problem(502, "upstream_broke_off");
    let (strange, _) = rude("SSH-2.0-OpenSSH_9\r\n\r\n", true).await;
    let bed = Bed::new(&[strange.url()], "retries = 0").await;
    bed.client().get("/shop/a").await.assert_problem(502, "upstream_broke_off");
    let (silent, _) = rude("", true).await;
    let bed = Bed::new(&[silent.url()], "first_byte_timeout_ms = 60").await;
    bed.client().get("/shop/a").await.assert_problem(504, "upstream_timeout");
    let bed = Bed::new(&[silent.url()], "total_timeout_ms = 60").await;
    bed.client().get("/shop/a").await.assert_problem(504, "upstream_timeout");
    // It accepts and never says hello: no TLS session in time.
    let secure = silent.url().replace("http://", "https://");
    let bed = Bed::new(&[secure], "connect_timeout_ms = 60\nretries = 0").await;
    bed.client().get("/shop/a").await.assert_problem(504, "upstream_timeout");
}

#[tokio::test]
async fn a_body_that_stands_still_is_cut_and_the_caller_can_tell() {
    let (stalling, _) = rude("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", true).await;
    for limit in ["idle_timeout_ms = 80", "total_timeout_ms = 80"] {
        let bed = Bed::new(&[stalling.url()], limit).await;
        let answer = crate::raw::ask(&bed, "GET /shop/a", "").await;
        assert!(answer.ends_with("hello"), "{answer}");
        let logged = bed.logged(1).await;
        assert_eq!((logged[0].response, logged[0].fault), (5, Some("upstream_timeout")), "{limit}");
    }
    let (breaking, _) = rude("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", false).await;
    let bed = Bed::new(&[breaking.url()], "").await;
    crate::raw::ask(&bed, "GET /shop/a", "").await;
    assert_eq!(bed.logged(1).await[0].fault, Some("upstream_broke_off"));
}

#[tokio::test]
async fn a_request_body_that_stands_still_ends_the_call_and_ejects_nobody() {
    let (silent, asked) = rude("", true).await;
    let bed = Bed::new(&[silent.url()], "idle_timeout_ms = 80\nfirst_byte_timeout_ms = 60000\neject_after = 2").await;
    // One caller's silence says nothing about the backend: the others still reach it.
    for call in 1..=4 {
        let mut wire = crate::raw::Wire::open(&bed).await;
        wire.write("POST /shop/a HTTP/1.1\r\nhost: a\r\nauthorization: Bearer anna\r\ncontent-length: 10\r\n\r\nhel").await;
        let answer = wire.until("body_incomplete").await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert_eq!(asked.load(Ordering::SeqCst), call);
    }
}

#[tokio::test]
async fn what_may_have_been_done_is_not_done_again() {
    let (closing, asked) = rude("", false).await;
    let good = Backend::http(mirror).await;
    let bed = Bed::new(&[closing.url(), good.url()], "retries = 1\neject_after = 0").await;
    let client = bed.client();
    // Each first goes to one and then to the other: half of the calls meet the one that closes.
    for method in [Method::GET, Method::HEAD, Method::DELETE, Method::PUT] {
        for _ in 0..4 {
            client.request(method.clone(), "/shop/a").send().await.assert_status(200);
        }
    }
    let tries = asked.load(Ordering::SeqCst);
    assert!(tries >= 8, "{tries}");
    let mut statuses = Vec::new();
    for method in [Method::POST, Method::PATCH] {
        for _ in 0..4 {
            statuses.push(client.request(method.clone(), "/shop/a").send().await.status.as_u16());
        }
    }
    assert_eq!(statuses.iter().filter(|status| **status == 502).count(), asked.load(Ordering::SeqCst) - tries, "{statuses:?}");
    assert!(statuses.contains(&502) && statuses.contains(&200), "{statuses:?}");
    // A body that was streamed is gone, whatever the method.
    let put = || async { client.request(Method::PUT, "/shop/a").body("text/plain", "body").send().await.status.as_u16() };
    let statuses = [put().await, put().await, put().await];
    assert!(statuses.contains(&502), "{statuses:?}");
}

#[tokio::test]
async fn what_was_not_sent_goes_elsewhere_whatever_it_is() {
    let good = Backend::http(mirror).await;
    let bed = Bed::new(&[dead(), good.url()], "retries = 1\neject_after = 0").await;
    for _ in 0..6 {
        let answer = bed.client().request(Method::POST, "/shop/a").body("text/plain", "body").send().await.expect(200);
        assert!(answer.text().contains("body: 4"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_timeout_is_not_tried_again() {
    let (silent, asked) = rude("", true).await;
    let bed = Bed::new(&[silent.url(), silent.url().replace("127.0.0.1", "127.0.0.2")], "retries = 3\nfirst_byte_timeout_ms = 60").await;
    bed.client().get("/shop/a").await;
    assert!(asked.load(Ordering::SeqCst) <= 1);
}

#[tokio::test]
async fn retries_are_at_most_a_fifth_of_the_calls() {
    let (closing, asked) = rude("", false).await;
    let (other, asked_too) = rude("", false).await;
    let bed = Bed::new(&[closing.url(), other.url()], "retries = 1\neject_after = 0").await;
    let client = bed.client();
    for _ in 0..200 {
        client.get("/shop/a").await.assert_problem(502, "upstream_broke_off");
    }
    let tries = asked.load(Ordering::SeqCst) + asked_too.load(Ordering::SeqCst);
    // 20 that were saved, and one for five calls.
    assert!((201..=200 + 20 + 40).contains(&tries), "{tries}");
}

#[tokio::test]
async fn a_target_that_fails_gets_no_calls_for_a_while_and_comes_back() {
    let port = testkit::port::free();
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let good = Backend::http(|_| async { text("good") }).await;
    let members = "retries = 1\neject_after = 2\neject_seconds = 10";
    let bed = Bed::new(&[format!("http://{address}"), good.url()], members).await;
    let client = bed.client();
    for _ in 0..8 {
        client.get("/shop/a").await.assert_status(200);
    }
    let shop = bed.upstreams.get("shop").unwrap();
    assert_eq!(shop.targets().iter().map(|(_, available)| *available).collect::<Vec<_>>(), [false, true]);
    // It is there again, but nobody asks it before its time.
    let returned = Backend::http_on(address, |_| async { text("returned") }).await;
    for _ in 0..8 {
        assert_eq!(client.get("/shop/a").await.text(), "good");
    }
    assert_eq!(returned.connections(), 0);
    bed.clock.advance(Duration::from_secs(11));
    let mut texts = Vec::new();
    for _ in 0..4 {
        texts.push(client.get("/shop/a").await.text());
    }
    assert!(texts.iter().any(|text| text == "returned") && texts.iter().any(|text| text == "good"), "{texts:?}");
}

#[tokio::test]
async fn when_no_target_is_left_the_caller_is_told_when_to_come_back() {
    let bed = Bed::new(&[dead()], "retries = 0\neject_after = 2\neject_seconds = 7").await;
    let client = bed.client();
    for _ in 0..2 {
        client.get("/shop/a").await.assert_problem(502, "upstream_unreachable");
    }
    let refused = client.get("/shop/a").await;
    refused.assert_problem(503, "upstream_unavailable");
    assert_eq!(refused.header("retry-after"), Some("7"));
    bed.clock.advance(Duration::from_secs(8));
    client.get("/shop/a").await.assert_problem(502, "upstream_unreachable");
    // One more failure was enough, and it lasts longer.
    let refused = client.get("/shop/a").await;
    refused.assert_problem(503, "upstream_unavailable");
    assert_eq!(refused.header("retry-after"), Some("14"));
}

#[tokio::test]
async fn calls_beyond_the_limit_wait_for_a_place_and_then_are_refused() {
    let (silent, asked) = rude("", true).await;
    let bed = Bed::new(&[silent.url()], "max_in_flight = 1\nconnect_timeout_ms = 80\nfirst_byte_timeout_ms = 60000").await;
    let client = bed.client();
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.get("/shop/a").await }
    });
    testkit::wait::until("the first call", crate::bed::LIMIT, || async { (asked.load(Ordering::SeqCst) == 1).then_some(()) }).await;
    let refused = client.get("/shop/b").await;
    refused.assert_problem(503, "upstream_unavailable");
    assert_eq!((refused.header("retry-after"), asked.load(Ordering::SeqCst)), (Some("1"), 1));
    first.abort();
}

#[tokio::test]
async fn one_tenant_does_not_fill_a_backend_for_all() {
    // It answers only those who ask for /quick.
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let backend = Backend::http(move |request: http::Request<hyper::body::Incoming>| {
        let (count, quick) = (Arc::clone(&count), request.uri().path() == "/quick");
        async move {
            count.fetch_add(1, Ordering::SeqCst);
            if !quick {
                std::future::pending::<()>().await;
            }
            text("quick")
        }
    })
    .await;
    let members = "max_in_flight = 8\nconnect_timeout_ms = 100\nfirst_byte_timeout_ms = 60000\nretries = 0";
    let bed = Bed::new(&[backend.url()], members).await;
    let (anna, bert) = (bed.client(), bed.client().bearer("bert"));
    let slow: Vec<_> = (0..20)
        .map(|_| {
            let anna = anna.clone();
            tokio::spawn(async move { anna.get("/shop/slow").await.status.as_u16() })
        })
        .collect();
    // Six of eight are hers, and the others were told to come back.
    let refused = async || slow.iter().filter(|call| call.is_finished()).count();
    testkit::wait::until("fourteen refusals", crate::bed::LIMIT, || async { (refused().await == 14).then_some(()) }).await;
    assert_eq!(asked.load(Ordering::SeqCst), 6);
    for _ in 0..5 {
        assert_eq!(bert.get("/shop/quick").await.expect(200).text(), "quick", "another tenant is served");
    }
    anna.get("/shop/quick").await.assert_problem(503, "upstream_unavailable");
    slow.iter().for_each(tokio::task::JoinHandle::abort);
    let served = || async { (anna.get("/shop/quick").await.status == 200).then_some(()) };
    testkit::wait::until("her places come back", crate::bed::LIMIT, served).await;
}

#[tokio::test]
async fn an_answer_that_is_framed_twice_or_is_none_is_a_problem() {
    let twice = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let switching = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    for reply in [twice, switching] {
        let (strange, asked) = rude(reply, true).await;
        let bed = Bed::new(&[strange.url()], "retries = 0").await;
        for n in 1..=2 {
            let answer = bed.client().get("/shop/a").await;
            answer.assert_problem(502, "upstream_invalid_answer");
            assert_eq!((asked.load(Ordering::SeqCst), strange.connections()), (n, n), "its connection is not used again");
        }
        let answer = bed.client().request(Method::POST, "/shop/a").body("text/plain", "body").send().await;
        answer.assert_problem(502, "upstream_invalid_answer");
    }
}

#[tokio::test]
async fn a_backends_own_errors_pass_and_are_told_apart_in_the_log() {
    let backend = Backend::http(|_| async {
        let mut answer = text("{\"mine\":true}");
        *answer.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        answer
    })
    .await;
    let bed = Bed::new(&[backend.url()], "").await;
    let answer = bed.client().get("/shop/a").await.expect(503);
    assert_eq!(answer.text(), "{\"mine\":true}");
    assert_eq!(bed.logged(1).await[0].fault, Some("upstream_error"));
}
