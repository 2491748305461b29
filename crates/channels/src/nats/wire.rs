//! The lines of the NATS client protocol: reading the server's, writing ours. What the server may send is bounded.

use std::io;

use bytes::Bytes;
use serde::Deserialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _};

/// Longest line of the server: `INFO` names its cluster.
const MAX_LINE: usize = 64 * 1024;
/// Longest payload that is read: only acknowledgements are waited for.
const MAX_PAYLOAD: usize = 1024 * 1024;

/// What the server sends.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    Info(Info),
    /// A message for one of our inboxes.
    Message {
        subject: String,
        reply: Reply,
    },
    Ping,
    Pong,
    Error(String),
    /// `+OK`, and what later versions may add.
    Other,
}

/// A message's content.
#[derive(Debug, PartialEq)]
pub(super) struct Reply {
    /// The status line of its headers: 503 when nobody listens.
    pub(super) status: Option<u16>,
    pub(super) payload: Bytes,
}

/// How the server introduces itself.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(super) struct Info {
    #[serde(default)]
    pub(super) max_payload: usize,
    #[serde(default)]
    pub(super) tls_required: bool,
    #[serde(default)]
    pub(super) tls_available: bool,
    #[serde(default)]
    pub(super) headers: bool,
    #[serde(default)]
    pub(super) nonce: Option<String>,
}

fn odd(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// The next thing that the server says.
pub(super) async fn read<R: AsyncBufRead + Unpin>(from: &mut R) -> io::Result<Said> {
    let line = read_line(from).await?;
    let (verb, rest) = line.split_once([' ', '\t']).unwrap_or((&line, ""));
    match verb.to_ascii_uppercase().as_str() {
        "INFO" => Ok(Said::Info(serde_json::from_str(rest).map_err(|_| odd("INFO cannot be read"))?)),
        "MSG" => message(from, rest, false).await,
        "HMSG" => message(from, rest, true).await,
        "PING" => Ok(Said::Ping),
        "PONG" => Ok(Said::Pong),
        "-ERR" => Ok(Said::Error(rest.trim().trim_matches('\'').to_owned())),
        "+OK" => Ok(Said::Other),
        _ => Err(odd("the server does not speak NATS")),
    }
}

async fn read_line<R: AsyncBufRead + Unpin>(from: &mut R) -> io::Result<String> {
    let mut line = Vec::new();
    from.take(MAX_LINE as u64).read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if line.pop() != Some(b'\n') {
        return Err(odd("a line without an end"));
    }
    let line = String::from_utf8(line).map_err(|_| odd("a line that is not UTF-8"))?;
    Ok(line.trim_end_matches('\r').to_owned())
}

/// `MSG <subject> <sid> [reply-to] <size>` or `HMSG <subject> <sid> [reply-to] <header size> <total size>`, and the content.
async fn message<R: AsyncRead + Unpin>(from: &mut R, rest: &str, with_headers: bool) -> io::Result<Said> {
    let words: Vec<&str> = rest.split_ascii_whitespace().collect();
    let size = |at: Option<usize>| at.and_then(|at| words.get(at)?.parse::<usize>().ok()).ok_or_else(|| odd("a message without a size"));
    let total = size(words.len().checked_sub(1))?;
    let head = if with_headers { size(words.len().checked_sub(2))? } else { 0 };
    if head > total || total > MAX_PAYLOAD {
        return Err(odd("a message of an impossible size"));
    }
    let mut content = vec![0; total + 2];
    from.read_exact(&mut content).await?;
    if !content.ends_with(b"\r\n") {
        return Err(odd("a message without an end"));
    }
    content.truncate(total);
    let status = std::str::from_utf8(&content[..head]).ok().and_then(|head| head.strip_prefix("NATS/1.0 ")?.get(..3)?.parse().ok());
    let payload = Bytes::from(content).slice(head..);
    Ok(Said::Message { subject: words.first().copied().unwrap_or_default().to_owned(), reply: Reply { status, payload } })
}

/// `HPUB`: a message with headers, to be answered at `reply`. Neither names nor values may have line ends; ours have none.
pub(super) fn publish(subject: &str, reply: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = String::from("NATS/1.0\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let mut out = format!("HPUB {subject} {reply} {} {}\r\n", head.len(), head.len() + body.len()).into_bytes();
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(body);
    out.extend_from_slice(b"\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &[u8]) -> io::Result<Said> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { read(&mut tokio::io::BufReader::new(text)).await })
    }

    #[test]
    fn what_servers_say() {
        let Said::Info(info) = parse(b"INFO {\"max_payload\":10,\"headers\":true,\"other\":[1]}\r\n").unwrap() else { panic!() };
        assert_eq!((info.max_payload, info.headers, info.tls_required), (10, true, false));
        assert_eq!(parse(b"PING\r\n").unwrap(), Said::Ping);
        assert_eq!(parse(b"-ERR 'Authorization Violation'\r\n").unwrap(), Said::Error("Authorization Violation".into()));
        let reply =
            |status, payload: &'static [u8]| Said::Message { subject: "i.1".into(), reply: Reply { status, payload: payload.into() } };
        assert_eq!(parse(b"MSG i.1 1 3\r\nabc\r\n").unwrap(), reply(None, b"abc"));
        assert_eq!(parse(b"MSG i.1 1 r 0\r\n\r\n").unwrap(), reply(None, b""));
        assert_eq!(parse(b"HMSG i.1 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n").unwrap(), reply(Some(503), b""));
        assert_eq!(parse(b"HMSG i.1 1 12 15\r\nNATS/1.0\r\n\r\nabc\r\n").unwrap(), reply(None, b"abc"));
    }

    #[test]
    fn what_they_must_not_say() {
        for bad in [
            &b"HTTP/1.1 400 Bad Request\r\n"[..],
            b"MSG i 1 99999999\r\n",
            b"MSG\r\n",
            b"MSG i 1 3\r\nabcd\r\n",
            b"HMSG i 1 9 3\r\nabc\r\n",
            b"INFO {\r\n",
            b"PING",
            b"",
            b"\xff\n",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_publication() {
        let out = publish("a.b", "i.1", &[("x", "1")], b"{}");
        assert_eq!(out, b"HPUB a.b i.1 18 20\r\nNATS/1.0\r\nx: 1\r\n\r\n{}\r\n");
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_a_word_or_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
            let _ = parse(&[b"HMSG ", &bytes[..]].concat());
        }
    }
}
