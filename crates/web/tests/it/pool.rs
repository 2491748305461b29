//! Connections that are kept.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use testkit::tls::Authority;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use web::outbound::{Client, ClientConfig, OutboundFault, OutboundRequest, TlsSettings, UrlPolicy};

use crate::outbound::{LONG, local, request, send, server};

const EMPTY: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

async fn one_then_close(mut stream: TcpStream) -> io::Result<()> {
    if request(&mut stream).await? {
        stream.write_all(EMPTY).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_not_used() {
    let (address, connections) = server(one_then_close).await;
    let client = local();
    for count in 1..=20 {
        assert_eq!(send(&client, &format!("http://{address}/"), LONG, 10).await.unwrap().status.as_u16(), 204);
        assert_eq!(connections.load(Ordering::SeqCst), count);
        // The other side's end of it has arrived here.
        testkit::wait::until("it is closed", LONG, || async { closed(address).then_some(()) }).await;
    }
}

fn repeatable(address: std::net::SocketAddr, method: Method, repeatable: bool) -> OutboundRequest {
    let uri = format!("http://{address}/").parse().unwrap();
    let body = Bytes::from_static(b"{}");
    OutboundRequest { method, uri, headers: HeaderMap::new(), body, timeout: LONG, response_cap: 10, repeatable }
}

/// Answers one request, reads another one and says `then` to it.
async fn reads_two(mut stream: TcpStream, then: &'static [u8]) -> io::Result<()> {
    if request(&mut stream).await? {
        stream.write_all(EMPTY).await?;
        request(&mut stream).await?;
        stream.write_all(then).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_a_kept_connection_swallowed_is_sent_once_more_where_it_may_be() {
    for (method, flag, may) in
        [(Method::POST, true, true), (Method::POST, false, false), (Method::PUT, false, true), (Method::PATCH, false, false)]
    {
        let (address, connections) = server(|stream| reads_two(stream, b"")).await;
        let client = local();
        let ask = || client.send(repeatable(address, method.clone(), flag));
        assert_eq!(ask().await.unwrap().status.as_u16(), 204);
        let second = ask().await;
        assert_eq!(second.is_ok(), may, "{method} {flag}: {second:?}");
        assert_eq!(connections.load(Ordering::SeqCst), if may { 2 } else { 1 });
    }
}

#[tokio::test]
async fn it_is_sent_once_more_only_before_the_first_byte_of_an_answer_and_only_once() {
    for part in [&b"H"[..], b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 204 No Content\r\n"] {
        let (address, connections) = server(move |stream| reads_two(stream, part)).await;
        let client = local();
        let ask = || client.send(repeatable(address, Method::POST, true));
        assert_eq!(ask().await.unwrap().status.as_u16(), 204);
        assert_eq!(ask().await.unwrap_err().kind, OutboundFault::Protocol, "{part:?}");
        assert_eq!(connections.load(Ordering::SeqCst), 1);
    }
    // From its second connection on this one closes on every request.
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    let (address, connections) = server(move |mut stream| {
        let seen = Arc::clone(&counted);
        async move {
            while request(&mut stream).await? && seen.fetch_add(1, Ordering::SeqCst) == 0 {
                stream.write_all(EMPTY).await?;
            }
            Ok(())
        }
    })
    .await;
    let client = local();
    let ask = || client.send(repeatable(address, Method::POST, true));
    assert_eq!(ask().await.unwrap().status.as_u16(), 204);
    assert_eq!(ask().await.unwrap_err().kind, OutboundFault::Protocol);
    assert_eq!((connections.load(Ordering::SeqCst), seen.load(Ordering::SeqCst)), (2, 3), "one on the kept connection, one more");
    assert_eq!(ask().await.unwrap_err().kind, OutboundFault::Protocol);
    assert_eq!(seen.load(Ordering::SeqCst), 4, "one that began on a new connection is not sent again");
}

#[tokio::test]
async fn a_receiver_that_closes_idle_connections_under_load_costs_nothing() {
    // It closes whenever a connection has been quiet for a moment that is as long as the sender's pauses.
    let quiet = Duration::from_millis(2);
    let (address, connections) = server(move |mut stream| async move {
        while let Ok(Ok(true)) = tokio::time::timeout(quiet, request(&mut stream)).await {
            stream.write_all(EMPTY).await?;
        }
        Ok(())
    })
    .await;
    let client = local();
    let senders = (0..8_u32).map(|sender| {
        let client = client.clone();
        async move {
            let mut pauses = tokio::time::interval(quiet + Duration::from_micros(50) * sender);
            for _ in 0..150 {
                pauses.tick().await;
                let answer = client.send(repeatable(address, Method::POST, true)).await;
                assert_eq!(answer.map(|answer| answer.status.as_u16()).map_err(|error| error.text), Ok(204));
            }
        }
    });
    futures_util::future::join_all(senders).await;
    assert!(connections.load(Ordering::SeqCst) > 50, "it closed hardly any");
}

/// Whether nothing is connected to `address` any more, as this machine sees it.
fn closed(address: std::net::SocketAddr) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let port = format!(":{:04X}", address.port());
    // 01: established; 08: the other side has closed, this one has not yet.
    !table.lines().skip(1).any(|line| {
        let mut words = line.split_whitespace();
        let (from, to, state) = (words.nth(1).unwrap(), words.next().unwrap(), words.next().unwrap());
        (from.ends_with(&port) || to.ends_with(&port)) && matches!(state, "01" | "08")
    })
}

#[tokio::test]
async fn many_at_once_leave_few_behind() {
    let (address, connections) = server(|mut stream| async move {
        while request(&mut stream).await? {
            stream.write_all(EMPTY).await?;
        }
        Ok(())
    })
    .await;
    let policy = UrlPolicy { allow_http: true, allow_networks: vec!["127.0.0.0/8".parse().unwrap()] };
    let client =
        Client::new(ClientConfig { idle_per_host: 2, idle_time: Duration::from_millis(400), ..ClientConfig::new(policy) }).unwrap();
    let url = format!("http://{address}/");
    let many = (0..10).map(|_| send(&client, &url, LONG, 10));
    for answer in futures_util::future::join_all(many).await {
        assert_eq!(answer.unwrap().status.as_u16(), 204);
    }
    let opened = connections.load(Ordering::SeqCst);
    for _ in 0..10 {
        send(&client, &url, LONG, 10).await.unwrap();
    }
    assert_eq!(connections.load(Ordering::SeqCst), opened, "one of those that are kept serves");
    // Nobody asks any more: they go by themselves.
    testkit::wait::until("all are closed", LONG, || async { closed(address).then_some(()) }).await;
    send(&client, &url, LONG, 10).await.unwrap();
    assert_eq!(connections.load(Ordering::SeqCst), opened + 1);
}

#[tokio::test]
async fn the_host_is_named_as_the_url_does() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let kept = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let kept = Arc::clone(&kept);
            let answer = service_fn(move |request: Request<Incoming>| {
                let host = request.headers()["host"].to_str().unwrap().to_owned();
                kept.lock().unwrap().push((host, request.uri().to_string(), request.version()));
                async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::new()))) }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    let client = local();
    for path in ["", "/", "/a/b?c=d", "?x"] {
        send(&client, &format!("http://{address}{path}"), LONG, 10).await.unwrap();
    }
    let host = address.to_string();
    let expected = ["/", "/", "/a/b?c=d", "/?x"].map(|path| (host.clone(), path.to_owned(), Version::HTTP_11));
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test]
async fn http_2_shares_a_connection() {
    let authority = Authority::new();
    let mut config = rustls::ServerConfig::clone(&testkit::tls::server(&authority.server(&["127.0.0.1"]), None));
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (opened, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, served) = (Arc::clone(&opened), Arc::clone(&answered));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let (acceptor, served) = (acceptor.clone(), Arc::clone(&served));
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let answer = service_fn(move |request: Request<Incoming>| {
                    assert_eq!(
                        (request.version(), request.uri().authority().unwrap().as_str()),
                        (Version::HTTP_2, address.to_string().as_str())
                    );
                    served.fetch_add(1, Ordering::SeqCst);
                    async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"both")))) }
                });
                hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await.ok();
            });
        }
    });
    let client = local().with_tls(&TlsSettings::read(None, Some(&authority.certificate())).unwrap()).unwrap();
    let url = format!("https://{address}/x");
    assert_eq!(&send(&client, &url, LONG, 10).await.unwrap().body[..], b"both");
    for answer in futures_util::future::join_all((0..20).map(|_| send(&client, &url, LONG, 10))).await {
        let answer = answer.unwrap();
        assert_eq!((&answer.body[..], answer.remote), (&b"both"[..], Some(address)));
    }
    assert_eq!((opened.load(Ordering::SeqCst), answered.load(Ordering::SeqCst)), (1, 21));
}
