//! The outbound client against servers of this process.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use web::outbound::{
    Client, ClientConfig, OutboundError, OutboundFault, OutboundRequest, OutboundResponse, Refusal, Resolve, Resolving, UrlPolicy,
};

/// Answers with one address after the other, and counts.
pub(crate) struct Turning {
    answers: Vec<&'static str>,
    pub(crate) asked: AtomicUsize,
}

impl Resolve for Turning {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        let address: IpAddr = self.answers[turn.min(self.answers.len() - 1)].parse().unwrap();
        Box::pin(async move { Ok(vec![address]) })
    }
}

pub(crate) struct Nowhere;

impl Resolve for Nowhere {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        Box::pin(async { Err(io::Error::other("no such name")) })
    }
}

pub(crate) fn turning(answers: &[&'static str]) -> Arc<Turning> {
    Arc::new(Turning { answers: answers.to_vec(), asked: AtomicUsize::new(0) })
}

fn client(resolver: Arc<dyn Resolve>, networks: &[&str]) -> Client {
    let policy = UrlPolicy { allow_http: true, allow_networks: networks.iter().map(|text| text.parse().unwrap()).collect() };
    Client::new(ClientConfig { resolver, ..ClientConfig::new(policy) }).unwrap()
}

pub(crate) fn local() -> Client {
    client(Arc::new(Nowhere), &["127.0.0.0/8"])
}

pub(crate) async fn send(client: &Client, uri: &str, timeout: Duration, cap: usize) -> Result<OutboundResponse, OutboundError> {
    let uri: Uri = uri.parse().unwrap();
    let body = Bytes::from_static(b"{}");
    client
        .send(OutboundRequest { method: Method::POST, uri, headers: HeaderMap::new(), body, timeout, response_cap: cap, repeatable: false })
        .await
}

pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A server that gives each connection to `serve`, and counts them. It ends with the test's runtime.
pub(crate) async fn server<F, Fut>(serve: F) -> (SocketAddr, Arc<AtomicUsize>)
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(stream));
        }
    });
    (address, count)
}

/// Reads one request, whose body is `{}`; false at the end of the connection.
pub(crate) async fn request(stream: &mut TcpStream) -> io::Result<bool> {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n{}") {
        let mut byte = [0; 1024];
        match stream.read(&mut byte).await? {
            0 => return Ok(false),
            read => seen.extend_from_slice(&byte[..read]),
        }
    }
    Ok(true)
}

async fn answer_always(mut stream: TcpStream, text: &'static str) -> io::Result<()> {
    while request(&mut stream).await? {
        stream.write_all(text.as_bytes()).await?;
    }
    Ok(())
}

