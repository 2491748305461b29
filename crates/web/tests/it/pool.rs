//! Connections that are kept.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use testkit::tls::Authority;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use web::outbound::{Client, ClientConfig, TlsSettings, UrlPolicy};

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
