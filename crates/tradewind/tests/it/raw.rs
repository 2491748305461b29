//! Requests that a well-behaved client cannot send: bytes on a plain connection.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const LIMIT: Duration = Duration::from_secs(30);

/// What came back, whatever it was.
#[derive(Debug)]
pub(crate) struct Answer {
    /// 0 if the connection was closed without an answer.
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// A request with `head` (without the empty line), `Host` and `Connection: close`, and `body` as it is.
pub(crate) async fn send(to: SocketAddr, head: &str, body: &[u8]) -> Answer {
    let mut bytes = format!("{head}\r\nhost: {to}\r\nconnection: close\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body);
    exchange(to, &bytes).await
}

/// Writes `bytes` and reads until the server closes the connection. Panics if it does not within half a minute.
pub(crate) async fn exchange(to: SocketAddr, bytes: &[u8]) -> Answer {
    let talk = async {
        let (mut reader, mut writer) = TcpStream::connect(to).await.unwrap().into_split();
        let write = async {
            // A server may answer and close before it has read everything.
            let _ = writer.write_all(bytes).await;
            writer
        };
        let read = async {
            let mut answer = Vec::new();
            let mut part = vec![0; 16 * 1024];
            while let Ok(count @ 1..) = reader.read(&mut part).await {
                answer.extend_from_slice(&part[..count]);
            }
            answer
        };
        tokio::join!(write, read).1
    };
    let answer = tokio::time::timeout(LIMIT, talk).await.expect("the server answers or closes the connection");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// `body` in chunks, for `Transfer-Encoding: chunked`.
pub(crate) fn chunked(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 1024);
    for part in body.chunks(64 * 1024) {
        out.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
        out.extend_from_slice(part);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}
