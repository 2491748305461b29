//! WebSocket, with a client and a server that are not ours.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_async, client_async};

use crate::backend::{Backend, mirror};
use crate::bed::{Bed, LIMIT, blueprint};

const ENDPOINT: &str = r#"
[[endpoints]]
method = "GET"
path = "/live/*rest"
operation = { type = "upstream", upstream = "shop", path = "/*rest", websocket = true }
scope = "orders"
[[endpoints]]
method = "GET"
path = "/plain"
operation = { type = "upstream", upstream = "shop" }
scope = "orders"
"#;

/// Says hello, echoes, and closes when it is told to.
async fn echo(stream: TcpStream) {
    let Ok(mut socket) = accept_async(stream).await else { return };
    socket.send(Message::text("hello")).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        match message {
            Message::Text(text) if text.as_str() == "bye" => {
                let _ = socket.close(None).await;
            }
            Message::Text(_) | Message::Binary(_) => socket.send(message).await.unwrap(),
            _ => {}
        }
    }
}

async fn connect(bed: &Bed, path: &str) -> Result<WebSocketStream<TcpStream>, Error> {
    let mut request = format!("ws://{}{path}", bed.address).into_client_request().unwrap();
    request.headers_mut().insert("authorization", "Bearer anna".parse().unwrap());
    client_async(request, TcpStream::connect(bed.address).await.unwrap()).await.map(|(socket, _)| socket)
}

async fn next(socket: &mut WebSocketStream<TcpStream>) -> Option<Message> {
    tokio::time::timeout(LIMIT, socket.next()).await.expect("a message").and_then(Result::ok)
}

#[tokio::test]
async fn messages_go_both_ways_and_are_counted() {
    let backend = Backend::raw(echo).await;
    let bed = Bed::of(&blueprint(&[backend.url()], "", ENDPOINT)).await;
    let mut socket = connect(&bed, "/shop/live/feed?x=1").await.unwrap();
    assert_eq!(next(&mut socket).await, Some(Message::text("hello")), "the server may speak first");
    for size in [1, 1000, 300_000] {
        let message = Message::binary(vec![7_u8; size]);
        socket.send(message.clone()).await.unwrap();
        assert_eq!(next(&mut socket).await, Some(message));
    }
    assert!(bed.log.lock().unwrap().is_empty(), "it is logged when it ends");
    socket.send(Message::text("bye")).await.unwrap();
    while next(&mut socket).await.is_some() {}
    drop(socket);
    let logged = bed.logged(1).await;
    assert_eq!((logged[0].status, logged[0].fault), (101, None));
    assert!(logged[0].request > 301_001 && logged[0].response > 301_001, "{logged:?}");
}

#[tokio::test]
async fn a_caller_that_leaves_ends_it_and_a_silent_one_is_ended() {
    let backend = Backend::raw(echo).await;
    let bed = Bed::of(&blueprint(&[backend.url()], "websocket_idle_seconds = 1", ENDPOINT)).await;
    let mut socket = connect(&bed, "/shop/live/feed").await.unwrap();
    next(&mut socket).await;
    drop(socket);
    bed.logged(1).await;
    let mut silent = connect(&bed, "/shop/live/feed").await.unwrap();
    next(&mut silent).await;
    assert_eq!(next(&mut silent).await, None, "after a second of silence");
    assert_eq!(bed.logged(2).await[1].fault, Some("upstream_timeout"));
}

#[tokio::test]
async fn a_server_that_stops_ends_it() {
    let backend = Backend::raw(echo).await;
    let bed = Bed::of(&blueprint(&[backend.url()], "", ENDPOINT)).await;
    let mut socket = connect(&bed, "/shop/live/feed").await.unwrap();
    next(&mut socket).await;
    bed.upstreams.close();
    assert_eq!(next(&mut socket).await, None);
    assert_eq!(bed.logged(1).await[0].status, 101, "and it is logged");
}

#[tokio::test]
async fn only_where_the_blueprint_allows_it_and_the_backend_agrees() {
    let backend = Backend::http(mirror).await;
    let bed = Bed::of(&blueprint(&[backend.url()], "", ENDPOINT)).await;
    for path in ["/shop/plain", "/shop/live/feed"] {
        let Err(Error::Http(answer)) = connect(&bed, path).await else { panic!("{path} was upgraded") };
        assert_eq!(answer.status(), 200, "an ordinary answer");
    }
    let answer = crate::raw::ask(&bed, "GET /shop/plain", "upgrade: websocket\r\nsec-websocket-version: 13\r\n").await;
    assert!(!answer.contains("\nupgrade: "), "{answer}");
    // Another protocol is not carried, even where WebSocket is.
    let mut wire = crate::raw::Wire::open(&bed).await;
    wire.write("GET /shop/live/a HTTP/1.1\r\nhost: a\r\nauthorization: Bearer anna\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n").await;
    let answer = wire.until("body: 0").await;
    assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("\nupgrade: "), "{answer}");
}