#[tokio::test]
async fn connections_are_kept_and_answers_read() {
    let (address, connections) =
        server(|stream| answer_always(stream, "HTTP/1.1 201 Created\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello")).await;
    let client = local();
    for _ in 0..10 {
        let answer = send(&client, &format!("http://{address}/"), LONG, 100).await.unwrap();
        assert_eq!((answer.status.as_u16(), &answer.body[..], answer.truncated), (201, &b"hello"[..], false));
        assert_eq!((answer.headers["x-a"].to_str().unwrap(), answer.remote), ("b", Some(address)));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_body_of_exactly_the_cap_is_whole() {
    let (address, _) = server(|stream| answer_always(stream, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")).await;
    let client = local();
    for (cap, text, truncated) in [(5, "hello", false), (4, "hell", true), (0, "", true)] {
        let answer = send(&client, &format!("http://{address}/"), LONG, cap).await.unwrap();
        assert_eq!((&answer.body[..], answer.truncated), (text.as_bytes(), truncated));
    }
}

#[tokio::test]
async fn redirects_are_answers() {
    let (inside, visits) = server(|stream| answer_always(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).await;
    let text: &'static str = format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: http://{inside}/\r\nContent-Length: 0\r\n\r\n").leak();
    let (address, _) = server(move |stream| answer_always(stream, text)).await;
    assert_eq!(send(&local(), &format!("http://{address}/"), LONG, 100).await.unwrap().status.as_u16(), 307);
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_endless_answer_is_cut_and_its_connection_dropped() {
    let (gone, went) = tokio::sync::oneshot::channel();
    let gone = Arc::new(std::sync::Mutex::new(Some(gone)));
    let (address, _) = server(move |mut stream| {
        let gone = gone.clone();
        async move {
            request(&mut stream).await?;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 400000000\r\n\r\n").await?;
            let mut sent = 0_usize;
            while stream.write_all(&[b'x'; 65536]).await.is_ok() {
                sent += 65536;
            }
            gone.lock().unwrap().take().map_or(Ok(()), |gone| gone.send(sent).map_err(|_| io::Error::other("no listener")))
        }
    })
    .await;
    let answer = send(&local(), &format!("http://{address}/"), LONG, 1000).await.unwrap();
    assert_eq!((answer.body.len(), answer.truncated), (1000, true));
    let sent = tokio::time::timeout(LONG, went).await.unwrap().unwrap();
    assert!(sent < 100_000_000, "the answer was not drained: {sent}");
}

#[tokio::test]
async fn the_time_out_covers_waiting_and_dripping() {
    let (silent, _) = server(|mut stream| async move {
        while request(&mut stream).await? {}
        Ok(())
    })
    .await;
    let (dripping, _) = server(|mut stream| async move {
        request(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").await?;
        let mut pace = tokio::time::interval(Duration::from_millis(10));
        while stream.write_all(b"x").await.is_ok() {
            pace.tick().await;
        }
        Ok(())
    })
    .await;
    let (slow_head, _) = server(|mut stream| async move {
        request(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nX-A: ").await?;
        let mut pace = tokio::time::interval(Duration::from_millis(10));
        while stream.write_all(b"x").await.is_ok() {
            pace.tick().await;
        }
        Ok(())
    })
    .await;
    for address in [silent, dripping, slow_head] {
        let error = send(&local(), &format!("http://{address}/"), Duration::from_millis(200), 1_000_000).await.unwrap_err();
        assert_eq!(error.kind, OutboundFault::Timeout);
        assert!((Duration::from_millis(200)..Duration::from_secs(5)).contains(&error.elapsed), "{:?}", error.elapsed);
    }
}

#[tokio::test]
async fn a_stalled_tls_handshake_ends_in_time() {
    let (address, _) = server(|mut stream| async move {
        let mut sink = Vec::new();
        stream.read_to_end(&mut sink).await.map(|_| ())
    })
    .await;
    let error = send(&local(), &format!("https://{address}/"), Duration::from_millis(200), 10).await.unwrap_err();
    assert_eq!(error.kind, OutboundFault::Timeout);
}

#[tokio::test]
async fn faults_are_told_apart() {
    let (address, _) = server(|stream| answer_always(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).await;
    let (garbage, _) = server(|stream| answer_always(stream, "SSH-2.0-OpenSSH\r\n\r\n")).await;
    let (hangup, _) = server(|mut stream| async move { request(&mut stream).await.map(|_| ()) }).await;
    let (plain, _) = server(|mut stream| async move { stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await }).await;
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let local = local();
    for (uri, kind) in [
        (format!("http://{garbage}/"), OutboundFault::Protocol),
        (format!("http://{hangup}/"), OutboundFault::Protocol),
        (format!("http://{closed}/"), OutboundFault::Connect),
        (format!("https://{plain}/"), OutboundFault::Tls),
        ("http://nowhere.example/".to_owned(), OutboundFault::Dns),
        ("http://127.0.0.1:0/".to_owned(), OutboundFault::Refused(Refusal::Port)),
    ] {
        let error = send(&local, &uri, LONG, 10).await.unwrap_err();
        assert_eq!(error.kind, kind, "{uri}: {error}");
    }
    let strict = client(Arc::new(Nowhere), &[]);
    for host in ["127.0.0.1", "0x7f.1", "2130706433", "0177.0.0.1", "[::ffff:127.0.0.1]"] {
        let error = send(&strict, &format!("http://{host}:{}/", address.port()), LONG, 10).await.unwrap_err();
        assert!(matches!(error.kind, OutboundFault::Refused(Refusal::Address { .. })), "{host}: {error}");
    }
}

#[tokio::test]
async fn a_name_that_turns_inwards_after_the_verdict_is_refused() {
    let (address, connections) = server(|stream| answer_always(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).await;
    let zone = turning(&["93.184.215.14", "127.0.0.1"]);
    let client = client(zone.clone(), &[]);
    let url = client.verdict(&format!("http://turning.example:{}/", address.port())).await.unwrap();
    let error = send(&client, url.as_str(), LONG, 10).await.unwrap_err();
    assert!(matches!(error.kind, OutboundFault::Refused(Refusal::Address { .. })), "{error}");
    assert_eq!((zone.asked.load(Ordering::SeqCst), connections.load(Ordering::SeqCst)), (2, 0));
}

#[tokio::test]
async fn the_vetted_address_is_the_one_connected_to() {
    let (address, connections) = server(|stream| answer_always(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).await;
    // The second answer would be refused; it is never asked for, since the connector uses the address that it vetted.
    let zone = turning(&["127.0.0.1", "10.0.0.1"]);
    let client = client(zone.clone(), &["127.0.0.1/32"]);
    send(&client, &format!("http://turning.example:{}/", address.port()), LONG, 10).await.unwrap();
    assert_eq!((zone.asked.load(Ordering::SeqCst), connections.load(Ordering::SeqCst)), (1, 1));
}
